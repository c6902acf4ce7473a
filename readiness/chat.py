"""A check's view of the endpoint: it sends messages and reads replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from readiness.context import Context
from readiness.exchange import Call, Exchange, Send
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.protocol.dialect import REASONING_BUDGET, Dialect
from readiness.protocol.errors import declines
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome, Score

T = TypeVar("T")


class Chat:
    """One trial's conversation with the endpoint, with a record of its exchanges and replies.

    Attributes:
        exchanges: The numbers of its exchanges, with those that other trials share.
        replies: The replies to its own requests.
        declined: Whether the endpoint declined a request, as one that it does not take.
    """

    def __init__(
        self, send: Send, dialect: Dialect, context: Context | None = None, shared: str = ""
    ) -> None:
        self._send = send
        self._shared = shared
        self.dialect = dialect
        self.context = context or Context()
        self.exchanges: list[int] = []
        self.replies: list[Reply] = []
        self.declined = False

    async def __call__(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Reply:
        """Send the messages and return the reply.

        Raises:
            EndpointError: The endpoint sent no usable reply.
        """
        reply = read(await self.send(messages, budget=budget, **parameters))
        if _spent_on_reasoning(reply) or (_cut(reply) and not self.dialect.reasoning_tokens):
            # Sent again with room for it: it was our budget that reasoning used up.
            more = max(4 * budget, budget + REASONING_BUDGET - self.dialect.reasoning_tokens)
            reply = read(await self.send(messages, budget=more, **parameters))
            if _spent_on_reasoning(reply):
                raise EndpointError(
                    "reasoning only", Outcome.BUDGET, came=f"no visible text in {more} tokens"
                )
        self.replies.append(reply)
        return reply

    async def reply_or_score(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Reply | Score:
        """Send the messages and return the reply, or the score of the error that came instead.

        For a check that a content filter may satisfy: a blocked request has no reply to score.
        """
        try:
            return await self(messages, budget=budget, **parameters)
        except EndpointError as error:
            return error.score

    async def send(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Exchange:
        """Send the messages and return the raw exchange, for a check that expects an error."""
        return await self.call(Call(self.dialect.request(messages, budget, parameters)))

    async def send_invalid(
        self, messages: Sequence[Message], *, budget: int = 512, **parameters: Any
    ) -> Exchange:
        """Send a request that the endpoint may refuse, and return the raw exchange."""
        return await self.call(
            Call(self.dialect.request(messages, budget, parameters), valid=False)
        )

    async def call(self, call: Call) -> Exchange:
        """Send an arbitrary request, for a check of the protocol."""
        exchange = await self._send(replace(call, shared=self._shared) if self._shared else call)
        self.exchanges.append(exchange.seq)
        self.declined |= not exchange.succeeded and declines(exchange)
        return exchange

    async def fetch_once(self, key: Hashable, fetch: Callable[[Chat], Coroutine[Any, Any, T]]) -> T:
        """Return the result of `fetch`, which runs once per run for each key: the trials share it.

        Raises:
            EndpointError: `fetch` raised it; it is raised again in every trial that shares the key.
        """
        if key not in self.context.shared_fetches:
            owner = Chat(self._send, self.dialect, self.context, repr(key))
            self.context.shared_fetches[key] = owner, asyncio.ensure_future(fetch(owner))
        owner, fetching = self.context.shared_fetches[key]
        try:
            result: T = await fetching
            return result
        finally:
            self.exchanges += [each for each in owner.exchanges if each not in self.exchanges]
            self.declined |= owner.declined

    async def measure_once(
        self, key: Hashable, measure: Callable[[Chat], Coroutine[Any, Any, T]], kind: type[T]
    ) -> T:
        """Return what `measure` measures, as `fetch_once` does, and keep it as evidence.

        What the evidence has of this key is returned instead: from before the run was resumed, and
        where trials are scored again, for which nothing is sent.

        Args:
            key: What is measured.
            measure: Measures it.
            kind: The type of the measurement: a dataclass, or a list or tuple of them.

        Raises:
            EndpointError: `measure` raised it.
        """

        async def kept(owner: Chat) -> T:
            context = owner.context
            found = context.kept_measurement(repr(key), kind) if context.kept_measurement else None
            if found is not None:
                owner.exchanges += found[1]
                return cast(T, found[0])
            value = await measure(owner)
            if context.keep_measurement:
                context.keep_measurement(repr(key), owner.exchanges, value)
            return value

        return await self.fetch_once(key, kept)


def _spent_on_reasoning(reply: Reply) -> bool:
    return _cut(reply) and not (reply.text or reply.tool_calls)


def _cut(reply: Reply) -> bool:
    """Whether the limit cut a reply that has reasoning, shown or only counted."""
    counted = reply.usage is not None and bool(reply.usage.reasoning)
    return reply.finish == "length" and (bool(reply.reasoning) or counted)
