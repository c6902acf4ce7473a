from hypothesis import given
from hypothesis import strategies as st

from readiness.statistics.proportions import lower, shows
from readiness.verdict.claim import Claim, Tally, Verdict, judge, score, worst

ALPHA = 0.05
READY, NOT_ASSESSED, INCONCLUSIVE, NOT_READY = Verdict
RULE = Claim(required=1.0, margin=0.05, alpha=ALPHA, trials=1)

counts = st.integers(0, 150)
tallies = st.builds(Tally, counts, st.integers(0, 20), st.integers(0, 20))
rates = st.builds(
    Claim, st.floats(0.5, 0.99), st.floats(0, 0.2), st.just(ALPHA), st.integers(1, 150)
)
claims = st.one_of(rates, st.just(RULE))
clusters = st.lists(
    st.builds(Tally, st.integers(1, 12), st.integers(0, 2), st.integers(0, 1)), max_size=30
)
verdicts = st.sampled_from(Verdict)


@given(st.integers(1, 200), rates)
def test_more_passed_trials_never_make_a_verdict_worse(trials: int, claim: Claim) -> None:
    severity = [judge(Tally(k, trials - k), claim).severity for k in range(trials + 1)]
    assert severity == sorted(severity, reverse=True)


@given(tallies, claims)
def test_ready_is_never_said_of_less_than_is_shown(tally: Tally, claim: Claim) -> None:
    trials = max(tally.planned, claim.trials)
    shown = shows(tally.passed, trials, claim.required, claim.margin, ALPHA)
    assert (judge(tally, claim) is READY) is shown


@given(clusters, rates)
def test_ready_is_never_said_of_less_than_clusters_show(parts: list[Tally], claim: Claim) -> None:
    tally = Tally.of(parts)
    trials = max(tally.planned, claim.trials)
    size = trials / tally.design_effect
    at_least = lower(tally.passed / trials * size, size, ALPHA) + 1e-9
    enough = at_least >= claim.at_least and tally.passed / trials >= claim.required
    assert enough or judge(tally, claim) is not READY


@given(tallies, claims)
def test_a_lost_trial_more_never_settles_a_verdict(tally: Tally, claim: Claim) -> None:
    more = Tally(tally.passed, tally.failed, tally.unsettled + 1)
    assert judge(more, claim) in (judge(tally, claim), INCONCLUSIVE)


@given(tallies, claims)
def test_losing_a_trial_never_settles_a_verdict(tally: Tally, claim: Claim) -> None:
    passed, failed, lost = tally.passed, tally.failed, tally.unsettled + 1
    without = [
        Tally(max(passed - 1, 0), failed, lost),
        Tally(passed, max(failed - 1, 0), lost),
    ]
    allowed = {judge(tally, claim), INCONCLUSIVE}
    assert {judge(each, claim) for each in without} <= allowed


@given(clusters, rates)
def test_losing_the_first_trial_of_a_cluster_never_makes_ready(
    parts: list[Tally], claim: Claim
) -> None:
    settled = [Tally(each.passed, each.failed) for each in parts]
    lost = [
        Tally.of([*settled[:n], Tally(each.passed - 1, each.failed, 1), *settled[n + 1 :]])
        for n, each in enumerate(settled)
    ]
    found = {judge(each, claim) for each in lost}
    assert READY not in found or judge(Tally.of(settled), claim) is READY


@given(tallies, claims)
def test_whichever_way_lost_trials_would_have_gone_the_verdict_holds(
    tally: Tally, claim: Claim
) -> None:
    passed, failed, lost = tally.passed, tally.failed, tally.unsettled
    ways = {judge(Tally(passed + n, failed + lost - n), claim) for n in range(lost + 1)}
    verdict = judge(tally, claim)
    assert verdict is INCONCLUSIVE or ways == {verdict}


@given(st.lists(verdicts, min_size=1), st.lists(verdicts, min_size=1))
def test_the_worst_of_all_is_the_worst_of_the_worst_of_parts(
    some: list[Verdict], others: list[Verdict]
) -> None:
    assert worst([*some, *others]) is worst([worst(some), worst(others)])


@given(verdicts, st.floats(0, 1))
def test_only_ready_scores_ninety_or_more(verdict: Verdict, met: float) -> None:
    assert (score(verdict, met) >= 90) is (verdict is READY)
    assert (score(verdict, met) < 60) or verdict in (READY, INCONCLUSIVE)
