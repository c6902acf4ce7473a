"""A check of the whole run: it sends nothing, and is tried when all others have ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.scripted_server import serving
from tests.user_checks import prepare, record, run, wrong

WHOLE = """
from readiness import PASSED, Probe, check, failed
from readiness.score import Measure, Outcome, Score

@check([Probe("run", [], budget=0)], whole_run=True)
async def a_first_in_the_file(chat, probe):
    "All replies of the run MUST be counted."
    made = list(chat.context.recorded_exchanges())
    told = [each for each in made if each.valid and each.check != "capability"]
    if not told:
        return Score(Outcome.UNDETERMINED, "nothing was sent")
    chat.exchanges.append(told[-1].exchange.seq)
    return PASSED.measured(Measure("replies", len(told)))
"""


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's folder with three checks, of which one is of the whole run."""
    prepare(pytester)
    (pytester.path / "check_a_whole.py").write_text(WHOLE)
    return pytester


def counted(own: pytest.Pytester) -> tuple[str, list[float]]:
    """The verdict on the whole run, and how many replies it has counted."""
    checks = {each["id"]: each for row in record(own)["dimensions"] for each in row["checks"]}
    found = checks["a_whole.a_first_in_the_file"]
    return found["verdict"], [each["value"] for each in found["measures"]]


def entries(own: pytest.Pytester) -> list[dict[str, Any]]:
    lines = (own.path / "reports/latest/evidence.jsonl").read_text().splitlines()
    return [json.loads(each) for each in lines]


def test_it_sees_what_all_others_have_sent(own: pytest.Pytester) -> None:
    assert run(own, wrong(0)).ret == 0
    assert counted(own) == ("ready", [80])
    made = [each for each in entries(own) if each["kind"] == "exchange"]
    last = entries(own)[-1]
    assert (last["kind"], last["check"]) == ("trial", "a_whole.a_first_in_the_file")
    assert last["exchanges"] == [made[-1]["seq"]]
    assert len([each for each in made if each["check"].startswith("words.")]) == 80
    assert record(own)["requests"]["sent"] == len(made) - 1  # The list of models is no request.


@pytest.mark.parametrize("options", [("--concurrency", "1"), ("--keep-going",)])
def test_it_waits_however_the_others_run(own: pytest.Pytester, options: tuple[str, ...]) -> None:
    assert run(own, wrong(0), *options).ret == 0
    assert counted(own) == ("ready", [80])


def test_alone_it_has_nothing_to_judge(own: pytest.Pytester) -> None:
    assert run(own, wrong(0), "-k", "a_first_in_the_file").ret == 10
    assert counted(own) == ("inconclusive", [])


def test_beside_another_it_judges_that_one(own: pytest.Pytester) -> None:
    assert run(own, wrong(0), "-k", "a_first_in_the_file or answers").ret == 0
    assert counted(own) == ("ready", [20])


def test_a_resumed_run_is_judged_as_a_whole_again(own: pytest.Pytester) -> None:
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", "0"]
    with serving(wrong(0)) as url:
        endpoint = [*options, "--endpoint", url]
        assert own.runpytest(*endpoint, "--max-requests", "40", ".").ret == 10
        verdict, (before,) = counted(own)
        folder = str((own.path / "reports/latest").resolve())
        assert own.runpytest(*endpoint, "--resume", folder, ".").ret == 0
    assert (verdict, before < 40) == ("ready", True)
    assert counted(own) == ("ready", [80])


def test_each_side_of_a_comparison_is_judged_by_its_own_run(own: pytest.Pytester) -> None:
    with serving(wrong(0)) as url:
        assert run(own, wrong(0), "--baseline", url).ret == 0
    assert counted(own) == ("ready", [80])
    folders = [each for each in (own.path / "reports").iterdir() if each.name.endswith("-baseline")]
    lines = (folders[0] / "evidence.jsonl").read_text().splitlines()
    trials = [json.loads(each) for each in lines if '"a_whole.a_first' in each]
    assert [each["measures"][0]["value"] for each in trials if each["kind"] == "trial"] == [110]
