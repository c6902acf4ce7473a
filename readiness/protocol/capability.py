"""The capability probe: at most ten small requests that detect what the endpoint supports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from readiness.exchange import Call, Exchange, Send
from readiness.protocol.completion import error_text, read
from readiness.protocol.dialect import Dialect
from readiness.reply import Reply
from readiness.score import EndpointError

#: Lists the models that the endpoint serves.
LIST_MODELS = Call(None, "/models", "GET")
#: Marks the requests of the capability probe in evidence.
PROBING = {"check": "capability"}
UNSUPPORTED_STATUSES = (400, 404, 405, 422, 501)
KEY_REFUSED = (401, 403)
NO_SUCH_MODEL = "readiness-no-such-model"
REASONING_BUDGET = 4096
OK = [{"role": "user", "content": "Reply with the word OK."}]
NUMBERS = [
    {"role": "user", "content": "List the numbers from 1 to 50, separated by commas."},
]
JSON = [{"role": "user", "content": 'Reply with exactly this JSON: {"ok": true}'}]
OK_SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
FEATURES: Mapping[str, tuple[list[dict[str, str]], Mapping[str, Any]]] = {
    "stream": (OK, {"stream": True}),
    "tools": (
        OK,
        {
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "get_time",
                        "description": "Tells the time in a city.",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    },
                }
            ]
        },
    ),
    "json_object": (JSON, {"response_format": {"type": "json_object"}}),
    "json_schema": (
        JSON,
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "ok", "strict": True, "schema": OK_SCHEMA},
            }
        },
    ),
}
REMEDIES = {
    "tools": "vLLM needs --enable-auto-tool-choice and --tool-call-parser, llama.cpp --jinja",
    "json_schema": "the server needs a structured-output backend",
}


class Unassessable(Exception):
    """The endpoint cannot be tried at all, so that its readiness is unknown."""


class ApiKeyRejected(LookupError):
    """The endpoint rejects the API key; the caller adds where the key is configured."""


@dataclass(frozen=True)
class Models:
    """The models that the endpoint lists.

    Args:
        windows: The context windows in tokens, by model id; None where none is stated.
        problem: Why the list is unavailable, for people; "" where it is available.
        status: The HTTP status, where the list is unavailable.
    """

    windows: Mapping[str, int | None] = field(default_factory=dict)
    problem: str = ""
    status: int | None = None

    @classmethod
    def read(cls, exchange: Exchange) -> Models:
        """Read the response to `GET /models`.

        Raises:
            Unassessable: There is no endpoint at the address.
        """
        if exchange.fault is not None:
            raise Unassessable(f"{exchange.fault}: {exchange.detail}")
        if exchange.status != 200:
            reason = f"HTTP {exchange.status}: {error_text(exchange):.200}"
            return cls(problem=reason, status=exchange.status)
        try:
            listed = json.loads(exchange.body)["data"]
            return cls({str(each["id"]): _window(each) for each in listed})
        except (ValueError, LookupError, TypeError, AttributeError):
            reason = f"no list of models: {error_text(exchange)!r:.120}"
            return cls(problem=reason, status=exchange.status)


@dataclass(frozen=True)
class Capabilities:
    """What the endpoint supports, and its request dialect.

    Args:
        dialect: How requests are built.
        window: The context window that the endpoint declares, in tokens; None where it declares
            none.
        unsupported: The features that it rejects, each with its error message.
        reasoning: Whether replies contain reasoning text.
        server: The value of the `Server` header.
        fingerprint: The `system_fingerprint` of a reply; "" where it has none.
        answers_as: The model that a reply names.
    """

    dialect: Dialect
    window: int | None
    unsupported: Mapping[str, str]
    reasoning: bool
    server: str
    fingerprint: str = ""
    answers_as: str = ""

    def unsupported_reason(self, needs: frozenset[str]) -> str:
        """Why a check with these needs cannot be tried, or an empty string."""
        for need in sorted(needs & self.unsupported.keys()):
            remedy = f" ({REMEDIES[need]})" if need in REMEDIES else ""
            return f"the endpoint does not offer {need}: {self.unsupported[need]}{remedy}"
        return ""


def choose(models: Models, wanted: str) -> str:
    """Return the model to try: the wanted one, or the only one that is served.

    Raises:
        LookupError: The user must name the model, or the key is rejected.
        Unassessable: The server at the address is not such an API.
    """
    if wanted:
        return wanted
    if len(models.windows) == 1:
        return next(iter(models.windows))
    if models.status in KEY_REFUSED:
        raise ApiKeyRejected(f"the key is not accepted: {models.problem}")
    if models.problem:
        raise Unassessable(f"GET /models: {models.problem} (is the base URL right, as in …/v1?)")
    raise LookupError(
        f"the endpoint serves {', '.join(models.windows) or 'no model'}: choose with --model"
    )


async def explore(send: Send, models: Models, asked: Dialect) -> Capabilities:
    """Detect what the endpoint supports, and its request dialect.

    Raises:
        LookupError: The key or the model is rejected.
        Unassessable: The simplest request fails.
    """
    dialect, reply, exchange = await _ask_for_a_word(send, asked)
    if models.windows and asked.model not in models.windows:
        await _verify_unlisted_model(send, dialect, models)
    dialect = await _with_effective_limit(send, dialect)
    unsupported = {}
    for feature, (messages, parameters) in FEATURES.items():
        tried = await send(Call(dialect.request(messages, 64, parameters)))
        if feature == "stream" and tried.status in UNSUPPORTED_STATUSES and dialect.stream_usage:
            dialect = replace(dialect, stream_usage=False)
            tried = await send(Call(dialect.request(messages, 64, parameters)))
        if tried.status in UNSUPPORTED_STATUSES:
            unsupported[feature] = f"HTTP {tried.status}: {error_text(tried):.200}"
    reasoning = bool(reply.reasoning)
    return Capabilities(
        replace(dialect, reasoning_tokens=REASONING_BUDGET if reasoning else 0),
        models.windows.get(asked.model),
        unsupported,
        reasoning,
        exchange.headers.get("server", ""),
        *_fingerprint_and_model(exchange),
    )


async def _ask_for_a_word(send: Send, dialect: Dialect) -> tuple[Dialect, Reply, Exchange]:
    """Ask for one word, dropping the parameters that the endpoint rejects."""
    exchange = await send(Call(dialect.request(OK, 512, {})))
    if exchange.status in (400, 422) and "temperature" in error_text(exchange):
        dialect = replace(dialect, sampling={})
        exchange = await send(Call(dialect.request(OK, 512, {})))
    if exchange.status in (400, 422) and "max_completion_tokens" in error_text(exchange):
        dialect = replace(dialect, max_tokens_field="max_tokens")
        exchange = await send(Call(dialect.request(OK, 512, {})))
    reason = f"HTTP {exchange.status}: {error_text(exchange):.200}"
    if exchange.status in KEY_REFUSED:
        raise ApiKeyRejected(f"the key is not accepted: {reason}")
    if exchange.status == 404:
        raise LookupError(f"no model {dialect.model!r} there: {reason}")
    try:
        return dialect, read(exchange), exchange
    except EndpointError as error:
        raise Unassessable(f"the simplest request fails: {error}") from None


async def _verify_unlisted_model(send: Send, dialect: Dialect, models: Models) -> None:
    """Make sure that the endpoint does not serve an unlisted model name with another model."""
    other = await send(Call(replace(dialect, model=NO_SUCH_MODEL).request(OK, 16, {})))
    if other.status == 200:
        raise LookupError(
            f"{dialect.model!r} is not served, and the endpoint answers to any name: "
            f"choose {' or '.join(models.windows)} with --model"
        )


async def _with_effective_limit(send: Send, dialect: Dialect) -> Dialect:
    """Fall back to `max_tokens` where `max_completion_tokens` is ignored, as by Ollama."""
    if dialect.max_tokens_field == "max_tokens":
        return dialect
    exchange = await send(Call(dialect.request(NUMBERS, 8, {})))
    try:
        usage = read(exchange).usage
    except EndpointError:
        return dialect
    ignored = usage is not None and usage.completion > 8 + 2
    return replace(dialect, max_tokens_field="max_tokens") if ignored else dialect


def _fingerprint_and_model(exchange: Exchange) -> tuple[str, str]:
    """The system fingerprint and the model name of a reply; "" for each that is missing."""
    body = json.loads(exchange.body)
    found = (body.get(each) for each in ("system_fingerprint", "model"))
    fingerprint, model = (each if isinstance(each, str) else "" for each in found)
    return fingerprint, model


def _window(model: Mapping[str, Any]) -> int | None:
    meta = model.get("meta") or {}
    stated = [
        model.get("max_model_len"),
        model.get("context_length"),
        model.get("context_window"),
        model.get("max_input_tokens"),
        meta.get("n_ctx"),
        meta.get("n_ctx_train"),
    ]
    return next((each for each in stated if type(each) is int), None)
