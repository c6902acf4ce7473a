"""What the reference endpoint answers: what the model says, or the refusal of a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Request = Mapping[str, Any]


@dataclass(frozen=True)
class ModelToolCall:
    """A tool call that the model makes; the arguments are text, so that a flaw may break them."""

    name: str
    arguments: str


@dataclass(frozen=True)
class ModelOutput:
    """What the model says to one request.

    Args:
        content: The visible text; None where there is none.
        calls: The tool calls.
        reasoning: Text that goes out as `reasoning_content`.
        finish: The finish reason; "" lets the server say stop, tool_calls or length by its rules.
    """

    content: str | None
    calls: tuple[ModelToolCall, ...] = field(default=())
    reasoning: str = ""
    finish: str = ""


#: Reads a request as a perfect reader would; None where it is about something else.
RequestReader = Callable[[Request], ModelOutput | None]


@dataclass(frozen=True)
class SubstituteResponse:
    """An HTTP response that takes the place of the rightful one."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float = 0.0


class RequestError(Exception):
    """What is wrong with a request; the client reads it in the error body.

    Args:
        message: What is wrong, in words.
        param: The parameter that is wrong.
        code: What a program may go by.
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
