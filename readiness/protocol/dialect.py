"""The request dialect of an endpoint, and the requests built with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from readiness.probe import Message, with_parameters

MAX_TOKENS = 32_768


@dataclass(frozen=True)
class Dialect:
    """The request parameters that this endpoint accepts, as the capability probe detected."""

    model: str
    max_tokens_field: str = "max_completion_tokens"
    reasoning_tokens: int = 0
    sampling: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0})
    stream_usage: bool = True
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    def request(
        self, messages: Sequence[Message], budget: int, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Build a chat completion request; `budget` is the limit of visible tokens."""
        body: dict[str, Any] = {"model": self.model, "messages": list(messages), **self.sampling}
        most = min(budget + self.reasoning_tokens, MAX_TOKENS)
        body[self.max_tokens_field] = most
        if parameters.get("stream") and self.stream_usage:
            body["stream_options"] = {"include_usage": True}
        return {**with_parameters(body, parameters, most), **self.extra_body}
