"""A run compared with its baseline on the command line: output and exit status."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from readiness.resources import schema
from readiness.verdict.exit_status import UNTRIED
from tests.miniature import MODELS, Request, completion, mini
from tests.scripted_server import Script, response
from tests.user_checks import POLICY, prepare, record, run, word, wrong

INCONCLUSIVE, UNSOUND = 10, 11
FILES = ("readiness.json", "evidence.jsonl")


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


#: The files of a baseline of an endpoint that is always right: made once, for it takes seconds.
KEPT: dict[str, bytes] = {}


def first(own: pytest.Pytester) -> Path:
    """A baseline in its place."""
    if not KEPT:
        run(own, wrong(0))
        latest = (own.path / "reports/latest").resolve()
        KEPT.update((each, (latest / each).read_bytes()) for each in FILES)
    folder = own.path / "reports/first-mini"
    folder.mkdir(parents=True)
    for name, content in KEPT.items():
        (folder / name).write_bytes(content)
    return folder


def beside(own: pytest.Pytester, script: Script, *args: str) -> pytest.RunResult:
    """Make a baseline of an endpoint that is always right, and try another beside it."""
    return run(own, script, "--baseline", str(first(own)), *args)


def test_a_run_compared_with_itself_is_ready(own: pytest.Pytester) -> None:
    result = beside(own, wrong(0))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "compared with the baseline *-mini (mini, *Z, ready)",
            "· no worse by 5%: 1 of 2 checks show it (it takes 59 trials that agree)",
            "✓ READY*",
        ]
    )
    violations = Draft202012Validator(schema("readiness")).iter_errors(record(own))
    assert [each.message for each in violations] == []
    told = {each["id"]: each for each in record(own)["baseline"]["checks"]}
    assert [told[f"words.{each}"]["shown"] for each in ("repeats", "answers")] == [True, False]


def test_a_candidate_that_is_ready_by_itself_but_worse_is_not_ready(own: pytest.Pytester) -> None:
    result = beside(own, wrong(6))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "words*100 ✓ ready*",
            "words.repeats*6/60*0/60*0.016*✗ worse*",
            "lost words.repeats w.0: said 'beep 0'",
            '  before (exchange *) {"content": "0"}',
            '  now    (exchange *) {"content": "beep 0"}',
            "lost words.repeats w.5: said 'beep 5'",
            "✗ NOT READY   score 59 of 100*because of the baseline",
        ]
    )
    found = record(own)
    assert (found["verdict"], found["exit_status"], found["score"]) == ("not ready", 1, 59)
    assert [each["verdict"] for each in found["dimensions"]] == ["ready"]
    (compared,) = [each for each in found["baseline"]["checks"] if each["regressed"]]
    assert [each["probe"] for each in compared["items"]] == [f"w.{n}" for n in range(6)]
    assert all(each["exchanges"] and each["baseline_exchanges"] for each in compared["items"])


def test_a_few_losses_that_chance_explains_are_no_regression(own: pytest.Pytester) -> None:
    result = beside(own, wrong(4))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["words.repeats*4/60*0/60*1*? not shown*"])


def test_a_rule_broken_anew_is_listed_with_both_replies(own: pytest.Pytester) -> None:
    def mute(n: int, request: Request) -> str:
        said = word(request)
        return "" if said == "7" else said

    result = beside(own, mini(mute))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "words.answers*1/20*0/20*✗ worse*",
            "lost words.answers w.7: said nothing",
            '  before (exchange *) {"content": "7"}',
            "  now    (exchange *) {}",
            "✗ NOT READY*because of words, the baseline",
        ]
    )


@pytest.mark.parametrize(
    ("margin", "status"), [("0.14", pytest.ExitCode.OK), ("0.02", INCONCLUSIVE)]
)
def test_what_must_be_shown_to_be_as_good_and_is_not_is_inconclusive(
    own: pytest.Pytester, margin: str, status: int
) -> None:
    more = f"upgrade: {{non_inferiority: required, margin: {margin}}}\n"
    (own.path / "own.yaml").write_text(POLICY + more)
    run(own, wrong(0))
    result = run(own, wrong(0), "--baseline", "reports/latest")
    assert result.ret == status
    said = {0: "✓ READY*", INCONCLUSIVE: "? INCONCLUSIVE*because of the baseline"}
    result.stdout.fnmatch_lines([said[status]])


def test_a_baseline_made_otherwise_is_refused_before_anything_is_sent(
    own: pytest.Pytester,
) -> None:
    folder = first(own)
    before = sorted(folder.parent.iterdir())
    result = run(own, wrong(0), "--baseline", str(folder), "--seed", "1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = "its seed is 0, and here it is 1"
    result.stderr.fnmatch_lines([f"ERROR: --baseline {folder} cannot be compared: {said}"])
    assert sorted(folder.parent.iterdir()) == before


def test_evidence_that_fails_its_integrity_check_is_never_used(own: pytest.Pytester) -> None:
    folder = first(own)
    evidence = folder / "evidence.jsonl"
    evidence.write_text(evidence.read_text().replace('"outcome": "pass"', '"outcome": "fail"', 1))
    result = run(own, wrong(0), "--baseline", str(folder))
    assert result.ret == UNSOUND
    result.stdout.fnmatch_lines(["*the chain of evidence is broken: evidence.jsonl:* does not *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_baseline_that_could_not_be_tried_shows_nothing(own: pytest.Pytester) -> None:
    run(own, lambda n, raw: [response(b"<html>")])
    result = run(own, wrong(0), "--baseline", "reports/latest")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --baseline reports/latest: there is none: *"])


def test_another_server_under_the_same_name_is_reported(own: pytest.Pytester) -> None:
    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(MODELS)]
        said = word(json.loads(raw.partition(b"\r\n\r\n")[2]))
        return [response(completion(said), "200 OK", "Content-Type: application/json", "Server: b")]

    result = beside(own, script)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["· drift: server:  → b"])


def test_a_candidate_that_cannot_be_tried_is_not_called_worse(own: pytest.Pytester) -> None:
    result = beside(own, lambda n, raw: [response(b"<html>")])
    assert result.ret == UNTRIED
    result.stdout.no_fnmatch_line("*compared with the baseline*")
