"""The capability probe: some ten small requests that detect what the endpoint supports."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from readiness.exchange import Call, Exchange, Fault, Send
from readiness.protocol.completion import TEXT_FIELDS, error_text, read
from readiness.protocol.dialect import (
    MADE_UP,
    OLDER_LIMIT,
    REASONING_BUDGET,
    SMALLEST_LIMIT,
    Dialect,
)
from readiness.protocol.message import decode
from readiness.reply import Reply
from readiness.score import EndpointError

#: Lists the models that the endpoint serves.
LIST_MODELS = Call(None, "/models", "GET")
#: Marks the requests of the capability probe in evidence.
PROBING = {"check": "capability"}
#: No id of a model has more characters, and no window more tokens.
MAX_ID, MAX_WINDOW = 500, 10**12
#: So many ids are listed in a message, so many characters of each.
MAX_LISTED, MAX_SHOWN = 20, 80
UNSUPPORTED_STATUSES = (400, 404, 405, 422, 501)
KEY_REFUSED = (401, 403)
NO_SUCH_MODEL = "readiness-no-such-model"
OK = [{"role": "user", "content": "Reply with the word OK."}]
NUMBERS = [
    {"role": "user", "content": "List the numbers from 1 to 50, separated by commas."},
]
#: A question that takes thought: some models reason only then.
HARD = [
    {
        "role": "user",
        "content": (
            "Three machines make the same part. Alone, the first needs 6 hours for an order, the "
            "second 9 and the third 12. The first two begin together at 07:45; after 95 minutes "
            "the second breaks down, and the third takes its place. Of all the parts, 4 % are "
            "then found faulty and are made again by the first machine alone. At what time is "
            "the order complete? Think it through, check it by another way, and tell the time."
        ),
    }
]
#: The limits of the first request, of those for a word, and of the one that takes thought.
FIRST_LIMIT, WORD_LIMIT = 512, 64
HARD_LIMIT = 256  # Reasoning comes first: the beginning of a reply shows it.
JSON = [{"role": "user", "content": 'Reply with exactly this JSON: {"ok": true}'}]
OK_SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
TIME_TOOL = {
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
FEATURES: Mapping[str, tuple[list[dict[str, str]], Mapping[str, Any]]] = {
    "stream": (OK, {"stream": True}),
    "tools": (OK, {"tools": [TIME_TOOL]}),
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
#: What a first request without a response looks like, and what to try.
FAULT_REMEDIES = {
    Fault.NO_HOST: "is the name right, and known to this machine's network?",
    Fault.NO_TLS: "the port does not speak TLS: try http:// instead of https://",
    Fault.UNTRUSTED: "name the authority that signed it: SSL_CERT_FILE=ca.pem",
    Fault.UNREACHABLE: "is the server started, and are host and port right?",
    Fault.RESET: "it hangs up without an answer: is this the port of the API, and http:// right?",
    Fault.PROTOCOL: "what answers is no HTTP API: is this its port, and http:// right?",
    Fault.TOO_LARGE: "what answers is no API: is the base URL right, as in …/v1?",
}
#: Where the server took the request, and was silent.
SILENT = "it takes connections and does not answer: is its model still being loaded?"
BASE_URL = "/v1"
REMEDIES = {
    "tools": "vLLM needs --enable-auto-tool-choice and --tool-call-parser, llama.cpp --jinja",
    "json_schema": "the server needs a structured-output backend",
}


class Unassessable(Exception):
    """The endpoint cannot be tried at all; the message says what it looks like, and what to do."""


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
            remedy = FAULT_REMEDIES.get(exchange.fault, SILENT)
            raise Unassessable(f"{exchange.fault}: {exchange.detail}: {remedy}")
        if exchange.status != 200:
            said = f": {error_text(exchange):.200}".rstrip(": ")
            return cls(problem=f"HTTP {exchange.status}{said}", status=exchange.status)
        try:
            listed = decode(exchange.body.decode())["data"]
            return cls({_id(each["id"]): _window(each) for each in listed})
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
        if "reasoning" in needs and not self.reasoning:
            return "no reply of the endpoint has reasoning"
        for need in sorted(needs & self.unsupported.keys()):
            remedy = f" ({REMEDIES[need]})" if need in REMEDIES else ""
            return f"the endpoint does not offer {need}: {self.unsupported[need]}{remedy}"
        return ""


def choose(models: Models, wanted: str) -> str:
    """Return the model to try: the wanted one, or the only one that is served.

    Raises:
        LookupError: The user must name the model, or the key is rejected.
        Unassessable: The server at the address is not such an API, or serves no model.
    """
    if wanted:
        return wanted
    if len(models.windows) == 1:
        return next(iter(models.windows))
    if models.status in KEY_REFUSED:
        raise ApiKeyRejected(f"the key is not accepted: {models.problem}")
    if models.problem:
        raise Unassessable(
            f"GET /models: {models.problem}: is the base URL right, as in …/v1? Where the API "
            "has no list of models, name one with --model"
        )
    if not models.windows:
        raise Unassessable("the endpoint serves no model: is one loaded?")
    raise LookupError(f"the endpoint serves {_listed(models)}: choose with --model")


def no_such_model(model: str, models: Models, reason: str) -> str:
    """The message where the endpoint does not know a model, with those that it lists."""
    others = f": choose {_listed(models)} with --model" if models.windows else ""
    return f"no model {model!r} there: {reason}{others}"


async def require_base_url(send: Send, url: str, models: Models) -> None:
    """Require that the API is not to be found one step below a URL that has no list of models.

    Raises:
        Unassessable: It is there.
    """
    if not models.problem or models.status in KEY_REFUSED or url.endswith(BASE_URL):
        return
    below = await send(replace(LIST_MODELS, path=f"{BASE_URL}{LIST_MODELS.path}"))
    if below.status in KEY_REFUSED or not (below.fault or Models.read(below).problem):
        raise Unassessable(f"GET /models: {models.problem}: the API is at {url}{BASE_URL}")


async def explore(send: Send, models: Models, asked: Dialect) -> Capabilities:
    """Detect what the endpoint supports, and its request dialect.

    Raises:
        LookupError: The key or the model is rejected.
        Unassessable: The simplest request fails.
    """
    dialect, reply, exchange = await _ask_for_a_word(send, asked, models)
    if models.windows and asked.model not in models.windows:
        await _verify_unlisted_model(send, dialect, models)
    dialect = await _with_effective_limit(send, dialect)
    send = await _sent_ahead(send, _independent(dialect))
    dialect = await _with_older_limit(send, dialect)
    unsupported = {}
    for feature in FEATURES:
        dialect, refusal = await _try_feature(send, dialect, feature)
        if refusal is not None:
            unsupported[feature] = f"HTTP {refusal.status}: {error_text(refusal):.200}"
    reasoned = next(filter(_reasons, (reply, await _ask_what_is_hard(send, dialect))), None)
    if reasoned is not None:
        dialect = replace(dialect, reasoning_tokens=REASONING_BUDGET)
        if reasoned.reasoning_field in TEXT_FIELDS and "tools" not in unsupported:
            dialect = await _with_reasoning_history(send, dialect, reasoned)
    return Capabilities(
        dialect,
        models.windows.get(asked.model),
        unsupported,
        reasoned is not None,
        exchange.headers.get("server", ""),
        *_fingerprint_and_model(exchange),
    )


def _independent(dialect: Dialect) -> list[Call]:
    """The requests that are sent next, whatever the others find."""
    features = [
        dialect.request(messages, WORD_LIMIT, wanted) for messages, wanted in FEATURES.values()
    ]
    newer = dialect.max_tokens_field != OLDER_LIMIT
    declinable = [_older_limit(dialect), *features] if newer else features
    return [
        Call(dialect.request(HARD, HARD_LIMIT, {})),
        *(Call(body, valid=False) for body in declinable),
    ]


async def _sent_ahead(send: Send, calls: Sequence[Call]) -> Send:
    """Send requests at once; what is returned has the response to each when it is asked for.

    What is found is the same as if they were sent one after another, as a replay sends them.
    """
    responses = await asyncio.gather(*map(send, calls), return_exceptions=True)
    ahead = list(zip(calls, responses, strict=True))

    async def answered(call: Call) -> Exchange:
        at = next((at for at, (other, _) in enumerate(ahead) if other == call), None)
        if at is None:
            return await send(call)
        _, response = ahead.pop(at)
        if isinstance(response, BaseException):
            raise response
        return response

    return answered


async def _try_feature(
    send: Send, dialect: Dialect, feature: str
) -> tuple[Dialect, Exchange | None]:
    """Try a feature; return the dialect, and the response that declines it, if one does."""
    messages, parameters = FEATURES[feature]
    whole = dialect.request(messages, WORD_LIMIT, {})
    refusal = await _declined(send, dialect.request(messages, WORD_LIMIT, parameters), whole)
    if refusal is not None and feature == "stream" and dialect.stream_usage:
        bare = replace(dialect, stream_usage=False)
        if await _declined(send, bare.request(messages, WORD_LIMIT, parameters), whole) is None:
            return bare, None
    return dialect, refusal


async def _declined(send: Send, body: Any, without: Any) -> Exchange | None:
    """The response that declines what one request has and another has not; None where none does.

    It is asked twice, and the other is answered in between: one 404 or 501 of a gateway declines
    nothing, and neither does what refuses every request.
    """
    asked = Call(body, valid=False)
    if (await send(asked)).status not in UNSUPPORTED_STATUSES:
        return None
    if not (await send(Call(without))).succeeded:
        return None
    again = await send(asked)
    return again if again.status in UNSUPPORTED_STATUSES else None


async def _ask_for_a_word(
    send: Send, dialect: Dialect, models: Models
) -> tuple[Dialect, Reply, Exchange]:
    """Ask for one word, dropping the parameters that the endpoint rejects."""
    exchange = await send(Call(dialect.request(OK, FIRST_LIMIT, {})))
    if exchange.status in (404, 501):
        exchange = await send(Call(dialect.request(OK, FIRST_LIMIT, {})))
    if exchange.declined:
        dialect, exchange = await _ask_more_plainly(send, dialect, exchange)
    reason = f"HTTP {exchange.status}: {error_text(exchange):.200}"
    if exchange.status in KEY_REFUSED:
        raise ApiKeyRejected(f"the key is not accepted: {reason}")
    if exchange.status == 404 and models.problem:
        raise Unassessable(
            f"neither /models nor /chat/completions is there ({reason}): is the base URL right, as "
            f"in …/v1, and is there a model {dialect.model!r}?"
        )
    if exchange.status == 404:
        raise LookupError(no_such_model(dialect.model, models, reason))
    try:
        return dialect, read(exchange), exchange
    except EndpointError as error:
        raise Unassessable(f"the simplest request fails: {error}") from None


async def _ask_more_plainly(
    send: Send, dialect: Dialect, rejected: Exchange
) -> tuple[Dialect, Exchange]:
    """Ask without a temperature, then with the older limit, then with neither of the newer two.

    What is answered counts where the request as it was is rejected again.
    """
    unsampled, older = replace(dialect, sampling={}), replace(dialect, max_tokens_field=OLDER_LIMIT)
    for other in (unsampled, older, replace(unsampled, max_tokens_field=OLDER_LIMIT)):
        exchange = await send(Call(other.request(OK, FIRST_LIMIT, {}), valid=False))
        if exchange.succeeded:
            again = await send(Call(dialect.request(OK, FIRST_LIMIT, {}), valid=False))
            return (dialect, again) if again.succeeded else (other, exchange)
    return dialect, rejected


async def _verify_unlisted_model(send: Send, dialect: Dialect, models: Models) -> None:
    """Make sure that the endpoint does not serve an unlisted model name with another model."""
    other = await send(Call(replace(dialect, model=NO_SUCH_MODEL).request(OK, WORD_LIMIT, {})))
    if other.status == 200:
        raise LookupError(
            f"{dialect.model!r} is not served, and the endpoint answers to any name: "
            f"choose {_listed(models)} with --model"
        )


async def _with_effective_limit(send: Send, dialect: Dialect) -> Dialect:
    """Fall back to `max_tokens` where `max_completion_tokens` is ignored, as by Ollama."""
    if dialect.max_tokens_field == OLDER_LIMIT:
        return dialect
    exchange = await send(Call(dialect.request(NUMBERS, SMALLEST_LIMIT, {})))
    try:
        usage = read(exchange).usage
    except EndpointError:
        return dialect
    ignored = usage is not None and usage.completion > SMALLEST_LIMIT + 2
    return replace(dialect, max_tokens_field=OLDER_LIMIT) if ignored else dialect


async def _with_older_limit(send: Send, dialect: Dialect) -> Dialect:
    """Detect whether `max_tokens` is rejected where `max_completion_tokens` is not."""
    if dialect.max_tokens_field == OLDER_LIMIT:
        return dialect
    asked = _older_limit(dialect), dialect.request(OK, WORD_LIMIT, {})
    return replace(dialect, older_limit=await _declined(send, *asked) is None)


def _older_limit(dialect: Dialect) -> dict[str, Any]:
    return replace(dialect, max_tokens_field=OLDER_LIMIT).request(OK, WORD_LIMIT, {})


async def _ask_what_is_hard(send: Send, dialect: Dialect) -> Reply | None:
    """Ask what takes thought; a reply that the limit cuts has shown its reasoning as well."""
    try:
        return read(await send(Call(dialect.request(HARD, HARD_LIMIT, {}))))
    except EndpointError:
        return None


def _reasons(reply: Reply | None) -> bool:
    """Whether a reply has reasoning, which some servers count and do not show."""
    if reply is None:
        return False
    return bool(reply.reasoning) or (reply.usage is not None and bool(reply.usage.reasoning))


async def _with_reasoning_history(send: Send, dialect: Dialect, reasoned: Reply) -> Dialect:
    """Detect whether the reasoning of a call is rejected along with its result, or demanded."""
    asked = {"role": "user", "content": "What time is it in Lima?"}
    function = {"name": "get_time", "arguments": '{"city": "Lima"}'}
    called = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a1b2c3d4e", "type": "function", "function": function}],
    }
    told = {"role": "tool", "tool_call_id": "a1b2c3d4e", "content": "15:20"}

    async def rejected(call: Mapping[str, Any]) -> bool:
        request = dialect.request([asked, call, told], WORD_LIMIT, {"tools": [TIME_TOOL]})
        return (await send(Call(request))).declined

    field = reasoned.reasoning_field
    if await rejected({**called, field: MADE_UP}):
        return replace(dialect, reasoning_history=False)
    return replace(dialect, reasoning_demanded=field if await rejected(called) else "")


def _fingerprint_and_model(exchange: Exchange) -> tuple[str, str]:
    """The system fingerprint and the model name of a reply; "" for each that is missing."""
    body = decode(exchange.body.decode())
    found = (body.get(each) for each in ("system_fingerprint", "model"))
    fingerprint, model = (each[:MAX_ID] if isinstance(each, str) else "" for each in found)
    return fingerprint, model


def _listed(models: Models) -> str:
    """The ids of the models for people: not more of them than can be read."""
    shown = [f"{each:.{MAX_SHOWN}}" for each in islice(models.windows, MAX_LISTED)]
    rest = len(models.windows) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")


def _id(stated: Any) -> str:
    """The id of a model.

    Raises:
        ValueError: No request can name it.
    """
    if not isinstance(stated, str) or not 0 < len(stated) <= MAX_ID:
        raise ValueError(f"{stated!r:.60} is no id of a model")
    stated.encode()  # A lone surrogate is in no text.
    return stated


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
    return next((each for each in stated if type(each) is int and 0 < each < MAX_WINDOW), None)
