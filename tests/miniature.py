"""Miniature endpoints: a few lines that answer chat completions over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.wires import Script, response

MODELS = b'{"object": "list", "data": [{"id": "mini", "object": "model"}]}'
Request = dict[str, Any]
#: What to answer: text, or a status and an error message.
Answer = Callable[[int, Request], str | tuple[int, str]]


def mini(answer: Answer) -> Script:
    """An endpoint that lists one model and answers as the function says."""

    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(MODELS)]
        said = answer(n, json.loads(raw.partition(b"\r\n\r\n")[2]))
        if isinstance(said, str):
            return [response(completion(said), "200 OK", "Content-Type: application/json")]
        status, message = said
        body = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
        return [response(body.encode(), f"{status} No", "Content-Type: application/json")]

    return script


def completion(text: str, tokens: int = 5) -> bytes:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
