"""The capability probe: at most ten tiny requests that settle what the endpoint offers."""

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

#: Asks for the models that are served.
LIST_MODELS = Call(None, "/models", "GET")
#: What the evidence says that the requests of the capability probe were sent for.
PROBING = {"check": "capability"}
REFUSALS = (400, 404, 405, 422, 501)
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
    """The endpoint cannot be tried at all: nothing is known of its readiness."""


class WrongKey(LookupError):
    """The endpoint does not accept the key; whoever catches it knows where the key comes from."""


@dataclass(frozen=True)
class Models:
    """What the endpoint says it serves.

    Args:
        windows: The models' windows in tokens, by their ids; None where it states none.
        problem: Why it does not tell, for people; "" where it does.
        status: The HTTP status, where it does not tell.
    """

    windows: Mapping[str, int | None] = field(default_factory=dict)
    problem: str = ""
    status: int | None = None

    @classmethod
    def read(cls, exchange: Exchange) -> Models:
        """Read the answer to `GET /models`.

        Raises:
            Unassessable: There is no endpoint at that address.
        """
        if exchange.fault is not None:
            raise Unassessable(f"{exchange.fault}: {exchange.detail}")
        if exchange.status != 200:
            said = f"HTTP {exchange.status}: {error_text(exchange):.200}"
            return cls(problem=said, status=exchange.status)
        try:
            listed = json.loads(exchange.body)["data"]
            return cls({str(each["id"]): _window(each) for each in listed})
        except (ValueError, LookupError, TypeError, AttributeError):
            said = f"no list of models: {error_text(exchange)!r:.120}"
            return cls(problem=said, status=exchange.status)


@dataclass(frozen=True)
class Capabilities:
    """What the endpoint offers, and how it wants to be asked.

    Args:
        dialect: How requests are put together.
        window: The context window that the endpoint declares, in tokens; None where it does not.
        unsupported: The features that it declares absent, with its own words.
        reasoning: Whether replies come with reasoning text.
        server: What the `Server` header names.
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
        """Why a check with these needs cannot be tried; "" where it can."""
        for need in sorted(needs & self.unsupported.keys()):
            remedy = f" ({REMEDIES[need]})" if need in REMEDIES else ""
            return f"the endpoint does not offer {need}: {self.unsupported[need]}{remedy}"
        return ""


def choose(models: Models, wanted: str) -> str:
    """Settle which model is tried.

    Raises:
        LookupError: The user must say.
        Unassessable: What answers is no such API.
    """
    if wanted:
        return wanted
    if len(models.windows) == 1:
        return next(iter(models.windows))
    if models.status in KEY_REFUSED:
        raise WrongKey(f"the key is not accepted: {models.problem}")
    if models.problem:
        raise Unassessable(f"GET /models: {models.problem} (is the base URL right, as in …/v1?)")
    raise LookupError(
        f"the endpoint serves {', '.join(models.windows) or 'no model'}: choose with --model"
    )


async def explore(send: Send, models: Models, asked: Dialect) -> Capabilities:
    """Settle what the endpoint offers, and how it wants to be asked.

    Raises:
        LookupError: The key or the model is not accepted.
        Unassessable: The endpoint does not answer the simplest request.
    """
    dialect, reply, exchange = await _greet(send, asked)
    if models.windows and asked.model not in models.windows:
        await _verify(send, dialect, models)
    dialect = await _bounded(send, dialect)
    lacking = {}
    for feature, (messages, parameters) in FEATURES.items():
        tried = await send(Call(dialect.request(messages, 64, parameters)))
        if feature == "stream" and tried.status in REFUSALS and dialect.stream_usage:
            dialect = replace(dialect, stream_usage=False)
            tried = await send(Call(dialect.request(messages, 64, parameters)))
        if tried.status in REFUSALS:
            lacking[feature] = f"HTTP {tried.status}: {error_text(tried):.200}"
    reasoning = bool(reply.reasoning)
    return Capabilities(
        replace(dialect, reasoning_tokens=REASONING_BUDGET if reasoning else 0),
        models.windows.get(asked.model),
        lacking,
        reasoning,
        exchange.headers.get("server", ""),
        *_signed(exchange),
    )


async def _greet(send: Send, dialect: Dialect) -> tuple[Dialect, Reply, Exchange]:
    """Ask for a word, giving up the parameters that the endpoint rejects."""
    exchange = await send(Call(dialect.request(OK, 512, {})))
    if exchange.status in (400, 422) and "temperature" in error_text(exchange):
        dialect = replace(dialect, sampling={})
        exchange = await send(Call(dialect.request(OK, 512, {})))
    if exchange.status in (400, 422) and "max_completion_tokens" in error_text(exchange):
        dialect = replace(dialect, max_tokens_field="max_tokens")
        exchange = await send(Call(dialect.request(OK, 512, {})))
    said = f"HTTP {exchange.status}: {error_text(exchange):.200}"
    if exchange.status in KEY_REFUSED:
        raise WrongKey(f"the key is not accepted: {said}")
    if exchange.status == 404:
        raise LookupError(f"no model {dialect.model!r} there: {said}")
    try:
        return dialect, read(exchange), exchange
    except EndpointError as error:
        raise Unassessable(f"the simplest request fails: {error}") from None


async def _verify(send: Send, dialect: Dialect, models: Models) -> None:
    """Make sure that a model which is not listed is not another one under any name."""
    other = await send(Call(replace(dialect, model=NO_SUCH_MODEL).request(OK, 16, {})))
    if other.status == 200:
        raise LookupError(
            f"{dialect.model!r} is not served, and the endpoint answers to any name: "
            f"choose {' or '.join(models.windows)} with --model"
        )


async def _bounded(send: Send, dialect: Dialect) -> Dialect:
    """Fall back to `max_tokens` where the newer name is silently ignored, as by Ollama."""
    if dialect.max_tokens_field == "max_tokens":
        return dialect
    exchange = await send(Call(dialect.request(NUMBERS, 8, {})))
    try:
        usage = read(exchange).usage
    except EndpointError:
        return dialect
    ignored = usage is not None and usage.completion > 8 + 2
    return replace(dialect, max_tokens_field="max_tokens") if ignored else dialect


def _signed(exchange: Exchange) -> tuple[str, str]:
    """The fingerprint and the model's name in a reply that could be read."""
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
