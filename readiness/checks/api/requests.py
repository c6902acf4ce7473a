"""Sending of probes by the checks of the dimension `api`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from readiness.chat import Chat
from readiness.checks.api.probes import (
    MAX_BYTES_PER_TOKEN,
    NEIGHBOUR,
    brief,
    call,
    hostile_call,
    padded,
    streaming,
)
from readiness.checks.api.scoring_replies import (
    rescore_by_limited_reply,
    score_large_limit,
    score_no_default_limit,
    score_silence,
    score_token_limit,
    tokens_sent,
)
from readiness.exchange import ClientAbort, Exchange
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import Outcome, Score, failed_once
from readiness.scoring.rejection import tells

#: No endpoint accepts fewer tokens than these alone.
LEAST_LIMIT = 1_024
#: What a reply must contain, and must not.
Expectation = Mapping[str, Any]


async def send(chat: Chat, probe: Probe) -> Reply:
    """Send a probe and read the reply."""
    return await chat(probe.messages, budget=probe.budget, **probe.parameters)


async def reproduced(attempt: Callable[[], Awaitable[Score]]) -> Score:
    """The score of an attempt; one that fails is made twice more at the most, until it fails again.

    A model may slip once, and one of three servers behind an address may be broken: what fails once
    alone is left open.
    """
    first = await attempt()
    if first.outcome is not Outcome.FAIL:
        return first
    for _ in range(2):
        again = await attempt()
        if again.outcome is Outcome.FAIL:
            return again
    return failed_once(first)


async def reproduced_by_time(attempt: Callable[[], Awaitable[Score]]) -> Score:
    """The score of an attempt by time: it fails if two of three fail, and passes before any does.

    What shows nothing is made again, for a machine may be busy for a moment.
    """
    scores = list[Score]()
    while len(scores) < 3:
        scores.append(await attempt())
        failures = [each for each in scores if each.outcome is Outcome.FAIL]
        if len(failures) == 2 or (scores[-1].passed and not failures):
            return scores[-1]
    return failed_once(failures[0]) if failures else scores[-1]


async def send_as_is(chat: Chat, probe: Probe) -> Exchange:
    """Send a probe's request with its faults, and return the exchange."""
    return await chat.call(call(probe, chat.dialect))


async def send_invalid(chat: Chat, probe: Probe) -> Exchange:
    """Send a probe's request that the endpoint may refuse, and return the exchange."""
    return await chat.call(replace(call(probe, chat.dialect), valid=False))


async def send_refusable(chat: Chat, probe: Probe, **parameters: Any) -> Reply | Exchange:
    """The reply to a probe with parameters that the endpoint may refuse, or its refusal."""
    exchange = await chat.send_invalid(probe.messages, budget=probe.budget, **parameters)
    if exchange.declined:
        return exchange
    reply = read(exchange)
    if reply.finish != "length":
        return reply
    return await chat(probe.messages, budget=probe.budget, **parameters)  # With room for reasoning.


async def within_largest_limit(chat: Chat, probe: Probe) -> Probe:
    """A probe whose limit the endpoint accepts: its own, or half of that, or of that, and so on."""
    while probe.budget > LEAST_LIMIT:
        asked = await send_invalid(chat, replace(brief(probe), budget=probe.budget))
        if not asked.declined:
            break
        probe = replace(probe, budget=probe.budget // 2)
    return probe


async def send_without_reasoning(chat: Chat, probe: Probe) -> Reply:
    """Send a probe and read the reply, with no tokens for reasoning on top of its limit."""
    return read(await send_as_is(chat, probe))


#: When to abort a reply without a limit: after so many frames or seconds.
MAX_FRAMES, MAX_SECONDS = 2_200, 300.0
#: The tokens that a reply without a limit must come to, or half of the window.
UNLIMITED = 2_000
#: A limit that every endpoint with limits accepts, in tokens.
SMALL_LIMIT = 64
#: Below that, some models have no room for an answer, and say so.
FEW = 16


async def ask_without_limit(chat: Chat, probe: Probe) -> Score:
    """Ask for long replies without a limit, until one of them shows whether there is one."""
    return await _ask_until_shown(partial(_ask_without_limit, chat), probe)


async def ask_with_limit(chat: Chat, probe: Probe, name: str) -> Score:
    """Ask for more tokens than a limit of this name; of a large one, until a reply comes to it."""
    limit, window = probe.parameters[name], chat.context.context_window
    if "others" not in probe.expect:
        return await _ask_for_few(chat, probe, name)
    due = limit if window is None else min(limit, window // 2)

    async def ask(each: Probe) -> Score:
        exchange = await send_invalid(chat, each)
        if exchange.declined:
            # It may accept no limit as large; if it declines a small one, it has none of this name.
            await send_without_reasoning(
                chat, replace(each, parameters={**each.parameters, name: SMALL_LIMIT})
            )
        return score_large_limit(exchange, due)

    return await _ask_until_shown(ask, replace(probe, parameters={**probe.parameters, name: due}))


async def _ask_for_few(chat: Chat, probe: Probe, name: str) -> Score:
    """Ask for few tokens; a reply without text is compared with one that may have more."""
    limit = probe.parameters[name]
    wider = replace(probe, parameters={**probe.parameters, name: SMALL_LIMIT})
    fewest = limit < FEW
    exchange = await (send_invalid if fewest else send_as_is)(chat, probe)
    if fewest and exchange.declined:
        # It may decline what leaves no room for an answer; if it declines more, it has none.
        await send_without_reasoning(chat, wider)
        return tells(exchange)
    reply = read(exchange)
    score = score_token_limit(reply, limit)
    if score.outcome is not Outcome.UNDETERMINED or reply.text.strip():
        return score
    return score_silence(score, reply, await send_without_reasoning(chat, wider))


async def _ask_until_shown(ask: Callable[[Probe], Awaitable[Score]], probe: Probe) -> Score:
    """Ask for one long text after the other, until a reply shows something."""
    asked = [probe.messages, *probe.expect["others"]]
    score = Score(Outcome.UNDETERMINED)
    while asked and score.outcome is Outcome.UNDETERMINED:
        score = await ask(replace(probe, messages=asked.pop(0)))
    return score


async def _ask_without_limit(chat: Chat, probe: Probe) -> Score:
    window = chat.context.context_window
    due = UNLIMITED if window is None else min(UNLIMITED, window // 2)
    free = await _send_without_limit(chat, probe)
    score = score_no_default_limit(free, due)
    if score.outcome is not Outcome.UNDETERMINED or free.fault is not None:
        return score
    limited = await send(chat, replace(probe, budget=min(probe.budget, 2 * due)))
    rescored = rescore_by_limited_reply(score, read(free), limited)
    # A model ends the same text now here, now there; a limit, always after as many tokens.
    again = free if rescored is score else await _send_without_limit(chat, probe)
    return rescored if tokens_sent(again) == tokens_sent(free) else score


async def _send_without_limit(chat: Chat, probe: Probe) -> Exchange:
    """Send a probe without a limit; a reply that runs beyond any default limit is aborted."""
    unlimited = call(probe, chat.dialect)
    return await chat.call(replace(unlimited, hang_up=ClientAbort(MAX_FRAMES, MAX_SECONDS)))


async def send_in_both_forms(
    chat: Chat, probes: Sequence[Probe]
) -> Sequence[tuple[Exchange, Exchange]]:
    """Send requests whole, and those that are refused streamed as well; return these pairs."""
    pairs = []
    for probe in probes:
        whole = await send_invalid(chat, probe)
        if whole.fault is None and (whole.status or 0) >= 400:
            pairs.append((whole, await send_invalid(chat, streaming(probe))))
    return pairs


async def send_large_bodies(chat: Chat, probe: Probe) -> Sequence[Exchange]:
    """Send a request with bodies of more and more bytes, as far as text of the window takes."""
    window, sizes = chat.context.context_window, probe.expect["sizes"]
    due = [size for size in sizes if window is None or size <= MAX_BYTES_PER_TOKEN * window]
    return [await chat.call(padded(probe, chat.dialect, size)) for size in due or sizes[:1]]


async def send_text_alone(probe: Probe, chat: Chat) -> Reply:
    """Send the text of a probe without the part that is no text, and read the reply."""
    return read(await chat.send(probe.expect["text"], budget=probe.budget))


async def send_with_part(chat: Chat, probe: Probe) -> Sequence[Exchange]:
    """Send text with a part that is no text, whole and, where usage comes in streams, streamed."""
    whole = await chat.send_invalid(probe.messages, budget=probe.budget)
    if not chat.dialect.stream_usage:
        return [whole]
    return [whole, await chat.send_invalid(probe.messages, budget=probe.budget, stream=True)]


@dataclass(frozen=True)
class HostileExchange:
    """A hostile request's exchange, and those of ordinary requests beside it and after it."""

    exchange: Exchange
    others: Sequence[Exchange]


async def send_beside_others(chat: Chat, probe: Probe) -> HostileExchange:
    """Send a hostile request beside an ordinary one, and then another, once for all checks."""
    return await chat.fetch_once(("hostile", probe.id), partial(_send_beside_others, probe))


async def _send_beside_others(probe: Probe, chat: Chat) -> HostileExchange:
    refusable = replace(hostile_call(probe, chat.dialect), valid=False)
    exchange, beside = await asyncio.gather(chat.call(refusable), chat.send(NEIGHBOUR, budget=16))
    return HostileExchange(exchange, [beside, await chat.send(NEIGHBOUR, budget=16)])


async def send_beside_another(chat: Chat, probe: Probe) -> Sequence[tuple[Reply, Expectation]]:
    """Send a probe and the one beside it concurrently, however few trials are; with their codes."""
    both = [probe, probe.expect["beside"]]
    replies = await asyncio.gather(*(send(chat, each) for each in both))
    return [(reply, each.expect) for reply, each in zip(replies, both, strict=True)]
