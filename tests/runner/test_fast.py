"""`--fast`: a check of a rate ends as soon as a sequential test decides it."""

import random
from functools import cache

import pytest

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.memory import checks as memory
from readiness.checks.tool_calling import checks as tool_calling
from readiness.evidence.redaction import Secrets
from readiness.policy.plan import PlannedCheck, plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.protocol.capability import Capabilities
from readiness.protocol.dialect import Dialect
from readiness.runner.active_check import ActiveCheck
from readiness.runner.resume import ResumeState
from readiness.score import PASSED, Outcome, Score, failed
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Trial
from tests.user_checks import prepare, record, run, wrong

RUNS = 400

OFFERS = Capabilities(Dialect("mini"), None, {}, False, "")


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def test_a_good_endpoint_takes_fewer_trials(own: pytest.Pytester) -> None:
    result = run(own, wrong(0), "--fast", "--concurrency", "1", "-v")
    assert result.ret == pytest.ExitCode.OK
    # log(19) / log(0.83 / 0.75) = 29.1 trials that pass; what may never fail is counted in full.
    result.stdout.fnmatch_lines(
        ["*repeats*30/30*✓ ready*", "*answers*20/20*", "· words.repeats: by a sequential test*"]
    )
    checks = {each["id"]: each for each in record(own)["dimensions"][0]["checks"]}
    assert (checks["words.repeats"]["decided_by"], checks["words.repeats"]["trials"]) == (
        "sprt",
        60,
    )
    assert "decided_by" not in checks["words.answers"]


def test_a_bad_endpoint_is_not_ready_early(own: pytest.Pytester) -> None:
    result = run(own, wrong(60), "--fast", "--concurrency", "1", "-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*repeats*0/8*✗ not ready*"])


@cache
def planned(check: Check) -> PlannedCheck:
    (one,) = plan([check], load(), "ci", 0)
    return one


def test_control_items_come_before_anything_can_be_settled() -> None:
    probes = tool_calling.consecutive_calls.probes(0, 100)
    assert [probe.control for probe in probes] == [True] * 3 + [False] * 100


def test_a_test_is_of_the_margin_and_only_where_trials_stand_alone() -> None:
    test = planned(json_only.values_preserved).test
    assert test is not None
    assert (test.bad, test.good) == pytest.approx((0.90, 0.975))
    assert planned(json_only.prompted_json).test is None  # none may fail
    assert planned(memory.recall_at_turn_50).test is None  # trials share a conversation


def decided(rate: float, seed: int, unsettled: float = 0.0) -> Verdict | None:
    """What comes of trials that pass at a rate; some may say nothing."""
    draw = random.Random(seed)
    one = planned(json_only.values_preserved)
    running = ActiveCheck.resumed(ResumeState(Secrets([])), one, OFFERS, one.test)
    while running.waiting and not running.is_decided:
        number, probe = running.take()
        score = PASSED if draw.random() < rate else failed("no")
        if draw.random() < unsettled:
            score = Score(Outcome.UNDETERMINED, "nobody knows")
        running.note(Trial.of(probe, number, score))
        running.give_back(probe)
    return running.verdict


@pytest.mark.parametrize(
    ("rate", "wrong_verdict", "seed"),
    [(0.90, Verdict.READY, 0), (0.80, Verdict.READY, 1), (0.975, Verdict.NOT_READY, 2)],
)
def test_its_error_rates_are_at_most_the_nominal_ones(
    rate: float, wrong_verdict: Verdict, seed: int
) -> None:
    found = [decided(rate, seed * RUNS + n) for n in range(RUNS)]
    # 5 %, and three standard errors of so many runs.
    assert found.count(wrong_verdict) <= 0.05 * RUNS + 3 * (0.05 * 0.95 * RUNS) ** 0.5


def decided_in_flight(rate: float, seed: int, *, late: bool) -> Verdict | None:
    """What comes of trials with eight in flight, of which those end last that failed, or passed."""
    draw = random.Random(seed)
    one = planned(json_only.values_preserved)
    running = ActiveCheck.resumed(ResumeState(Secrets([])), one, OFFERS, one.test)
    in_flight: list[tuple[int, Probe, bool]] = []
    while in_flight or (running.waiting and not running.is_decided):
        while running.waiting and not running.is_decided and running.in_flight < 8:
            in_flight.append((*running.take(), draw.random() < rate))
        ended = next((each for each in in_flight if each[2] is not late), in_flight[0])
        in_flight.remove(ended)
        number, probe, passed = ended
        running.note(Trial.of(probe, number, PASSED if passed else failed("no")))
        running.give_back(probe)
    return running.verdict


@pytest.mark.parametrize(
    ("rate", "wrong_verdict", "late"),
    [(0.90, Verdict.READY, False), (0.975, Verdict.NOT_READY, True)],
)
def test_what_is_slow_is_waited_for(rate: float, wrong_verdict: Verdict, late: bool) -> None:
    found = [decided_in_flight(rate, seed, late=late) for seed in range(RUNS)]
    # 5 %, and three standard errors of so many runs; by who ends first, nine in ten were ready.
    assert found.count(wrong_verdict) <= 0.05 * RUNS + 3 * (0.05 * 0.95 * RUNS) ** 0.5


def test_unsettled_trials_make_nothing_ready_nor_not_ready() -> None:
    assert decided(1.0, 0) is Verdict.READY
    assert decided(1.0, 0, unsettled=1.0) is Verdict.INCONCLUSIVE
    assert decided(0.0, 0, unsettled=1.0) is Verdict.INCONCLUSIVE
