"""Which earlier runs are pooled with a run, and which of their trials, by exact figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from readiness.baseline.earlier_runs import (
    EarlierRunRejected,
    held_against,
    of_the_same_build,
    pool_earlier_runs,
    read,
    require_poolable,
    require_same_build,
)
from readiness.baseline.finished_run import FinishedRun, RecordedTrial
from readiness.chat import Chat
from readiness.check import check
from readiness.policy.plan import PlannedCheck, plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.score import PASSED, Score
from readiness.verdict.claim import Claim, Tally, Verdict
from readiness.verdict.result import PooledRuns, Result, Trial
from tests.baseline.test_comparison import LETTERS
from tests.baseline.test_finished_run import RECORD, written

TRIALS = 60
POLICY = load()


async def repeats(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST repeat a word."""
    return PASSED


def words(seed: int, trials: int, shared: str = "") -> list[Probe]:
    """Probes of a seed, but for the last, which is the same of every seed, and a control."""
    asked = [f"{n} {seed}" if n < trials - 1 else "always" for n in range(trials)]
    made = [
        Probe(f"w.{n}", [{"role": "user", "content": each}], cluster=shared)
        for n, each in enumerate(asked)
    ]
    return [*made, Probe("easy", [{"role": "user", "content": f"easy {seed}"}], control=True)]


def clustered(seed: int, trials: int) -> list[Probe]:
    return words(seed, trials, "one")


def planned(
    required: float, source: Callable[[int, int], list[Probe]] = words, seed: int = 0
) -> PlannedCheck:
    checks = [check(source, required=required, trials=TRIALS)(repeats)]
    (found,) = plan(checks, POLICY, "ci", seed)
    # What is pooled is judged by the same claim, whatever the policy has for others.
    return replace(found, claim=Claim(required, 0.05, 0.05, TRIALS))


RATE, RULE, CLUSTERED = planned(0.8), planned(1.0), planned(0.8, clustered)
NAME = RATE.check.id


def letters(passed: int) -> str:
    """The control, which is tried first, passes, and so do the next few."""
    return "p" + "p" * passed + "f" * (TRIALS - passed)


def earlier(
    tried: str,
    seed: int = 1,
    name: str = "kept",
    verdict: Verdict = Verdict.READY,
    of: PlannedCheck = RATE,
    **more: Any,
) -> FinishedRun:
    """A run that is over, whose trials have the outcomes that letters stand for; - is not made."""
    trials = {
        (NAME, n): RecordedTrial(of.probes[n].id, LETTERS[each.replace("-", "s")], made=each != "-")
        for n, each in enumerate(tried)
    }
    digest = replace(of, probes=of.check.probes(seed, TRIALS)).probes_digest
    header = {**ABOUT, "seed": seed, "items": {NAME: digest}}
    told = {NAME: str(verdict)}
    path = Path(name) / "evidence.jsonl"
    return FinishedRun(path, header, trials, {}, verdicts=told, head=f"{name} {seed}", **more)


def result(of: PlannedCheck, tried: str) -> Result:
    trials = [
        Trial(probe.id, n, Score(LETTERS[each]), control=probe.control, cluster=probe.cluster)
        for n, (probe, each) in enumerate(zip(of.probes, tried, strict=True))
    ]
    return Result(of.check, of.claim, trials)


ABOUT: dict[str, Any] = {
    "seed": 0,
    "profile": "ci",
    "extra_body_sha256": "c",
    "sampling": {"temperature": 0},
    "build": "",
    "model": "mini",
    "endpoint": "http://host/v1",
    "harness": RECORD["harness"],
}


def together(*trials: Tally) -> Tally:
    """Trials of 60 probes, of which these are of the last few."""
    return Tally.of([*[Tally(2)] * (TRIALS - len(trials)), *trials])


# Which trials are pooled


@pytest.mark.parametrize(
    ("runs", "tally", "count"),
    [
        # The last probe is the same of every seed, and the control is not counted.
        (["p" * 61], together(Tally(1)), 2),
        (["p" * 60 + "f"], together(Tally(1)), 2),
        (["f" + "p" * 58 + "fp"], together(Tally(1, 1), Tally(1)), 2),
        (["p" * 59 + "?p"], together(Tally(1, 0, 1), Tally(1)), 2),
        (["p" * 59 + "sp"], together(Tally(1, 0, 1), Tally(1)), 2),
        (["p" * 59 + "-p"], together(Tally(1), Tally(1)), 2),
        (["p" * 61, "p" * 61], Tally.of([*[Tally(3)] * 59, Tally(1)]), 3),
        ([""], None, 1),
    ],
)
def test_trials_of_a_probe_are_pooled_with_those_of_its_name_and_no_request_counts_twice(
    runs: Sequence[str], tally: Tally | None, count: int
) -> None:
    open_now = replace(result(RATE, "p" * 61), decided=Verdict.INCONCLUSIVE)
    before = [earlier(tried, seed) for seed, tried in enumerate(runs, 1)]
    found = pool_earlier_runs(before, RATE, open_now)
    assert found.pooled == (PooledRuns(RATE.claim, tally, count) if tally else None)


def test_passes_of_a_check_in_doubt_show_nothing_and_its_failures_do() -> None:
    open_now = replace(result(RATE, "p" * 61), decided=Verdict.INCONCLUSIVE)
    doubtful = earlier("p" * 59 + "fp", doubtful=frozenset({NAME}))
    found = pool_earlier_runs([doubtful], RATE, open_now)
    parts = [*[Tally(1, 0, 1)] * 58, Tally(1, 1), Tally(1)]
    assert found.pooled == PooledRuns(RATE.claim, Tally.of(parts), 2)


@pytest.mark.parametrize(
    ("of", "decided"),
    [
        (RATE, Verdict.READY),
        (RATE, Verdict.NOT_READY),
        (CLUSTERED, Verdict.INCONCLUSIVE),  # its trials are not independent
    ],
)
def test_nothing_is_pooled_with_what_is_decided_or_shares_documents(
    of: PlannedCheck, decided: Verdict
) -> None:
    alone = replace(result(of, "p" * 61), decided=decided)
    assert pool_earlier_runs([earlier("p" * 61, of=of)], of, alone) is alone


def test_a_rule_has_the_failures_of_all_earlier_runs_without_controls() -> None:
    alone = result(RULE, "p" * 61)
    runs = [earlier("pffe" + "p" * 57), earlier("f" + "p" * 57 + "s?u"), earlier("")]
    assert pool_earlier_runs(runs, RULE, alone).pooled == PooledRuns(RULE.claim, alone.tally, 3, 4)
    clean = [earlier("p" * 61)]
    assert pool_earlier_runs(clean, RULE, alone).pooled == PooledRuns(RULE.claim, alone.tally, 2)
    others = {("words.other", 0): RecordedTrial("w.0", LETTERS["f"])}
    mixed = replace(clean[0], trials={**clean[0].trials, **others})
    assert pool_earlier_runs([mixed], RULE, alone).pooled == PooledRuns(RULE.claim, alone.tally, 2)


# What other runs of the build say against a run


def test_failures_of_a_rule_in_other_runs_and_in_those_pooled_are_added_up() -> None:
    alone = result(RULE, "p" * 61)
    runs = [earlier("pff" + "p" * 58), earlier("p" * 61), earlier("")]
    tally = alone.tally
    assert held_against(runs, RULE, alone).pooled == PooledRuns(RULE.claim, tally, 3, 2)
    pooled = replace(alone, pooled=PooledRuns(RULE.claim, tally, 4, 5))
    assert held_against(runs, RULE, pooled).pooled == PooledRuns(RULE.claim, tally, 6, 7)
    assert held_against(runs[1:], RULE, pooled).pooled == PooledRuns(RULE.claim, tally, 5, 5)
    assert held_against(runs[1:], RULE, alone) is alone
    assert held_against(runs[2:], RULE, pooled) is pooled


def bad(passed: int = 25, seed: int = 1, **more: Any) -> FinishedRun:
    return earlier(letters(passed), seed, verdict=Verdict.NOT_READY, **more)


#: With sixty that pass, 25 of 59 with other requests.
WITH_BAD = together(*[Tally(1, 1)] * 34, Tally(1))
WITH_BOTH = Tally.of([*[Tally(3)] * 25, *[Tally(2, 1)] * 34, Tally(1)])


@pytest.mark.parametrize(
    ("runs", "tally", "count"),
    [
        ([bad()], WITH_BAD, 2),
        ([bad(), earlier("p" * 61, 2)], WITH_BOTH, 3),
        # The same requests add nothing, and a failure with them cannot be outweighed.
        ([bad(seed=0)], Tally(), 2),
        ([bad(), earlier("p" * 61, 0)], WITH_BAD, 2),
        ([bad(), earlier("p" * 61, 1, "again")], WITH_BAD, 2),
        ([bad(), bad(name="again")], Tally(), 3),
        ([bad(), bad(seed=0)], Tally(), 3),
        ([bad(), earlier("", 2)], WITH_BAD, 2),
        ([earlier("p" * 61)], None, 1),
    ],
)
def test_a_run_that_did_not_meet_a_rate_binds_one_that_does(
    runs: Sequence[FinishedRun], tally: Tally | None, count: int
) -> None:
    found = held_against(runs, RATE, result(RATE, "p" * 61))
    bound = PooledRuns(RATE.claim, tally, count, binding=True) if tally else None
    assert found.pooled == bound


def test_runs_whose_trials_share_documents_bind_and_are_not_pooled() -> None:
    alone = replace(result(CLUSTERED, "p" * 61), decided=Verdict.READY)
    found = held_against([bad(of=CLUSTERED)], CLUSTERED, alone)
    assert found.pooled == PooledRuns(CLUSTERED.claim, Tally(), 2, binding=True)


def test_a_run_whose_probes_are_no_longer_made_binds_and_is_not_pooled() -> None:
    other = bad()
    changed = replace(other, evidence_header={**other.evidence_header, "items": {NAME: "9"}})
    found = held_against([changed], RATE, result(RATE, "p" * 61))
    assert found.pooled == PooledRuns(RATE.claim, Tally(), 2, binding=True)


def test_what_a_run_leaves_open_others_may_make_not_ready_and_never_ready() -> None:
    open_now = result(RATE, letters(49))
    assert open_now.verdict is Verdict.INCONCLUSIVE
    worse = held_against([bad()], RATE, open_now)
    parts = [*[Tally(2)] * 25, *[Tally(1, 1)] * 24, *[Tally(0, 2)] * 10, Tally(0, 1)]
    assert worse.pooled == PooledRuns(RATE.claim, Tally.of(parts), 2)
    better = [earlier("p" * 61, seed) for seed in (1, 2, 3)]
    assert held_against(better, RATE, open_now) is open_now
    shared = replace(result(CLUSTERED, letters(49)), decided=Verdict.INCONCLUSIVE)
    assert held_against([bad(0, of=CLUSTERED)], CLUSTERED, shared) is shared
    lost = result(RATE, letters(20))
    assert held_against([bad()], RATE, lost) is lost


# Which runs may be pooled


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([earlier("p", 1), earlier("p", 2, "other")], ""),
        (
            [earlier("p", 0)],
            "kept adds nothing: its seed is 0, as in this run: the same probes show nothing new",
        ),
        (
            [earlier("p", 1), earlier("p", 1, "other")],
            "other adds nothing: its seed is 1, as in kept: the same probes show nothing new",
        ),
        (
            [replace(earlier("p"), evidence_header={**ABOUT, "seed": 1, "profile": "full"})],
            "kept cannot be added: its profile is full, and here it is ci",
        ),
        (
            [replace(earlier("p"), evidence_header={**ABOUT, "seed": 1, "items": {NAME: "9"}})],
            f"kept cannot be added: its probes of {NAME} are different",
        ),
        ([replace(earlier("p"), evidence_header={**ABOUT, "seed": 1, "items": {"a.b": "9"}})], ""),
    ],
)
def test_runs_of_other_seeds_and_equal_settings_can_be_pooled(
    runs: Sequence[FinishedRun], said: str
) -> None:
    assert refused(lambda: require_poolable(runs, [RATE], ABOUT)) == said


def refused(required: Callable[[], None]) -> str:
    """Why runs are refused, or an empty string."""
    try:
        required()
    except EarlierRunRejected as error:
        return str(error).removeprefix("--earlier ")
    return ""


def test_probes_of_clusters_are_not_made_again_to_be_compared() -> None:
    run = earlier("p", of=CLUSTERED)
    changed = replace(run, evidence_header={**run.evidence_header, "items": {NAME: "9"}})
    require_poolable([changed], [CLUSTERED], ABOUT)


def test_runs_of_another_build_are_refused_by_name() -> None:
    same, other = (earlier("p", target={"server": each, "window": 9}) for each in "ab")
    said = refused(lambda: require_same_build([same, other], {"server": "a", "window": 8}))
    assert said == "kept is of another build: window: 9 → 8"
    said = refused(lambda: require_same_build([same, other], {"server": "a", "window": 9}))
    assert said == "kept is of another build: server: b → a"
    assert refused(lambda: require_same_build([same], {"server": "a", "window": 9})) == ""


# Runs of the same build that are found


def made(reports: Path, name: str, header: Mapping[str, Any] | None = None) -> Path:
    """The folder of a run of one trial."""
    folder = reports / name
    folder.mkdir(parents=True)
    with written(folder, {**ABOUT, **(header or {})}) as evidence:
        evidence.trial({"check": NAME, "probe": "w.0", "trial": 0}, PASSED, [], "")
    return folder


def found_in(
    reports: Path, about: Mapping[str, Any] | None = None, left_out: Sequence[Path] = ()
) -> list[str]:
    identity = RECORD["target"]
    found = of_the_same_build(reports, identity, {**ABOUT, **(about or {})}, left_out)
    return [each.evidence.parent.name for each in found]


def test_earlier_runs_are_read_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    folders = [made(tmp_path, name) for name in "ba"]
    assert [each.evidence.parent for each in read(folders)] == folders


def test_runs_of_a_build_are_found_oldest_first_and_each_once(tmp_path: Path) -> None:
    folders = [made(tmp_path, name) for name in "bca"]
    (tmp_path / "latest").symlink_to(folders[1])
    (tmp_path / "junit.xml").write_text("<testsuites/>")
    assert found_in(tmp_path) == ["a", "b", "c"]
    assert found_in(tmp_path, left_out=[tmp_path / "latest", tmp_path / "a" / ".." / "a"]) == ["b"]


@pytest.mark.parametrize(
    "other",
    [
        {"profile": "full"},
        {"sampling": {}},
        {"model": "other"},
        {"build": "1.1"},
        {"extra_body_sha256": "d"},
        {"endpoint": "http://other/v1"},
        {"harness": {**ABOUT["harness"], "version": "2"}},
        {"harness": None},
    ],
)
def test_runs_with_other_settings_are_of_another_build(
    tmp_path: Path, other: Mapping[str, Any]
) -> None:
    made(tmp_path, "a", other)
    made(tmp_path, "b", {"seed": 1})
    assert found_in(tmp_path) == ["b"]


def test_a_build_that_has_a_name_or_a_fingerprint_is_told_without_its_address(
    tmp_path: Path,
) -> None:
    made(tmp_path, "a", {"build": "1.1", "endpoint": "http://other/v1"})
    assert found_in(tmp_path, {"build": "1.1"}) == ["a"]
    target = {**RECORD["target"], "fingerprint": "fp"}
    folder = tmp_path / "of" / "b"
    folder.mkdir(parents=True)
    with written(folder, {**ABOUT, "endpoint": "http://other/v1"}, target=target) as evidence:
        evidence.trial({"check": NAME, "probe": "w.0", "trial": 0}, PASSED, [], "")
    found = of_the_same_build(tmp_path / "of", target, ABOUT)
    assert [each.evidence.parent.name for each in found] == ["b"]
    assert of_the_same_build(tmp_path / "of", {**target, "fingerprint": "fq"}, ABOUT) == []


def header_only(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "evidence.jsonl").write_text(text)


def test_what_is_no_intact_run_is_left_out(tmp_path: Path) -> None:
    made(tmp_path, "a")
    folders = [made(tmp_path, name) for name in "bcde"]
    (folders[0] / "readiness.json").unlink()
    evidence = folders[1] / "evidence.jsonl"
    evidence.write_bytes(evidence.read_bytes().replace(b"w.0", b"w.1"))
    (folders[2] / "SHA256SUMS").mkdir()
    (tmp_path / "d0").mkdir()
    for at, text in enumerate(("", "{", "[1]", "[" * 10**5)):
        header_only(tmp_path / f"d{at + 1}", text)
    assert found_in(tmp_path) == ["a", "e"]


def test_the_nineteen_latest_runs_are_looked_at(tmp_path: Path) -> None:
    names = [f"{at:02}" for at in range(21)]
    for name in names:
        made(tmp_path, name)
    assert found_in(tmp_path) == names[2:]
