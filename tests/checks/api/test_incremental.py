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
from readiness.checks.api import scoring_streams
from readiness.checks.api.check_streams import incremental_streaming
from readiness.checks.api.scoring_streams import StreamTimes
from readiness.context import Context
from readiness.exchange import NS, Arrival, Call, Exchange
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


def unscheduled(times: Times, random: Random) -> Times:
    """A machine that others keep busy: it makes tokens for a moment, and then none for seconds."""
    made, now, found = 0.0, random.expovariate(1.0) * random.randrange(3), Times()
    left = random.uniform(0.05, 0.5)
    for each in times:
        while each - made > left:
            made, now, left = made + left, now + left, random.uniform(0.05, 0.5)
            now += random.expovariate(1.0)
        left, now, made = left - (each - made), now + each - made, each
        found.append(now)
    return found


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


def on_time(exchange: Exchange, _random: Random) -> Exchange:
    return exchange


def starved(exchange: Exchange, random: Random) -> Exchange:
    """Its client reads at long intervals: all that has come by then has the time of the last."""
    arrivals, greatest, until = list[Arrival](), 0.0, 0.0
    for each in exchange.arrivals:
        if each.seconds > until:
            pause = random.expovariate(1.0) * random.randrange(3)
            greatest, until = max(greatest, pause), each.seconds + pause
        else:
            arrivals.pop()
        arrivals.append(each)
    return replace(exchange, arrivals=tuple(arrivals), late=round(greatest * NS))


def without_processors(exchange: Exchange, _random: Random) -> Exchange:
    """All the time, some process of its machine waits for a processor."""
    return replace(exchange, late=exchange.end)


#: What a client makes of the times of a stream.
Client = Callable[[Exchange, Random], Exchange]


class Engine:
    """An endpoint that streams lists of numbers, and a client that may be starved."""

    def __init__(
        self, pace: Pace, way: Way, seed: int, hidden: int = 0, client: Client = on_time
    ) -> None:
        self._pace, self._way, self._random = pace, way, Random(seed)
        self._hidden, self._client = hidden, client

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
        return self._client(arriving(body, [*times[thought:]], thought), self._random)


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


def outcomes(
    pace: Pace, way: Way, seeds: Sequence[int], hidden: int = 0, client: Client = on_time
) -> Iterator[Outcome]:
    """How the check scores such an endpoint, once for each seed."""
    for seed in seeds:
        chat = Chat(Engine(pace, way, seed, hidden, client).send, Dialect("m"), Context(WINDOW))
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


@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_a_busy_machine_fails_no_stream(pace: Pace) -> None:
    assert Outcome.FAIL not in {*outcomes(pace, unscheduled, range(3))}


def test_a_client_that_reads_late_fails_no_stream() -> None:
    assert Outcome.FAIL not in {*outcomes(PACES["h200"], as_it_is, range(3), client=starved)}


@pytest.mark.parametrize("way", FAKES.values(), ids=FAKES)
def test_a_client_that_reads_late_passes_nothing(way: Way) -> None:
    assert Outcome.PASS not in {*outcomes(PACES["4090"], way, [1], client=starved)}


def by_request(*waits: float) -> Way:
    """Each next long stream waits for so many seconds; those of a word do not."""
    left = [*waits]

    def wait(times: Times, _random: Random) -> Times:
        late = left.pop(0) if len(times) > ONE_WORD and left else 0.0
        return [each + late for each in times]

    return wait


@pytest.mark.parametrize(
    ("waits", "outcome"),
    [
        # The first stream, then pairs of a long one and of half of it: twice by chance as if kept
        # back, and once more; all streams of a pair are sent anew.
        ((9, 60, 30), Outcome.UNDETERMINED),
        ((9, 60, 30, 0, 0), Outcome.UNDETERMINED),
        ((9, 60, 30, 60, 60), Outcome.UNDETERMINED),
        ((9, 60, 30, 60, 60, 60, 30), Outcome.FAIL),
        ((9, 60, 30, 60, 30), Outcome.FAIL),
        ((9, 0, 0), Outcome.PASS),
        ((9, 60, 60, 0, 0), Outcome.PASS),
    ],
)
def test_two_pairs_of_streams_must_wait_the_longer_the_longer_they_are(
    waits: Sequence[float], outcome: Outcome
) -> None:
    assert [*outcomes(PACES["4090"], by_request(*waits), [0])] == [outcome]


@pytest.mark.parametrize("client", [on_time, without_processors])
def test_a_late_stream_is_left_open_where_processes_wait_for_a_processor(client: Client) -> None:
    due = Outcome.FAIL if client is on_time else Outcome.UNDETERMINED
    assert [*outcomes(PACES["4090"], played(2.0), [0], client=client)] == [due]


def test_words_that_came_late_make_no_late_stream_pass() -> None:
    """The wait of a stream is told by streams of one word: one that waits as long hides it."""
    words, pace = [StreamTimes(first=3.0, end=3.0, late=2.0)] * 2, StreamTimes(first=3.0, end=7.0)
    on_time_words = [StreamTimes(first=3.0, end=3.0)] * 2
    assert scoring_streams.score_wait(pace, on_time_words, 0.25, 0.01).passed
    score = scoring_streams.score_wait(pace, words, 0.25, 0.01)
    assert (score.outcome, score.kind) == (
        Outcome.UNDETERMINED,
        "this machine was too busy to tell",
    )


@pytest.mark.parametrize(
    ("first", "late", "outcome"),
    [
        (1.7, 0.0, Outcome.PASS),
        (1.7, 7.0, Outcome.UNDETERMINED),  # Its rest may have been made longer.
        (0.7, 7.0, Outcome.PASS),
        (3.5, 0.0, Outcome.FAIL),
        (3.5, 0.8, Outcome.FAIL),
        (3.5, 0.9, Outcome.UNDETERMINED),
    ],
)
def test_the_wait_of_a_stream_is_judged_by_what_this_machine_may_explain(
    first: float, late: float, outcome: Outcome
) -> None:
    words = [StreamTimes(first=0.0, end=0.1)] * 2
    found = scoring_streams.score_wait(
        StreamTimes(first=first, end=7.0, late=late), words, 0.25, 0.0
    )
    assert found.outcome is outcome


def test_a_stream_that_stands_still_later_on_as_well_was_not_kept_back() -> None:
    words = [StreamTimes(first=0.0, end=0.1)] * 2
    found = scoring_streams.score_wait(StreamTimes(first=3.5, end=7.0), words, 0.25, 1.8)
    assert (found.outcome, found.kind) == (
        Outcome.UNDETERMINED,
        "a stream stands still more than once",
    )


def test_the_reason_says_that_the_machine_was_too_busy() -> None:
    engine = Engine(PACES["4090"], played(2.0), 0, client=without_processors)
    chat = Chat(engine.send, Dialect("m"), Context(WINDOW))
    (probe,) = incremental_streaming.probes(0, 1)
    assert asyncio.run(scored(chat, probe)).kind == "this machine was too busy to tell"
