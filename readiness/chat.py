"""A check's view of the endpoint: it sends messages and reads replies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from readiness.context import Given
from readiness.exchange import Call, Exchange
from readiness.load.meters.meter import Meter
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome, Score
from readiness.search import FindingsStore

if TYPE_CHECKING:
    from readiness.load.step import Shape, StepResult

#: Sends one request. It records a fault of the endpoint and raises none.
Send = Callable[[Call], Awaitable[Exchange]]

T = TypeVar("T")
MOST_TOKENS = 32_768


@dataclass(frozen=True)
class Dialect:
    """How this endpoint wants to be asked: what the capability probe has settled."""

    model: str
    max_tokens_field: str = "max_completion_tokens"
    reasoning_tokens: int = 0
    sampling: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0})
    stream_usage: bool = True
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    def request(
        self, messages: Sequence[Message], budget: int, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Put a chat completion request together."""
        body: dict[str, Any] = {"model": self.model, "messages": list(messages), **self.sampling}
        body[self.max_tokens_field] = min(budget + self.reasoning_tokens, MOST_TOKENS)
        if parameters.get("stream") and self.stream_usage:
            body["stream_options"] = {"include_usage": True}
        return {**body, **parameters, **self.extra_body}


@dataclass(frozen=True)
class Scope:
    """What a check may know of the run that its trials belong to.

    Args:
        window: The context window that the endpoint declares, in tokens; None where it does not.
        defects_only: Whether the trials cannot show readiness, so that smaller ones will do.
        common: What trials have fetched for each other, and the chats that did.
        findings: What searches of earlier runs have found.
        given: What the user gave along with the endpoint.
        meters: What tells how much memory the server takes.
        warm: Whether prompts of a load test share all but their end.
        fleet: Makes the steps of a load test, where load workers do; None where this process does.
    """

    window: int | None = None
    defects_only: bool = False
    common: dict[Hashable, tuple[Chat, asyncio.Future[Any]]] = field(default_factory=dict)
    findings: FindingsStore = field(default_factory=FindingsStore)
    given: Given = field(default_factory=Given)
    meters: Sequence[Meter] = ()
    warm: bool = False
    fleet: Callable[[Chat, Shape], Awaitable[StepResult]] | None = None


class Chat:
    """One trial's conversation with the endpoint. It keeps count, so that no check has to."""

    def __init__(
        self, send: Send, dialect: Dialect, scope: Scope | None = None, shared: str = ""
    ) -> None:
        self._send = send
        self._shared = shared
        self.dialect = dialect
        self.context = scope or Scope()
        self.exchanges: list[int] = []
        self.replies: list[Reply] = []

    async def __call__(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Reply:
        """Send the messages and return the reply.

        Raises:
            EndpointError: The endpoint sent no usable reply.
        """
        reply = read(await self.send(messages, budget=budget, **parameters))
        if _spent_on_reasoning(reply):
            # Once more, with room: a budget that reasoning ate is ours, and not the endpoint's.
            reply = read(await self.send(messages, budget=4 * budget, **parameters))
            if _spent_on_reasoning(reply):
                raise EndpointError(
                    "reasoning only", Outcome.BUDGET, came=f"no visible text in {4 * budget} tokens"
                )
        self.replies.append(reply)
        return reply

    async def reply_or_score(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Reply | Score:
        """Send the messages and return the reply, or the score of what came instead of one.

        For a check that a filter may pass: what blocks a request is no reply, and may be right.
        """
        try:
            return await self(messages, budget=budget, **parameters)
        except EndpointError as error:
            return error.score

    async def send(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Exchange:
        """Send the messages and return the exchange as it was, for a check that wants an error."""
        return await self.call(Call(self.dialect.request(messages, budget, parameters)))

    async def call(self, call: Call) -> Exchange:
        """Send any request, for a check of the protocol."""
        exchange = await self._send(replace(call, shared=self._shared) if self._shared else call)
        self.exchanges.append(exchange.seq)
        return exchange

    async def fetch_once(self, key: Hashable, fetch: Callable[[Chat], Coroutine[Any, Any, T]]) -> T:
        """What several trials need: the first that asks fetches it for all.

        Raises:
            EndpointError: That of the fetching: what is sent once fails for all.
        """
        if key not in self.context.common:
            own = Chat(self._send, self.dialect, self.context, repr(key))
            self.context.common[key] = own, asyncio.ensure_future(fetch(own))
        by, fetching = self.context.common[key]
        try:
            found: T = await fetching
            return found
        finally:
            self.exchanges += [each for each in by.exchanges if each not in self.exchanges]


def _spent_on_reasoning(reply: Reply) -> bool:
    return (
        reply.finish == "length" and not (reply.text or reply.tool_calls) and bool(reply.reasoning)
    )
