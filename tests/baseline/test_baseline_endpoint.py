"""Two endpoints tried in one run, trial by trial: the command line, and what each server saw."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from readiness.evidence.run_folder import differences
from readiness.verdict.exit_status import UNTRIED
from tests.miniature import Request, mini
from tests.scripted_server import Script, free_port, serving
from tests.user_checks import prepare, record, run, word, wrong


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def beside(
    own: pytest.Pytester, candidate: Script, baseline: Script, *args: str
) -> pytest.RunResult:
    """Try a candidate beside the endpoint that is its baseline."""
    with serving(baseline) as url:
        return run(own, candidate, "--baseline", url, *args)


def folders(own: pytest.Pytester) -> list[Path]:
    return sorted(each for each in (own.path / "reports").glob("2*") if each.is_dir())


def test_an_endpoint_compared_with_itself_is_ready(own: pytest.Pytester) -> None:
    result = beside(own, wrong(0), wrong(0))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "compared with the baseline *-mini-baseline (mini, *",
            "· agreement: 80 of 80 trials had the same outcome",
            "· noise: 0 of 30 trials changed their outcome when the baseline repeated them*",
            "✓ READY*",
        ]
    )
    found = record(own)["baseline"]
    assert (found["agree"], found["pairs"], found["noise"]) == (80, 80, {"trials": 30, "differ": 0})


def test_each_side_is_a_run_of_its_own(own: pytest.Pytester) -> None:
    beside(own, wrong(0), wrong(0))
    candidate, baseline = sorted(folders(own), key=lambda each: each.name.endswith("-baseline"))
    assert [list(differences(each)) for each in (candidate, baseline)] == [[], []]
    assert (own.path / "reports/latest").resolve() == candidate
    again = run(own, wrong(0), "--baseline", str(baseline))
    assert again.ret == pytest.ExitCode.OK
    again.stdout.fnmatch_lines(["· noise: 0 of 30 trials changed their outcome*"])


def test_a_worse_candidate_is_not_ready_and_its_trials_are_listed(own: pytest.Pytester) -> None:
    result = beside(own, wrong(6), wrong(0))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "words.repeats*6/60*0/60*0.016*✗ worse*",
            "· agreement: 74 of 80 trials had the same outcome",
            "lost words.repeats w.0: said 'beep 0'",
            '  before (exchange *) {"content": "0"}',
            "✗ NOT READY*because of the baseline",
        ]
    )


def test_a_baseline_that_is_not_ready_itself_gates_nothing(own: pytest.Pytester) -> None:
    result = beside(own, wrong(0), wrong(40))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["compared with the baseline *-mini-baseline*", "*not ready)", "✓ READY*"]
    )


def test_what_a_baseline_answers_at_random_is_noise(own: pytest.Pytester) -> None:
    asked: dict[str, int] = {}

    def answer(n: int, request: Request) -> str:
        said = word(request)
        asked[said] = asked.get(said, 0) + 1
        # Every second word is wrong when it is asked for again.
        return f"beep {said}" if asked[said] > 1 and said != "OK" and int(said) % 2 else said

    result = beside(own, wrong(0), mini(answer), "-k", "repeats")
    assert result.ret == pytest.ExitCode.OK
    assert record(own)["baseline"]["noise"] == {"trials": 20, "differ": 10}


def test_both_are_asked_in_turn(own: pytest.Pytester) -> None:
    log: list[str] = []

    def noted(side: str) -> Script:
        def answer(n: int, request: Request) -> str:
            if word(request) != "OK":
                log.append(side)
            return word(request)

        return mini(answer)

    args = "--concurrency", "1", "-k", "repeats"
    beside(own, noted("candidate"), noted("baseline"), *args)
    assert (log.count("candidate"), log.count("baseline")) == (60, 80)
    # The baseline's second pass comes between; apart from it, neither is ever two ahead.
    ahead = [0]
    for side in log:
        ahead.append(ahead[-1] + (1 if side == "candidate" else -1))
    assert all(abs(after - before) == 1 for before, after in pairwise(ahead))
    assert max(ahead) <= 2


def heads(script: Script, seen: list[bytes]) -> Script:
    def noted(n: int, request: bytes) -> object:
        seen.append(request.partition(b"\r\n\r\n")[0])
        return script(n, request)

    return noted  # type: ignore[return-value]


@pytest.mark.parametrize("key", ["", "sk-of-the-baseline"])
def test_no_server_is_shown_the_key_of_another(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-candidate")
    monkeypatch.setenv("READINESS_BASELINE_API_KEY", key)
    ours: list[bytes] = []
    theirs: list[bytes] = []
    result = beside(
        own, heads(wrong(0), ours), heads(wrong(0), theirs), "--header", "X-Team: secret-team"
    )
    assert result.ret == pytest.ExitCode.OK
    assert all(b"Bearer sk-of-the-candidate" in each and b"secret-team" in each for each in ours)
    assert all((b"Bearer sk-of-the-baseline" in each) == bool(key) for each in theirs)
    assert not any(b"sk-of-the-candidate" in each or b"secret-team" in each for each in theirs)
    for path in (own.path / "reports").rglob("*"):
        if path.is_file():
            assert b"sk-of-the" not in path.read_bytes()


def test_a_baseline_that_is_not_there_is_named(own: pytest.Pytester) -> None:
    result = run(own, wrong(0), "--baseline", f"http://127.0.0.1:{free_port()}/v1")
    assert result.ret == UNTRIED
    result.stdout.fnmatch_lines(
        ["cannot be tried: --baseline http://127.0.0.1:*: unreachable: *refused*"]
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--baseline", "ftp://host/v1"), "--baseline: not the address of an endpoint: *"),
        (
            ("--baseline", "http://127.0.0.1:9/v1", "--resume", "reports/latest"),
            "--resume continues a run of one endpoint: *",
        ),
    ],
)
def test_a_baseline_that_makes_no_sense_is_a_usage_error(
    own: pytest.Pytester, args: tuple[str, ...], said: str
) -> None:
    run(own, wrong(0))
    result = run(own, wrong(0), *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


def test_a_check_that_runs_alone_never_runs_on_both_endpoints_concurrently(
    own: pytest.Pytester,
) -> None:
    source = (own.path / "check_words.py").read_text()
    alone = source.replace("@check(words, required=0.8,", "@check(words, alone=True, required=0.8,")
    (own.path / "check_words.py").write_text(alone)
    log: list[str] = []

    def noted(side: str) -> Script:
        def answer(n: int, request: Request) -> str:
            log.append(side)
            return word(request)

        return mini(answer)

    assert beside(own, noted("candidate"), noted("baseline")).ret == pytest.ExitCode.OK
    assert log[-60:] == ["candidate"] * 60
    assert log[-120:-60] == ["baseline"] * 60
    told = json.loads((own.path / "reports/latest/readiness.json").read_text("utf-8"))
    assert told["baseline"]["noise"]["trials"] == 10
