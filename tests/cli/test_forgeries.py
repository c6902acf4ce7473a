"""Ways to make a run that was not ready look ready: none of them is believed."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from readiness.cli.rescore import rescore
from readiness.cli.sign import approve, sign, verify
from readiness.evidence import run_folder
from readiness.evidence.log import GENESIS, sha256
from readiness.reporters import surfaces
from tests.cli.test_sign import key
from tests.scripted_server import Script, serving
from tests.user_checks import POLICY, prepare, wrong

Json = dict[str, Any]
UNSOUND, NOTHING_VOUCHES = 11, 10


@dataclass
class Forger:
    """A run that was not ready, one of the same endpoint that was, and all that one may do to them.

    Args:
        own: The user's folder.
        run: The folder of the run that was not ready, which two people have signed.
        good: That of the other.
        url: The endpoint.
        keys: The public keys.
    """

    own: Path
    run: Path
    good: Path
    url: str
    keys: list[Path] = field(default_factory=list)

    @property
    def record(self) -> Json:
        found: Json = json.loads((self.run / "readiness.json").read_text("utf-8"))
        return found

    def write(self, record: Json) -> None:
        """Write a record, with all reports and digests made anew."""
        (self.run / "readiness.json").write_text(json.dumps(record), "utf-8")
        shutil.rmtree(self.run / "allure-results")
        surfaces.write(record, self.run, self.run)
        run_folder.write(self.run)

    def entries(self, change: Callable[[list[Json]], Sequence[Json]]) -> None:
        """Change the evidence, with its chain and the record's head made anew."""
        path, head, lines = self.run / "evidence.jsonl", GENESIS, []
        before = [json.loads(line) for line in path.read_bytes().splitlines()]
        for entry in change(before):
            lines.append(json.dumps({**entry, "prev": head}).encode())
            head = sha256(lines[-1])
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        evidence = {**self.record["evidence"], "head": head}
        record = {**self.record, "evidence": evidence}
        (self.run / "readiness.json").write_text(json.dumps(record), "utf-8")
        run_folder.write(self.run)

    def each(self, change: Callable[[Json], Json]) -> None:
        self.entries(lambda entries: [change(each) for each in entries])

    def ready(self) -> None:
        """A record as of a run that was ready, with its own target, times and end."""
        good = json.loads((self.good / "readiness.json").read_text("utf-8"))
        own = {name: self.record[name] for name in ("target", "started", "finished", "evidence")}
        self.write({**good, **own})


def passed(entry: Json) -> Json:
    if entry["kind"] != "trial" or entry["outcome"] == "pass":
        return entry
    return {**entry, "outcome": "pass", "reason": "", "reason_kind": ""}


def one_word(forger: Forger) -> None:
    text = (forger.run / "readiness.json").read_text("utf-8")
    changed = text.replace('"verdict": "not ready"', '"verdict": "ready"', 1)
    (forger.run / "readiness.json").write_text(changed, "utf-8")
    run_folder.write(forger.run)


def verdict_and_score(forger: Forger) -> None:
    forger.write({**forger.record, "verdict": "ready", "score": 100, "exit_status": 0})


def dimension(forger: Forger) -> None:
    found = forger.record
    found["dimensions"][0] |= {"verdict": "ready", "score": 100}
    forger.write({**found, "verdict": "ready", "score": 100, "exit_status": 0, "deciding": []})


def failing_check_left_out(forger: Forger) -> None:
    found = forger.record
    row = found["dimensions"][0]
    row["checks"] = [each for each in row["checks"] if each["verdict"] == "ready"]
    row |= {"verdict": "ready", "score": 100}
    forger.write({**found, "verdict": "ready", "score": 100, "exit_status": 0, "deciding": []})


def gate_made_advisory(forger: Forger) -> None:
    found = forger.record
    row = found["dimensions"][0]
    row |= {"verdict": "ready", "score": 100}
    for each in row["checks"]:
        each["gate"] = "required" if each["verdict"] == "ready" else "advisory"
    forger.write({**found, "verdict": "ready", "score": 100, "exit_status": 0, "deciding": []})


def less_required(forger: Forger) -> None:
    forger.ready()
    found = forger.record
    for each in found["dimensions"][0]["checks"]:
        each["required"] = 0.1
    forger.write(found)


def waived(forger: Forger) -> None:
    waiver = {"check": "words.repeats", "reason": "known", "owner": "Ana", "approver": "Bo"}
    waiver |= {"expiry": "2999-12-31", "verdict": "not ready"}
    changes = {"waivers": [waiver], "verdict": "ready", "score": 59, "exit_status": 0}
    forger.write({**forger.record, **changes, "deciding": []})


def record_of_a_good_run(forger: Forger) -> None:
    forger.ready()


def page_alone(forger: Forger) -> None:
    shutil.copy(forger.good / "readiness.html", forger.run)
    run_folder.write(forger.run)


def junit_alone(forger: Forger) -> None:
    shutil.copy(forger.good / "junit.xml", forger.run)
    run_folder.write(forger.run)


def badge_alone(forger: Forger) -> None:
    shutil.copy(forger.good / "badge.json", forger.run)
    run_folder.write(forger.run)


def outcomes(forger: Forger) -> None:
    forger.each(passed)


def outcomes_and_record(forger: Forger) -> None:
    forger.each(passed)
    forger.ready()


def failures_as_skipped(forger: Forger) -> None:
    skipped = {"outcome": "skipped", "made": False, "exchanges": [], "said": ""}
    forger.each(lambda each: {**each, **(skipped if each.get("outcome") == "fail" else {})})
    forger.ready()


def failures_left_out(forger: Forger) -> None:
    forger.entries(lambda entries: [each for each in entries if each.get("outcome") != "fail"])
    forger.ready()


def cut_before_the_failures(forger: Forger) -> None:
    def cut(entries: list[Json]) -> list[Json]:
        return entries[: next(n for n, each in enumerate(entries) if each.get("outcome") == "fail")]

    forger.entries(cut)
    forger.ready()


def cut_without_a_new_head(forger: Forger) -> None:
    path = forger.run / "evidence.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:30]))
    run_folder.write(forger.run)


def exchanges_of_another_request(forger: Forger) -> None:
    """Failed trials name the exchanges of one that passed."""
    good: list[int] = []

    def change(entry: Json) -> Json:
        if entry.get("outcome") == "pass" and not good:
            good.extend(entry["exchanges"])
        lent = {"exchanges": [*good]} if entry.get("outcome") == "fail" else {}
        return passed({**entry, **lent})

    forger.each(change)
    forger.ready()


def less_asked(forger: Forger) -> None:
    """Failed replies are moved to requests for what they say."""

    def change(entry: Json) -> Json:
        if entry["kind"] != "exchange" or "beep" not in entry.get("body", ""):
            return passed(entry)
        messages = [{"role": "user", "content": "Repeat: beep"}]
        return {**entry, "request": {**entry["request"], "messages": messages}}

    forger.each(change)
    forger.ready()


def attestation_of_another_run(forger: Forger) -> None:
    forger.ready()
    for attestation in forger.good.glob("attestation.json"):
        shutil.copy(attestation, forger.run)


def another_policy(forger: Forger) -> None:
    """The policy asks for less, under its own name."""
    rules = forger.own / "own.yaml"
    rules.write_text(rules.read_text().replace("ci: 0.05", "ci: 0.5"), "utf-8")
    forger.ready()


FORGERIES = [
    one_word,
    verdict_and_score,
    dimension,
    failing_check_left_out,
    gate_made_advisory,
    less_required,
    waived,
    record_of_a_good_run,
    page_alone,
    junit_alone,
    badge_alone,
    outcomes,
    outcomes_and_record,
    failures_as_skipped,
    failures_left_out,
    cut_before_the_failures,
    cut_without_a_new_head,
    exchanges_of_another_request,
    less_asked,
    attestation_of_another_run,
    another_policy,
]


@dataclass
class Switch:
    script: Script


@pytest.fixture
def forger(pytester: pytest.Pytester) -> Iterator[tuple[Forger, Switch]]:
    own, switch = prepare(pytester), Switch(wrong(0))
    with serving(lambda n, raw: switch.script(n, raw)) as url:
        folders = []
        for script in (wrong(0), wrong(20)):
            switch.script = script
            tried(own, url, "--keep-going")
            folders.append((own.path / "reports/latest").resolve())
        yield Forger(own.path, folders[1], folders[0], url), switch


def tried(own: pytest.Pytester, url: str, *args: str) -> pytest.RunResult:
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", "0"]
    return own.runpytest(*options, "--endpoint", url, *args, ".")


def options(forger: Forger) -> list[str]:
    rules, checks = forger.own / "own.yaml", forger.own / "check_words.py"
    return [str(forger.run), "--policy", str(rules), "--checks", str(checks)]


def test_runs_that_nobody_has_touched_are_believed(
    forger: tuple[Forger, Switch], capsys: pytest.CaptureFixture[str]
) -> None:
    one, _ = forger
    capsys.readouterr()
    assert verify([*options(one), "--rescore"]) == 0
    assert rescore(options(one)) == 0
    assert capsys.readouterr().out == (
        "not ready, score 59: every file and the chain are intact; 80 trials were scored again, "
        "and the record follows from them; no signature was checked (--key)\n"
        "80 trials were scored again, and the record follows from them\n"
    )


def test_no_forgery_is_verified(forger: tuple[Forger, Switch], tmp_path: Path) -> None:
    """Neither as it is nor signed before, neither with its keys nor without."""
    one, _ = forger
    pairs = [key(tmp_path, name) for name in ("tester", "approver")]
    signed_by_both(one, one.good, pairs)
    found = {}
    for forgery in FORGERIES:
        for signed in (False, True):
            with restored(one, tmp_path):
                if signed:
                    signed_by_both(one, one.run, pairs)
                forgery(one)
                named = [str(each) for _, public in pairs for each in ("--key", public)]
                found[forgery.__name__, signed, False] = verify(options(one))
                found[forgery.__name__, signed, True] = verify([*options(one), *named])
    # That a policy is not here proves no forgery: nothing vouches for such a run.
    others = {name: status for name, status in found.items() if status != UNSOUND}
    assert others == {("another_policy", False, False): NOTHING_VOUCHES}


@pytest.mark.parametrize("option", ["--resume", "--baseline"])
def test_no_forgery_is_gone_on_with(
    forger: tuple[Forger, Switch], pytester: pytest.Pytester, tmp_path: Path, option: str
) -> None:
    one, switch = forger
    switch.script = wrong(0)
    found = {}
    for forgery in FORGERIES:
        with restored(one, tmp_path):
            forgery(one)
            found[forgery.__name__] = tried(pytester, one.url, option, str(one.run)).ret
    assert [name for name, status in found.items() if status == 0] == []


@contextmanager
def restored(forger: Forger, scratch: Path) -> Iterator[None]:
    """Put the run and the policy back at the end."""
    rules, kept = forger.own / "own.yaml", scratch / "kept"
    shutil.copytree(forger.run, kept)
    yield
    shutil.rmtree(forger.run)
    shutil.move(kept, forger.run)
    rules.write_text(POLICY, "utf-8")


def signed_by_both(forger: Forger, run: Path, pairs: Sequence[tuple[Path, Path]]) -> None:
    (tester, _), (approver, _) = pairs
    assert sign([str(run), "--key", str(tester)]) == 0
    assert approve([str(run), "--key", str(approver)]) == 0
