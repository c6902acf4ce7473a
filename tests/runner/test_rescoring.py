"""A finished or interrupted run is believed as far as its exchanges bear it out."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from readiness.cli.rescore import rescore
from readiness.evidence import run_folder
from readiness.evidence.log import GENESIS, Evidence, sha256
from readiness.evidence.redaction import Secrets
from readiness.score import PASSED
from tests.user_checks import Endpoint, one_endpoint, record, wrong

Json = dict[str, Any]
Change = Callable[[Sequence[Json]], Sequence[Json]]
CHANGED_MEANWHILE = """
import pytest
from readiness.cli.item import RUN

@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    if nextitem is None:
        with item.config.stash[RUN].evidence.path.open("r+b") as evidence:
            evidence.seek(evidence.read().index(b"word 1 "))
            evidence.write(b"word 7 ")
"""


@pytest.fixture
def own(pytester: pytest.Pytester) -> Iterator[Endpoint]:
    with one_endpoint(pytester) as endpoint:
        yield endpoint


def rewritten(folder: Path, change: Change) -> None:
    """Change the evidence of a run, and make its chain and its record's head anew."""
    path, head, lines = folder / "evidence.jsonl", GENESIS, []
    for entry in change([json.loads(line) for line in path.read_bytes().splitlines()]):
        lines.append(json.dumps({**entry, "prev": head}).encode())
        head = sha256(lines[-1])
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    text = (folder / "readiness.json").read_text("utf-8")
    found = json.loads(text)
    found["evidence"]["head"] = head
    (folder / "readiness.json").write_text(json.dumps(found), "utf-8")
    (folder / "SHA256SUMS").unlink()


def all_passed(entries: Sequence[Json]) -> Sequence[Json]:
    passed = {"outcome": "pass", "reason": "", "reason_kind": ""}
    return [{**each, **(passed if each["kind"] == "trial" else {})} for each in entries]


def one_reply_changed(entries: Sequence[Json]) -> Sequence[Json]:
    return [
        {**each, "body": each["body"].replace("beep 3", "3")}
        if each["kind"] == "exchange"
        else each
        for each in entries
    ]


def cut_before_the_failures(entries: Sequence[Json]) -> Sequence[Json]:
    failed = next(at for at, each in enumerate(entries) if each.get("outcome") == "fail")
    return entries[:failed]


def without_failed_trials(entries: Sequence[Json]) -> Sequence[Json]:
    return [each for each in entries if each.get("outcome") != "fail"]


@pytest.fixture
def failing(own: Endpoint) -> Path:
    """The folder of a run that was not ready."""
    assert own.run(wrong(20), "--keep-going").ret == 1
    return own.latest


@pytest.mark.parametrize("change", [all_passed, one_reply_changed])
@pytest.mark.parametrize("option", ["--resume", "--baseline", "--earlier"])
def test_trials_that_exchanges_do_not_bear_out_are_refused(
    own: Endpoint, failing: Path, change: Change, option: str
) -> None:
    rewritten(failing, change)
    before = (failing / "evidence.jsonl").read_bytes()
    seed = ("--seed", "1") if option == "--earlier" else ()
    result = own.run(wrong(0), option, str(failing), *seed)
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*the evidence fails its integrity check: *words.*"])
    assert (failing / "evidence.jsonl").read_bytes() == before


@pytest.mark.parametrize("option", ["--resume", "--baseline"])
def test_evidence_that_was_cut_is_refused(own: Endpoint, failing: Path, option: str) -> None:
    lines = (failing / "evidence.jsonl").read_bytes().splitlines(keepends=True)
    (failing / "evidence.jsonl").write_bytes(b"".join(lines[:40]))
    (failing / "SHA256SUMS").unlink()
    result = own.run(wrong(0), option, str(failing))
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*does not end where the record *"])


@pytest.mark.parametrize("change", [cut_before_the_failures, without_failed_trials])
def test_trials_that_were_left_out_are_scored_again(
    own: Endpoint, failing: Path, change: Change
) -> None:
    """As in a run that was interrupted, which has no record yet."""
    rewritten(failing, change)
    (failing / "readiness.json").unlink()
    assert own.run(wrong(20), "--resume", str(failing)).ret == 1


@pytest.mark.parametrize("option", ["--resume", "--baseline"])
def test_a_file_that_is_not_as_the_digests_say_is_refused(
    own: Endpoint, failing: Path, option: str
) -> None:
    (failing / "more.txt").write_text("ready")
    result = own.run(wrong(0), option, str(failing))
    assert result.ret == 11
    told = f"the evidence fails its integrity check: *{failing.name} is not as it was written: "
    result.stdout.fnmatch_lines([f"{told}more.txt was added"])


def test_what_was_changed_is_named_before_what_follows_from_it(
    own: Endpoint, failing: Path
) -> None:
    evidence = failing / "evidence.jsonl"
    evidence.write_bytes(evidence.read_bytes().replace(b"beep 3", b"beep 4", 1))
    result = own.run(wrong(0), "--baseline", str(failing))
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*is not as it was written: evidence.jsonl was changed"])


def test_an_intact_run_is_resumed_and_scores_nothing_twice(own: Endpoint, failing: Path) -> None:
    before = record(own.own)["dimensions"]
    result = own.run(wrong(20), "--resume", str(failing))
    assert result.ret == 1
    assert record(own.own)["dimensions"] == before
    entries = (failing / "evidence.jsonl").read_bytes().splitlines()
    assert sum(b'"kind": "trial"' in each for each in entries) == 80


def test_a_run_is_resumed_by_one_process_alone(own: Endpoint, failing: Path) -> None:
    with run_folder.locked(failing):
        result = own.run(wrong(20), "--resume", str(failing))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{failing} is being written by another process"])
    assert list(run_folder.differences(failing)) == []


def test_a_run_whose_evidence_was_changed_meanwhile_is_never_ready(own: Endpoint) -> None:
    own.own.makeconftest(CHANGED_MEANWHILE)
    result = own.run(wrong(0))
    assert result.ret == 11
    assert record(own.own)["verdict"] == "inconclusive"
    assert record(own.own)["exit_status"] == 11
    result.stdout.fnmatch_lines(["the evidence fails its integrity check: evidence.jsonl*"])


def test_a_run_of_an_earlier_version_says_what_its_evidence_lacks(
    failing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def older(entries: Sequence[Json]) -> Sequence[Json]:
        header, *rest = entries
        return [{name: each for name, each in header.items() if name != "machine"}, *rest]

    rewritten(failing, older)
    capsys.readouterr()
    assert rescore([str(failing)]) == 2
    assert "of an earlier version, does not tell 'machine'" in capsys.readouterr().err


def test_what_comes_after_the_end_is_neither_written_nor_counted(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Evidence(path, Secrets([])) as evidence:
        evidence.open({"model": "mini"})
    head, written = evidence.head, path.read_bytes()
    with pytest.raises(ValueError, match="closed file"):
        evidence.trial({"check": "c", "probe": "p", "trial": 0}, PASSED, [], "")
    assert (evidence.head, path.read_bytes()) == (head, written)


def test_a_run_of_another_endpoint_is_no_baseline(own: Endpoint) -> None:
    """The record's target follows from the exchanges, too."""
    assert own.run(wrong(0)).ret == 0
    folder = own.latest
    found = json.loads((folder / "readiness.json").read_text("utf-8"))
    found["target"]["window"] = 4096
    (folder / "readiness.json").write_text(json.dumps(found), "utf-8")
    (folder / "SHA256SUMS").unlink()
    result = own.run(wrong(0), "--baseline", str(folder))
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*the endpoint said otherwise: window: 4096 *"])
