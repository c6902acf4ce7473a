"""Flaws that show in a second request: streamed, or with another parameter."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import JSON, choice_of, with_end
from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.request_form import Says, Where, begins_with_system, only, streamed
from readiness.mutants.endpoint.response import chunks as chunks_of
from readiness.mutants.endpoint.response import encode, frames, whole
from readiness.mutants.endpoint.tools import named_tool
from readiness.mutants.flaw import Body, Flaw

_STREAM = {"Content-Type": "text/event-stream"}
_EDGE = 3
#: Where a stop sequence comes late, how much a stream keeps back for it,
#: and what some take none of, in characters.
_LATE, _KEPT, _LONG = 100, 16, 20

#: From so many tokens on, a server that drafts several at once counts them by their steps.
_DRAFTED = 30

Chunks = Callable[[Request, list[Body]], list[Body]]


def _texts(change: Callable[[str], str]) -> Chunks:
    """Change the text of each chunk, and leave out what has none left."""

    def changed(_request: Request, made: list[Body]) -> list[Body]:
        return [each for chunk in made for each in _changed(chunk, change)]

    return changed


def _changed(chunk: Body, change: Callable[[str], str]) -> Sequence[Body]:
    texts = [each["delta"].get("content") for each in chunk["choices"]]
    if not any(texts):
        return [chunk]
    kept = [change(text) for text in texts if text]
    if not any(kept):
        return []
    delta = {"content": kept[0]}
    return [choice_of(chunk, lambda each: {**each, "delta": {**each["delta"], **delta}})]


def _without_stop(where: Where) -> Callable[[Request], Request]:
    """Stop sequences are lost where a request has that form."""
    return lambda request: (
        {key: request[key] for key in request if key != "stop"} if where(request) else request
    )


def _stops_at_break(request: Request) -> bool:
    return request.get("stop") in ("\n", ["\n"])


def _refuses_stops(
    told: str, where: Callable[[str], bool]
) -> Callable[[Request, int], SubstituteResponse | None]:
    error = SubstituteResponse(400, RequestError(told, "stop").body, JSON)

    def refuses(request: Request, _turn: int) -> SubstituteResponse | None:
        stop = request.get("stop") or ()
        return error if any(map(where, [stop] if isinstance(stop, str) else stop)) else None

    return refuses


def _in_steps(_request: Request, body: Body) -> Body:
    """Beyond 30 tokens, a reply is counted by steps of two."""
    usage = body.get("usage") or {}
    tokens = usage.get("completion_tokens", 0)
    if tokens <= _DRAFTED:
        return body
    steps = _DRAFTED + (tokens - _DRAFTED) // 2
    total = usage["prompt_tokens"] + steps
    return {**body, "usage": {**usage, "completion_tokens": steps, "total_tokens": total}}


def _arguments(change: Callable[[str], str]) -> Chunks:
    """Change the arguments of streamed calls."""

    def of_call(call: Body) -> Body:
        function = call.get("function", {})
        if "arguments" not in function:
            return call
        return {**call, "function": {**function, "arguments": change(function["arguments"])}}

    def of_choice(choice: Body) -> Body:
        calls = choice["delta"].get("tool_calls")
        delta = (
            {**choice["delta"], "tool_calls": [of_call(each) for each in calls]} if calls else {}
        )
        return {**choice, "delta": delta} if calls else choice

    return lambda _request, made: [choice_of(each, of_choice) for each in made]


def _calls_as_text(request: Request, made: list[Body]) -> list[Body]:
    """As a server whose parser of calls knows no streams."""
    output = complete(request).output.answer
    if not output.calls:
        return made
    text = json.dumps([{"name": each.name, "arguments": each.arguments} for each in output.calls])
    spoken = [each for each in made if not any("tool_calls" in c["delta"] for c in each["choices"])]
    first = choice_of(spoken[0], lambda c: {**c, "delta": {**c["delta"], "content": text}})
    return [first, *spoken[1:]]


def _counts(name: str, tokens: Callable[[Request, list[Body], int], int]) -> Chunks:
    """Change a token count in the usage of streams."""

    def changed(request: Request, made: list[Body]) -> list[Body]:
        return [_recounted(each, name, tokens(request, made, each["usage"][name]))
                if each.get("usage") else each for each in made]  # fmt: skip

    return changed


def _recounted(chunk: Body, name: str, tokens: int) -> Body:
    usage = {**chunk["usage"], name: tokens}
    total = usage["prompt_tokens"] + usage["completion_tokens"]
    return {**chunk, "usage": {**usage, "total_tokens": total}}


def _deltas(made: list[Body], _tokens: int) -> int:
    """One token for each delta that has text, or part of a call."""
    return sum(bool(choice["delta"]) for chunk in made for choice in chunk["choices"])


def _cache(*ignored: str) -> Callable[[Request, int], SubstituteResponse | None]:
    """A cache of responses whose key leaves out some parameters."""
    kept: dict[str, Request] = {}

    def answered(request: Request, _turn: int) -> SubstituteResponse | None:
        named = {key: request[key] for key in sorted(request) if key not in ignored}
        first = kept.setdefault(json.dumps(named, sort_keys=True, default=repr), request)
        if first is request:
            return None
        done = complete({**first, "stream": request.get("stream")})
        if request.get("stream"):
            return SubstituteResponse(200, b"".join(frames(chunks_of(done))), _STREAM)
        return SubstituteResponse(200, encode(whole(done)), JSON)

    return answered


def _stopping(cut: Callable[[str, str], str]) -> Says:
    """Change how a text ends before a stop sequence."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        stops = request.get("stop") or []
        text = said.content or ""
        found = [(text.find(each), each) for each in ([stops] if isinstance(stops, str) else stops)
                 if each in text]  # fmt: skip
        if not found:
            return said
        place, stop = min(found)
        return replace(said, content=cut(text[:place], stop), finish="stop")

    return says


def _doubled_late(text: str, _stop: str) -> str:
    return text + text[-_KEPT:] if len(text) > _LATE else text


def _lost_late(text: str, _stop: str) -> str:
    return text[:-_KEPT] if len(text) > _LATE else text


def _begun_before_kept(text: str, stop: str) -> str:
    return text + stop[: max(len(stop) - _KEPT, 0)]


def _held_back(request: Request, made: list[Body]) -> list[Body]:
    """The text of a stream in pieces as long as its longest stop sequence, or longer."""
    stop = request.get("stop") or []
    longest = max(map(len, [stop] if isinstance(stop, str) else stop), default=0)
    if not longest or request.get("logprobs") or request.get("n"):
        return made
    sent, held = list[Body](), ""
    for chunk in made:
        text = "".join(each["delta"].get("content") or "" for each in chunk["choices"])
        held += text
        if len(held) > longest or (held and not text):
            said = {"index": 0, "delta": {"content": held}, "logprobs": None, "finish_reason": None}
            sent.append({**chunk, "choices": [said]})
            held = ""
        if not text:
            sent.append(chunk)
    return sent


def _without_begun(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """The end of a text with which a stop sequence begins is kept back, and never sent."""
    stop, text = request.get("stop") or [], said.content or ""
    stops = [stop] if isinstance(stop, str) else stop
    begun = [each[:end] for each in stops for end in range(1, len(each))]
    if any(each in text for each in stops):
        return said
    kept = max((each for each in begun if text.endswith(each)), key=len, default="")
    return replace(said, content=text.removesuffix(kept)) if kept else said


def _beside_stop(change: Callable[[ModelOutput], ModelOutput]) -> Says:
    """Change a reply with calls, where the request has a stop sequence."""
    return lambda request, said, _turn: change(said) if request.get("stop") and said.calls else said


def _with_arguments(change: Callable[[str], str]) -> Says:
    return _beside_stop(
        lambda said: replace(
            said,
            calls=tuple(replace(each, arguments=change(each.arguments)) for each in said.calls),
        )
    )


def _in_words(said: ModelOutput) -> ModelOutput:
    calls = [{"name": each.name, "arguments": each.arguments} for each in said.calls]
    return ModelOutput(json.dumps(calls))


def _in_format(where: Where, change: Callable[[ModelOutput], ModelOutput]) -> Says:
    """Change a reply with calls, where the request has a schema for its answer."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        schema = (request.get("response_format") or {}).get("type") == "json_schema"
        return change(said) if schema and said.calls and where(request) else said

    return says


_DONE = json.dumps({"done": True, "remark": "It is written down."})


def _said_in_format(_said: ModelOutput) -> ModelOutput:
    """All of the reply was constrained, so that no call could begin."""
    return ModelOutput(_DONE)


def _formed(said: ModelOutput) -> ModelOutput:
    """The arguments have the members of the format."""
    return replace(said, calls=tuple(replace(each, arguments=_DONE) for each in said.calls))


def _must_call(request: Request) -> bool:
    return bool(named_tool(request))


def _may_call(request: Request) -> bool:
    return not named_tool(request)


def _refuses_format_of_calls(request: Request, _turn: int) -> SubstituteResponse | None:
    forced = request.get("tool_choice") not in (None, "auto", "none")
    if not (forced and (request.get("response_format") or {}).get("type") == "json_schema"):
        return None
    told = RequestError("json mode cannot be combined with tool calling", "response_format")
    return SubstituteResponse(told.status, told.body, JSON)


def _finish_of_stream(request: Request, made: list[Body]) -> list[Body]:
    """As a server that says `length` wherever a stream ends."""

    def changed(choice: Body) -> Body:
        return {**choice, "finish_reason": "length"} if choice["finish_reason"] else choice

    return [choice_of(each, changed) for each in made]


def _named_calls_finish(_request: Request, made: list[Body]) -> list[Body]:
    called = any("tool_calls" in c["delta"] for each in made for c in each["choices"])

    def changed(choice: Body) -> Body:
        return {**choice, "finish_reason": "tool_calls"} if choice["finish_reason"] else choice

    return [choice_of(each, changed) for each in made] if called else made


def _of_text(change: Callable[[str], str]) -> Says:
    """Change the text of all replies, streamed or not."""
    return lambda _request, said, _turn: replace(
        said, content=said.content and change(said.content)
    )


def _joined(text: str) -> str:
    """A text in which every third space between two words is lost."""
    places = [found.start() for found in re.finditer(r"(?<=\w) (?=\w)", text)][2::3]
    return "".join(letter for at, letter in enumerate(text) if at not in places)


#: Damage to the text of all replies, in streams and in whole ones alike.
_DAMAGED: list[tuple[str, str, Callable[[str], str]]] = [
    ("escapes_html", "a filter escapes what HTML would read", html.escape),
    (
        "strips_tags",
        "a filter takes tags out of replies",
        lambda text: re.sub(r"<[^<>\s][^<>]*>", "", text),
    ),
    ("doubles_apostrophes", "a log doubles apostrophes", lambda text: text.replace("'", "''")),
    (
        "normalises_width",
        "full-width marks and spaces become those of ASCII",
        lambda text: unicodedata.normalize("NFKC", text),
    ),
    (
        "cleans_up_spaces",
        "a tokenizer cleans up spaces before punctuation",
        lambda text: re.sub(r" (?=[?!.,:;])", "", text),
    ),
    ("collapses_spaces", "runs of spaces become one", lambda text: re.sub(r" {2,}", " ", text)),
    (
        "loses_indentation",
        "white space that begins a line is lost",
        lambda text: re.sub(r"^[ \t]+", "", text, flags=re.MULTILINE),
    ),
    (
        "stops_at_heading",
        "replies end before ###, a stop sequence of old templates",
        lambda text: text.partition("###")[0],
    ),
    (
        "stops_at_blank_line",
        "replies end at two blank lines",
        lambda text: text.partition("\n\n\n")[0],
    ),
    ("joins_words", "every third space between words is lost", _joined),
    (
        "curls_quotes",
        "straight quotes become curly ones",
        lambda text: re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", text),
    ),
    (
        "decodes_escapes",
        "a text is decoded twice, so that an escape breaks the line",
        lambda text: text.replace("\\n", "\n").replace("\\t", "\t"),
    ),
    (
        "decodes_percent",
        "what follows a percent sign is decoded, as in an address",
        lambda text: re.sub("%([0-7][0-9A-F])", lambda found: chr(int(found[1], 16)), text),
    ),
    (
        "fills_in_placeholders",
        "a template engine fills in what stands in two braces",
        lambda text: re.sub(r"\{\{.*?\}\}", "", text),
    ),
    (
        "fills_in_variables",
        "a shell fills in variables that are not set",
        lambda text: re.sub(r"\$\{\w+\}", "", text),
    ),
    ("loses_dollars", "dollar signs are lost", lambda text: text.replace("$", "")),
    ("strips_markdown", "Markdown is taken out", lambda text: re.sub("[*`]", "", text)),
]

_TEXT_ELSEWHERE = (
    *("json_only", "long_context", "multilingual", "refusal", "spanish"),
    "tool_calling",
)
_LIMITS = ("max_tokens", "max_completion_tokens")


def _flaws(check: str, found: dict[str, tuple[str, dict[str, Any]]]) -> list[Flaw]:
    return [Flaw(f"api_{name}", about, check, **hooks) for name, (about, hooks) in found.items()]


FLAWS = [
    *_flaws(
        "api.stream_matches_whole",
        {
            "stream_loses_breaks": (
                "line breaks are lost in streams",
                {"change_chunks": _texts(lambda text: text.replace("\n", " "))},
            ),
            "stream_loses_blank_chunks": (
                "a chunk of white space alone is not sent",
                {
                    "change_chunks": _texts(lambda text: text if text.strip() else ""),
                    "elsewhere": ("memory", *_TEXT_ELSEWHERE),
                },
            ),
            "stream_strips_chunks": (
                "each chunk is stripped of the spaces before it",
                {
                    "change_chunks": _texts(lambda text: text.lstrip(" ")),
                    "elsewhere": _TEXT_ELSEWHERE,
                },
            ),
            "stream_expands_tabs": (
                "tabs come as spaces in streams",
                {"change_chunks": _texts(lambda text: text.replace("\t", "    "))},
            ),
            "stream_loses_wide_spaces": (
                "wide spaces and emoji come as spaces in streams",
                {
                    "change_chunks": _texts(
                        lambda text: re.sub("[\u3000\U0001f600-\U0001f6ff]", " ", text)
                    )
                },
            ),
            "stream_repeats_after_less_than": (
                "in streams, what follows `<` comes twice where a parser has looked for a call",
                {
                    "change_output": only(
                        streamed, _of_text(lambda text: re.sub(r"(?<=< )\S+", r"\g<0> \g<0>", text))
                    )
                },
            ),
            "stream_says_length": (
                "all streams say that they were cut",
                {"change_chunks": _finish_of_stream},
            ),
            "stream_counts_deltas": (
                "a stream counts its deltas for tokens",
                {
                    "change_chunks": _counts(
                        "completion_tokens", lambda _request, made, _: 2 * _deltas(made, 0)
                    )
                },
            ),
        },
    ),
    *(
        Flaw(
            f"api_text_{name}",
            about,
            "api.stream_matches_whole",
            change_output=_of_text(change),
            elsewhere=_TEXT_ELSEWHERE,
        )
        for name, about, change in _DAMAGED
    ),
    *_flaws(
        "api.stream_calls_match_whole",
        {
            "streamed_digits_lost": (
                "digits of arguments are lost in streams",
                {
                    "change_chunks": _arguments(lambda text: re.sub(r"\d", "", text)),
                    "elsewhere": ("tool_calling",),
                },
            ),
            "streamed_dashes_changed": (
                "streamed arguments have other punctuation",
                {
                    "change_chunks": _arguments(lambda text: text.replace("-", "_")),
                    "elsewhere": ("tool_calling",),
                },
            ),
            "streamed_call_as_text": (
                "a streamed call comes as text",
                {"change_chunks": _calls_as_text, "elsewhere": ("tool_calling",)},
            ),
        },
    ),
    *_flaws(
        "api.limit_change_honoured",
        {
            "usage_of_steps": (
                "beyond 30 tokens, a reply counts the steps of speculative decoding",
                {
                    "change_body": _in_steps,
                    "change_chunks": lambda request, made: [_in_steps(request, e) for e in made],
                },
            ),
            "cache_without_limit": (
                "a cache does not tell limits apart",
                {"intercept": _cache(*_LIMITS)},
            ),
            "cache_of_messages": (
                "a cache knows the messages alone, and whether there are tools or a format",
                {"intercept": _cache(*_LIMITS, "stop", "temperature", "seed", "stream_options")},
            ),
        },
    ),
    *_flaws(
        "api.stop_change_honoured",
        {
            "cache_without_stop": (
                "a cache does not tell stop sequences apart",
                {"intercept": _cache("stop")},
            ),
        },
    ),
    *_flaws(
        "api.format_change_honoured",
        {
            "cache_without_format": (
                "a cache does not tell formats apart",
                {"intercept": _cache("response_format")},
            ),
        },
    ),
    *_flaws(
        "api.tools_change_honoured",
        {
            "cache_without_tools": (
                "a cache does not tell tools apart",
                {"intercept": _cache("tools", "tool_choice")},
            ),
        },
    ),
    *_flaws(
        "api.stop_cuts_same_text",
        {
            "stop_ignored_after_system": (
                "stop sequences are ignored after a system message",
                {"change_request": _without_stop(begins_with_system)},
            ),
            "stop_at_break_ignored": (
                "a stop sequence that is one line break is stripped to nothing",
                {"change_request": _without_stop(_stops_at_break)},
            ),
            "stop_loses_text": (
                "the last letters before a stop sequence are lost",
                {"change_output": _stopping(lambda text, _stop: text[:-_EDGE])},
            ),
            "stop_loses_line": (
                "the last line before a stop sequence is lost, in streams",
                {
                    "change_output": only(
                        streamed, _stopping(lambda text, _stop: text.rpartition("\n")[0])
                    )
                },
            ),
            "stop_keeps_end_back": (
                "in a stream, an end that begins a stop sequence is kept back for ever",
                {"change_output": only(streamed, _without_begun)},
            ),
            "stop_doubles_late": (
                "in streams, what stands before a stop sequence is sent twice, if that comes late",
                {"change_output": only(streamed, _stopping(_doubled_late))},
            ),
            "stop_loses_late": (
                "what stands before a stop sequence is lost, if that comes late",
                {"change_output": _stopping(_lost_late)},
            ),
            "stop_of_many_chunks_begins": (
                "in streams, sixteen characters of a stop sequence are kept back, and others sent",
                {"change_output": only(streamed, _stopping(_begun_before_kept))},
            ),
            "stop_leaves_beginning": (
                "the first letters of a stop sequence stay",
                {"change_output": _stopping(lambda text, stop: text + stop[: len(stop) // 2])},
            ),
        },
    ),
    *_flaws(
        "api.stop_keeps_calls",
        {
            "stop_loses_call": (
                "with a stop sequence, a call is lost",
                {
                    "change_output": _beside_stop(lambda _said: ModelOutput("")),
                    "elsewhere": ("tool_calling",),
                },
            ),
            "stop_cuts_arguments": (
                "with a stop sequence, the end of the arguments is lost",
                {
                    "change_output": _with_arguments(lambda text: text[:-5]),
                    "elsewhere": ("tool_calling",),
                },
            ),
            "stop_call_as_text": (
                "with a stop sequence, a call comes as text",
                {"change_output": _beside_stop(_in_words), "elsewhere": ("tool_calling",)},
            ),
        },
    ),
    *_flaws(
        "api.format_keeps_calls",
        {
            "format_takes_call": (
                "with a response_format, JSON of it comes in the place of a forced call",
                {"change_output": _in_format(_must_call, _said_in_format)},
            ),
            "format_fills_arguments": (
                "with a response_format, the arguments of a forced call are of it",
                {"change_output": _in_format(_must_call, _formed)},
            ),
        },
    ),
    *_flaws(
        "api.format_leaves_calls",
        {
            "format_leaves_no_call": (
                "with a response_format, a tool that may be called never is, as by vLLM",
                {"change_output": _in_format(_may_call, _said_in_format)},
            ),
        },
    ),
    Flaw(
        "api_format_of_calls_refused",
        "a response_format beside a call that must be made may be refused, as by Groq",
        intercept=_refuses_format_of_calls,
    ),
    Flaw(
        "api_stop_call_indented",
        "with a stop sequence, arguments may have other white space",
        change_output=_with_arguments(lambda text: json.dumps(json.loads(text), indent=2)),
    ),
    Flaw(
        "api_stop_held_back",
        "where a stop sequence may come, a stream comes in pieces as long as that",
        change_chunks=_held_back,
    ),
    Flaw(
        "api_stop_at_space_refused",
        "a stop sequence of white space alone may be refused",
        intercept=_refuses_stops("each stop sequence must contain non-whitespace", str.isspace),
    ),
    Flaw(
        "api_long_stop_refused",
        "a stop sequence of more than 20 characters may be refused, as by Baidu",
        intercept=_refuses_stops("too long a stop sequence", lambda stop: len(stop) > _LONG),
    ),
    Flaw(
        "api_ends_stripped",
        "white space at the end of a text is left out",
        change_output=lambda _request, said, _turn: replace(
            said, content=said.content and said.content.rstrip()
        ),
    ),
    Flaw(
        "api_stream_counts_its_end",
        "the token that ends a text counts in streams alone",
        change_chunks=_counts(
            "completion_tokens", lambda request, _made, tokens: with_end(request, tokens)
        ),
    ),
    Flaw(
        "api_named_call_finishes_otherwise",
        "a streamed call of a named function finishes by `tool_calls`",
        change_chunks=_named_calls_finish,
    ),
    Flaw(
        "api_cache_of_whole_requests",
        "a cache of responses knows all of a request",
        intercept=_cache(),
    ),
]
