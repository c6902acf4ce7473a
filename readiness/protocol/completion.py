"""A chat completion, streamed or not, read from the bytes of an exchange."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from readiness.exchange import NOT_SENT, Exchange, Fault
from readiness.probe import Message
from readiness.protocol.errors import (
    FILTERING,
    error_text,
    is_error,
    read_error,
    stated,
    unsupported_parameter,
)
from readiness.protocol.message import (
    Defects,
    MessageAssembler,
    RawReply,
    control_tokens,
    decode,
    excerpt,
    malformed,
    read_calls,
    split,
)
from readiness.protocol.sse import BYTE_ORDER_MARK
from readiness.protocol.stream import read_stream
from readiness.reply import REASONING_FIELDS, DefectKind, Reply, Timing, Usage
from readiness.score import EndpointError, Outcome, Score, scored


def read_document(body: bytes, defects: Defects) -> RawReply:
    """Read the first choice of a chat completion that is not streamed."""
    document = _document(body)
    choice = _first(document.get("choices"))
    message = choice.get("message")
    if not isinstance(message, dict):
        raise malformed(f"no message: {choice!r:.120}")
    message_texts = MessageAssembler(defects)
    message_texts.add(message)
    finish = choice.get("finish_reason")
    if not finish or not isinstance(finish, str):
        defects.note(DefectKind.NO_FINISH_REASON, f"{finish!r:.60}")
        finish = ""
    calls = read_calls(message.get("tool_calls"), defects)
    return RawReply(message_texts.finish(), calls, finish, document.get("usage"))


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = decode(body.decode())
    except UnicodeDecodeError as error:
        bad = excerpt(body, error.start, error.end)
        raise malformed(f"not UTF-8: {bad!r}") from None
    except ValueError as error:
        raise malformed(f"not JSON, {error}: {body[:120]!r}") from None
    if not isinstance(document, dict):
        raise malformed(f"no JSON object: {document!r:.120}")
    if is_error(document):
        raise malformed(f"an error under a success status: {stated(document).message!r:.200}")
    return document


def _first(choices: Any) -> Mapping[str, Any]:
    """The choice with index 0, or else the first in the list."""
    if not choices or not isinstance(choices, list):
        raise malformed(f"no choices: {choices!r:.120}")
    if not all(isinstance(choice, dict) for choice in choices):
        raise malformed(f"a choice is no object: {choices!r:.120}")
    first: Mapping[str, Any] = next((c for c in choices if c.get("index") == 0), choices[0])
    return first


__all__ = ["error_text", "read"]

STREAM = "text/event-stream"
#: The finish reason of a reply that calls a tool.
CALLED = "tool_calls"
#: The finish reasons of content filters.
FILTERED = frozenset(("content_filter", "sensitive", "safety", "refusal"))
#: The finish reasons of replies that the server gave up: SGLang's and vLLM's, and OpenRouter's.
BROKEN_OFF = frozenset(("abort", "error"))
#: The fields that hold reasoning as plain text, so that it can be sent back as it came.
TEXT_FIELDS = frozenset(REASONING_FIELDS) - {"reasoning_details"}
FRAMES = (b"data:", b"event:", b"id:", b"retry:", b":")
#: No window is smaller: a reply that ends by its length within it was cut by something else.
SMALLEST_WINDOW = 2_048
#: A reply that ends by its length has at least this share of the tokens that were allowed.
NEARLY = 0.9
#: Tokens that a reply may have beside those that are counted.
PER_END = 2
#: No reply and no prompt has more tokens.
MAX_COUNT = 10**12


def read(exchange: Exchange) -> Reply:
    """Read an exchange into a reply.

    Raises:
        EndpointError: It holds no usable reply.
    """
    if exchange.fault is not None:
        raise EndpointError(exchange.fault, _outcome(exchange.fault), came=exchange.detail)
    if not exchange.succeeded:
        raise _refused(exchange)
    defects = Defects()
    return _reply(exchange, _raw_reply(exchange, defects), defects)


def read_recorded(exchange: Exchange) -> Reply:
    """Read an exchange from evidence, which may have only the digest of a large request.

    Raises:
        EndpointError: It holds no usable reply.
    """
    streamed = exchange.headers.get("content-type", "").startswith(STREAM)
    return read(replace(exchange, request={"stream": streamed}))


def lost(exchange: Exchange) -> Score | None:
    """The score of an exchange without a complete response; None where it is complete."""
    if exchange.fault is None:
        return None
    return scored(_outcome(exchange.fault), exchange.fault, came=exchange.detail)


def cut_short(exchange: Exchange, reply: Reply) -> str:
    """Why a reply that arrived is not all of it, or an empty string.

    It does not finish, or finishes by its length with fewer tokens than the request allows, in a
    window that has room for more.
    """
    if not reply.finish:
        return "a reply that does not finish"
    return cut_below(reply, stated_limit(exchange.request))


def cut_below(reply: Reply, limit: int) -> str:
    """How a reply ends by its length with fewer tokens than its limit, or an empty string.

    It is none where the window may be full, or where there is no limit.
    """
    reasoned = (reply.usage and reply.usage.reasoning) or 0
    if reply.finish != "length" or not limit or (reply.reasoning and not reasoned):
        return ""  # Some servers do not count the tokens of reasoning.
    took, before = _tokens(reply)
    # Some count those of reasoning beside the others, and some do not count the last one.
    most = took + reasoned + PER_END
    if most >= NEARLY * limit or before + most >= NEARLY * SMALLEST_WINDOW:
        return ""
    return f"'length' after {took} of {limit} tokens"


def stated_limit(request: Any) -> int:
    """The token limit that a request states; 0 for none."""
    names = ("max_completion_tokens", "max_tokens") if isinstance(request, dict) else ()
    stated_limits = (request.get(name) for name in names)
    return next((each for each in stated_limits if type(each) is int), 0)


def _tokens(reply: Reply) -> tuple[int, int]:
    """The tokens of a reply and of its prompt: at most one for each byte, where none are told."""
    if reply.usage is not None:
        return reply.usage.completion, reply.usage.prompt
    texts = [reply.text, *(f"{each.name}{each.arguments}" for each in reply.tool_calls)]
    return len("".join(texts).encode()), 0


def _outcome(fault: Fault) -> Outcome:
    return Outcome.SKIPPED if fault in NOT_SENT else Outcome.ENDPOINT_ERROR


def _refused(exchange: Exchange) -> EndpointError:
    error = read_error(exchange)
    outcome = Outcome.ENDPOINT_ERROR
    if exchange.status in FILTERING and error.filtered:
        outcome = Outcome.BLOCKED
    elif unsupported_parameter(exchange):
        outcome = Outcome.UNSUPPORTED
    words = f"{error.message!r:.200}" if error.message else "without a message"
    words = ": ".join(filter(None, (words, exchange.gateway_timeout)))
    status = exchange.status
    return EndpointError(
        f"HTTP {status}", outcome, came=words, status=status, message=error.message
    )


def _raw_reply(exchange: Exchange, defects: Defects) -> RawReply:
    """Read a body as the form it has, a stream or a document, and note where that is not right."""
    body = exchange.body
    if not body or body.isspace():
        raise malformed("an empty body")
    stream_requested = isinstance(exchange.request, dict) and bool(exchange.request.get("stream"))
    media_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    head = body[:1000].removeprefix(BYTE_ORDER_MARK).lstrip()
    framed = media_type == STREAM or head.startswith(FRAMES)
    if framed and not stream_requested:
        raise malformed(f"not asked to stream, got {media_type} {body[:120]!r}")
    if framed and not head.startswith(b"{"):
        if media_type != STREAM:
            defects.note(DefectKind.STREAM_CONTENT_TYPE, f"{media_type!r:.60}")
        return read_stream(body, defects)
    if stream_requested:
        defects.note(DefectKind.NOT_STREAMED, media_type)
    elif not media_type.endswith("json"):
        # The openai SDK returns such a reply as a string.
        defects.note(DefectKind.JSON_CONTENT_TYPE, f"{media_type!r:.60}")
    return read_document(body, defects)


def _reply(exchange: Exchange, sent: RawReply, defects: Defects) -> Reply:
    content = sent.texts.content
    usage = _usage(sent.usage, defects)
    text, thought = split(content or "", sent.finish)
    if sent.finish.lower() in BROKEN_OFF:
        raise EndpointError("the reply was broken off", came=f"finish_reason {sent.finish!r}")
    if sent.finish == CALLED and not sent.calls:
        defects.note(DefectKind.FINISH_WITHOUT_CALL)
    if sent.finish.lower() in FILTERED and not (text or sent.calls):
        # Text that was sent before the filter stopped the reply can be scored.
        raise EndpointError(
            "blocked by filter", Outcome.BLOCKED, came=f"finish_reason {sent.finish!r}"
        )
    return Reply(
        content=content,
        text=text,
        reasoning="\n".join(filter(None, (sent.texts.reasoning, thought))),
        tool_calls=sent.calls,
        refusal=sent.texts.refusal,
        finish=sent.finish,
        usage=usage,
        leaks=control_tokens(text),
        defects=defects.found,
        message=_message(None if content is None else text, sent),
        timing=_timing(exchange, sent),
        reasoning_field=sent.texts.field,
    )


def _usage(sent: Any, defects: Defects) -> Usage | None:
    if not sent:
        return None
    fields = sent if isinstance(sent, dict) else {}
    prompt = _count(fields.get("prompt_tokens"))
    completion = _count(fields.get("completion_tokens"))
    cached = _detail(fields, "prompt_tokens_details", "cached_tokens")
    reasoning = _detail(fields, "completion_tokens_details", "reasoning_tokens")
    if prompt is None or completion is None or (cached is not None and _count(cached) is None):
        defects.note(DefectKind.INVALID_USAGE, f"{sent!r:.120}")
    if prompt is None or completion is None:
        return None
    return Usage(prompt, completion, _count(cached), _count(reasoning))


def _detail(usage: Mapping[str, Any], of: str, name: str) -> Any:
    details = usage.get(of)
    return details.get(name) if isinstance(details, dict) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def _message(content: str | None, raw: RawReply) -> Message:
    """The message as it is sent back: with its reasoning where calls wait for their results."""
    if not raw.calls:
        return {"role": "assistant", "content": content or ""}
    sent = [
        {
            "id": call.id,
            "type": call.type,
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in raw.calls
    ]
    reasoned = {raw.texts.field: raw.texts.reasoning} if raw.texts.field in TEXT_FIELDS else {}
    return {"role": "assistant", "content": content, **reasoned, "tool_calls": sent}


def _timing(exchange: Exchange, sent: RawReply) -> Timing:
    return Timing(
        first_byte=_arrival(exchange, 0),
        first_token=None if sent.first is None else _arrival(exchange, sent.first),
        last_token=None if sent.last is None else _arrival(exchange, sent.last),
        end=exchange.seconds,
        tokens_size=sent.last or 0,
    )


def _arrival(exchange: Exchange, size: int) -> float:
    """When `size` bytes of the body had arrived, in seconds since the request was sent."""
    index = bisect_left(exchange.arrivals, size, key=attrgetter("size"))
    arrived = index < len(exchange.arrivals)
    return exchange.arrivals[index].seconds if arrived else exchange.seconds
