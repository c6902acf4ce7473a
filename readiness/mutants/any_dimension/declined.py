"""Harmless variants that take fewer kinds of requests than OpenAI does, and say so."""

from __future__ import annotations

import json
from collections.abc import Callable

from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.request_form import (
    Where,
    all_of,
    beside_tools,
    from_developer,
    may_stop,
    several_choices,
    streamed,
    with_logprobs,
)
from readiness.mutants.flaw import Body, Flaw

_JSON = {"Content-Type": "application/json"}
#: What OpenAI alone knows.
_NOTES = ("user", "metadata", "store", "service_tier", "parallel_tool_calls")

#: Where a gateway asks OpenAI's newer interface, which takes no lower limit.
_FEWEST = 16

Intercept = Callable[[Request, int], SubstituteResponse | None]


def _declines(where: Where, status: int, body: bytes) -> Intercept:
    due = SubstituteResponse(status, body, _JSON)
    return lambda request, _turn: due if where(request) else None


def _says(message: str, param: str, where: Where) -> Intercept:
    return _declines(where, 400, RequestError(message, param).body)


def _unknown(request: Request, _turn: int) -> SubstituteResponse | None:
    """As FastAPI does: each field that its model lacks is an error."""
    extra = [name for name in _NOTES if name in request]
    detail: list[Body] = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        for name in extra
    ]
    body = json.dumps({"object": "error", "message": {"detail": detail}}).encode()
    return SubstituteResponse(422, body, _JSON) if extra else None


def _few_tokens(request: Request, _turn: int) -> SubstituteResponse | None:
    limits = [name for name in ("max_completion_tokens", "max_tokens") if request.get(name)]
    few = most_tokens(request)
    if few is None or few >= _FEWEST:
        return None
    told = f"integer below minimum value. Expected a value >= {_FEWEST}, but got {few} instead."
    problem = RequestError(f"Invalid '{limits[0]}': {told}", limits[0], "integer_below_min_value")
    return SubstituteResponse(400, problem.body, _JSON)


def _one_choice(request: Request) -> Request:
    return {key: of for key, of in request.items() if key != "n"}


def _no_logprobs(request: Request) -> Request:
    return {key: of for key, of in request.items() if key not in ("logprobs", "top_logprobs")}


def _unstored(request: Request) -> bool:
    return bool(request.get("metadata")) and not request.get("store")


_RAISED = {
    "code": 500,
    "message": "Jinja Exception: Unexpected message role.",
    "type": "server_error",
}

FLAWS = [
    Flaw(
        "declines_stop",
        "stop sequences may be declined, as by OpenAI's reasoning models",
        intercept=_says("'stop' is not supported with this model", "stop", may_stop),
    ),
    Flaw(
        "declines_logprobs",
        "and so may logprobs",
        intercept=_says("'logprobs' is not enabled for this model", "logprobs", with_logprobs),
    ),
    Flaw(
        "declines_logprobs_beside_tools",
        "or logprobs in a stream beside tools alone, as by llama.cpp",
        intercept=_says(
            "logprobs is not supported with tools + stream",
            "logprobs",
            all_of(with_logprobs, streamed, beside_tools),
        ),
    ),
    Flaw(
        "declines_two_choices",
        "a greedy reply may come once only, as from vLLM",
        intercept=_declines(
            all_of(several_choices, lambda request: request.get("temperature") == 0),
            400,
            b'{"object": "error", "message": "n must be 1 in greedy sampling", "code": 400}',
        ),
    ),
    Flaw(
        "declines_logprobs_by_403",
        "or by a model that may not tell them, with a 403, as by OpenAI's",
        intercept=_declines(
            with_logprobs,
            403,
            RequestError("You are not allowed to request logprobs from this model.", None).body,
        ),
    ),
    Flaw(
        "ignores_logprobs",
        "or left out of the reply, as by Ollama",
        change_request=_no_logprobs,
    ),
    Flaw(
        "declines_few_tokens",
        "limits below sixteen tokens may be declined, as by Azure's",
        intercept=_few_tokens,
    ),
    Flaw(
        "gives_one_choice",
        "a reply may come once, whatever n is, as by Ollama and DeepSeek",
        change_request=_one_choice,
    ),
    Flaw(
        "declines_metadata",
        "metadata may be declined where nothing is stored, as by OpenAI",
        intercept=_says(
            "The 'metadata' parameter is only allowed when 'store' is enabled.",
            "metadata",
            _unstored,
        ),
    ),
    Flaw("declines_notes", "what one API alone knows may be declined", intercept=_unknown),
    Flaw(
        "declines_developer",
        "templates may know no developer",
        intercept=_declines(
            from_developer, 400, RequestError("unexpected message", "messages").body
        ),
    ),
    Flaw(
        "declines_developer_by_500",
        "and say so by an exception, as in llama.cpp",
        intercept=_declines(from_developer, 500, json.dumps({"error": _RAISED}).encode()),
    ),
]
