"""Histograms, order statistics, trends, and the times of one reply."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated import SimulatedTimeLoop
from readiness.exchange import Arrival, Exchange
from readiness.load.latency import (
    incomplete_reply_reason,
    inter_token_latencies,
    measure_latency,
)
from readiness.load.saturation import (
    ClientSaturation,
    excuse_if_saturated,
    measure_client_saturation,
)
from readiness.protocol.completion import read
from readiness.score import PASSED, Outcome, Score, failed
from readiness.scoring.lateness import excuse_if_late
from readiness.statistics.histogram import Histogram
from readiness.statistics.trend import percentile, rate, relative_error, trend
from tests import exchanges
from tests.exchanges import answered, chunk, said

TIMES = st.lists(st.floats(1e-5, 900), min_size=1, max_size=300)
SHARES = st.floats(0.01, 0.999)


@given(TIMES, SHARES)
def test_a_histogram_is_off_by_one_per_cent_at_the_most(times: list[float], share: float) -> None:
    histogram = Histogram()
    histogram.add(np.array(times))
    exact = float(np.quantile(times, share, method="inverted_cdf"))
    assert exact * 0.9999 <= histogram.quantile(share) <= exact * 1.0101


@given(TIMES, TIMES)
def test_histograms_add_up_in_any_order(some: list[float], others: list[float]) -> None:
    whole, parts, more = Histogram(), Histogram(), Histogram()
    whole.add(np.array(others + some))
    parts.add(np.array(some))
    more.add(np.array(others))
    parts.merge(more)
    assert (parts.counts == whole.counts).all()
    assert parts.total == len(some) + len(others)


def test_a_histogram_does_not_grow_and_takes_what_is_beyond_it() -> None:
    histogram = Histogram()
    before = histogram.counts.nbytes
    histogram.add(np.zeros(1_000_000))
    histogram.add(np.full(10, 1e6))
    assert (histogram.total, histogram.counts.nbytes) == (1_000_010, before)
    assert histogram.quantile(0.5) == 1e-6


def test_a_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="of an empty histogram"):
        Histogram().quantile(0.5)


def test_the_interval_of_a_median_is_that_of_the_textbook() -> None:
    # Conover, Practical Nonparametric Statistics: of 100 values the 40th and the 61st.
    assert percentile([float(n) for n in range(1, 101)], 0.5) == (50, 40, 61)


def test_where_too_few_values_enclose_a_percentile_it_ends_with_the_extremes() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.99) == (3, 2, 3)


@given(TIMES, SHARES)
def test_an_interval_holds_its_percentile(times: list[float], share: float) -> None:
    value, low, high = percentile(times, share)
    assert low <= value <= high
    assert value == float(np.quantile(times, share, method="inverted_cdf"))


def test_the_interval_of_a_median_holds_the_true_one_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(7).exponential(1, (400, 60))
    held = sum(low <= np.log(2) <= high for _, low, high in (percentile(d, 0.5) for d in drawn))
    assert held / 400 >= 0.93


def test_a_steady_rate_is_known_exactly_and_an_uneven_one_is_not() -> None:
    steady = rate([n / 10 for n in range(600)], 0, 60)
    assert steady.value == pytest.approx(10)
    assert steady.high - steady.low < 0.5
    uneven = rate([n / 100 for n in range(600)], 0, 60)
    assert uneven.value == pytest.approx(10)
    assert uneven.low < 1
    assert uneven.high > 20


def test_the_relative_error_of_a_mean() -> None:
    assert relative_error([1.0, 1.0, 1.0]) == 0.0
    # A standard deviation of 1 around 2, from four values.
    values = [2 - (3 / 4) ** 0.5, 2 + (3 / 4) ** 0.5] * 2
    assert relative_error(values) == pytest.approx(1 / 2 / 2)
    assert relative_error([1.0, 2.0]) == float("inf")


def test_a_series_that_only_rises_shows_a_trend() -> None:
    p, slope, low, high = trend([1.0, 3.0, 5.0, 7.0, 9.0])
    assert p == pytest.approx(1 / 120)
    assert (slope, low, high) == (2, 2, 2)


def test_what_does_not_move_shows_none() -> None:
    assert trend([5.0] * 12) == (1, 0, 0, 0)


@pytest.mark.parametrize("series", [[1.0, 2.0], []])
def test_two_readings_show_neither_a_trend_nor_that_there_is_none(series: list[float]) -> None:
    assert trend(series) == (1, 0, -inf, inf)


def test_trends_are_seen_where_there_are_none_as_seldom_as_they_say() -> None:
    drawn = np.random.default_rng(3).normal(0, 1, (300, 12))
    assert sum(trend(each).p < 0.05 for each in drawn.tolist()) / 300 <= 0.08


def frame(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"id": "a", "choices": choices}).encode() + b"\n\n"


def streamed(parts: list[tuple[float, bytes]], usage: int, written: int = 0) -> Exchange:
    """A stream whose parts arrive at these times, in seconds."""
    counted = {"id": "a", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": usage}}
    end = b"data: " + json.dumps(counted).encode() + b"\n\ndata: [DONE]\n\n"
    body, arrivals = b"", []
    for at, part in [*parts, (parts[-1][0] + 0.5, frame(None, "stop") + end)]:
        body += part
        arrivals.append(Arrival(round(at * 1e9), len(body)))
    headers = {"content-type": "text/event-stream"}
    request = {"stream": True}
    last = arrivals[-1].ns
    return Exchange(
        request, 200, headers, body, tuple(arrivals), None, "", 0.0, last, written=written
    )


def test_the_times_of_a_reply_are_those_of_its_tokens() -> None:
    parts = [
        (0.1, frame(None)),  # The role comes first, and is no token.
        (0.4, frame("a")),
        (0.5, frame("b") + frame("c")),
        (0.9, frame("d")),
    ]
    exchange = streamed(parts, usage=5)
    times = measure_latency(exchange, read(exchange))
    assert times is not None
    assert (times.time_to_first_token, times.time_to_last_token, times.tokens) == (0.4, 0.9, 5)
    assert times.time_per_output_token == pytest.approx(0.5 / 4)
    assert sorted(inter_token_latencies(exchange, read(exchange).timing)) == pytest.approx(
        [0.0, 0.1, 0.4]
    )


def test_what_ends_a_stream_beside_its_last_token_is_no_token() -> None:
    parts = [(0.4, frame("a")), (0.5, frame("b") + frame("c")), (0.9, frame("d"))]
    exchange = streamed(parts, usage=4)
    *arrivals, last, rest = exchange.arrivals
    together = replace(exchange, arrivals=(*arrivals, Arrival(last.ns, rest.size)))
    gaps = inter_token_latencies(together, read(together).timing)
    assert sorted(gaps) == pytest.approx([0.0, 0.1, 0.4])


def test_connecting_is_not_counted() -> None:
    exchange = streamed([(0.4, frame("a")), (0.5, frame("b"))], 2, written=300_000_000)
    times = measure_latency(exchange, read(exchange))
    assert times is not None
    assert (round(times.time_to_first_token, 6), round(times.time_to_last_token, 6)) == (0.1, 0.2)
    assert list(inter_token_latencies(exchange, read(exchange).timing)) == pytest.approx([0.1])


def test_a_reply_without_a_token_has_no_times() -> None:
    exchange = streamed([(0.4, frame(None))], usage=0)
    assert measure_latency(exchange, read(exchange)) is None


def test_one_token_has_no_time_per_token() -> None:
    exchange = streamed([(0.4, frame("a"))], usage=1)
    times = measure_latency(exchange, read(exchange))
    assert times is not None
    assert (
        times.time_per_output_token,
        list(inter_token_latencies(exchange, read(exchange).timing)),
    ) == (None, [])


def test_a_harness_that_is_held_up_knows_it() -> None:
    async def held_up() -> ClientSaturation:
        async with measure_client_saturation() as strain:
            for _ in range(5):
                await asyncio.sleep(0.02)
                time.sleep(0.2)  # noqa: ASYNC251
        return strain

    strain = asyncio.run(held_up())
    assert strain.lag > 0.1
    assert strain.shown.startswith("the harness was too slow to tell (")
    assert strain.shown.endswith(" of a core busy): run it alone, or with --load-workers")


def test_a_failure_by_time_is_taken_back_only_where_it_may_be_ours() -> None:
    calm, late = ClientSaturation(), ClientSaturation()
    late.lags.add(np.full(100, 0.1))
    slow = failed("2 s")
    assert excuse_if_saturated(slow, 0.01, calm) == slow
    assert excuse_if_saturated(slow, 5.0, calm, late) == slow
    taken_back = excuse_if_saturated(slow, 0.5, calm, late)
    assert (taken_back.outcome, taken_back.reason[-5:]) == (Outcome.UNDETERMINED, "; 2 s")
    busy = ClientSaturation(busy=0.95)
    assert excuse_if_saturated(slow, 5.0, busy).outcome is Outcome.UNDETERMINED
    assert excuse_if_saturated(PASSED, 0.0, calm) == PASSED
    starved = excuse_if_saturated(slow, 5.0, ClientSaturation(pressure=0.95))
    assert (starved.outcome, starved.reason) == (
        Outcome.UNDETERMINED,
        "this machine was too busy to tell (for 95% of the time processes waited for a processor): "
        "run it where nothing else runs; 2 s",
    )
    assert excuse_if_saturated(slow, 5.0, ClientSaturation(pressure=0.5)) == slow


@pytest.mark.parametrize(
    ("score", "excess", "late", "outcome"),
    [
        (failed("2 s"), 0.5, (0.0, 0.0), Outcome.FAIL),
        (failed("2 s"), 0.5, (0.0, 0.04), Outcome.FAIL),
        (failed("2 s"), 0.5, (0.0, 0.06), Outcome.UNDETERMINED),
        (failed("2 s"), 0.0, (), Outcome.FAIL),
        (PASSED, 0.0, (9.0,), Outcome.PASS),
    ],
)
def test_a_failure_by_a_time_is_taken_back_by_the_lags_within_it(
    score: Score, excess: float, late: Sequence[float], outcome: Outcome
) -> None:
    assert excuse_if_late(score, excess, *late).outcome is outcome


def test_the_waiting_for_processors_during_a_measurement_is_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("readiness.load.saturation.cpu_waiting", iter([5.0, 5.9]).__next__)

    async def a_second() -> ClientSaturation:
        async with measure_client_saturation() as found:
            await asyncio.sleep(1.0)
        return found

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        assert runner.run(a_second()).pressure == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (exchanges.streamed(chunk(content="a"), chunk("stop")), ""),
        (exchanges.streamed(chunk(content="a"), chunk("stop"), end=b""), "a stream without an end"),
        (exchanges.streamed(chunk(content="a")), "a reply that does not finish"),
        (
            exchanges.streamed(chunk(content="a"), {"error": {"message": "late"}}),
            "error in mid-stream: 'late'",
        ),
        (answered(said("a", "abort")), "the reply was broken off: finish_reason 'abort'"),
        (answered(said("a", "length"), max_tokens=1), ""),
        (answered(said("a", "length"), max_tokens=60), "'length' after 1 of 60 tokens"),
        (answered(said("a", "length")), ""),
        (answered(said("a", "length", reasoning="so"), max_tokens=60), ""),
        (answered(said("a" * 1900, "length"), max_tokens=4096), ""),
        (answered(said("", "content_filter")), ""),
    ],
)
def test_a_reply_that_is_not_all_of_it_is_incomplete(exchange: Exchange, reason: str) -> None:
    assert incomplete_reply_reason(exchange) == reason
