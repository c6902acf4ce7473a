"""Miniature endpoints: a few lines that answer chat completions over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.scripted_server import Script, response

MODELS = b'{"object": "list", "data": [{"id": "mini", "object": "model"}]}'
DONE = b"data: [DONE]\n\n"
Request = dict[str, Any]
#: What to answer: text, or a status and an error message.
Answer = Callable[[int, Request], str | tuple[int, str]]


def mini(answer: Answer) -> Script:
    """An endpoint that lists one model and answers as the function says."""

    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(MODELS)]
        request = json.loads(raw.partition(b"\r\n\r\n")[2])
        said = answer(n, request)
        if isinstance(said, str) and request.get("stream"):
            return [response(stream(said), "200 OK", "Content-Type: text/event-stream")]
        if isinstance(said, str):
            return [response(completion(said), "200 OK", "Content-Type: application/json")]
        status, message = said
        body = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
        return [response(body.encode(), f"{status} No", "Content-Type: application/json")]

    return script


def stream(text: str) -> bytes:
    """The same as a stream."""
    steps = [({"role": "assistant", "content": text}, None), ({}, "stop")]
    chunks = [
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        for delta, finish in steps
    ]
    return b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks) + DONE


def completion(text: str, tokens: int = 5) -> bytes:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
