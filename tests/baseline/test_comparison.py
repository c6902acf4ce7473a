"""The comparison with a baseline: regressions, and non-inferiority that is not shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.baseline.comparison import CheckComparison, RunComparison, TrialPair, compare
from readiness.baseline.finished_run import FinishedRun, RecordedTrial
from readiness.chat import Chat
from readiness.check import Check, check
from readiness.policy.policy import Policy, load
from readiness.probe import Probe
from readiness.score import PASSED, Outcome, Score
from readiness.statistics.paired import Pairs
from readiness.verdict.claim import Claim, Gate, Verdict
from readiness.verdict.matrix import matrix
from readiness.verdict.result import Result, Trial

#: How a letter stands for an outcome.
LETTERS = {
    "p": Outcome.PASS,
    "f": Outcome.FAIL,
    "e": Outcome.ENDPOINT_ERROR,
    "u": Outcome.UNSUPPORTED,
    "s": Outcome.SKIPPED,
    "?": Outcome.UNDETERMINED,
}
outcomes = st.text("".join(LETTERS), min_size=1, max_size=30)
repeated = st.lists(st.tuples(*[st.sampled_from("pfs?e")] * 2), min_size=1, max_size=30)
ARTICLE = load()


async def rate(chat: Chat, probe: Probe) -> Score:
    """It MUST mostly pass."""
    return PASSED


async def rule(chat: Chat, probe: Probe) -> Score:
    """It MUST pass."""
    return PASSED


def checked(of: Any) -> Check:
    return check([Probe(f"{n}", []) for n in range(60)], required=0.9 if of is rate else 1.0)(of)


def result(of: Any, now: str, clusters: int = 0, gate: Gate = Gate.REQUIRED) -> Result:
    made = checked(of)
    claim = Claim(made.required, 0.05, 0.05, len(now), gate=gate)
    trials = [
        Trial(f"{n}", n, Score(LETTERS[each]), (n,), cluster=f"c{n % clusters}" if clusters else "")
        for n, each in enumerate(now)
    ]
    return Result(made, claim, trials)


def past(results: Mapping[str, str], seconds: float = 1.0, **more: Any) -> FinishedRun:
    trials = {
        (name, n): RecordedTrial(f"{n}", LETTERS[each], (n,))
        for name, said in results.items()
        for n, each in enumerate(said)
    }
    times = dict.fromkeys(range(200), seconds)
    return FinishedRun(Path("evidence.jsonl"), {}, trials, times, concurrency=8, **more)


def compared(
    before: str, now: Result, policy: Policy | None = None, waived: Sequence[str] = (), **more: Any
) -> RunComparison:
    name = now.check.id
    rows = matrix([now], {}, {}, {}, waived)
    return compare(past({name: before}), past({}, **more), rows, policy or ARTICLE)


def asking(tmp_path: Path, upgrade: str) -> Policy:
    path = tmp_path / "own.yaml"
    path.write_text(f"schema: readiness-policy/1\nextends: article\nupgrade: {upgrade}\n")
    return load(path)


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ("p" * 60, "p" * 60, Verdict.READY),
        ("p" * 60, "p" * 56 + "f" * 4, Verdict.READY),  # four may be chance: 1 in 16
        ("p" * 60, "p" * 55 + "f" * 5, Verdict.NOT_READY),
        ("p" * 60, "p" * 55 + "e" * 5, Verdict.NOT_READY),  # an error is no pass
        ("p" * 60, "p" * 55 + "s" * 5, Verdict.READY),  # what was not made is not lost
        ("s" * 5 + "p" * 55, "f" * 5 + "p" * 55, Verdict.READY),  # nor what was not made before
        ("f" * 60, "f" * 60, Verdict.READY),  # no worse: it is the check that is not ready
        ("f" * 60, "p" * 60, Verdict.READY),
        ("pf" * 30, "fp" * 30, Verdict.READY),  # as many gained as lost
    ],
)
def test_a_rate_alarms_when_chance_would_not_lose_so_many(
    before: str, now: str, verdict: Verdict
) -> None:
    assert compared(before, result(rate, now)).verdict is verdict


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ("p" * 60, "p" * 59 + "f", Verdict.NOT_READY),  # no chance excuses that
        ("p" * 60, "p" * 59 + "s", Verdict.READY),
        ("p" * 59 + "f", "p" * 59 + "f", Verdict.READY),  # nothing new
        (
            "pppp" + "f" * 6,
            "ppp" + "f" * 6 + "p",
            Verdict.READY,
        ),  # broken before: one lost, one gained
        ("p" * 5, "u" * 5, Verdict.NOT_READY),  # a feature that clients use is gone
        ("u" * 5, "u" * 5, Verdict.READY),
        ("u" * 5, "p" * 5, Verdict.READY),
    ],
)
def test_a_rule_that_was_kept_must_be_kept(before: str, now: str, verdict: Verdict) -> None:
    assert compared(before, result(rule, now)).verdict is verdict


@pytest.mark.parametrize(
    ("pair", "is_lost", "is_gained", "tried", "conclusive", "may_be_lost", "may_be_gained"),
    [
        ("pp", False, False, True, True, False, False),
        ("ff", False, False, True, True, False, False),
        ("pf", True, False, True, True, True, False),
        ("pe", True, False, True, True, True, False),
        ("fp", False, True, True, True, False, True),
        ("up", False, True, True, True, False, True),
        ("p?", False, False, True, False, True, False),
        ("ps", False, False, False, False, True, False),
        ("?p", False, False, True, False, False, True),
        ("sp", False, False, False, False, False, True),
        ("f?", False, False, True, False, False, True),
        ("fs", False, False, False, False, False, True),
        ("?f", False, False, True, False, True, False),
        ("sf", False, False, False, False, True, False),
        ("??", False, False, True, False, True, True),
        ("s?", False, False, False, False, True, True),
    ],
)
def test_what_is_open_may_be_lost_or_gained(
    pair: str,
    is_lost: bool,
    is_gained: bool,
    tried: bool,
    conclusive: bool,
    may_be_lost: bool,
    may_be_gained: bool,
) -> None:
    before, now = (LETTERS[each] for each in pair)
    found = TrialPair(Trial("0", 0, Score(now)), RecordedTrial("0", before))
    assert (found.lost, found.gained) == (is_lost, is_gained)
    assert (found.tried, found.conclusive) == (tried, conclusive)
    assert (found.may_be_lost, found.may_be_gained) == (may_be_lost, may_be_gained)


def test_a_feature_that_neither_has_is_not_compared() -> None:
    assert compared("u" * 5, result(rule, "u" * 5)).checks == []
    assert len(compared("u" * 5, result(rule, "uuuuf")).checks) == 1
    assert len(compared("", result(rule, "u" * 5)).checks) == 1


def test_what_an_interrupted_baseline_lacks_counts_as_skipped() -> None:
    (found,) = compared("pf", result(rate, "ppf")).checks
    assert [each.baseline_trial.outcome for each in found.pairs] == [
        Outcome.PASS,
        Outcome.FAIL,
        Outcome.SKIPPED,
    ]


def test_conclusive_pairs_agree_that_are_neither_lost_nor_gained() -> None:
    found = compared("pppff?sp", result(rate, "pffpfpps"))
    assert (found.pairs, found.agree) == (5, 2)
    (checked,) = found.checks
    assert (len(checked.lost), len(checked.gained), len(checked.tried)) == (2, 1, 6)
    assert checked.differences == [0, 1, 1, -1, 0, -1, -1, 0]


@pytest.mark.parametrize(
    ("before", "now", "clusters", "pairs"),
    [
        ("p" * 60, "p" * 60, 0, Pairs(0, 0, 60)),
        ("p" * 55 + "f" * 5, "f" * 3 + "p" * 57, 0, Pairs(3, 5, 60)),
        ("p" * 60, "f" * 2 + "s" + "p" * 57, 0, Pairs(3, 0, 60)),
        ("p" * 57 + "fs?", "p" * 60, 0, Pairs(0, 1, 60)),  # what was open has not been gained
        # Six clusters of ten, all alike: 1 + 9 * 0.1 trials are worth one.
        ("p" * 60, "p" * 60, 6, Pairs(0, 0, 31)),
        # One whole cluster is lost: a cluster is worth one trial.
        ("p" * 60, "fppppp" * 10, 6, Pairs(1, 0, 6)),
        ("fppppp" * 10, "p" * 60, 6, Pairs(0, 5, 31)),
    ],
)
def test_effective_pairs_are_fewer_where_trials_share_something(
    before: str, now: str, clusters: int, pairs: Pairs
) -> None:
    (found,) = compared(before, result(rate, now, clusters=clusters)).checks
    assert found.effective == pairs


def test_the_bound_that_is_shown_is_of_the_trials_that_were_tried() -> None:
    (found,) = compared("p" * 60, result(rate, "p" * 50 + "s" * 10)).checks
    assert found.at_least == pytest.approx(-(1.6448536**2) / (50 + 1.6448536**2))


def test_conversations_are_lost_or_gained_as_a_whole() -> None:
    lost = result(rate, "f" * 3 + "p" * 57, clusters=3)  # one question of each of three
    (found,) = compared("p" * 60, lost).checks
    assert found.differences == [1, 1, 1]
    assert found.effective.pairs < 60
    many = result(rate, "f" * 30 + "p" * 30, clusters=3)
    assert compared("p" * 60, many).verdict is Verdict.READY  # three can all fall by chance


def test_a_check_that_does_not_gate_regresses_without_consequence() -> None:
    advisory = compared("p" * 60, result(rule, "f" * 60, gate=Gate.ADVISORY))
    waived = compared("p" * 60, result(rule, "f" * 60), waived=["test_comparison.rule"])
    assert [each.id for each in advisory.regressed] == ["test_comparison.rule"]
    assert (advisory.verdict, waived.verdict) == (Verdict.READY, Verdict.READY)


@pytest.mark.parametrize(
    ("trials", "upgrade", "verdict"),
    [
        (10, "{non_inferiority: required}", Verdict.INCONCLUSIVE),  # 10 of 10 against 10 of 10
        (58, "{non_inferiority: required}", Verdict.INCONCLUSIVE),
        (59, "{non_inferiority: required}", Verdict.READY),
        (60, "{non_inferiority: required, margin: 0.02}", Verdict.INCONCLUSIVE),
        (10, "{non_inferiority: advisory}", Verdict.READY),
    ],
)
def test_non_inferiority_must_be_shown_where_the_policy_requires_it(
    tmp_path: Path, trials: int, upgrade: str, verdict: Verdict
) -> None:
    policy = asking(tmp_path, upgrade)
    found = compared("p" * trials, result(rule, "p" * trials), policy)
    assert found.verdict is verdict


def test_a_check_that_the_baseline_has_not_tried_is_not_shown_to_be_as_good(
    tmp_path: Path,
) -> None:
    policy = asking(tmp_path, "{non_inferiority: required}")
    found = compared("", result(rule, "p" * 60), policy)
    assert (found.unpaired, found.verdict) == (["test_comparison.rule"], Verdict.INCONCLUSIVE)
    assert compared("", result(rule, "p" * 60)).verdict is Verdict.READY


@given(outcomes)
def test_what_is_unsettled_never_alarms_and_never_shows(before: str) -> None:
    unsettled = compared(before, result(rate, "s" * len(before))).checks
    assert [each.lost for each in unsettled] in ([], [[]])
    assert [each.non_inferior for each in unsettled if "p" in before] == [False] * ("p" in before)


@given(repeated)
def test_a_run_s_losses_are_its_baseline_s_gains(found: list[tuple[str, str]]) -> None:
    before, now = ("".join(each) for each in zip(*found, strict=True))
    (there,) = compared(before, result(rate, now)).checks
    (back,) = compared(now, result(rate, before)).checks
    assert (len(there.lost), len(there.gained)) == (len(back.gained), len(back.lost))


@given(repeated, st.integers(1, 30))
def test_pairs_that_were_not_tried_change_no_figure_and_show_nothing(
    both: list[tuple[str, str]], rest: int
) -> None:
    made = [pair for pair in both if "s" not in pair]
    before, now = ("".join(each) for each in zip(*made, strict=True)) if made else ("", "")
    cut = compared(f"{before}{'p' * rest}", result(rate, f"{now}{'s' * rest}")).checks[0]
    assert (len(cut.tried), len(cut.pairs)) == (len(made), len(made) + rest)
    if made:
        whole = compared(before, result(rate, now)).checks[0]
        assert cut.at_least == whole.at_least
        assert whole.non_inferior or not cut.non_inferior


@pytest.mark.parametrize(
    ("seconds", "slower"), [(1.0, []), (1.9, []), (2.1, ["test_comparison.rate"]), (0.5, [])]
)
def test_trials_that_are_slower_by_more_than_noise_are_reported(
    seconds: float, slower: list[str]
) -> None:
    found = compared("p" * 20, result(rate, "p" * 20), seconds=seconds)
    assert [each.id for each in found.slower] == slower
    assert found.verdict is Verdict.READY


def test_a_ratio_is_of_the_durations_of_a_trial_that_passed_in_both() -> None:
    now = result(rate, "ppppfpp")
    # The first two share their exchanges, and the last sent none.
    shown = [(0,), (0,), (2, 3), (3,), (4,), (5,), ()]
    trials = [replace(trial, exchanges=each) for trial, each in zip(now.trials, shown, strict=True)]
    before = past({now.check.id: "pppfppp"})
    seconds = {0: 2.0, 1: 1.0, 2: 4.0, 3: 1.0, 4: 1.0, 5: 0.0, 6: 1.0}
    baseline = replace(before, seconds=seconds)
    candidate = replace(past({}), seconds={0: 5.0, 2: 3.0, 3: 1.0, 4: 9.0, 5: 9.0})
    rows = matrix([replace(now, trials=trials)], {}, {}, {})
    (found,) = compare(baseline, candidate, rows, ARTICLE).checks
    # Of the first two the baseline's last is counted; what took no time has no ratio.
    assert list(found.ratios) == [5.0 / 1.0, 4.0 / 4.0]


def test_a_trial_is_slower_where_it_takes_more_than_twice_the_pace_of_the_run() -> None:
    ratios = [1.0, 4.0, 4.1, 9.0]
    found = CheckComparison(result(rate, "p" * 4), [], ratios, ARTICLE.upgrade(), gates=True)
    assert found.slowdowns(2.0) == [-1, -1, 1, 1]
    assert found.pace == 4.05


@pytest.mark.parametrize(
    ("ratios", "pace", "slower"),
    [
        ([3.0] * 5, 3.0, 0),  # the whole run is slower: the machine's doing, or the server's
        ([3.0] * 5 + [7.0], 3.0, 1),
        ([3.0] * 4, None, 4),  # too few checks to tell the run's pace
    ],
)
def test_a_check_is_slower_beside_the_whole_run(
    ratios: list[float], pace: float | None, slower: int
) -> None:
    upgrade = ARTICLE.upgrade()
    checks = [
        CheckComparison(result(rate, "p" * 20), [], [each] * 20, upgrade, gates=True)
        for each in ratios
    ]
    found = RunComparison(past({}), past({}), checks, [], Gate.ADVISORY, 0.05)
    assert (found.pace, len(found.slower)) == (pace, slower)


def test_times_under_another_load_are_not_compared() -> None:
    rows = matrix([result(rate, "p" * 20)], {}, {}, {})
    before = past({"test_comparison.rate": "p" * 20})
    now = FinishedRun(Path("evidence.jsonl"), {}, {}, dict.fromkeys(range(20), 9.0), concurrency=1)
    found = compare(before, now, rows, ARTICLE)
    assert (found.slower, list(found.checks[0].ratios)) == ([], [])


@pytest.mark.parametrize(
    ("identity", "verdict"), [("advisory", Verdict.READY), ("required", Verdict.NOT_READY)]
)
def test_drift_is_reported_and_gates_where_the_policy_requires_it(
    tmp_path: Path, identity: str, verdict: Verdict
) -> None:
    policy = asking(tmp_path, f"{{identity: {identity}}}")
    told = {
        "fingerprint": "fp_2",
        "lacking": {"tools": "HTTP 400"},
        "endpoint": "elsewhere",
    }
    found = compared("p" * 60, result(rule, "p" * 60), policy, target=told)
    assert [str(each) for each in found.drift] == [
        "fingerprint: None → fp_2",
        "lacking: None → tools",
    ]
    assert found.verdict is verdict
