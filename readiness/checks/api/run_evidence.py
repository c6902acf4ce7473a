"""What the valid exchanges of a whole run show, read in one pass over its evidence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from readiness.chat import Chat
from readiness.checks.api.reply_topic import Topic, topic_of
from readiness.exchange import COMPLETIONS, Exchange, Fault, RecordedExchange
from readiness.protocol.completion import FILTERED, STREAM, cut_below, read, stated_limit
from readiness.protocol.errors import declines
from readiness.protocol.message import control_tokens, decode
from readiness.protocol.sse import Parser
from readiness.reply import DefectKind, Reply
from readiness.score import EndpointError, Outcome

#: The statuses by which servers say that they cannot do what was asked, besides a 500 that says so.
REFUSED = frozenset({*range(400, 500), 501})
#: The checks that ask for what is to be refused.
REFUSAL = "refusal."
#: The statuses by which they say that the key or the account's credit has ended.
UNPAID = (401, 402)
LISTS = ("GET", "/models")
#: What differs between requests of one form.
CONTENT = frozenset(
    {"model", "messages", "max_tokens", "max_completion_tokens", "seed", "stop", "user", "metadata"}
)
#: Of that, what some endpoints decline: OpenAI's reasoning models take no stop and no older limit.
DECLINABLE = frozenset({"max_tokens", "seed", "stop", "user", "metadata"})
#: What a prompt does not depend on.
BESIDE_PROMPT = CONTENT | {
    *("stream", "stream_options", "temperature", "top_p", "n", "logprobs", "top_logprobs"),
    *("frequency_penalty", "presence_penalty", "store", "service_tier"),
}
CUT = frozenset({DefectKind.NO_DONE, DefectKind.NO_FINISH_REASON})
#: What the frames and labels of a reply must not have; its calls and characters are for others.
MALFORMED = frozenset(
    {
        *(DefectKind.STREAM_CONTENT_TYPE, DefectKind.JSON_CONTENT_TYPE, DefectKind.NOT_STREAMED),
        *(DefectKind.FRAME_NOT_JSON, DefectKind.FRAME_NOT_OBJECT, DefectKind.FRAME_CUT_OFF),
        *(DefectKind.FRAME_WITHOUT_CHOICES, DefectKind.CHOICE_WITHOUT_INDEX),
        *(DefectKind.ID_CHANGES, DefectKind.DATA_AFTER_DONE, *CUT),
        *(DefectKind.SECOND_FINISH_REASON, DefectKind.DELTA_AFTER_FINISH_REASON),
        DefectKind.INVALID_FINISH_REASON,
    }
)
#: The fields around the choices and their types, which the official SDK's types require.
ENVELOPE = {"id": str, "created": int, "model": str}
#: The finish reasons of the official SDK's types, and those of content filters.
FINISHES = FILTERED | {"stop", "length", "tool_calls", "function_call"}


#: Of a reply that shows nothing of it.
NO_TOPIC = Topic()
#: Messages of so many characters on average, beside which a chat template's tokens are few.
MIN_MESSAGE = 50


class Service(StrEnum):
    """How a valid request was served."""

    ANSWERED = "answered"
    REFUSED = "refused"  # As unsupported, where no request of its form is answered.
    FAILED = "failed"
    LIMITED = "limited"  # By a limiter that does not say for how long.
    EXCUSED = "excused"  # By a limiter that does, or by a content filter.


@dataclass(frozen=True, slots=True)
class TextProfile:
    """How long a text is, and what it consists of, by which its tokens per character differ."""

    characters: int
    wide: float
    digits: float
    marks: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token counts of a reply, and what they count.

    Args:
        prompt: The tokens of the prompt.
        completion: The tokens of the reply, without those of reasoning that was not sent.
        beginnings: The digests of the prompt's beginnings, after each message; the last is its own.
        profile: The profile of its text; None where it has more than text.
        request_size: The bytes of the request.
        reply_size: The bytes of the reply's text, reasoning and calls.
        parts: The number of the request's messages and the reply's calls.
        limit: The limit of the reply that the request states; 0 for none, and where reasoning may
            count otherwise.
        cut: Whether the reply says that it was cut there.
        cut_below: Whether it says so, and was cut before.
        summed: Whether the total is the sum of both, where the reply states it.
        cached: The tokens of the prompt that were cached, as far as the reply states it.
        told: Whether more came than reasoning, which some count by itself.
    """

    prompt: int
    completion: int
    beginnings: tuple[int, ...]
    profile: TextProfile | None
    request_size: int
    reply_size: int
    parts: int
    limit: int = 0
    cut: bool = False
    cut_below: bool = False
    summed: bool = True
    cached: int = 0
    told: bool = True


@dataclass(frozen=True, slots=True)
class Observed:
    """One valid exchange of a run, without its texts.

    Args:
        seq: Its number in the evidence.
        crowd: Whether it was one of many concurrent users' requests.
        sent: When it was sent, in seconds since the epoch.
        service: How it was served.
        why: What came instead of a reply.
        form: The digest of the request's form.
        size: The size of the request.
        streamed: Whether the reply was a stream.
        model: The model that the reply names; "" for none.
        fingerprint: Its system fingerprint; "" for none.
        name: The digest of its id; None for none.
        created: When it was created by the server's clock; None where it does not say.
        date: The time of its `Date` header; None for none.
        tokens: Its token counts; None where it has none.
        uncounted: Whether it has no token counts, and has to have them.
        unpaid: Whether the key or the account's credit was not accepted.
        topic: What the reply has to do with the request.
        malformed: What is wrong with the form of the reply; "" where it is read in full and right.
        leaks: Whether its text has control tokens of the template, which the request has not.
        read: Whether it was read in full.
    """

    seq: int
    crowd: bool
    sent: float
    service: Service
    why: str = ""
    form: int = 0
    size: int = 0
    streamed: bool = False
    model: str = ""
    fingerprint: str = ""
    name: int | None = None
    created: int | None = None
    date: float | None = None
    tokens: Tokens | None = None
    uncounted: bool = False
    unpaid: bool = False
    topic: Topic = NO_TOPIC
    malformed: str = ""
    leaks: bool = False
    read: bool = False


async def run_evidence(chat: Chat) -> Sequence[Observed]:
    """The valid exchanges of the run so far, which are read once for all checks."""
    return await chat.fetch_once("the evidence of the run", _run_evidence)


async def _run_evidence(chat: Chat) -> Sequence[Observed]:
    recorded, model = chat.context.recorded_exchanges, chat.dialect.model
    if recorded is None:
        return []
    return await asyncio.to_thread(lambda: until_key_ended([*observed(recorded(), model)]))


def until_key_ended(run: Sequence[Observed]) -> Sequence[Observed]:
    """What came before the key or the credit ended: from then on, nothing was answered."""
    last = next((at for at in reversed(range(len(run))) if not run[at].unpaid), -1)
    return run[: last + 1] if last >= 0 else run


def observed(recorded: Iterable[RecordedExchange], model: str) -> Iterator[Observed]:
    """What the valid exchanges show: requests to a model that is served, which nobody aborted."""
    for each in recorded:
        request = each.exchange.request
        other = isinstance(request, dict) and request.get("model", model) != model
        lists = (each.exchange.method, each.exchange.path) == LISTS
        asks = each.exchange.path == COMPLETIONS and isinstance(request, dict) and not other
        if each.valid and (asks or lists) and each.exchange.fault is not Fault.CLIENT_ABORTED:
            yield _observed(each, lists)


def _observed(recorded: RecordedExchange, lists: bool) -> Observed:
    exchange = _as_streamed(recorded.exchange)
    try:
        reply = None if lists or not recorded.whole else read(exchange)
        error = _unread(recorded, reply, lists)
    except EndpointError as problem:
        reply, error = None, problem
    seen = Observed(
        exchange.seq,
        recorded.crowd,
        exchange.sent,
        _service(exchange, error),
        str(error or "")[:160],
        _form(exchange.request),
        _size(json.dumps(exchange.request, ensure_ascii=False)),
        unpaid=exchange.status in UNPAID,
    )
    return seen if error or lists else _described(seen, recorded, exchange, reply)


def _as_streamed(exchange: Exchange) -> Exchange:
    """The exchange; where evidence has a digest of its request, the response shows its form."""
    if isinstance(exchange.request, dict) and "messages" in exchange.request:
        return exchange
    streams = exchange.headers.get("content-type", "").startswith(STREAM)
    return replace(exchange, request={"stream": streams} if exchange.request else None)


def _unread(recorded: RecordedExchange, reply: Reply | None, lists: bool) -> EndpointError | None:
    """Why a response that need not be read as a reply is none, or a stream has no end."""
    exchange = recorded.exchange
    if exchange.fault is not None:
        return EndpointError(exchange.fault, came=exchange.detail)
    if not 200 <= (exchange.status or 0) < 300:
        return EndpointError(f"HTTP {exchange.status}")
    cut = {each.kind for each in reply.defects} >= CUT if reply else False
    streams = exchange.headers.get("content-type", "").startswith(STREAM)
    if not (recorded.whole or lists) and streams:
        cut = b"[DONE]" not in exchange.body
    return EndpointError("a stream without an end") if cut else None


def _service(exchange: Exchange, error: EndpointError | None) -> Service:
    if error is None:
        return Service.ANSWERED
    if error.score.outcome is Outcome.BLOCKED:
        return Service.EXCUSED
    if exchange.limiter:
        return Service.EXCUSED if "retry-after" in exchange.headers else Service.LIMITED
    refused = exchange.fault is None and exchange.status in REFUSED
    return Service.REFUSED if refused or declines(exchange) else Service.FAILED


def _form(request: Any) -> int:
    """The digest of a request's form: its parameters, and which roles and fields messages have."""
    if not isinstance(request, dict):
        return hash(None)
    messages = [each for each in request.get("messages") or () if isinstance(each, dict)]
    roles = [str(each.get("role")) for each in messages]
    fields = {(name, type(value).__name__) for each in messages for name, value in each.items()}
    beside = {
        key: value.get("type") if isinstance(value, dict) else _kind(value)
        for key, value in request.items()
        if key not in CONTENT
    }
    beside |= {key: "" for key in request if key in DECLINABLE}
    again = any(one == two for one, two in pairwise(roles))
    told = [*roles[:1], *roles[-1:], again, "developer" in roles]
    return hash((str(sorted(beside.items())), str(sorted(fields)), *told))


def _kind(value: Any) -> Any:
    return len(value) if isinstance(value, list) else value


def _described(
    seen: Observed, recorded: RecordedExchange, exchange: Exchange, reply: Reply | None
) -> Observed:
    """What a reply says of itself."""
    streamed = exchange.headers.get("content-type", "").startswith(STREAM)
    frames = _frames(exchange.body) if streamed else [_object(exchange.body)]
    # Of a stream, the last chunk that has an id.
    said: Mapping[str, Any] = next((each for each in reversed(frames) if each.get("id")), {})
    name, created = said.get("id"), said.get("created")
    request = exchange.request
    due = not request.get("stream") or (request.get("stream_options") or {}).get("include_usage")
    return replace(
        seen,
        streamed=streamed,
        model=_text(said.get("model")),
        fingerprint=_text(said.get("system_fingerprint")),
        name=hash(str(name)) if name else None,
        created=created if type(created) is int else None,
        date=_date(exchange.headers.get("date", "")),
        tokens=_tokens(request, reply, said) if reply else None,
        uncounted=reply is not None and reply.usage is None and bool(due),
        topic=topic_of(request, reply, recorded.check.startswith(REFUSAL)) if reply else NO_TOPIC,
        malformed=_malformed(reply, frames, streamed) if reply else "",
        leaks=reply is not None and _leaks(request, reply),
        read=reply is not None,
    )


def _frames(body: bytes) -> Sequence[Mapping[str, Any]]:
    return [_object(event.data) for event in Parser().feed(body)]


def _malformed(reply: Reply, frames: Sequence[Mapping[str, Any]], streamed: bool) -> str:
    """What is wrong with the form of a reply, be it of whichever request; "" for nothing."""
    if wrong := next((each for each in reply.defects if each.kind in MALFORMED), None):
        return wrong.said
    if reply.finish not in FINISHES:
        return f"finish_reason is {reply.finish!r:.40}"
    kind = "chat.completion.chunk" if streamed else "chat.completion"
    # Azure's first chunk is about the prompt, and no part of the reply.
    parts = [each for each in frames if any(map(each.get, ("choices", "usage", "id")))]
    return next(filter(None, (_wrong_field(each, kind) for each in parts)), "")


def _wrong_field(said: Mapping[str, Any], kind: str) -> str:
    """The field of a reply or of a chunk that is not of its type, with its value; or ""."""
    if said.get("object") != kind:
        return f"object is {said.get('object')!r:.40}"
    for name, of in ENVELOPE.items():
        if type(said.get(name)) is not of or said[name] == "":
            return f"{name} is {said.get(name)!r:.40}"
    choices = [each for each in said.get("choices") or () if isinstance(each, dict)]
    for at, choice in enumerate(choices):
        message = choice.get("message")
        if isinstance(message, dict) and message.get("role") != "assistant":
            return f"the role is {message.get('role')!r:.40}"
        if isinstance(message, dict) and choice.get("index") != at:
            return f"the index of choice {at} is {choice.get('index')!r:.40}"
    return ""


def _leaks(request: Mapping[str, Any], reply: Reply) -> bool:
    """Whether a text has control tokens which the request has not."""
    if not reply.leaks:
        return False
    sent = control_tokens(json.dumps(request.get("messages"), ensure_ascii=False))
    return not {*reply.leaks} <= {*sent}


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = decode(data.decode(errors="replace"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None


def _tokens(request: Mapping[str, Any], reply: Reply, said: Mapping[str, Any]) -> Tokens | None:
    """The token counts of a reply with one choice, whose request the evidence has in full."""
    messages = request.get("messages")
    if reply.usage is None or not isinstance(messages, list) or request.get("n") not in (None, 1):
        return None
    calls = [each.name + each.arguments for each in reply.tool_calls]
    texts = "".join([reply.content or "", reply.reasoning, reply.refusal, *calls])
    beside = {key: request[key] for key in request if key not in BESIDE_PROMPT}
    return Tokens(
        reply.usage.prompt,
        reply.usage.completion - _unsent(reply, said),
        tuple(_beginnings(beside, messages)),
        None if beside else _profile(messages),
        _size(json.dumps(request, ensure_ascii=False)),
        _size(texts),
        len(messages) + len(calls),
        0 if reply.reasoning or reply.usage.reasoning else stated_limit(request),
        reply.finish == "length",
        bool(cut_below(reply, stated_limit(request))),
        _usage_of(said).get("total_tokens") in (None, reply.usage.prompt + reply.usage.completion),
        reply.usage.cached or 0,
        bool(reply.content or reply.refusal or calls),
    )


def _usage_of(said: Mapping[str, Any]) -> Mapping[str, Any]:
    usage = said.get("usage")
    return usage if isinstance(usage, dict) else {}


def _unsent(reply: Reply, said: Mapping[str, Any]) -> int:
    """The tokens of reasoning that the reply does not show."""
    if reply.reasoning:
        return 0
    details = _usage_of(said).get("completion_tokens_details")
    hidden = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return hidden if type(hidden) is int else 0


def _beginnings(beside: Mapping[str, Any], messages: Sequence[Any]) -> Iterator[int]:
    digest = hash(json.dumps(beside, sort_keys=True))
    for each in messages:
        digest = hash((digest, json.dumps(each, sort_keys=True)))
        yield digest


def _profile(messages: Sequence[Any]) -> TextProfile | None:
    """The profile of messages that are nothing but text; None of others, and of no text.

    None, too, where they are so short that most of the tokens may be the chat template's.
    """
    texts = [each.get("content") for each in messages if isinstance(each, dict)]
    if not all(isinstance(each, str) for each in texts) or not any(texts):
        return None
    text = "\n".join(map(str, texts))
    size = len(text)
    if size < MIN_MESSAGE * len(texts):
        return None
    digits, wide = sum(map(str.isdigit, text)), sum(each > "\u2e7f" for each in text)
    words = sum(each.isalpha() or each.isspace() for each in text)
    return TextProfile(size, wide / size, digits / size, 1 - (digits + words) / size)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
