"""Long replies: the request that an endpoint answers at length, and how long it then takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from readiness.chat import Chat
from readiness.checks.stability.probes import PROMPTS
from readiness.exchange import Call
from readiness.load.latency import incomplete_reply_reason, require_not_limited, tokens
from readiness.load.traffic import nonce
from readiness.protocol.completion import read

#: The tokens of a first long reply, and the share of them that make it one.
TRIED_TOKENS, LONG_SHARE = 256, 0.9
#: A reply that is aborted is to take so many seconds, and has so many tokens at most.
LONG_SECONDS, MOST_TOKENS = 8.0, 8192


@dataclass(frozen=True)
class LongRequest:
    """A request for a long reply, and what its reply was when nobody aborted it.

    Args:
        prompt: The name of its prompt in stability.yaml.
        parameters: Its parameters besides the limit, which keep the model from ending early.
        budget: Its limit, in tokens.
        seconds: How long its reply took.
        first: Its time to first token, in seconds.
        tokens: The tokens of its reply.
    """

    prompt: str = "long"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    budget: int = TRIED_TOKENS
    seconds: float = 0.0
    first: float = 0.0
    tokens: int = 0

    @property
    def is_long(self) -> bool:
        """Whether the reply was about as long as its limit."""
        return self.tokens >= LONG_SHARE * self.budget

    def shortened(self, budget: int) -> LongRequest:
        """The request with a lower limit, and what its reply would take."""
        if budget >= self.budget:
            return self
        return replace(_limited(self, budget), seconds=self.seconds * budget / self.budget)


async def longest_request(chat: Chat) -> LongRequest:
    """The request that gets the longest reply: without an end, by counting, or by copying."""
    endless = {"ignore_eos": True, "min_tokens": TRIED_TOKENS}
    tried = list[LongRequest]()
    for prompt, parameters in (("long", endless), ("long", {}), ("copied", {})):
        tried.append(await _answered(chat, LongRequest(prompt, parameters)))
        if tried[-1].is_long:
            break
    best = max(tried, key=lambda each: each.tokens)
    if not best.is_long or not best.seconds:
        return best
    budget = min(round(best.budget * LONG_SECONDS / best.seconds), MOST_TOKENS, _room(chat))
    if budget <= best.budget:
        return best
    return await _answered(chat, _limited(best, budget))


def _limited(asked: LongRequest, budget: int) -> LongRequest:
    """The request with another limit."""
    parameters = {**asked.parameters, **({"min_tokens": budget} if asked.parameters else {})}
    return LongRequest(asked.prompt, parameters, budget)


def _room(chat: Chat) -> int:
    window = chat.context.context_window
    return MOST_TOKENS if window is None else window // 2


async def _answered(chat: Chat, asked: LongRequest) -> LongRequest:
    """The request with what its reply was; without tokens where it was refused or is incomplete.

    A limit that is larger than the endpoint accepts is halved.
    """
    text = PROMPTS[asked.prompt].format(nonce=nonce(Random()))
    messages = [{"role": "user", "content": text}]
    parameters = {**asked.parameters, "stream": True}
    body = chat.dialect.request(messages, asked.budget, parameters)
    tried = asked.budget <= TRIED_TOKENS
    call = Call(body, crowd=True, valid=tried and not asked.parameters)
    exchange = require_not_limited(await chat.call(call))
    if exchange.declined and not tried:
        return await _answered(chat, _limited(asked, asked.budget // 2))
    if incomplete_reply_reason(exchange):
        return asked
    first = read(exchange).timing.first_token or 0.0
    return LongRequest(
        asked.prompt, asked.parameters, asked.budget, exchange.seconds, first, tokens(exchange)
    )
