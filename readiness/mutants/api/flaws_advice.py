"""Flaws of SHOULD requirements: most clients tolerate them, and some fail on each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

from readiness.mutants.api.requests import (
    BRIEF,
    BRIEF_ELSEWHERE,
    BRIEF_STREAM,
    BRIEF_WHOLE,
    JSON,
    LIMITS,
    Errs,
    asked,
    choice_of,
    chunked,
    each,
    formed,
    instead,
    listed_later,
    relabelled,
    without,
)
from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.request_form import Where, all_of, uncounted
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Body, Flaw

_HI = [{"role": "user", "content": "Hi"}]
_ROLES = ("system", "developer", "user", "assistant", "tool")
_ESSENTIAL = ("model", "messages", "max_tokens", "max_completion_tokens", "stream")


def refused(words: str) -> SubstituteResponse:
    """A rejection of a valid request."""
    return SubstituteResponse(400, RequestError(words).body, JSON)


def answered() -> SubstituteResponse:
    """An answer to anything."""
    done = complete({"model": "reference", "messages": _HI})
    return SubstituteResponse(200, encode(whole(done)), JSON)


def _bare(request: Request) -> Request:
    """The request with its essential parameters only, and max_tokens in range."""
    kept = {key: value for key, value in request.items() if key in _ESSENTIAL}
    return {**kept, **{name: 16 for name in LIMITS if kept.get(name, 1) < 1}}


def _message(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    return lambda body: choice_of(
        body, lambda choice: {**choice, "message": change(choice["message"])}
    )


def _thoughtful(message: Body) -> Body:
    content = message["content"]
    return {**message, "content": f"<think>\nWell.\n</think>\n\n{content}"} if content else message


def _one_choice_counts(body: Body) -> Body:
    usage, n = body["usage"], len(body["choices"])
    tokens = usage["completion_tokens"] // n
    total = usage["prompt_tokens"] + tokens
    return {**body, "usage": {**usage, "completion_tokens": tokens, "total_tokens": total}}


def _clock(made: list[Body]) -> list[Body]:
    return [{**chunk, "created": chunk["created"] + at} for at, chunk in enumerate(made)]


def _without_role(chunk: Body) -> Body:
    def change(choice: Body) -> Body:
        delta = {key: value for key, value in choice["delta"].items() if key != "role"}
        return {**choice, "delta": delta}

    return choice_of(chunk, change)


def _usage_on_the_last_choice(made: list[Body]) -> list[Body]:
    *others, last, counted = made
    return [*others, {**last, "usage": counted["usage"]}]


def _usage_unasked(made: list[Body]) -> list[Body]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [*made, {**made[-1], "choices": [], "usage": usage}]


def _numbered() -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """A text that differs each time."""
    turns = count()

    def says(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
        if not _greedily_seeded(request):
            return answer
        return replace(answer, content=f"{next(turns)}: {answer.content}")

    return says


def _greedily_seeded(request: Request) -> bool:
    return request.get("seed") is not None and request.get("temperature") == 0


def _from(role: str) -> Where:
    return lambda request: any(each["role"] == role for each in request["messages"])


def _ends_with_assistant(request: Request) -> bool:
    messages = request["messages"]
    return len(messages) > 1 and messages[-1]["role"] == "assistant"


def _labelled(request: Request) -> bool:
    return not request.keys().isdisjoint(("user", "metadata", "store"))


def _named(request: Request) -> bool:
    return any("name" in each for each in request["messages"] if each["role"] == "user")


def _takes_no_turns(request: Request) -> bool:
    roles = [each["role"] for each in request["messages"]]
    return any(one == two != "tool" for one, two in pairwise(roles))


def _extreme(request: Request) -> bool:
    """Whether a sampling parameter has the least or the largest value of its range."""
    penalties = [request.get(f"{name}_penalty") or 0 for name in ("frequency", "presence")]
    return request.get("temperature") == 2 or max(map(abs, penalties)) == 2


def _stopped(request: Request) -> bool:
    return bool(request.get("stop"))


def _several(request: Request) -> bool:
    return type(request.get("n")) is int and request["n"] > 1


def _senseless(request: Request) -> bool:
    """Whether a conversation is empty, has an unknown role, or a result that nobody asked for."""
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        return False
    roles = [each.get("role") for each in messages]
    called = any("tool_calls" in each for each in messages)
    unknown = any(isinstance(each, str) and each not in _ROLES for each in roles)
    return not roles or unknown or ("tool" in roles and not called)


def _out_of_range(request: Request) -> bool:
    """Whether a parameter that bare requests are sent without, or a limit, has no sound value."""
    ranges = {"temperature": (0, 2), "top_p": (0, 1), "frequency_penalty": (-2, 2)}
    numbers = [(request[name], *of) for name, of in ranges.items() if request.get(name) is not None]
    limits = [request[name] for name in LIMITS if type(request.get(name)) is int]
    return any(
        not isinstance(value, int | float) or not low <= value <= high
        for value, low, high in numbers
    ) or any(each < 1 for each in limits)


def _dependent(request: Request) -> bool:
    """Whether a parameter is sent without the one that it depends on."""
    pairs = (("top_logprobs", "logprobs"), ("stream_options", "stream"))
    return any(request.get(one) is not None and not request.get(two) for one, two in pairs)


def _answers(where: Where) -> Errs:
    """Answer some requests that are invalid."""

    def errs(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
        return answered() if request is not None and where(request) else refusal

    return errs


_TAKEN: dict[str, tuple[str, Where]] = {
    "seed_accepted": ("a seed is refused where nothing is sampled", _greedily_seeded),
    "assistant_prefill_accepted": (
        "a conversation that ends with the assistant is refused",
        _ends_with_assistant,
    ),
    "metadata_parameters_accepted": ("`user`, `metadata` and `store` are refused", _labelled),
    "developer_role_accepted": ("the role developer is refused", _from("developer")),
    "message_name_accepted": ("the name of who speaks is refused", _named),
    "consecutive_roles_accepted": (
        "roles must take turns, as in some chat templates",
        _takes_no_turns,
    ),
    "sampling_parameters_accepted": ("the ends of ranges are out of them", _extreme),
}
_REPLIES: dict[str, tuple[str, Where, Callable[[Body], Body]]] = {
    "created_is_current": ("`created` is 0", BRIEF_WHOLE, lambda body: {**body, "created": 0}),
    "all_fields_present": (
        "a choice has no `logprobs`, not even null",
        BRIEF_WHOLE,
        lambda body: choice_of(
            body, lambda choice: {key: choice[key] for key in choice if key != "logprobs"}
        ),
    ),
    "no_disallowed_nulls": (
        "tool_calls is null",
        BRIEF_WHOLE,
        _message(lambda message: {**message, "tool_calls": None}),
    ),
    "unique_reply_id": (
        "every id is chatcmpl-1",
        BRIEF_WHOLE,
        lambda body: {**body, "id": "chatcmpl-1"},
    ),
    "trailing_whitespace_kept": (
        "where a stop is given, white space at the end is cut",
        _stopped,
        _message(lambda message: {**message, "content": (message["content"] or "").rstrip()}),
    ),
    "usage_over_all_choices": (
        "of two choices, the tokens of one are counted",
        _several,
        _one_choice_counts,
    ),
}
_STREAMS: dict[str, tuple[str, Where, Callable[[list[Body]], list[Body]]]] = {
    "stable_chunk_created": ("`created` ticks on within a stream", BRIEF_STREAM, _clock),
    "role_in_first_delta": ("no delta tells the role", BRIEF_STREAM, each(_without_role)),
    "usage_only_in_final_chunk": (
        "counts come with the last choice",
        all_of(BRIEF_STREAM, lambda request: not uncounted(request)),
        _usage_on_the_last_choice,
    ),
    "no_unrequested_usage": (
        "a stream is counted that nobody wants counted",
        all_of(uncounted, BRIEF),
        _usage_unasked,
    ),
}


def _as_base(body: Body) -> Body:
    return {**body, "model": "base-v2"}


def _only_first_ends(chunk: Body) -> Body:
    choices = [
        {**choice, "finish_reason": None} if choice["index"] else choice
        for choice in chunk["choices"]
    ]
    return {**chunk, "choices": choices}


def advice(name: str, about: str, **hooks: Any) -> Flaw:
    """A flaw of what a check of this name advises."""
    return Flaw(f"api_advice_{name}", about, f"api.{name}", **hooks)


ADVICE_FLAWS = [
    *(
        advice(name, about, intercept=instead(where, lambda _: refused("not supported here")))
        for name, (about, where) in _TAKEN.items()
    ),
    *(
        advice(name, about, change_body=formed(where, change), elsewhere=BRIEF_ELSEWHERE)
        for name, (about, where, change) in _REPLIES.items()
    ),
    *(
        advice(name, about, change_chunks=chunked(where, change), elsewhere=BRIEF_ELSEWHERE)
        for name, (about, where, change) in _STREAMS.items()
    ),
    advice(
        "invalid_conversation_rejected",
        "senseless conversations are answered",
        change_error=_answers(_senseless),
    ),
    advice(
        "no_reasoning_in_content",
        "before a few words, thoughts stand in the content",
        change_body=formed(BRIEF_WHOLE, _message(_thoughtful)),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    advice(
        "model_echoed",
        "all replies name the model behind an alias",
        change_body=lambda _request, body: _as_base(body),
        change_chunks=lambda _request, made: [_as_base(chunk) for chunk in made],
    ),
    advice("seed_reproducible", "a seed changes nothing", change_output=_numbered()),
    advice(
        "n_choices_returned",
        "of two choices comes one",
        change_request=without("n"),
    ),
    Flaw(
        "api_advice_second_choice_unended",
        "of two choices in a stream, the second has no finish_reason",
        "api.n_choices_returned",
        change_chunks=lambda _request, made: [_only_first_ends(chunk) for chunk in made],
    ),
    advice(
        "logprobs_returned",
        "log probabilities are left out",
        change_request=asked(
            lambda request: bool(request.get("logprobs")), without("logprobs", "top_logprobs")
        ),
    ),
    advice(
        "out_of_range_value_rejected",
        "what is out of range is ignored",
        change_request=asked(_out_of_range, _bare),
    ),
    advice(
        "parameter_dependency_enforced",
        "what contradicts itself is ignored",
        change_request=asked(_dependent, _bare),
    ),
    advice(
        "request_id_header",
        "a proxy drops x-request-id",
        intercept=instead(BRIEF_WHOLE, relabelled("application/json")),
    ),
]


_HTML = {"Content-Type": "text/html"}
_PAGE = SubstituteResponse(200, b"<html><body>Welcome</body></html>", _HTML)


def _garbled(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    return answered() if request is None and b"codec" in refusal.body else refusal


def _coded_in_numbers(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    """As old vLLM did: the code is a number."""
    if request is None or "messages" in request:
        return refusal
    error = json.loads(refusal.body)["error"]
    return replace(refusal, body=json.dumps({"error": {**error, "code": 400}}).encode())


def _any_model(request: Request) -> Request:
    return {**request, "model": "reference"} if request.get("model") else request


def _some_model(request: Request) -> Request:
    return request if "model" in request else {**request, "model": "reference"}


def _met(
    name: str, value: str, answer: SubstituteResponse
) -> Callable[..., SubstituteResponse | None]:
    """Send another response to requests with a header."""

    def meets(method: str, path: str, headers: Mapping[str, str]) -> SubstituteResponse | None:
        return answer if headers.get(name, "").lower() == value else None

    return meets


def _shown(method: str, path: str, headers: Mapping[str, str]) -> SubstituteResponse | None:
    """As a gateway does: the model's name is the one behind it."""
    if method != "GET" or path != "/v1/models/reference":
        return None
    shown = {"id": "weights/base-v2", "object": "model", "created": 1, "owned_by": "readiness"}
    return SubstituteResponse(200, json.dumps(shown).encode(), JSON)


def _unread(method: str, path: str, headers: Mapping[str, str]) -> SubstituteResponse | None:
    """An HTML page for the SDK, by its header, on model retrieval."""
    return _PAGE if "X-Stainless-Lang" in headers and path == "/v1/models/reference" else None


def _anything_shown(
    method: str, path: str, headers: Mapping[str, str]
) -> SubstituteResponse | None:
    name = path.removeprefix("/v1/models/")
    if method != "GET" or name == path or name == "reference":
        return None
    shown = {"id": name, "object": "model", "created": 1, "owned_by": "reference"}
    return SubstituteResponse(200, json.dumps(shown).encode(), JSON)


def _welcome(method: str, path: str, headers: Mapping[str, str]) -> SubstituteResponse | None:
    """An HTML page for unknown paths."""
    return _PAGE if "no-such-path" in path or method == "DELETE" else None


ADVICE_HTTP_FLAWS = [
    advice(
        "missing_model_rejected",
        "a request without a model is answered",
        change_request=_some_model,
    ),
    advice("unknown_model_404", "a model that is not there answers", change_request=_any_model),
    advice("invalid_utf8_rejected", "what is no UTF-8 is answered", change_error=_garbled),
    advice(
        "openai_error_shape", "the code of an error is a number", change_error=_coded_in_numbers
    ),
    advice(
        "requested_model_listed",
        "once it is loaded, the list has another name for it",
        change_model_list=listed_later(
            lambda body: {**body, "data": [{**body["data"][0], "id": "its-alias"}]}
        ),
    ),
    advice(
        "model_metadata",
        "the list tells names alone",
        change_model_list=lambda body: {
            **body,
            "data": [{"id": one["id"], "object": "model"} for one in body["data"]],
        },
    ),
    advice("model_retrieved", "a model's own page has another name for it", intercept_http=_shown),
    advice(
        "sdk_models_retrieve", "the SDK is shown a page instead of a model", intercept_http=_unread
    ),
    advice(
        "unknown_model_lookup_rejected",
        "any name is shown as a model",
        intercept_http=_anything_shown,
    ),
    advice("unknown_route_rejected", "wrong paths lead to a welcome page", intercept_http=_welcome),
    advice(
        "connection_close_accepted",
        "a connection that is to be closed is refused",
        intercept_http=_met("Connection", "close", refused("keep-alive only")),
    ),
    advice(
        "expect_continue_accepted",
        "a gateway refuses to say that a body may come",
        intercept_http=_met("Expect", "100-continue", SubstituteResponse(417, b"", {})),
    ),
    advice(
        "chunked_body_accepted",
        "a body needs a length",
        intercept_http=_met("Transfer-Encoding", "chunked", SubstituteResponse(411, b"", {})),
    ),
    advice(
        "gzip_body_handled",
        "a compressed body ends in a 500",
        intercept_http=_met("Content-Encoding", "gzip", SubstituteResponse(500, b"", {})),
    ),
]

_PREFILL = "api.assistant_prefill_accepted"


def _begun(change: Callable[[str, str], str]) -> Callable[..., ModelOutput]:
    """Change the reply, by what it is and by what the last message of the assistant begins."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        last = request["messages"][-1]
        if last["role"] != "assistant" or not said.content:
            return said
        return replace(said, content=change(said.content, str(last.get("content") or "")))

    return says


PREFILL_FLAWS = [
    Flaw(
        "api_prefill_repeated",
        "what the assistant has begun is said again, and no more",
        _PREFILL,
        change_output=_begun(lambda _said, begun: begun),
    ),
    Flaw(
        "api_prefill_unread",
        "a conversation that the assistant ends gets a greeting",
        _PREFILL,
        change_output=_begun(lambda _said, _begun: "Hello! How can I help you today?"),
    ),
]

FLAWS = [*ADVICE_FLAWS, *ADVICE_HTTP_FLAWS, *PREFILL_FLAWS]
