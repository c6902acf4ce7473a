"""Pooling of earlier runs: what they may add, and what they must never make ready."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from readiness.resources import schema
from readiness.verdict.claim import Claim, Tally, Verdict
from readiness.verdict.result import PooledRuns
from tests.miniature import MODELS, Request, completion, mini
from tests.scripted_server import Script, response
from tests.user_checks import prepare, record, run, word, wrong

INCONCLUSIVE, UNSOUND = 10, 11
CLAIM = Claim(0.8, 0.05, 0.05, 60)


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def before(own: pytest.Pytester, script: Script, seed: int, *args: str) -> str:
    """A run that is over, and kept under the name of its seed."""
    run(own, script, "--seed", str(seed), *args)
    kept = own.path / f"kept-{seed}"
    (own.path / "reports/latest").resolve().rename(kept)
    return str(kept)


#: The files of runs of an endpoint that is always right, by seed: each made once.
KEPT: dict[int, dict[str, bytes]] = {}


def right(own: pytest.Pytester, seed: int) -> str:
    """A run that is over, of an endpoint that is always right."""
    if seed not in KEPT:
        kept = Path(before(own, wrong(0), seed))
        files = ("readiness.json", "evidence.jsonl")
        KEPT[seed] = {name: (kept / name).read_bytes() for name in files}
    folder = own.path / f"kept-{seed}"
    folder.mkdir(exist_ok=True)
    for name, content in KEPT[seed].items():
        (folder / name).write_bytes(content)
    return str(folder)


def checked(own: pytest.Pytester, name: str) -> dict[str, object]:
    checks = {each["id"]: each for each in record(own)["dimensions"][0]["checks"]}
    return dict(checks[f"words.{name}"])


def test_what_one_run_leaves_open_several_decide(own: pytest.Pytester) -> None:
    assert run(own, wrong(11)).ret == INCONCLUSIVE
    earlier = [right(own, 1), before(own, wrong(2), 2)]
    result = run(own, wrong(11), "-v", "--earlier", earlier[0], "--earlier", earlier[1])
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "*repeats*49/60*✓ ready*",
            "· words.repeats: 167 of 180 trials in 3 runs: ready by all of them",
            "✓ READY*",
        ]
    )
    found = record(own)
    violations = Draft202012Validator(schema("readiness")).iter_errors(found)
    assert [each.message for each in violations] == []
    assert [(each["run"], each["seed"]) for each in found["earlier"]] == [
        ("kept-1", 1),
        ("kept-2", 2),
    ]
    assert checked(own, "repeats")["together"] == {
        "runs": 3,
        "trials": 180,
        "passed": 167,
        "fallen": 0,
        "verdict": "ready",
    }


def test_what_is_still_open_stays_inconclusive(own: pytest.Pytester) -> None:
    earlier = before(own, wrong(11), 1)
    result = run(own, wrong(11), "-v", "--earlier", earlier)
    assert result.ret == INCONCLUSIVE
    result.stdout.fnmatch_lines(["· words.repeats: 98 of 120 trials in 2 runs: inconclusive *"])


def test_what_is_not_ready_by_itself_stays_so(own: pytest.Pytester) -> None:
    earlier = [f"--earlier={right(own, seed)}" for seed in (1, 2)]
    assert run(own, wrong(30), *earlier).ret == pytest.ExitCode.TESTS_FAILED
    assert "together" not in checked(own, "repeats")


def test_trials_that_were_not_made_are_not_counted(own: pytest.Pytester) -> None:
    earlier = before(own, wrong(60), 1, "--concurrency", "1")
    assert run(own, wrong(11), "--earlier", earlier).ret == pytest.ExitCode.TESTS_FAILED
    together = checked(own, "repeats")["together"]
    # Eighteen of sixty that fail leave no doubt of 80 %.
    assert together == {
        "runs": 2,
        "trials": 78,
        "passed": 49,
        "fallen": 0,
        "verdict": "not ready",
    }


def mute(at: str) -> Script:
    def answer(n: int, request: Request) -> str:
        said = word(request)
        return "" if said == at else said

    return mini(answer)


def test_a_rule_that_the_build_has_broken_before_is_not_ready(own: pytest.Pytester) -> None:
    earlier = before(own, mute("7"), 1)
    result = run(own, wrong(0), "-v", "--earlier", earlier)
    assert result.ret == INCONCLUSIVE
    result.stdout.fnmatch_lines(
        ["· words.answers: 1 trial failed in earlier runs of this build", "? INCONCLUSIVE*"]
    )
    assert checked(own, "answers")["verdict"] == "inconclusive"


def test_a_rule_that_was_not_tried_in_full_is_not_made_ready(own: pytest.Pytester) -> None:
    earlier = right(own, 1)
    result = run(own, wrong(0), "-k", "answers", "--max-requests", "18", "--earlier", earlier)
    assert result.ret == INCONCLUSIVE
    assert checked(own, "answers")["verdict"] == "inconclusive"


def server(name: str) -> Script:
    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        return [response(MODELS if raw.startswith(b"GET") else completion("OK"), *named)]

    named = "200 OK", "Content-Type: application/json", f"Server: {name}"
    return script


@pytest.mark.parametrize(
    ("script", "seed", "args", "said"),
    [
        (wrong(0), 0, (), "adds nothing: its seed is 0, as in this run: *"),
        (server("b"), 1, (), "is of another build: server: b → *"),
        (wrong(0), 1, ("--extra-body", '{"top_k": 1}'), "cannot be added: its extra_body_sha256*"),
        (wrong(0), 1, ("--profile", "full"), "cannot be added: its profile is full, *"),
    ],
)
def test_a_run_of_another_build_is_refused_by_name(
    own: pytest.Pytester, script: Script, seed: int, args: tuple[str, ...], said: str
) -> None:
    earlier = before(own, script, seed, *args)
    result = run(own, wrong(0), "--earlier", earlier)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --earlier kept-{seed} {said}"])


def test_a_run_is_counted_once(own: pytest.Pytester) -> None:
    earlier = right(own, 1)
    result = run(own, wrong(0), "--earlier", earlier, "--earlier", earlier)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: * adds nothing: its seed is 1, as in kept-1: *"])


def test_probes_that_have_changed_since_are_refused(own: pytest.Pytester) -> None:
    earlier = right(own, 1)
    file = own.path / "check_words.py"
    file.write_text(file.read_text().replace("Repeat: word {n} {seed}", "Repeat: word {n} -{seed}"))
    result = run(own, wrong(0), "--earlier", earlier)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: * cannot be added: its probes of words.repeats are *"])


def test_evidence_that_fails_its_integrity_check_is_not_pooled(own: pytest.Pytester) -> None:
    evidence = Path(right(own, 1)) / "evidence.jsonl"
    evidence.write_text(evidence.read_text().replace('"outcome": "pass"', '"outcome": "fail"', 1))
    assert run(own, wrong(0), "--earlier", str(evidence.parent)).ret == UNSOUND


def test_what_was_asked_before_is_not_counted_again(own: pytest.Pytester) -> None:
    file = own.path / "check_words.py"
    file.write_text(file.read_text().replace("Repeat: word {n} {seed}", "Repeat: word {n} again"))
    earlier = before(own, wrong(0), 1)
    assert run(own, wrong(11), "--earlier", earlier).ret == INCONCLUSIVE
    together = checked(own, "repeats")["together"]
    assert isinstance(together, dict)
    assert (together["trials"], together["passed"]) == (60, 49)


def test_trials_that_pass_in_vain_show_nothing(own: pytest.Pytester) -> None:
    file = own.path / "check_words.py"
    kept = file.read_text()
    # A control item that fails makes every passed trial of the run doubtful.
    asked = '[{"role": "user", "content": f"Say OK {seed}"}]'
    more = f'] + [Probe("easy", {asked}, {{"word": "no"}}, control=True)]'
    file.write_text(kept.replace("    ]\n\n@check", f"    {more}\n\n@check", 1))
    earlier = [f"--earlier={before(own, wrong(0), seed)}" for seed in (1, 2)]
    assert run(own, wrong(11), *earlier).ret == INCONCLUSIVE
    together = checked(own, "repeats")["together"]
    assert isinstance(together, dict)
    assert (together["trials"], together["passed"]) == (180, 49)


def test_too_few_trials_to_show_readiness_do_not_show_it_together() -> None:
    few = Claim(0.8, 0.05, 0.05, 60, defects_only=True)
    passed = Tally.of([Tally(3)] * 60)
    assert PooledRuns(CLAIM, passed, 3).verdict is Verdict.READY
    assert PooledRuns(few, passed, 3).verdict is Verdict.INCONCLUSIVE


def test_unsettled_trials_count_against_both_verdicts() -> None:
    silent = Tally.of([Tally(1, 0, 2)] * 60)
    assert PooledRuns(CLAIM, silent, 3).verdict is Verdict.INCONCLUSIVE
    bad = Tally.of([Tally(0, 2)] * 60)
    assert PooledRuns(CLAIM, bad, 2).verdict is Verdict.NOT_READY
