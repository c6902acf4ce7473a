"""Validation of requests: what the protocol allows, and the error for what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from readiness.mutants.endpoint.answer import Request, RequestError
from readiness.mutants.endpoint.conversation import check_messages
from readiness.mutants.endpoint.response_format import check_format
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.endpoint.tools import check_tools

MODEL = "reference"
WINDOW = 139_264
MOST_BYTES = 64 * 2**20

ParameterRule = tuple[Callable[[Any], bool], str]


def _number(low: float, high: float) -> ParameterRule:
    return (
        lambda value: type(value) in (int, float) and low <= value <= high,
        f"a number from {low:g} to {high:g}",
    )


def _integer(low: int, high: int = 2**63 - 1) -> ParameterRule:
    return (
        lambda value: type(value) is int and low <= value <= high,
        f"an integer of at least {low}" + (f", up to {high}" if high < 2**63 - 1 else ""),
    )


def _kind(kind: type, words: str) -> ParameterRule:
    return lambda value: isinstance(value, kind), words


def _stops(value: Any) -> bool:
    texts = [value] if isinstance(value, str) else value
    return (
        isinstance(texts, list)
        and len(texts) <= 4
        and all(isinstance(text, str) and text for text in texts)
    )


_RULES: Mapping[str, ParameterRule] = {
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "frequency_penalty": _number(-2, 2),
    "presence_penalty": _number(-2, 2),
    "n": _integer(1, 128),
    "max_tokens": _integer(1),
    "max_completion_tokens": _integer(1),
    "seed": _integer(-(2**63)),
    "stop": (_stops, "a string, or an array of up to 4"),
    "stream": _kind(bool, "a boolean"),
    "stream_options": _kind(dict, "an object"),
    "logprobs": _kind(bool, "a boolean"),
    "top_logprobs": _integer(0, 20),
    "logit_bias": _kind(dict, "an object"),
    "parallel_tool_calls": _kind(bool, "a boolean"),
    "user": _kind(str, "a string"),
    "metadata": _kind(dict, "an object"),
    "store": _kind(bool, "a boolean"),
}

_NEEDS = {"stream_options": "stream", "top_logprobs": "logprobs"}


def parse(body: bytes) -> dict[str, Any]:
    """Read a request's body.

    Raises:
        RequestError: It is no JSON object in UTF-8.
    """
    try:
        text = body.decode()
        request = json.loads(text, parse_constant=_no_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(request, ensure_ascii=False).encode()  # A lone surrogate is no text.
    except (ValueError, RecursionError) as error:
        raise RequestError(f"could not parse the body as JSON: {error!s:.200}") from error
    if not isinstance(request, dict):
        raise RequestError("the body must be a JSON object")
    return request


def check(request: Request, models: frozenset[str]) -> int:
    """Check a request as OpenAI does, and count the tokens of its prompt.

    Raises:
        RequestError: The protocol does not allow it, or it exceeds the context window.
    """
    _check_model(request, models)
    if "messages" not in request:
        raise RequestError("'messages' is missing", "messages", "missing_required_parameter")
    check_messages(request["messages"])
    for name, value in request.items():
        if name in _RULES and value is not None and not _RULES[name][0](value):
            wanted = _RULES[name][1]
            raise RequestError(f"'{name}' must be {wanted}: {value!r:.80}", name, "invalid_value")
    for name, needed in _NEEDS.items():
        if request.get(name) is not None and not request.get(needed):
            raise RequestError(f"'{name}' is only allowed with '{needed}'", name)
    check_tools(request)
    check_format(request)
    return _check_length(request)


def most_tokens(request: Request) -> int | None:
    """The request's token limit for the reply; None if it states none."""
    most = request.get("max_completion_tokens") or request.get("max_tokens")
    return int(most) if most else None


def _check_model(request: Request, models: frozenset[str]) -> None:
    model = request.get("model")
    if model is None:
        raise RequestError("'model' is missing", "model", "missing_required_parameter")
    if not isinstance(model, str):
        raise RequestError("'model' must be a string", "model", "invalid_type")
    if model not in models:
        raise unknown_model(model)


def unknown_model(model: str) -> RequestError:
    """The error for a model that is not served."""
    return RequestError(f"the model {model!r:.80} does not exist", "model", "model_not_found", 404)


def _check_length(request: Request) -> int:
    prompt, asked = prompt_tokens(request), most_tokens(request) or 1
    if prompt + asked > WINDOW:
        raise RequestError(
            f"This model's maximum context length is {WINDOW} tokens. However, you requested "
            f"{prompt + asked} tokens ({prompt} in the messages, {asked} in the completion).",
            "messages",
            "context_length_exceeded",
        )
    return prompt


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
