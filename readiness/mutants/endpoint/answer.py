"""The reference endpoint's answers: the model's output, or the rejection of a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Request = Mapping[str, Any]


@dataclass(frozen=True)
class ModelToolCall:
    """A tool call of the model; its arguments are text, so that a flaw may corrupt them."""

    name: str
    arguments: str


@dataclass(frozen=True)
class ModelOutput:
    """The model's output for one request.

    Args:
        content: The visible text; None if there is none.
        calls: The tool calls.
        reasoning: The text of `reasoning_content`.
        finish: The finish reason; "" lets the server choose stop, tool_calls or length.
    """

    content: str | None
    calls: tuple[ModelToolCall, ...] = field(default=())
    reasoning: str = ""
    finish: str = ""


#: Answers a request of its dimension without error; None for any other request.
RequestReader = Callable[[Request], ModelOutput | None]


@dataclass(frozen=True)
class SubstituteResponse:
    """An HTTP response that replaces the correct one."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float = 0.0


@dataclass(frozen=True)
class ServerResponse:
    """A response of the endpoint.

    Args:
        status: The HTTP status.
        headers: The response's headers.
        pieces: The body in chunks; a float is a pause in s, a negative one a disconnect.
        seconds: How long to wait before the response.
        prompt: The tokens of the prompt, which an engine with a pace prefills.
        tokens: The tokens of the reply, which it decodes.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[bytes | float]
    seconds: float = 0.0
    prompt: int = 0
    tokens: int = 0

    @property
    def streamed(self) -> bool:
        """Whether the pieces are the frames of a stream, to be sent at a model's speed."""
        return "Content-Length" not in self.headers


class RequestError(Exception):
    """An invalid request; the client gets this as the error body.

    Args:
        message: What is wrong, for people.
        param: The invalid parameter.
        code: What is wrong, for programs.
        status: The HTTP status.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    @property
    def body(self) -> bytes:
        """The error body."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}, ensure_ascii=False).encode()
