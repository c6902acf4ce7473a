"""The gate: which exit status a run has, and how a check that fails it is explained."""

from __future__ import annotations

import pytest

from readiness.score import PASSED, SETTLED, Score, failed
from readiness.verdict.claim import Verdict
from readiness.verdict.exit_status import FailOn, exit_status, explain
from tests.verdict.test_result import labelled, result

STATUSES = {
    (FailOn.INCONCLUSIVE, Verdict.READY): 0,
    (FailOn.INCONCLUSIVE, Verdict.NOT_READY): 1,
    (FailOn.INCONCLUSIVE, Verdict.INCONCLUSIVE): 10,
    (FailOn.INCONCLUSIVE, Verdict.NOT_ASSESSED): 10,
    (FailOn.NOT_READY, Verdict.READY): 0,
    (FailOn.NOT_READY, Verdict.NOT_READY): 1,
    (FailOn.NOT_READY, Verdict.INCONCLUSIVE): 0,
    (FailOn.NOT_READY, Verdict.NOT_ASSESSED): 0,
}


@pytest.mark.parametrize("status", [0, 1])
@pytest.mark.parametrize(("fail_on", "verdict"), STATUSES)
def test_the_verdict_is_the_exit_status(fail_on: FailOn, verdict: Verdict, status: int) -> None:
    assert exit_status(status, verdict, False, fail_on) == STATUSES[fail_on, verdict]
    assert exit_status(status, verdict, True, fail_on) == 3


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_pytests_own_status_stays_where_the_run_did_not_end(status: int) -> None:
    assert exit_status(status, Verdict.READY, False) == status
    assert exit_status(status, Verdict.READY, True) == status


def test_a_check_is_explained_by_what_was_required_and_shown_and_the_most_frequent_reasons() -> (
    None
):
    wrong: list[Score] = [failed(f"wrong {n}") for n in range(7) for _ in range(9 - n)]
    assert explain(result(PASSED, *wrong, SETTLED)) == (
        "test_result.answers is not ready\n"
        "  -> The endpoint MUST answer.\n"
        "   required: every trial\n"
        "      shown: 1 of 43 trials (0.4% to 12.1%)\n"
        "    stopped: 1 more could not change the verdict\n"
        "        9 × wrong 0\n"
        "        8 × wrong 1\n"
        "        7 × wrong 2\n"
        "        6 × wrong 3\n"
        "        5 × wrong 4\n"
        "        7 × 2 other kinds of reasons"
    )


def test_a_rate_is_explained_as_a_share_of_trials() -> None:
    assert explain(labelled(0.9, [failed("wrong")] * 4, 4)).splitlines()[2:4] == [
        "   required: 90% of trials",
        "      shown: 0 of 4 trials (0.0% to 49.0%)",
    ]
