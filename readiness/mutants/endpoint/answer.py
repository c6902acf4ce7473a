"""What the reference endpoint answers: what the model says, or the refusal of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Called:
    """A tool call that the model makes; the arguments are text, so that a flaw may break them."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """What the model says to one request.

    Args:
        content: The visible text; None where there is none.
        calls: The tool calls.
        reasoning: Text that goes out as `reasoning_content`.
        finish: The finish reason; "" lets the server say stop, tool_calls or length by its rules.
    """

    content: str | None
    calls: tuple[Called, ...] = field(default=())
    reasoning: str = ""
    finish: str = ""


#: Reads a request as a perfect reader would; None where it is about something else.
Reader = Callable[[Request], Answer | None]


@dataclass(frozen=True)
class Refusal:
    """An HTTP response that takes the place of the rightful one."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float = 0.0
