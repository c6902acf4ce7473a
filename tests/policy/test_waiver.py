"""Waivers: checks that do not gate for a while, with owner and approver, and never hidden."""

import json
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from readiness.policy.waiver import Waiver, load
from readiness.policy.yaml_reader import PolicyError
from readiness.resources import schema
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.matrix import matrix
from tests.baseline.test_comparison import rate, result, rule
from tests.user_checks import alone, prepare, record, run, wrong

TODAY = date(2026, 11, 23)
CHECKS = ["words.repeats", "words.answers"]
WAIVERS = """schema: readiness-waivers/1
waivers:
  words.repeats:
    reason: the vendor mends it in 1.2
    owner: Ana
    approver: Bo
    expiry: 2999-12-31
"""


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    own = prepare(pytester)
    (own.path / "waivers.yaml").write_text(WAIVERS)
    return own


def loaded(folder: Path, text: str, most_days: int | None = None) -> dict[str, Waiver]:
    path = folder / "waivers.yaml"
    path.write_text(text)
    return load(path, CHECKS, TODAY, most_days)


def test_a_waived_check_does_not_gate_and_its_verdict_is_shown_everywhere(
    own: pytest.Pytester,
) -> None:
    result = run(own, wrong(30), "--waivers", "waivers.yaml", "--keep-going")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "*= 1 not ready (waived), 1 ready in *",
            "words*repeats 30/60*",
            "words.repeats is waived until 2999-12-31: the vendor mends it in 1.2 (Ana,*",
            "✓ READY   score 59 of 100*1 waived",
        ]
    )
    found = record(own)
    violations = Draft202012Validator(schema("readiness")).iter_errors(found)
    assert [each.message for each in violations] == []
    assert (found["verdict"], found["exit_status"], found["score"]) == ("ready", 0, 59)
    assert [each["verdict"] for each in found["dimensions"]] == ["not ready"]
    assert found["waivers"] == [
        {
            "check": "words.repeats",
            "reason": "the vendor mends it in 1.2",
            "owner": "Ana",
            "approver": "Bo",
            "expiry": "2999-12-31",
            "verdict": "not ready",
        }
    ]
    folder = own.path / "reports/latest"
    told = "words.repeats is waived until 2999-12-31"
    assert told in (folder / "junit.xml").read_text("utf-8")
    allure = [json.loads(each.read_text("utf-8")) for each in folder.glob("allure*/*-result.json")]
    assert [each["name"] for each in allure if told in each["description"]] == ["words.repeats"]


def test_what_is_not_waived_still_gates(own: pytest.Pytester) -> None:
    (own.path / "waivers.yaml").write_text(WAIVERS.replace("repeats", "answers"))
    result = run(own, wrong(30), "--waivers", "waivers.yaml", "--keep-going")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["words.answers is waived *", "approved by Bo); it is ready: remove the waiver"]
    )


def test_an_expired_waiver_is_a_usage_error_with_its_line(own: pytest.Pytester) -> None:
    (own.path / "waivers.yaml").write_text(WAIVERS.replace("2999", "2025"))
    result = run(own, wrong(0), "--waivers", "waivers.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: *waivers.yaml:7: waivers.words.repeats.expiry is 2025-12-31: "
            "the waiver has expired"
        ]
    )


def test_a_waiver_holds_on_its_last_day(tmp_path: Path) -> None:
    found = loaded(tmp_path, WAIVERS.replace("2999-12-31", "2026-11-23"))
    waiver = Waiver("words.repeats", "the vendor mends it in 1.2", "Ana", "Bo", TODAY)
    assert found == {"words.repeats": waiver}


def test_a_waiver_holds_no_longer_than_the_policy_allows(tmp_path: Path) -> None:
    assert loaded(tmp_path, WAIVERS.replace("2999-12-31", "2026-12-23"), 30)
    with pytest.raises(PolicyError) as raised:
        loaded(tmp_path, WAIVERS.replace("2999-12-31", "2026-12-24"), 30)
    said = "expiry is 2026-12-24: the policy allows 30 days, until 2026-12-23"
    assert str(raised.value).endswith(f"waivers.yaml:7: waivers.words.repeats.{said}")


def test_the_articles_policy_limits_waivers(own: pytest.Pytester) -> None:
    rules = own.path / "own.yaml"
    rules.write_text(alone("words"), "utf-8")
    result = run(own, wrong(0), "--waivers", "waivers.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *expiry is 2999-12-31: the policy allows 90 days, *"])


@pytest.mark.parametrize("approver", ["Ana", "ANA ", " ana"])
def test_nobody_approves_a_waiver_of_their_own(tmp_path: Path, approver: str) -> None:
    with pytest.raises(PolicyError) as raised:
        loaded(tmp_path, WAIVERS.replace("approver: Bo", f"approver: {approver!r}"))
    assert "waivers.yaml:6: waivers.words.repeats.approver is the owner" in str(raised.value)


def test_waivers_that_leave_nothing_required_of_a_dimension_are_in_the_verdicts_sentence(
    own: pytest.Pytester,
) -> None:
    both = WAIVERS + WAIVERS.partition("waivers:\n")[2].replace("repeats", "answers")
    (own.path / "waivers.yaml").write_text(both)
    result = run(own, wrong(30), "--waivers", "waivers.yaml", "--keep-going")
    result.stdout.fnmatch_lines(
        ["✓ READY   score 59 of 100*2 waived, nothing is required of words *"]
    )
    said = "Nothing is required of words any more: all of its required checks are waived."
    for name in ("summary.md", "readiness.html"):
        assert said in (own.path / "reports/latest" / name).read_text("utf-8")


def test_a_file_without_waivers_waives_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, "schema: readiness-waivers/1\nwaivers: {}\n") == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2999-12-31", "2026-11-22", ":7: waivers.words.repeats.expiry is 2026-11-22: the waiver"),
        ("2999-12-31", "2999-02-30", ":7: waivers.words.repeats.expiry: day is out of range"),
        (
            "2999-12-31",
            "'2999-02-30'",
            ":7: waivers.words.repeats.expiry is not a date: day is out",
        ),
        ("2999-12-31", "soon", ":7: waivers.words.repeats.expiry is 'soon': choose a date, as in"),
        ("    owner: Ana\n", "", ":3: waivers.words.repeats.owner is missing"),
        ("Ana", "' '", ":5: waivers.words.repeats.owner is ' ': choose some words"),
        ("Ana", "5", ":5: waivers.words.repeats.owner is 5: choose some words"),
        ("owner", "0wner", ":5: waivers.words.repeats.0wner is unknown: did you mean owner?"),
        ("repeats", "repeat", ":3: waivers.words.repeat is unknown: did you mean words.repeats?"),
        ("words.repeats", "x", ":3: waivers.x is unknown: choose words.answers or words.repeats"),
        ("waivers/1", "waivers/2", ":1: schema is 'readiness-waivers/2': choose readiness-"),
        ("    reason", "   reason", ":5: not YAML: "),
        ("Ana", "*Ana", ":5: *Ana is an alias: write it out"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(PolicyError) as raised:
        loaded(tmp_path, WAIVERS.replace(old, new))
    assert f"waivers.yaml{said}" in str(raised.value)


@pytest.mark.parametrize(
    ("repeats", "answers", "waived", "verdict"),
    [
        ("p" * 60, "f" * 60, [], Verdict.NOT_READY),
        ("p" * 60, "f" * 60, ["test_comparison.rule"], Verdict.READY),
        ("p" * 60, "s" * 60, ["test_comparison.rule"], Verdict.READY),
        ("f" * 60, "f" * 60, ["test_comparison.rule"], Verdict.NOT_READY),
        ("f" * 60, "f" * 60, ["test_comparison.rule", "test_comparison.rate"], Verdict.READY),
        ("p" * 60, "f" * 60, ["test_comparison.rate"], Verdict.NOT_READY),
    ],
)
def test_a_check_without_a_waiver_gates(
    repeats: str, answers: str, waived: list[str], verdict: Verdict
) -> None:
    found = matrix([result(rate, repeats), result(rule, answers)], {}, {}, {}, waived)
    assert found.verdict is verdict


def test_a_check_without_a_result_cannot_be_waived() -> None:
    expected = {"test_comparison": ("test_comparison.rate", "test_comparison.rule")}
    gates = {"test_comparison": Gate.REQUIRED}
    found = matrix([result(rate, "p" * 60)], gates, expected, {}, ["test_comparison.rule"])
    assert found.verdict is Verdict.INCONCLUSIVE
