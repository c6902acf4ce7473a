"""The request dialect of an endpoint, and the requests built with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from readiness.probe import BUDGET, Message, with_parameters
from readiness.reply import REASONING_FIELDS

MAX_TOKENS = 32_768
OLDER_LIMIT = "max_tokens"
#: The shortest limit, in tokens, that is sent where its length is not what is tried: gateways to
#: OpenAI's newer interface take no less.
SMALLEST_LIMIT = 16
#: The tokens that are kept for reasoning, besides those of the visible text.
REASONING_BUDGET = 4096
#: The reasoning of a call that no model has made, where the endpoint demands some.
MADE_UP = "A tool can tell that."


@dataclass(frozen=True)
class Dialect:
    """The request parameters that this endpoint accepts, as the capability probe detected.

    `older_limit` says whether it accepts `max_tokens`, `reasoning_history` whether it accepts the
    reasoning of calls along with their results, and `reasoning_demanded` is the field in which it
    rejects calls without any; "" for none.
    """

    model: str
    max_tokens_field: str = "max_completion_tokens"
    reasoning_tokens: int = 0
    sampling: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0})
    stream_usage: bool = True
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    older_limit: bool = True
    reasoning_history: bool = True
    reasoning_demanded: str = ""

    def request(
        self, messages: Sequence[Message], budget: int, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Build a chat completion request; `budget` is the limit of visible tokens."""
        body: dict[str, Any] = {"model": self.model, "messages": self._history(messages)}
        body |= self.sampling
        most = min(budget + self.reasoning_tokens, MAX_TOKENS)
        body[self.max_tokens_field] = most
        if parameters.get("stream") and self.stream_usage:
            body["stream_options"] = {"include_usage": True}
        if not self.older_limit and parameters.get(OLDER_LIMIT) is BUDGET:
            own = (
                OLDER_LIMIT,
                self.max_tokens_field,
            )  # The form's limit is sent by its newer name.
            parameters = {name: parameters[name] for name in parameters if name not in own}
        return {**with_parameters(body, parameters, most), **self.extra_body}

    def _history(self, messages: Sequence[Message]) -> list[Message]:
        """The messages; reasoning stays in those since the user's last turn, where it may."""
        users = (at for at, each in enumerate(messages) if each.get("role") == "user")
        last = max(users, default=-1) if self.reasoning_history else len(messages)
        return [
            self._reasoned(each) if at > last else _without_reasoning(each)
            for at, each in enumerate(messages)
        ]

    def _reasoned(self, message: Message) -> Message:
        """A message since the user's last turn; a call that a probe makes up has no reasoning."""
        field = self.reasoning_demanded
        if not (field and message.get("tool_calls")) or message.get(field):
            return message
        return {**message, field: MADE_UP}


def _without_reasoning(message: Message) -> Message:
    if message.keys().isdisjoint(REASONING_FIELDS):
        return message
    return {name: of for name, of in message.items() if name not in REASONING_FIELDS}
