"""Flaws of errors: a crash, a completion instead of an error, or a body that no client can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from unicodedata import category

from readiness.mutants.api.requests import CRASH, JSON, Errs, Refuses, crashes
from readiness.mutants.endpoint.answer import Request, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.request_form import called_with, cut_call
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Body, Flaw

_HI = [{"role": "user", "content": "Hi"}]
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_HTML = b"<html><head><title>400 Bad Request</title></head><body></body></html>"


def _wrong(
    when: Callable[[Request | None, SubstituteResponse], bool], answer: SubstituteResponse = CRASH
) -> Errs:
    """Send another response to some invalid requests."""
    return lambda request, refusal: answer if when(request, refusal) else refusal


def _broken(request: Request | None, refusal: SubstituteResponse) -> bool:
    return request is None and not _garbled(request, refusal) and not _too_deep(request, refusal)


def _garbled(request: Request | None, refusal: SubstituteResponse) -> bool:
    return request is None and b"codec" in refusal.body


def _too_deep(request: Request | None, refusal: SubstituteResponse) -> bool:
    return request is None and b"recursion" in refusal.body


def _no_object(request: Request | None, refusal: SubstituteResponse) -> bool:
    return request is None and b"must be a JSON object" in refusal.body


def _silent(request: Request | None, _refusal: SubstituteResponse) -> bool:
    return request is not None and request.get("messages") is None


def _odd_messages(request: Request | None, _refusal: SubstituteResponse) -> bool:
    """Messages of the wrong type, but those of other checks."""
    messages = (request or {}).get("messages")
    return messages in ("Hi", [123], {"role": "user", "content": "Hi"})


def _list(request: Request | None) -> list[Any]:
    """The messages, where they are a list."""
    messages = (request or {}).get("messages")
    return messages if isinstance(messages, list) else []


def _told(request: Request | None, _refusal: SubstituteResponse) -> bool:
    return request is not None and request.get("messages") == "wrong"


def _for_sdk(request: Request | None, _refusal: SubstituteResponse) -> bool:
    return request is not None and request.get("messages") == "wrong for the SDK"


def _overlong(_request: Request | None, refusal: SubstituteResponse) -> bool:
    return b"context_length_exceeded" in refusal.body


def _answer(messages: Any) -> SubstituteResponse:
    done = complete({"model": "reference", "messages": messages})
    return SubstituteResponse(200, encode(whole(done)), JSON)


def _shortened(request: Request) -> Request:
    """A prompt that does not fit is truncated silently at its head."""
    messages = request.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    if not isinstance(content, str) or len(content) < 400_000:
        return request
    return {**request, "messages": [{"role": "user", "content": content[-4_000:]}]}


def _any_model(request: Request) -> Request:
    return {**request, "model": "reference"} if request.get("model") else request


def _second_model() -> Callable[[Body], Body]:
    """A model list with another model from the second request on."""
    asked = count()

    def lists(body: Body) -> Body:
        more = [{**body["data"][0], "id": "another"}] if next(asked) else []
        return {**body, "data": [*body["data"], *more]}

    return lists


_PLAIN = SubstituteResponse(400, b"Bad Request", _TEXT)
_PAGE = SubstituteResponse(400, _HTML, {"Content-Type": "text/html"})
_MUTE = SubstituteResponse(400, json.dumps({"error": {}}).encode(), JSON)
_WRONG: list[tuple[str, str, str, Errs]] = [
    ("broken_json_crashes", "malformed_json_rejected", "broken JSON ends in 500", _wrong(_broken)),
    ("broken_json_taken", "malformed_json_rejected", "broken JSON is answered",
     _wrong(_broken, _answer(_HI))),
    ("no_messages_crash", "missing_messages_rejected", "no messages end in a 500", _wrong(_silent)),
    ("no_messages_taken", "missing_messages_rejected", "no messages are answered",
     _wrong(_silent, _answer(_HI))),
    ("types_crash", "mistyped_messages_rejected", "wrong types end in 500", _wrong(_odd_messages)),
    ("types_taken", "mistyped_messages_rejected", "messages of a wrong type are answered",
     _wrong(_odd_messages, _answer(_HI))),
    ("error_as_text", "json_error_body", "an error is plain text", _wrong(_told, _PLAIN)),
    ("error_as_page", "json_error_body", "an error is a page", _wrong(_told, _PAGE)),
    ("error_without_message", "json_error_body", "an error is empty", _wrong(_told, _MUTE)),
    ("utf8_crashes", "invalid_utf8_handled", "invalid UTF-8 ends in a 500", _wrong(_garbled)),
    ("depth_crashes", "extreme_input_rejected", "deep nesting ends in a 500", _wrong(_too_deep)),
    ("array_crashes", "fuzz_input_rejected", "a body that is an array ends in a 500, as by vLLM",
     _wrong(_no_object)),
    ("array_taken", "fuzz_input_rejected", "a body that is an array is answered",
     _wrong(_no_object, _answer(_HI))),
    ("overlong_crashes", "overlong_prompt_rejected", "too long ends in a 500", _wrong(_overlong)),
    ("sdk_error_crashes", "sdk_error_class", "a wrong request ends in a 500", _wrong(_for_sdk)),
    ("sdk_error_taken", "sdk_error_class", "a wrong request is answered",
     _wrong(_for_sdk, _answer(_HI))),
]  # fmt: skip

#: Dimensions beside `api` that send prompts which are too long.
_ELSEWHERE = {"overlong_crashes": ("long_context", "stability")}

ERRORS_FLAWS = [
    *(
        Flaw(
            f"api_{name}",
            about,
            f"api.{check}",
            change_error=errs,
            elsewhere=_ELSEWHERE.get(name, ()),
        )
        for name, check, about, errs in _WRONG
    ),
    Flaw(
        "api_overlong_cut",
        "a prompt that is too long is cut, and nobody is told",
        "api.overlong_prompt_rejected",
        elsewhere=("long_context",),
        change_request=_shortened,
    ),
    Flaw(
        "api_any_model",
        "of several models, one answers for those that are not there",
        "api.unknown_model_rejected",
        change_request=_any_model,
        change_model_list=_second_model(),
    ),
    Flaw(
        "api_open_door",
        "a request without a key is answered",
        "api.missing_key_rejected",
        accept_key=lambda shown, key: shown in (b"", key),
    ),
    Flaw(
        "api_any_key",
        "any key opens the door",
        "api.wrong_key_rejected",
        accept_key=lambda shown, key: shown.startswith(b"Bearer "),
    ),
]


_MANY_TOOLS, _HUGE = 1_000, 2**24


def _blank(request: Request) -> bool:
    """Whether the last message is white space."""
    return text_of(request["messages"][-1]).isspace()


def _wordless(request: Request) -> bool:
    """Whether the last message has marks, and neither letters nor digits."""
    text = text_of(request["messages"][-1])
    return bool(text.strip()) and all(category(each)[0] == "P" for each in text)


def _after(when: Callable[[Request], bool]) -> Refuses:
    """Crash on the request that comes after one, whosever it is."""
    harmed = [False]

    def refuses(request: Request, _turn: int) -> SubstituteResponse | None:
        harms, harmed[0] = harmed[0], when(request)
        return CRASH if harms and not harmed[0] else None

    return refuses


class _Dying:
    """Ends the process on some requests: the next two find none, until it is started again."""

    def __init__(
        self,
        when: Callable[[Request], bool] = lambda _request: False,
        wrong: Callable[[Request | None, SubstituteResponse], bool] = lambda _request, _no: False,
    ) -> None:
        self._when, self._wrong, self._missing = when, wrong, 0

    def errs(self, request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
        """The response to an invalid request."""
        if not self._wrong(request, refusal):
            return refusal
        self._missing = 2
        return CRASH

    def refuses(self, request: Request, _turn: int) -> SubstituteResponse | None:
        """What comes instead of a reply."""
        if self._when(request):
            self._missing = 2
            return None
        self._missing -= 1
        return CRASH if self._missing >= 0 else None


_DYING = [
    ("array_kills", "fuzz_input_isolated", "a body that is an array ends the process",
     _Dying(wrong=_no_object)),
    ("type_kills", "fuzz_input_isolated", "a role that is no text ends the process",
     _Dying(wrong=lambda request, _refusal: any(
         isinstance(each, dict) and not isinstance(each.get("role", ""), str)
         for each in _list(request)))),
    ("depth_kills", "deep_nesting_handled", "deep nesting ends the process",
     _Dying(wrong=_too_deep)),
]  # fmt: skip


class _WhileReading:
    """A large body takes the room of another request, which is then refused."""

    def __init__(self) -> None:
        self._reading = False

    def meets(
        self, _method: str, _path: str, headers: Mapping[str, str]
    ) -> SubstituteResponse | None:
        """Notice a large body by its headers."""
        self._reading = self._reading or _is_huge(headers)
        return None

    def refuses(self, _request: Request, _turn: int) -> SubstituteResponse | None:
        """Crash on whatever is answered next."""
        reading, self._reading = self._reading, False
        return CRASH if reading else None


def _is_huge(headers: Mapping[str, str]) -> bool:
    return int(headers.get("Content-Length", 0)) > _HUGE


def _too_huge(_method: str, _path: str, headers: Mapping[str, str]) -> SubstituteResponse | None:
    return CRASH if _is_huge(headers) else None


def _crowded(request: Request) -> bool:
    return len(request.get("tools") or ()) > _MANY_TOOLS


_READING = _WhileReading()

HOSTILE_FLAWS = [
    Flaw(
        "api_space_crashes",
        "white space alone ends in a 500",
        "api.odd_input_handled",
        intercept=crashes(_blank),
    ),
    Flaw(
        "api_cut_call_crashes",
        "an earlier call that a limit has cut ends in a 500, as where a template reads it",
        "api.odd_input_handled",
        intercept=crashes(cut_call),
    ),
    Flaw(
        "api_null_arguments_crash",
        "an earlier call whose arguments are null ends in a 500, as where a template lists them",
        "api.odd_input_handled",
        intercept=crashes(called_with("null")),
    ),
    Flaw(
        "api_empty_arguments_crash",
        "an earlier call whose arguments are an empty text ends in a 500, for it is no JSON",
        "api.odd_input_handled",
        intercept=crashes(called_with("")),
    ),
    Flaw(
        "api_odd_harms_the_next",
        "after an odd input, the next request ends in a 500",
        "api.odd_input_handled",
        intercept=_after(_wordless),
    ),
    Flaw(
        "api_huge_body_crashes",
        "a body of 32 MB ends in a 500",
        "api.huge_body_handled",
        intercept_http=_too_huge,
        elsewhere=("stability",),
    ),
    Flaw(
        "api_huge_body_harms",
        "while a body of 32 MB is read, another request ends in a 500",
        "api.huge_body_handled",
        intercept_http=_READING.meets,
        intercept=_READING.refuses,
        elsewhere=("stability",),
    ),
    Flaw(
        "api_tools_crash",
        "two thousand tools end in a 500",
        "api.extreme_input_rejected",
        intercept=crashes(_crowded),
    ),
    Flaw(
        "api_tools_harm",
        "two thousand tools are answered, and the next two requests are not",
        "api.many_tools_handled",
        intercept=_Dying(_crowded).refuses,
    ),
    *(
        Flaw(f"api_{name}", about, f"api.{check}", change_error=dying.errs, intercept=dying.refuses)
        for name, check, about, dying in _DYING
    ),
]


def _untyped(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    """Crash if the model is no string, as an unchecked look-up does."""
    wrong = request is not None and not isinstance(request.get("model", ""), str)
    return CRASH if wrong else refusal


FUZZED_FLAWS = [
    Flaw(
        "api_odd_model_crashes",
        "a model that is no text ends in a 500",
        "api.fuzzed_requests_handled",
        change_error=_untyped,
    ),
]

FLAWS = [*ERRORS_FLAWS, *HOSTILE_FLAWS, *FUZZED_FLAWS]
