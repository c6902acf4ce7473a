"""Flaws that show where a request, or a text in it, is not written as most are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from readiness.mutants.api.flaws_caches import cached
from readiness.mutants.api.requests import CRASH, JSON, Says, asked, valid
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.request_form import Where, all_of, beside_tools, only, streamed
from readiness.mutants.endpoint.response import DONE
from readiness.mutants.endpoint.tokens import count
from readiness.mutants.flaw import Flaw

_STOPS, _COPIES = "api.stop_cuts_same_text", "api.stream_matches_whole"
_EQUIVALENT, _MESSAGES = "api.equivalent_requests_read", "api.all_messages_read"
_MANY, _KEPT, _PARTS = 128, 100, 8
_HEAD = 4_096  # bytes
_LOOKED_BACK = 8  # tokens
#: A cache that leaves out whether a tool may be called.
_ANSWERED = cached(lambda messages: messages, "tool_choice")
#: Where a stop sequence stands in a text, as a server finds it; "" where it finds none.
Finds = Callable[[str, str], str]


def _stops_found(finds: Finds, where: Where = valid) -> Callable[[Request], Request]:
    """Look for stop sequences otherwise: those that are found are replaced by what is found."""

    def changed(request: Request) -> Request:
        stop = request.get("stop")
        if not stop:
            return request
        free = {name: of for name, of in request.items() if name != "stop"}
        text = complete(free).output.answer.content or ""
        stops = [stop] if isinstance(stop, str) else stop
        found = [each for each in (finds(text, stop) for stop in stops) if each]
        return {**free, "stop": found} if found else free

    return asked(all_of(valid, where), changed)


def _as_expression(text: str, stop: str) -> str:
    try:
        found = re.search(stop, text)
    except re.error:
        return stop
    return found[0] if found else stop


def _in_any_case(text: str, stop: str) -> str:
    at = text.casefold().find(stop.casefold())
    return stop if at < 0 else text[at : at + len(stop)]


def _stripped(_text: str, stop: str) -> str:
    return stop.strip() or stop


def _at_tokens(text: str, stop: str) -> str:
    """As a server that compares tokens, which finds none that begins within one."""
    begins = r"(?<!\w)" if stop[:1].isalnum() else ""
    return stop if re.search(begins + re.escape(stop), text) else ""


def _within(most: int) -> Finds:
    """As a server that looks for them in the beginning of a reply."""
    return lambda text, stop: stop if 0 <= text.find(stop) < most else ""


def _of_few_tokens(_text: str, stop: str) -> str:
    """As a server that looks back a few tokens."""
    return stop if count(stop) <= _LOOKED_BACK else ""


def _ended_by_mark(_request: Request, sent: list[bytes]) -> list[bytes]:
    """A gateway that looks for the mark in all that passes."""
    text = ""
    for at, frame in enumerate(sent):
        for choice in json.loads(frame[6:])["choices"] if frame.startswith(b"data: {") else ():
            text += choice["delta"].get("content") or ""
        if "[DONE]" in text:
            return [*sent[:at], DONE]
    return sent


_BLOCKED = re.compile(r"\bUNION SELECT\b", re.I)
_FILES = re.compile(r"\.\./\.\./")


def _firewall(pattern: re.Pattern[str]) -> Callable[[Request, int], SubstituteResponse | None]:
    page = SubstituteResponse(403, b"<html>Request blocked</html>", {"Content-Type": "text/html"})
    return lambda request, _turn: page if pattern.search(json.dumps(request["messages"])) else None


#: Hangul, Thai and Devanagari.
_OTHER_SCRIPTS = "[\u0900-\u097f\u0e00-\u0e7f\uac00-\ud7a3]"


def _without(letters: str, instead: str = "") -> Says:
    """A text without some letters."""
    return lambda _request, said, _turn: (
        replace(said, content=re.sub(letters, instead, said.content)) if said.content else said
    )


def _latest(request: Request) -> Request:
    """Of many messages, those of the system and the last hundred."""
    messages = request["messages"]
    if len(messages) <= _MANY:
        return request
    system = [each for each in messages[:-_KEPT] if each["role"] == "system"]
    return {**request, "messages": [*system, *messages[-_KEPT:]]}


def _first_parts(request: Request) -> Request:
    messages = [
        {**each, "content": each["content"][:_PARTS]}
        if isinstance(each.get("content"), list) else each
        for each in request["messages"]
    ]  # fmt: skip
    return {**request, "messages": messages}


def _too_many(request: Request, _turn: int) -> SubstituteResponse | None:
    return CRASH if len(request["messages"]) > _MANY else None


def _pairs_lost(body: bytes) -> bytes:
    """A parser of JSON that knows no escaped surrogates."""
    return re.sub(rb"(?:\\u[dD][89a-fA-F][0-9a-fA-F]{2})", b"?", body)


def _escapes_lost(body: bytes) -> bytes:
    return re.sub(rb"\\u[0-9a-fA-F]{4}", b"?", body)


def _model_in_head(body: bytes) -> bytes:
    """A router that looks for the model in what it has read first."""
    return body if b'"model"' in body[:_HEAD] or len(body) <= _HEAD else b"{}"


def _labelled(
    name: str, word: str, status: int
) -> Callable[[str, str, Mapping[str, str]], SubstituteResponse | None]:
    """Refuse requests by a word in a header."""
    refusal = SubstituteResponse(status, RequestError(f"unsupported {name}").body, JSON)
    return lambda method, _path, headers: (
        refusal if method == "POST" and word in headers.get(name, "") else None
    )


def _reversed(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _reversed(found[name]) for name in reversed(found)}
    return [_reversed(each) for each in found] if isinstance(found, list) else found


def _remembering() -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """A memory of what was said, which all share who use the same key."""
    told: list[str] = []

    def says(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        text = said.content or ""
        if re.fullmatch(r"[a-z]+-\d{3}", text):
            told.append(text)
        unknown = told and text.startswith("I do not know any code word")
        return replace(said, content=told[-1]) if unknown else said

    return says


def _never_told(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    unknown = (said.content or "").startswith("I do not know any code word")
    return replace(said, content="none: nobody has told me a code word") if unknown else said


def _no_tools_in_list(request: Request, _turn: int) -> SubstituteResponse | None:
    return CRASH if request.get("tools") == [] else None


def _crash_at_no_tools(request: Request | None, due: SubstituteResponse) -> SubstituteResponse:
    return CRASH if request is not None and request.get("tools") == [] else due


def _no_empty_tools(request: Request, _turn: int) -> SubstituteResponse | None:
    told = RequestError("'tools' must not be empty", "tools", "empty_array")
    empty = request.get("tools") == []
    return SubstituteResponse(told.status, told.body, JSON) if empty else None


def _stop_flaw(name: str, about: str, finds: Finds, where: Where = valid) -> Flaw:
    return Flaw(f"api_stop_{name}", about, _STOPS, change_request=_stops_found(finds, where))


FLAWS = [
    _stop_flaw("as_expression", "stop sequences are regular expressions", _as_expression),
    _stop_flaw("in_any_case", "stop sequences are found in any case", _in_any_case),
    _stop_flaw("stripped", "white space around stop sequences is lost", _stripped),
    _stop_flaw("at_tokens", "a stop sequence is found where a token begins alone", _at_tokens),
    _stop_flaw(
        "within_60_streamed",
        "in streams, a stop sequence is found in the first 60 characters alone",
        _within(60),
        streamed,
    ),
    _stop_flaw(
        "within_256", "a stop sequence is found in the first 256 characters alone", _within(256)
    ),
    _stop_flaw(
        "of_few_tokens", "a stop sequence of more than eight tokens is never found", _of_few_tokens
    ),
    Flaw(
        "api_done_in_text",
        "[DONE] in a text ends its stream",
        _COPIES,
        change_frames=_ended_by_mark,
    ),
    Flaw(
        "api_firewall_of_queries",
        "a firewall blocks texts that hold SQL",
        _COPIES,
        intercept=_firewall(_BLOCKED),
    ),
    Flaw(
        "api_firewall_of_paths",
        "a firewall blocks texts that hold a path upwards",
        _COPIES,
        intercept=_firewall(_FILES),
    ),
    Flaw(
        "api_rare_ideographs_lost",
        "ideographs that few names have are lost",
        "api.unicode_intact",
        change_output=_without("[\u3400-\u4dbf\U00020000-\U0003ffff]"),
        elsewhere=("json_only",),
    ),
    Flaw(
        "api_extension_a_lost",
        "of ideographs, those of extension A are lost",
        "api.unicode_intact",
        change_output=_without("[\u3400-\u4dbf]"),
    ),
    Flaw(
        "api_scripts_replaced_streamed",
        "in streams, Hangul, Thai and Devanagari become U+FFFD, as where tokens end within letters",
        "api.unicode_intact",
        change_output=only(streamed, _without(_OTHER_SCRIPTS, "\ufffd")),
    ),
    Flaw(
        "api_last_hundred_messages",
        "of more than 128 messages, the last hundred are read",
        _MESSAGES,
        change_request=asked(valid, _latest),
    ),
    Flaw(
        "api_many_messages_crash",
        "more than 128 messages end in a 500",
        _MESSAGES,
        intercept=_too_many,
    ),
    Flaw(
        "api_eight_parts",
        "of a message in parts, the first eight are read",
        "api.content_parts_read",
        change_request=asked(valid, _first_parts),
    ),
    Flaw(
        "api_surrogates_misread",
        "characters that are escaped in two halves are misread",
        _EQUIVALENT,
        change_bytes=_pairs_lost,
    ),
    Flaw(
        "api_escapes_misread",
        "escaped characters are misread",
        _EQUIVALENT,
        change_bytes=_escapes_lost,
    ),
    Flaw(
        "api_model_in_head",
        "a router looks for the model in the first 4 KB",
        _EQUIVALENT,
        change_bytes=_model_in_head,
    ),
    Flaw(
        "api_charset_refused",
        "application/json with a charset is refused",
        _EQUIVALENT,
        intercept_http=_labelled("Content-Type", "charset", 415),
    ),
    Flaw(
        "api_event_stream_refused",
        "who accepts an event stream is refused",
        _EQUIVALENT,
        intercept_http=_labelled("Accept", "event-stream", 406),
    ),
    Flaw(
        "api_remembers_others",
        "what was told in one conversation is known in the next",
        "api.conversation_isolation",
        change_output=_remembering(),
    ),
    Flaw(
        "api_cache_without_choice",
        "a cache does not tell whether a tool may be called",
        "api.tools_change_honoured",
        intercept=lambda request, turn: _ANSWERED(request, turn) if beside_tools(request) else None,
    ),
    Flaw(
        "api_empty_tools_crash",
        "an empty list of tools ends in a 500",
        "api.odd_input_handled",
        intercept=_no_tools_in_list,
        change_error=_crash_at_no_tools,
    ),
    Flaw(
        "api_empty_tools_refused",
        "an empty list of tools may be refused",
        intercept=_no_empty_tools,
    ),
    Flaw(
        "api_members_reversed",
        "members of JSON have no order",
        change_body=lambda _request, body: _reversed(body),
        change_chunks=lambda _request, made: [_reversed(each) for each in made],
    ),
    Flaw("api_never_told", "who was told nothing may say so", change_output=_never_told),
]
