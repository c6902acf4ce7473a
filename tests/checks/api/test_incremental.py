"""Whether a stream arrives as it is generated, by engines whose times are simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from random import Random
from typing import Any

import pytest

from readiness.chat import Chat
from readiness.checks.api.check_streams import incremental_streaming
from readiness.context import Context
from readiness.exchange import Arrival, Call, Exchange
from readiness.mutants.endpoint.batching import PACES, Pace
from readiness.probe import Probe
from readiness.protocol.dialect import Dialect
from readiness.score import Outcome, Score
from tests.exchanges import chunk, framed, streamed

#: When each token of a reply leaves an engine, in seconds since its request was sent.
Times = list[float]
#: What becomes of these times on their way to the client.
Way = Callable[[Times, Random], Times]

#: A list of seventy numbers, and one that is longer than any limit that is sent.
LISTS, ONE_WORD = {" 70,": 210, " 2500,": 10**6}, 2
WINDOW = 4_096


def generated(pace: Pace, tokens: int, random: Random) -> Times:
    """The times of tokens that an engine decodes one after another, in steps that vary a little."""
    prefill = pace.step + 40 * pace.prefill
    steps = (random.uniform(0.9, 1.3) * pace.step for _ in range(tokens))
    return [prefill + at for at in accumulate(steps)]


def as_it_is(times: Times, _random: Random) -> Times:
    return times


def slow_prefill(times: Times, _random: Random) -> Times:
    return [each + 2 for each in times]


def queued(times: Times, random: Random) -> Times:
    """Others are served first, for up to two seconds."""
    wait = random.choice((0.0, 0.0, 0.2, 0.7, 2.0))
    return [each + wait for each in times]


def stalled(times: Times, random: Random) -> Times:
    """Once, nothing comes for a second, and then all that is due."""
    until = random.choice(times) + 1
    return [max(each, until) if each > until - 1 else each for each in times]


def drafted(times: Times, random: Random) -> Times:
    """Several tokens a step, as many as were guessed right."""
    ends = list[float]()
    while len(ends) < len(times):
        step = random.choice((1, 2, 5, 8))
        ends += [times[min(len(ends), len(times) - 1)]] * step
    return ends[: len(times)]


def by_time(seconds: float) -> Way:
    """A proxy passes on what has come in after so many seconds."""
    return lambda times, _random: [
        min(seconds * (1 + each // seconds), times[-1]) for each in times
    ]


def by_count(tokens: int) -> Way:
    """A server sends so many tokens at once."""
    return lambda times, _random: [
        times[min(at + tokens - 1 - at % tokens, len(times) - 1)] for at in range(len(times))
    ]


def beginning_read(tokens: int) -> Way:
    """A filter reads so many tokens before it passes any on."""
    return lambda times, _random: [max(each, times[:tokens][-1]) for each in times]


def played(slower: float) -> Way:
    """The reply is made first, and then played back, so many times slower than it was made."""
    return lambda times, _random: [times[-1] + slower * (each - times[0]) for each in times]


def part_read(share: float) -> Way:
    """A filter reads a share of the whole reply before it passes it on."""
    return lambda times, _random: [
        max(each, times[int(share * (len(times) - 1))]) for each in times
    ]


HARMLESS = {
    "as it is": as_it_is,
    "slow prefill": slow_prefill,
    "queued": queued,
    "stalled": stalled,
    "drafted": drafted,
    "bundled by time": by_time(0.5),
    "bundled by count": by_count(100),
    "beginning read": beginning_read(64),
}
FAKES = {
    "kept back": part_read(1.0),
    "played back in no time": played(0.1),
    "played back as fast": played(1.0),
    "played back slower": played(2.0),
    "first half kept back": part_read(0.5),
}


class Engine:
    """An endpoint that streams lists of numbers."""

    def __init__(self, pace: Pace, way: Way, seed: int, hidden: int = 0) -> None:
        self._pace, self._way, self._random = pace, way, Random(seed)
        self._hidden = hidden

    async def send(self, call: Call) -> Exchange:
        """A stream with the time of each frame."""
        body = call.body
        assert isinstance(body, dict)
        text = body["messages"][-1]["content"]
        wanted = next((of for last, of in LISTS.items() if last in text), ONE_WORD)
        # What is easier is thought about for less long.
        share = 0.2 if wanted == ONE_WORD else 1.0
        thought = int(share * self._hidden * self._random.uniform(0.7, 1.3))
        tokens = min(wanted, body["max_completion_tokens"])
        times = self._way(generated(self._pace, thought + tokens, self._random), self._random)
        return arriving(body, [*times[thought:]], thought)


def arriving(body: dict[str, Any], times: Times, thought: int) -> Exchange:
    """The exchange of a stream whose frames arrive at these times."""
    counts = {"prompt_tokens": 20, "completion_tokens": thought + len(times)}
    usage = {
        **counts,
        "total_tokens": sum(counts.values()),
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    frame = framed(chunk(content="w "), end=b"")
    last = {**chunk("length"), "usage": usage}
    found = streamed(*[frame] * len(times), last, **{**body, "stream": True})
    sizes = (len(frame) * at for at in range(1, len(times) + 1))
    arrivals = tuple(Arrival(round(at * 1e9), of) for at, of in zip(times, sizes, strict=True))
    end = round(times[-1] * 1e9) + 10**6
    return replace(found, arrivals=(*arrivals, Arrival(end, len(found.body))), end=end)


def outcomes(pace: Pace, way: Way, seeds: Sequence[int], hidden: int = 0) -> Iterator[Outcome]:
    """How the check scores such an endpoint, once for each seed."""
    for seed in seeds:
        chat = Chat(Engine(pace, way, seed, hidden).send, Dialect("m"), Context(WINDOW))
        (probe,) = incremental_streaming.probes(0, 1)
        yield asyncio.run(scored(chat, probe)).outcome


async def scored(chat: Chat, probe: Probe) -> Score:
    return await incremental_streaming.attempt(chat, probe)


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
@pytest.mark.parametrize("way", HARMLESS.values(), ids=HARMLESS)
def test_what_arrives_as_it_is_generated_passes(way: Way, pace: Pace) -> None:
    assert [*outcomes(pace, way, range(2))] == [Outcome.PASS] * 2


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_reasoning_that_is_not_shown_is_no_wait_for_the_reply(pace: Pace) -> None:
    assert [*outcomes(pace, as_it_is, range(2), hidden=300)] == [Outcome.PASS] * 2


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
@pytest.mark.parametrize("way", FAKES.values(), ids=FAKES)
def test_what_is_made_first_and_played_back_fails(way: Way, pace: Pace) -> None:
    assert [*outcomes(pace, way, [0])] == [Outcome.FAIL]
