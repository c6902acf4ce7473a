"""A check's view of the endpoint: it sends messages and reads replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from readiness.context import Context
from readiness.exchange import Call, Exchange, Send
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.protocol.dialect import Dialect
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome, Score

T = TypeVar("T")


class Chat:
    """One trial's conversation with the endpoint, with a record of its exchanges and replies."""

    def __init__(
        self, send: Send, dialect: Dialect, context: Context | None = None, shared: str = ""
    ) -> None:
        self._send = send
        self._shared = shared
        self.dialect = dialect
        self.context = context or Context()
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
            # Sent again with four times the budget: it was ours that reasoning used up.
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

    async def call(self, call: Call) -> Exchange:
        """Send an arbitrary request, for a check of the protocol."""
        exchange = await self._send(replace(call, shared=self._shared) if self._shared else call)
        self.exchanges.append(exchange.seq)
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


def _spent_on_reasoning(reply: Reply) -> bool:
    return (
        reply.finish == "length" and not (reply.text or reply.tool_calls) and bool(reply.reasoning)
    )
