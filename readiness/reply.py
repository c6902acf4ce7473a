"""A reply: an exchange read into types, so that no check meets JSON from the wire."""

from __future__ import annotations

from dataclasses import dataclass

from readiness.probe import Message


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call, with its arguments still as the model wrote them."""

    id: str
    type: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the endpoint reports them; `cached` is part of `prompt`."""

    prompt: int
    completion: int
    cached: int | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """When what arrived, in seconds from the moment the request was sent."""

    first_byte: float
    first_token: float | None
    last_token: float | None
    end: float


@dataclass(frozen=True)
class Reply:
    """What the endpoint answered.

    Args:
        content: The visible text exactly as it was sent, untouched; None where there was none.
        text: The visible text without reasoning, as METHOD's normaliser leaves it.
        reasoning: The reasoning text, under whichever name or markup it came.
        tool_calls: The calls, assembled where they were streamed.
        refusal: The text of the `refusal` field; "" where there was none.
        finish: The finish reason.
        usage: Token counts; None where the endpoint sent none.
        leaks: Control tokens of the chat template that stand in the visible text.
        defects: What is wrong with the form of the response or stream, in words.
        message: The assistant's message, to be sent back as history.
        timing: When the bytes arrived.
    """

    content: str | None
    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    refusal: str
    finish: str
    usage: Usage | None
    leaks: tuple[str, ...]
    defects: tuple[str, ...]
    message: Message
    timing: Timing
