"""A finished run: what is read from its folder, and when it is refused."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from readiness.baseline.comparability import difference
from readiness.baseline.finished_run import (
    FinishedRun,
    FinishedRunError,
    RecordedTrial,
    read,
    read_finished_run,
    seed,
)
from readiness.evidence.log import Evidence, EvidenceIntegrityError
from readiness.evidence.redaction import Secrets
from readiness.exchange import Arrival, Exchange, Fault
from readiness.score import PASSED, SETTLED, Outcome, failed
from tests.example_records import CLIENT, check, dimension
from tests.miniature import completion

RECORD: dict[str, Any] = {
    "schema": "readiness/1",
    "verdict": "ready",
    "score": 100,
    "exit_status": 0,
    "deciding": [],
    "problem": "",
    "profile": "ci",
    "seed": 0,
    "concurrency": 8,
    "target": {"endpoint": "http://host/v1", "model": "mini"},
    "harness": {
        "version": "1",
        "policy": "own",
        "policy_sha256": "a" * 64,
        "prompts_sha256": "b" * 64,
        "openai_sdk": "3",
    },
    "started": "2026-11-23T00:00:00Z",
    "finished": "2026-11-23T00:00:01Z",
    "requests": {"sent": 1, "retried": 0, "failed": 0},
    "tokens": {"prompt": 5, "completion": 5},
    "machine": {"hardware": "", "quantization": "", "metrics": "", "webui": ""},
    "client": CLIENT,
    "license_evidence": {},
    "waivers": [],
    "dimensions": [],
}
MADE_WITH: dict[str, Any] = {
    "profile": "ci",
    "seed": 0,
    "sampling": {"temperature": 0},
    "warm": False,
    "harness": RECORD["harness"],
    "items": {"words.repeats": "1", "words.answers": "2"},
}
STREAM = (
    b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": '
    b'{"role": "assistant", "content": "hal"}}]}\n\n'
    b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": '
    b'{"content": "lo"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)


def exchange(body: bytes, kind: str = "application/json", fault: Fault | None = None) -> Exchange:
    arrivals = (Arrival(1, len(body)),)
    status = None if fault else 200
    return Exchange(
        {}, status, {"content-type": kind}, body, arrivals, fault, "cut", 0.0, 2 * 10**9
    )


@contextmanager
def written(folder: Path, header: Mapping[str, Any] = MADE_WITH, **more: Any) -> Iterator[Evidence]:
    """A run of one check, which is over when the context ends."""
    with Evidence(folder / "evidence.jsonl", Secrets([])) as evidence:
        evidence.open({"model": "mini", "started": RECORD["started"], **header})
        yield evidence
    told = {"file": "evidence.jsonl", "exchanges": evidence.exchanges, "head": evidence.head}
    record = {**RECORD, "evidence": told, **more}
    (folder / "readiness.json").write_text(json.dumps(record))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with written(tmp_path) as evidence:
        about = {"check": "words.repeats", "probe": "w.0", "trial": 0}
        evidence.exchange(exchange(completion("hallo")), about)
        evidence.trial(about, PASSED, [0], "")
        evidence.trial({**about, "trial": 1}, failed("why"), [], "")
    return tmp_path


def test_a_finished_run_has_its_trials_durations_and_verdict(folder: Path) -> None:
    found = read_finished_run(folder)
    assert found.trials == {
        ("words.repeats", 0): RecordedTrial("w.0", Outcome.PASS, (0,)),
        ("words.repeats", 1): RecordedTrial("w.0", Outcome.FAIL),
    }
    assert (found.duration([0]), found.duration([])) == (2.0, 0)
    assert (found.verdict, found.concurrency, found.target["model"]) == ("ready", 8, "mini")


def test_the_record_can_be_named_and_so_can_a_link(folder: Path) -> None:
    link = folder.parent / "latest"
    link.symlink_to(folder)
    named = [read_finished_run(each) for each in (folder, link, folder / "readiness.json")]
    assert [each.evidence for each in named] == [folder.resolve() / "evidence.jsonl"] * 3


@pytest.mark.parametrize(
    ("sent", "reply"),
    [
        (exchange(completion("grüß dich")), '{"content": "grüß dich"}'),
        (exchange(STREAM, "text/event-stream"), '{"content": "hallo"}'),
        (exchange(b"", fault=Fault.RESET), "connection lost: cut: "),
        (exchange(b"<html>"), "malformed response: *<html>"),
        (exchange(b"\xff\x00"), "malformed response: *\ufffd\x00"),
    ],
)
def test_what_was_said_can_be_read_again(tmp_path: Path, sent: Exchange, reply: str) -> None:
    with written(tmp_path) as evidence:
        evidence.exchange(sent, {"check": "c", "probe": "p", "trial": 0})
    found = read(tmp_path / "evidence.jsonl").replies([0, 7])
    start, _, end = reply.partition("*")
    assert list(found) == [0]
    assert found[0].startswith(start)
    assert found[0].endswith(end)


def changed(folder: Path) -> None:
    evidence = folder / "evidence.jsonl"
    evidence.write_text(evidence.read_text().replace('"outcome": "pass"', '"outcome": "fail"', 1))


def cut(folder: Path) -> None:
    evidence = folder / "evidence.jsonl"
    evidence.write_bytes(b"".join(evidence.read_bytes().splitlines(keepends=True)[:-1]))


def emptied(folder: Path) -> None:
    (folder / "evidence.jsonl").write_bytes(b"")


def torn(folder: Path) -> None:
    (folder / "readiness.json").write_text("{")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed, "the chain of evidence is broken: evidence.jsonl:4 does not follow the line"),
        (cut, "evidence.jsonl does not end where the record says"),
        (emptied, "evidence.jsonl does not end where the record says"),
        (torn, "readiness.json is not JSON: "),
    ],
)
def test_a_changed_folder_fails_its_integrity_check(
    folder: Path, change: Callable[[Path], None], said: str
) -> None:
    change(folder)
    with pytest.raises(EvidenceIntegrityError, match=said):
        read_finished_run(folder)


def no_evidence(folder: Path) -> None:
    (folder / "evidence.jsonl").unlink()


def no_record(folder: Path) -> None:
    (folder / "readiness.json").unlink()


def of_another_time(folder: Path) -> None:
    (folder / "readiness.json").write_text(json.dumps({**RECORD, "schema": "readiness/0"}))


def without_trials(folder: Path) -> None:
    no_evidence(folder)
    with written(folder):
        pass


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (no_evidence, "there is no evidence.jsonl next to the record"),
        (no_record, "has no readiness.json: name the folder of a run"),
        (of_another_time, r"readiness.json: \$: "),
        (without_trials, "no check was tried in that run: choose another"),
    ],
)
def test_a_folder_that_is_no_run_is_the_user_s_mistake(
    folder: Path, change: Callable[[Path], None], said: str
) -> None:
    change(folder)
    with pytest.raises(FinishedRunError, match=said):
        read_finished_run(folder)


@pytest.mark.parametrize(("passed", "controls"), [(1, 0), (0, 1), (2, 0), (0, 0)])
def test_a_record_counts_the_passed_trials_that_the_evidence_has(
    tmp_path: Path, passed: int, controls: int
) -> None:
    told = check(
        "words.repeats", "not ready", passed=passed, controls={"trials": 1, "passed": controls}
    )
    others = check("words.answers", passed=0, doubts=["a control item fails"])
    with written(tmp_path, dimensions=[dimension("words", told, others)]) as evidence:
        about = {"check": "words.repeats", "probe": "w.0", "trial": 0}
        evidence.trial(about, PASSED, [], "")
        evidence.trial({**about, "trial": 1}, failed("why"), [], "")
        evidence.trial({**about, "trial": 2}, failed("why"), [], "")
    if passed + controls == 1:
        found = read_finished_run(tmp_path)
        assert found.verdicts == {"words.repeats": "not ready", "words.answers": "ready"}
        assert found.doubtful == {"words.answers"}
        return
    said = f"words.repeats has {passed} passed trials, and 1 in evidence"
    with pytest.raises(EvidenceIntegrityError, match=said):
        read_finished_run(tmp_path)


def test_trials_that_were_not_made_and_repeated_ones_are_told_apart(tmp_path: Path) -> None:
    about = {"check": "c", "probe": "p", "trial": 0}
    with written(tmp_path) as evidence:
        evidence.trial(about, PASSED, [1], "")
        evidence.trial({**about, "trial": 1}, SETTLED, [], "")
        evidence.trial({**about, "repeat": True}, failed("why"), [2], "")
    found = read(tmp_path / "evidence.jsonl")
    assert found.trials == {
        ("c", 0): RecordedTrial("p", Outcome.PASS, (1,)),
        ("c", 1): RecordedTrial("p", Outcome.SKIPPED, made=False),
    }
    assert found.repeated_trials == {("c", 0): RecordedTrial("p", Outcome.FAIL, (2,))}
    # Evidence from before this was recorded has only trials that were made.
    path = tmp_path / "evidence.jsonl"
    path.write_text(path.read_text().replace('"made": false, ', ""))
    assert read(path).trials["c", 1] == RecordedTrial("p", Outcome.SKIPPED)


@pytest.mark.parametrize(
    ("first", "again", "disagreement"),
    [
        ("pfpf", "pffp", (2, 4)),
        ("ppff", "pe", (1, 2)),  # what was not repeated is not counted
        ("pp", "ppff", (0, 2)),
        ("p?sf", "??pe", (0, 1)),  # a failure and an error are the same
        ("", "", (0, 0)),
    ],
)
def test_repeated_trials_disagree_where_one_passed_and_the_other_failed(
    first: str, again: str, disagreement: tuple[int, int]
) -> None:
    whole = FinishedRun(Path("e"), {}, recorded(first), {}, repeated_trials=recorded(again))
    assert whole.repeat_disagreement == disagreement


def recorded(letters: str) -> dict[tuple[str, int], RecordedTrial]:
    outcomes = {"p": Outcome.PASS, "f": Outcome.FAIL, "e": Outcome.ENDPOINT_ERROR}
    outcomes |= {"?": Outcome.UNDETERMINED, "s": Outcome.SKIPPED}
    return {("c", n): RecordedTrial(f"{n}", outcomes[each]) for n, each in enumerate(letters)}


def test_the_seed_of_a_run_is_read_from_its_folder_or_its_record(folder: Path) -> None:
    assert [seed(folder), seed(folder / "readiness.json")] == [0, 0]
    assert seed(folder / "none" / "readiness.json") is None


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[1]", "[" * 10**5, '{"seed": "1"}', '{"seed": true}', '{"seed": null}']
)
def test_what_is_no_evidence_has_no_seed(tmp_path: Path, text: str) -> None:
    (tmp_path / "evidence.jsonl").write_text(text)
    assert seed(tmp_path) is None


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ({}, ""),
        ({"items": {"words.repeats": "1", "words.more": "3"}}, ""),
        ({"seed": 1}, "its seed is 0, and here it is 1"),
        ({"profile": "full"}, "its profile is ci, and here it is full"),
        ({"warm": True}, "its warm is False, and here it is True"),
        ({"sampling": {}}, "its sampling is {'temperature': 0}, and here it is {}"),
        ({"harness": {"version": "2"}}, "its version is 1, and here it is 2"),
        (
            {"harness": {"policy_sha256": "c" * 64}},
            f"its policy_sha256 is {'a' * 24}, and here it is {'c' * 24}",
        ),
        (
            {"harness": {"prompts_sha256": "c" * 64}},
            f"its prompts_sha256 is {'b' * 24}, and here it is {'c' * 24}",
        ),
        ({"harness": {"openai_sdk": "4", "policy": "renamed"}}, ""),
        ({"items": {"words.repeats": "9"}}, "its probes of words.repeats are different"),
        (
            {"items": {"words.repeats": "9", "words.answers": "9"}},
            "its probes of words.answers are different",
        ),
        ({"items": {"other.check": "1"}}, "it has no check in common with this run"),
    ],
)
def test_two_runs_can_be_compared_where_what_was_asked_is_the_same(
    ours: dict[str, Any], said: str
) -> None:
    harness = {**MADE_WITH["harness"], **ours.pop("harness", {})}
    assert difference(MADE_WITH, {**MADE_WITH, **ours, "harness": harness}) == said
