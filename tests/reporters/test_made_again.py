"""All reports are written again from the record and the evidence, byte for byte."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from readiness.cli.report import report
from readiness.cli.sign import verify
from readiness.evidence.run_folder import EVIDENCE, RECORD, REVIEW
from tests.miniature import Request, mini
from tests.scripted_server import Script, serving
from tests.user_checks import prepare, word, wrong

STOPPED = "def pytest_runtest_teardown(): raise KeyboardInterrupt\n"
BROKEN = "def pytest_runtest_logreport(report): 1 / (report.when != 'call')\n"
WAIVERS = (
    "schema: readiness-waivers/1\nwaivers:\n  words.answers:\n"
    "    {reason: known, owner: Ana, approver: Bo, expiry: 2999-12-31}\n"
)


@pytest.fixture
def own(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (pytester.path / "waivers.yaml").write_text(WAIVERS)
    return prepare(pytester)


def tried(own: pytest.Pytester, script: Script, *args: str) -> Sequence[str]:
    """The lines that are printed while an endpoint is tried, or while that is ended."""
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", *args]
    with serving(script) as url:
        result = own.runpytest_inprocess(*options, "--endpoint", url, ".", no_reraise_ctrlc=True)
    return result.outlines


def newest(own: pytest.Pytester) -> Path:
    return Path("reports") / (own.path / "reports/latest").readlink()


def files(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def made_again(run: Path) -> dict[str, bytes]:
    """The files of a run of which nothing but its origins was left."""
    for path in list(run.iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in (RECORD, EVIDENCE, REVIEW):
            path.unlink()
    assert report([str(run)]) == 0
    return files(run)


def verified(own: pytest.Pytester, run: Path) -> int:
    """The status of a run's verification; one that tried nothing has nothing to score again."""
    rules, checks = own.path / "own.yaml", own.path / "check_words.py"
    return verify([str(run), "--policy", str(rules), "--checks", str(checks)])


def printed(lines: Sequence[str]) -> Iterator[str]:
    """What a run prints of its record, from the title on; not why it stopped."""
    begun = False
    for line in lines:
        begun = begun or (line.startswith("=") and " readiness of " in line)
        if begun and not line.startswith(("!", "stopped: ", "go on with: ")):
            yield line


def mangled(n: int, request: Request) -> str:
    """Hostile text, a lone surrogate among it, and at times nothing."""
    said = word(request)
    return {"3": "", "5": "\x1b[2J\ud83d|`<b>%0A\n::error::"}.get(said, said)


@pytest.mark.parametrize(
    ("script", "args"),
    [
        (wrong(0), ()),
        (wrong(20), ("--waivers", "waivers.yaml")),
        (mini(mangled), ()),
        (wrong(0), ("--max-requests", "20")),
        (wrong(0), ("--max-minutes", "0.00001")),
    ],
    ids=["ready", "not ready", "hostile", "inconclusive", "spent at once"],
)
@pytest.mark.parametrize("beside", ["nothing", "a run", "an endpoint"])
def test_all_is_made_again(
    own: pytest.Pytester,
    capsys: pytest.CaptureFixture[str],
    script: Script,
    args: Sequence[str],
    beside: str,
) -> None:
    baseline: Sequence[str] = ()
    if beside == "a run":
        tried(own, wrong(0))
        baseline = ("--baseline", str(newest(own)))
    if beside == "an endpoint":
        with serving(wrong(0)) as url:
            lines = tried(own, script, *args, "--baseline", url)
    else:
        lines = tried(own, script, *args, *baseline)
    run = newest(own)
    kept = files(run)
    capsys.readouterr()
    assert made_again(run) == kept
    told = capsys.readouterr().out.splitlines()
    assert told == list(printed(lines))
    assert f"page: {run}/readiness.html" in told
    untried = json.loads((run / RECORD).read_text("utf-8"))["problem"] != ""
    assert verified(own, run) == (10 if untried else 0)


def test_the_run_of_a_baseline_is_made_again(own: pytest.Pytester) -> None:
    with serving(wrong(0)) as url:
        tried(own, wrong(6), "--baseline", url)
    (run,) = Path("reports").glob("2*-baseline")
    kept = files(run)
    assert made_again(run) == kept


def test_a_run_that_is_interrupted_is_made_again(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    own.makeconftest(STOPPED)
    lines = tried(own, wrong(6))
    kept = files(newest(own))
    capsys.readouterr()
    assert made_again(newest(own)) == kept
    told = capsys.readouterr().out.splitlines()
    assert told == list(printed(lines))
    assert any(line.startswith("? INCONCLUSIVE") for line in told)
    assert verified(own, newest(own)) == 0


def test_a_bug_of_a_plugin_keeps_no_report_from_being_written(own: pytest.Pytester) -> None:
    own.makeconftest(BROKEN)
    lines = tried(own, wrong(6))
    assert any("INTERNALERROR" in line for line in lines)
    kept = files(newest(own))
    assert made_again(newest(own)) == kept


def test_evidence_of_another_run_is_refused(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    tried(own, wrong(0))
    run = newest(own)
    (run / "SHA256SUMS").unlink()
    evidence = run / EVIDENCE
    evidence.write_bytes(b"".join(evidence.read_bytes().splitlines(keepends=True)[:-1]))
    capsys.readouterr()
    assert report([str(run)]) == 2
    assert capsys.readouterr().err == f"{evidence} does not end where the record says\n"
