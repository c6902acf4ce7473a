"""A soak: short ones at a real socket, and what the scorer makes of long ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from readiness.chat import Chat
from readiness.checks.stability.abort_cycles import AbortCyclesResult, RestReading
from readiness.checks.stability.scoring_soak import endures
from readiness.checks.stability.soak import SoakLength, SoakResult, SoakRound, run_soak
from readiness.context import Context
from readiness.load.meters.meter import CACHE, HOST, QUEUED, RUNNING
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.flaw import Flaw
from readiness.mutants.stability import flaws as worn
from readiness.score import Measure, Outcome, Score
from readiness.statistics.trend import detectable, trend
from tests.load_driver import tried

SHORT = SoakLength(rounds=9, seconds=0.5, most=40)


def scored(flaw: str | Flaw) -> Score:
    async def work(chat: Chat) -> Score:
        return endures(await run_soak(chat, "test", SHORT))

    return tried(flaw, work, Context())


class Tired(worn.Tiring):
    after, each = 320, 2e-3  # As many as it takes to see what it can do.


class Swollen(worn.Swelling):
    after = 0


class Failed(worn.Failing):
    after, one_in = 250, 10


def short(engine: Callable[[], Engine]) -> Flaw:
    """A flaw that shows within seconds."""
    return Flaw("short", "", engine=engine)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (short(Tired), "grows from"),  # Among others or at rest: whichever is sure first.
        pytest.param(short(Swollen), "main memory grows by", marks=pytest.mark.nightly),
        (short(Failed), "requests failed, after 0 minutes of a soak"),
    ],
)
def test_what_wears_out_is_found(flaw: Flaw, reason: str) -> None:
    score = scored(flaw)
    assert score.outcome is Outcome.FAIL
    assert reason in score.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "reference",
        *(pytest.param(n, marks=pytest.mark.nightly) for n in ("soak_caches", "abort_breathes")),
    ],
)
def test_what_warms_up_or_breathes_is_let_pass(name: str) -> None:
    score = scored(name)
    # Some hundred requests are too few to show anything, and nothing is wrong with them.
    assert (score.passed, score.reason.endswith("show less than 1 %")) in {
        (True, False),
        (False, True),
    }
    told = {each.name: each.value for each in score.measures}
    assert told["errors"] == 0
    assert told["requests"] >= 9 * 10
    assert told["requests a second"] <= told["half of what it can do"]


# What the scorer makes of an hour


NOISE = np.random.default_rng(7)


def soak(
    slow: Sequence[float],
    errors: int = 0,
    memory: Sequence[float] = (4e9,) * 60,
    requests: int = 300,
    **other: Any,
) -> SoakResult:
    """An hour with these times; what was lost was lost in its last minute."""
    made = SoakResult(SoakLength(), 5.0)
    rounds = [SoakRound(requests, p95_under_load=each, seconds_at_rest=0.1) for each in slow]
    rounds[-1] = SoakRound(
        requests, ["HTTP 500"] * errors, p95_under_load=slow[-1], seconds_at_rest=0.1, **other
    )
    made.rounds = rounds
    read = [
        RestReading(0.1, {RUNNING: 0.0, QUEUED: 0.0, CACHE: 0.0, HOST: each}) for each in memory
    ]
    made.rest_measurements = AbortCyclesResult(readings=read)
    return made


def steady(noise: float = 0.05) -> list[float]:
    return [float(each) for each in 0.5 + noise * NOISE.standard_normal(60)]


def test_an_hour_without_a_trend_is_passed_and_says_what_would_have_been_seen() -> None:
    score = endures(soak(steady()))
    assert score.passed
    told = {each.name: each for each in score.measures}
    assert told["error rate at most"].value == pytest.approx(3 / 18_000, rel=0.01)
    name = "a short request among others (p95), growth an hour"
    assert abs(told[name].value) < told[f"{name} that would be seen"].value < 0.15
    assert told["main memory, growth of a round at rest"] == Measure(
        "main memory, growth of a round at rest", 0.0, "B"
    )


@pytest.mark.parametrize(
    ("made", "outcome", "reason"),
    [
        (soak(steady(), errors=1), Outcome.PASS, ""),
        (soak(steady(), errors=60), Outcome.UNDETERMINED, "60 of 18000 requests failed"),
        (soak(steady(), errors=90), Outcome.FAIL, "90 of 18000 requests failed"),
        (soak(steady(), requests=4), Outcome.UNDETERMINED, "240 requests are too few"),
        (soak(steady(), limited=3), Outcome.UNDETERMINED, "3 of 18000 requests met a stated"),
        (soak(steady(), wrong="1 wrong"), Outcome.FAIL, "1 wrong"),
        (
            soak(steady(), odd_input_failures=["no messages: HTTP 500"]),
            Outcome.FAIL,
            "1 odd requests",
        ),
        (soak([0.5 + 0.02 * n for n in range(60)]), Outcome.FAIL, "a short request among others"),
        (soak([0.5 + 0.001 * n for n in range(60)]), Outcome.PASS, ""),
        # It warms up for a third of the hour, and then is as it is.
        (soak([0.5 + 0.05 * min(n, 20) for n in range(60)]), Outcome.PASS, ""),
        (soak(steady(), memory=[4e9 + 1e6 * n for n in range(60)]), Outcome.FAIL, "main memory"),
        (soak(steady(), memory=[4e9 + 1e4 * n for n in range(60)]), Outcome.PASS, ""),
        (soak(steady(), memory=[4e9 + 1e8 * (n % 7) for n in range(60)]), Outcome.PASS, ""),
    ],
)
def test_what_an_hour_shows(made: SoakResult, outcome: Outcome, reason: str) -> None:
    score = endures(made)
    assert (score.outcome, score.reason.startswith(reason)) == (outcome, True)


def test_a_busy_harness_blames_no_endpoint_for_its_times() -> None:
    made = soak([0.5 + 0.02 * n for n in range(60)])
    made.rounds[-1].client_saturation.lags.add(np.full(100, 0.5))
    score = endures(made)
    assert (score.outcome, "the harness itself was saturated" in score.reason) == (
        Outcome.UNDETERMINED,
        True,
    )


def test_what_would_be_seen_is_seen_four_times_of_five_and_nothing_is_seen_in_noise() -> None:
    noise = NOISE.standard_normal((400, 40))
    slope = float(np.median([detectable(each) for each in noise]))
    places = np.arange(40)
    seen = np.mean([trend(each + slope * places).p < 0.01 for each in noise])
    alarms = np.mean([trend(each).p < 0.01 for each in noise])
    assert 0.70 < seen < 0.87
    assert alarms <= 0.02
    assert detectable([1.0, 2.0]) == float("inf")
