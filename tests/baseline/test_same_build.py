"""Other runs of the same build are found unasked, and count as far as they speak against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from readiness import checks
from readiness.baseline.earlier_runs import held_against, pool_earlier_runs
from readiness.baseline.finished_run import FinishedRun, RecordedTrial
from readiness.chat import Chat
from readiness.check import check
from readiness.cli.rescore import rescore
from readiness.mutants.catalog import find
from readiness.mutants.license import evidence
from readiness.policy.plan import PlannedCheck, plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.resources import schema
from readiness.score import PASSED, UNSETTLED, Outcome, Score
from readiness.verdict.claim import Unsupported, Verdict
from readiness.verdict.result import Result, Trial
from tests.miniature import MODELS, mini
from tests.runner.test_rescoring import rewritten
from tests.scripted_server import Script, response, serving
from tests.user_checks import Endpoint, alone, one_endpoint, record, word, wrong

INCONCLUSIVE = 10


@pytest.fixture
def own(pytester: pytest.Pytester) -> Iterator[Endpoint]:
    with one_endpoint(pytester) as endpoint:
        yield endpoint


def mute(at: str) -> Script:
    """Says nothing where it is to repeat one word."""
    return mini(lambda n, request: "" if word(request) == at else word(request))


def named(server: str) -> Script:
    """As it should be, by a server of this name."""
    right = wrong(0)

    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(MODELS, "200 OK", f"Server: {server}")]
        (told,) = right(n, raw)
        assert isinstance(told, bytes)
        return [told.replace(b"\r\n", f"\r\nServer: {server}\r\n".encode(), 1)]

    return script


def checked(own: Endpoint, name: str) -> dict[str, Any]:
    checks = {each["id"]: each for each in record(own.own)["dimensions"][0]["checks"]}
    return dict(checks[f"words.{name}"])


def test_a_defect_that_a_build_has_shown_once_is_not_gone_by_a_run_that_meets_none(
    own: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        assert own.run(mute("7"), seed=seed).ret == 1
    result = own.run(wrong(0), seed=3)
    assert result.ret == INCONCLUSIVE
    result.stdout.fnmatch_lines(
        [
            "The third run of this build: 2 not ready. What they say against it counts; if *",
            "words*answers 20/20: 2 trials failed in earlier*",
            "? INCONCLUSIVE*",
        ]
    )
    found = record(own.own)
    violations = Draft202012Validator(schema("readiness")).iter_errors(found)
    assert [each.message for each in violations] == []
    assert [(each["seed"], each["verdict"]) for each in found["same_build"]] == [
        (1, "not ready"),
        (2, "not ready"),
    ]
    for name in ("readiness.html", "summary.md"):
        assert "The third run of this build: 2 not ready." in (own.latest / name).read_text("utf-8")
    capsys.readouterr()
    assert rescore(rescoring(own)) == 0
    assert "the record follows from them" in capsys.readouterr().out


def rescoring(own: Endpoint) -> list[str]:
    files = own.own.path / "own.yaml", own.own.path / "check_words.py"
    return [str(own.latest), "--policy", str(files[0]), "--checks", str(files[1])]


def test_a_run_cannot_keep_silent_about_the_others(
    own: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert own.run(mute("7"), seed=1).ret == 1
    own.run(wrong(0), seed=2)
    rewritten(own.latest, lambda lines: [e for e in lines if e["kind"] != "same build"])
    capsys.readouterr()
    assert rescore(rescoring(own)) == 11
    assert "same_build is [" in capsys.readouterr().err


def test_what_the_user_says_is_another_build_is_another(own: Endpoint) -> None:
    assert own.run(mute("7"), "--build", "1.1", seed=1).ret == 1
    for args in (("--build", "1.2"), ()):
        result = own.run(wrong(0), *args, seed=2)
        assert result.ret == 0
        result.stdout.no_fnmatch_line("*run of this build*")
    assert own.run(wrong(0), "--build", "1.1", seed=3).ret == INCONCLUSIVE


def test_what_says_that_it_is_another_is_another(own: Endpoint) -> None:
    assert own.run(mute("7"), seed=1).ret == 1
    result = own.run(named("mended/2"), seed=2)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*run of this build*")


def test_a_build_without_a_fingerprint_is_told_by_its_url_too(own: Endpoint) -> None:
    assert own.run(mute("7"), seed=1).ret == 1
    with serving(wrong(0)) as own.url:
        assert own.run(wrong(0), seed=2).ret == 0


@pytest.mark.parametrize(
    ("before", "seed", "status", "together"),
    [
        (25, 2, INCONCLUSIVE, (2, 120, 95, "inconclusive")),
        (60, 2, 1, (2, 120, 60, "not ready")),
        # The same probes: that they pass now does not undo that they did not.
        (25, 1, INCONCLUSIVE, (2, 0, 0, "inconclusive")),
    ],
)
def test_a_rate_that_another_run_did_not_meet_is_judged_by_all_trials(
    own: Endpoint, before: int, seed: int, status: int, together: tuple[object, ...]
) -> None:
    assert own.run(wrong(before), "--keep-going", seed=1).ret == 1
    assert own.run(wrong(0), seed=seed).ret == status
    found = checked(own, "repeats")["together"]
    assert tuple(found[each] for each in ("runs", "trials", "passed", "verdict")) == together


def test_enough_trials_outweigh_a_run_that_did_not_meet_a_rate(own: Endpoint) -> None:
    own.run(wrong(25), "--keep-going", seed=1)
    assert [own.run(wrong(0), seed=seed).ret for seed in (2, 3)] == [INCONCLUSIVE, 0]
    assert checked(own, "repeats")["together"]["passed"] == 155


def test_a_run_that_is_not_intact_speaks_for_nothing(own: Endpoint) -> None:
    assert own.run(mute("7"), seed=1).ret == 1
    path = own.latest / "evidence.jsonl"
    path.write_bytes(path.read_bytes().replace(b"word", b"w0rd", 1))
    assert own.run(wrong(0), seed=2).ret == 0


def test_files_that_were_mended_are_judged_as_they_are(
    own: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    (own.own.path / "own.yaml").write_text(alone("license"))
    shown = own.own.mkdir("shown")
    named = evidence.write(shown)
    find("license_not_commercial").change_license_evidence(shown)
    tried = f"{Path(checks.__file__).parent}/license/checks.py", "--license-evidence", str(named)
    assert own.run(wrong(0), *tried, seed=1).ret == 1
    evidence.write(shown)
    result = own.run(wrong(0), *tried, seed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["The second run of this build: 1 not ready. *"])
    capsys.readouterr()
    assert rescore(rescoring(own)) == 0


# What others say makes nothing ready


async def answers(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST answer."""
    return PASSED


def probes(seed: int, trials: int) -> list[Probe]:
    return [Probe(f"n.{n}", [{"role": "user", "content": f"{n} {seed}"}]) for n in range(trials)]


def planned(required: float) -> PlannedCheck:
    checks = [check(probes, required=required, trials=60)(answers)]
    (found,) = plan(checks, load(), "ci", 0)
    return found


PLANS = {required: planned(required) for required in (0.8, 1.0)}
SEEDS = {seed: plan([PLANS[0.8].check], load(), "ci", seed)[0].probes_digest for seed in range(3)}
outcomes = st.lists(
    st.sampled_from([Outcome.PASS] * 6 + [Outcome.FAIL, Outcome.UNDETERMINED, Outcome.SKIPPED]),
    min_size=60,
    max_size=60,
)


def finished(of: PlannedCheck, seed: int, tried: Sequence[Outcome]) -> FinishedRun:
    name = of.check.id
    trials = {(name, n): RecordedTrial(f"n.{n}", each) for n, each in enumerate(tried)}
    header = {"seed": seed, "items": {name: SEEDS[seed]}}
    verdicts = {name: result(of, tried).verdict}
    return FinishedRun(Path("e"), header, trials, {}, verdicts=verdicts, head=f"{seed}")


def result(of: PlannedCheck, tried: Sequence[Outcome]) -> Result:
    trials = [Trial(f"n.{n}", n, Score(each)) for n, each in enumerate(tried)]
    return Result(of.check, of.claim, trials)


@given(
    st.sampled_from([*PLANS]),
    outcomes,
    st.lists(st.tuples(st.sampled_from([*SEEDS]), outcomes), max_size=3),
)
def test_other_runs_make_no_verdict_better(
    required: float, now: list[Outcome], before: list[tuple[int, list[Outcome]]]
) -> None:
    of = PLANS[required]
    alone = result(of, now)
    found = held_against([finished(of, seed, tried) for seed, tried in before], of, alone)
    assert found.verdict.severity >= alone.verdict.severity
    failed = [each for _, tried in before for each in tried if each is not Outcome.PASS]
    if required == 1 and not UNSETTLED.issuperset(failed):
        assert found.verdict is not Verdict.READY


NOT_GIVEN = [Outcome.UNSUPPORTED] * 60


@pytest.mark.parametrize("required", [*PLANS])
@pytest.mark.parametrize("before", [NOT_GIVEN, [Outcome.SKIPPED, *NOT_GIVEN[1:]]])
def test_a_run_that_lacked_what_a_check_may_lack_speaks_neither_for_nor_against_the_build(
    required: float, before: list[Outcome]
) -> None:
    of = PLANS[required]
    accepted = replace(of, claim=replace(of.claim, unsupported=Unsupported.ACCEPTED))
    for now in ([Outcome.PASS] * 60, [Outcome.PASS] * 59 + [Outcome.UNDETERMINED]):
        alone = result(accepted, now)
        for pooled in (held_against, pool_earlier_runs):
            earlier = [finished(accepted, 1, before)]
            assert pooled(earlier, accepted, alone) is alone
    assert held_against([finished(of, 1, NOT_GIVEN)], of, result(of, [Outcome.PASS] * 60)).pooled


def test_failures_beside_what_was_lacking_count() -> None:
    of = PLANS[1.0]
    accepted = replace(of, claim=replace(of.claim, unsupported=Unsupported.ACCEPTED))
    before = finished(accepted, 1, [Outcome.FAIL, *NOT_GIVEN[1:]])
    found = held_against([before], accepted, result(accepted, [Outcome.PASS] * 60))
    assert found.doubts == ["60 trials failed in earlier runs of this build"]
