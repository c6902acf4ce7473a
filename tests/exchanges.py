"""Exchanges as they could have been received."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from readiness.evidence.log import chain_end
from readiness.exchange import Arrival, Exchange, Fault
from readiness.protocol.completion import read
from readiness.reply import Reply, ToolCall
from readiness.score import EndpointError, Outcome, Score

JSON = "application/json"
STREAM = "text/event-stream; charset=utf-8"
LOOK = ToolCall("c1", "function", "look", '{"a": 1}')
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def came(
    body: bytes, request: Any, kind: str = JSON, status: int = 200, fault: Fault | None = None
) -> Exchange:
    """An exchange whose n-th byte of body came n ms after the request."""
    arrivals = tuple(Arrival(size * 10**6, size) for size in range(1, len(body) + 1))
    headers = {"content-type": kind} if kind else {}
    return Exchange(request, status, headers, body, arrivals, fault, "because", 0.0, 10**12)


def answered(document: Any, status: int = 200, **parameters: Any) -> Exchange:
    """The exchange of a request that one JSON document answered."""
    return came(json.dumps(document).encode(), {**ASK, **parameters}, status=status)


def said(content: Any = "Hello", finish: Any = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion."""
    text = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": text, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "choices": [choice]}


def chunk(finish: Any = None, id: Any = "c", **delta: Any) -> dict[str, Any]:  # noqa: A002
    """A chunk of a streamed chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": id, "object": "chat.completion.chunk", "choices": [choice]}


def fragment(index: Any = 0, **sent: Any) -> dict[str, Any]:
    """A chunk with one fragment of a tool call."""
    return chunk(tool_calls=[{"index": index, **sent}])


def framed(*chunks: Any, end: bytes = b"data: [DONE]\n\n") -> bytes:
    """The bytes of a stream; what is bytes already goes in as it is."""
    frames = (
        c if isinstance(c, bytes) else b"data: %s\n\n" % json.dumps(c).encode() for c in chunks
    )
    return b"".join(frames) + end


def streamed(*chunks: Any, end: bytes = b"data: [DONE]\n\n", **parameters: Any) -> Exchange:
    """The exchange of a request that a stream answered."""
    return came(framed(*chunks, end=end), {**ASK, "stream": True, **parameters}, STREAM)


def score(exchange: Exchange) -> Score:
    """The score of a trial that ends with an exchange which holds no reply."""
    with pytest.raises(EndpointError) as raised:
        read(exchange)
    return raised.value.score


def malformed(exchange: Exchange) -> str:
    """The reason why an exchange is malformed, without the words that all of them begin with."""
    found = score(exchange)
    assert found.outcome is Outcome.ENDPOINT_ERROR
    assert found.reason.startswith("malformed response: ")
    return found.reason.removeprefix("malformed response: ")


def is_whole(evidence: Path) -> bool:
    """Whether each line of an evidence file follows the one before, up to the last."""
    return chain_end(evidence) == sha256(evidence.read_bytes().splitlines()[-1]).hexdigest()


def defect_text(reply: Reply) -> str:
    """All that is wrong with the form of a reply, as people read it."""
    return "; ".join(each.text for each in reply.defects)
