"""A soak: short soaks over HTTP, and the scoring of long ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.simulated import simulated
from readiness.chat import Chat
from readiness.checks.stability.abort_cycles import AbortCyclesResult, IdleReading
from readiness.checks.stability.scoring_soak import score_soak
from readiness.checks.stability.soak import SoakLength, SoakResult, SoakRound, run_soak
from readiness.context import Context
from readiness.load.meters.meter import CACHE, HOST, QUEUED, RUNNING
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.flaw import Flaw
from readiness.mutants.stability import flaws
from readiness.score import Measure, Outcome, Score
from readiness.statistics.trend import detectable, trend

SHORT = SoakLength(rounds=9, seconds=0.5, max_requests=40)


def scored(flaw: str | Flaw) -> Score:
    """The score of a short soak, in simulated time: nothing depends on how busy this machine is."""

    async def work(chat: Chat) -> Score:
        return score_soak(await run_soak(chat, "test", SHORT))

    return simulated(flaw, "", work, Context(step_seconds=1.0))


class FromTheSoakOn(flaws.Wearing):
    """Degrades from the first abort on: before it, the throughput is measured."""

    fresh = 0

    @property
    def excess_requests(self) -> int:
        """The requests served since the first abort."""
        self.fresh = self.fresh if self.aborted else self.seen
        return self.seen - self.fresh


class Tired(FromTheSoakOn, flaws.Tiring):
    each = 2e-3


class Swollen(FromTheSoakOn, flaws.Swelling):
    pass


class Failed(FromTheSoakOn, flaws.Failing):
    one_in = 10


def short(engine: Callable[[], Engine]) -> Flaw:
    """A flaw that shows within seconds."""
    return Flaw("short", "", engine=engine)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (short(Tired), "grows from"),  # Under load or idle: whichever is significant first.
        pytest.param(short(Swollen), "main memory grows by", marks=pytest.mark.nightly),
        pytest.param(short(Failed), "requests failed, after 0", marks=pytest.mark.nightly),
    ],
)
def test_degradation_over_time_is_detected(flaw: Flaw, reason: str) -> None:
    score = scored(flaw)
    assert score.outcome is Outcome.FAIL
    assert reason in score.reason


@pytest.mark.parametrize(
    "name",
    [
        "reference",
        *(pytest.param(n, marks=pytest.mark.nightly) for n in ("soak_caches", "abort_breathes")),
    ],
)
def test_warm_up_and_fluctuation_are_not_failed(name: str) -> None:
    score = scored(name)
    # Some hundred requests are too few to pass, and none of them failed.
    assert (score.passed, score.reason.endswith("show less than 1 %")) in {
        (True, False),
        (False, True),
    }
    measures = {each.name: each.value for each in score.measures}
    assert measures["errors"] == 0
    assert measures["requests"] >= 9 * 10
    assert measures["requests a second"] <= measures["half of what it can do"]


# Scoring of an hour


NOISE = np.random.default_rng(7)


def soak(
    slow: Sequence[float],
    errors: int = 0,
    memory: Sequence[float] = (4e9,) * 60,
    requests: int = 300,
    **other: Any,
) -> SoakResult:
    """A soak of an hour with these durations; the errors are in its last minute."""
    made = SoakResult(SoakLength(), 5.0)
    rounds = [SoakRound(requests, p95_under_load=each, seconds_idle=0.1) for each in slow]
    rounds[-1] = SoakRound(
        requests, ["HTTP 500"] * errors, p95_under_load=slow[-1], seconds_idle=0.1, **other
    )
    made.rounds = rounds
    read = [
        IdleReading(0.1, {RUNNING: 0.0, QUEUED: 0.0, CACHE: 0.0, HOST: each}) for each in memory
    ]
    made.idle_measurements = AbortCyclesResult(readings=read)
    return made


def steady(noise: float = 0.05) -> list[float]:
    return [float(each) for each in 0.5 + noise * NOISE.standard_normal(60)]


def test_an_hour_without_a_trend_passes_and_states_the_detectable_growth() -> None:
    score = score_soak(soak(steady()))
    assert score.passed
    measures = {each.name: each for each in score.measures}
    assert measures["error rate at most"].value == pytest.approx(3 / 18_000, rel=0.01)
    name = "a short request among others (p95), growth an hour"
    assert abs(measures[name].value) < measures[f"{name} that would be seen"].value < 0.15
    assert measures["main memory, growth of a round at rest"] == Measure(
        "main memory, growth of a round at rest", 0.0, "B"
    )


@pytest.mark.parametrize(
    ("made", "outcome", "reason"),
    [
        (soak(steady(), errors=1), Outcome.PASS, ""),
        (soak(steady(), errors=60), Outcome.UNDETERMINED, "60 of 18000 requests failed"),
        (soak(steady(), errors=90), Outcome.FAIL, "90 of 18000 requests failed"),
        (soak(steady(), requests=4), Outcome.UNDETERMINED, "240 requests are too few"),
        (
            soak(steady(), limiters=["nginx"] * 3),
            Outcome.UNDETERMINED,
            "3 of 18000 requests were rate limited by 'nginx'",
        ),
        (soak(steady(), wrong="1 wrong"), Outcome.FAIL, "1 wrong"),
        (
            soak(steady(), bad_input_failures=["no messages: HTTP 500"]),
            Outcome.FAIL,
            "1 malformed requests",
        ),
        (soak([0.5 + 0.02 * n for n in range(60)]), Outcome.FAIL, "a short request among others"),
        (soak([0.5 + 0.001 * n for n in range(60)]), Outcome.PASS, ""),
        # It warms up for a third of the hour, and then is constant.
        (soak([0.5 + 0.05 * min(n, 20) for n in range(60)]), Outcome.PASS, ""),
        (
            soak(steady(), memory=[4e9 + 1e6 * n for n in range(60)]),
            Outcome.FAIL,
            "idle main memory",
        ),
        (soak(steady(), memory=[4e9 + 1e4 * n for n in range(60)]), Outcome.PASS, ""),
        (soak(steady(), memory=[4e9 + 1e8 * (n % 7) for n in range(60)]), Outcome.PASS, ""),
        # A cache fills up to its bound, within the first half of what counts.
        (soak(steady(), memory=[4e9 + 2e7 * min(n, 38) for n in range(60)]), Outcome.PASS, ""),
        # It is not full yet, but fills more and more slowly: it may be a leak.
        (
            soak(steady(), memory=[4e9 - 4e9 * 0.93**n for n in range(60)]),
            Outcome.UNDETERMINED,
            "idle main memory",
        ),
        # Most of it came at once: a leak in steps stands still in between.
        (
            soak(steady(), memory=[4e9 + 1e7 * min(n, 39) + 1e9 * (n > 37) for n in range(60)]),
            Outcome.UNDETERMINED,
            "idle main memory",
        ),
        (
            soak(steady(), memory=[4e9 + 1e8 * (n // 8) for n in range(60)]),
            Outcome.FAIL,
            "idle main memory",
        ),
        # A cache fills up, and something goes on to grow: too little is seen of either.
        (
            soak(steady(), memory=[4e9 + 1e7 * n + 5e7 * min(n, 30) for n in range(60)]),
            Outcome.UNDETERMINED,
            "idle main memory",
        ),
    ],
)
def test_the_verdict_on_an_hour(made: SoakResult, outcome: Outcome, reason: str) -> None:
    score = score_soak(made)
    assert (score.outcome, score.reason.startswith(reason)) == (outcome, True)


def test_growth_with_a_saturated_client_is_undetermined() -> None:
    made = soak([0.5 + 0.02 * n for n in range(60)])
    made.rounds[-1].client_saturation.lags.add(np.full(100, 0.5))
    score = score_soak(made)
    assert (score.outcome, "the harness was too slow to tell" in score.reason) == (
        Outcome.UNDETERMINED,
        True,
    )


def test_detectable_growth_is_detected_with_80_percent_power_and_noise_is_not() -> None:
    noise = NOISE.standard_normal((400, 40))
    slope = float(np.median([detectable(each) for each in noise]))
    places = np.arange(40)
    seen = np.mean([trend(each + slope * places).p < 0.01 for each in noise])
    alarms = np.mean([trend(each).p < 0.01 for each in noise])
    assert 0.70 < seen < 0.87
    assert alarms <= 0.02
    assert detectable([1.0, 2.0]) == float("inf")
