"""The table of docs/validation.md on what the statistics are worth, made anew.

python -m benchmarks.validation [--runs 20000]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import simulations
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.statistics.proportions import lower, wilson
from readiness.verdict.claim import Claim, Verdict
from readiness.verdict.sequential import Sprt

ALPHA = simulations.ALPHA
#: What it is, what it must be, and what it is.
Line = tuple[str, str, str]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    runs = parser.parse_args().runs
    print("| | must be | is |\n|---|---|---|")
    for each in (verdicts(runs), bounds(), upgrades(runs), looks(runs), places(runs // 100)):
        for line in each:
            print(f"| {' | '.join(line)} |", flush=True)


def verdicts(runs: int) -> Iterator[Line]:
    """How often a check's verdict is wrong at the very edge of its claim."""
    for required, margin, trials in ((0.92, 0.05, 100), (0.89, 0.05, 100), (0.92, 0.03, 200)):
        claim = Claim(required, margin, ALPHA, trials)
        name = f"θ = {required}, δ = {margin}, n = {trials}"
        ready = simulations.wrongly(Verdict.READY, claim, claim.at_least)
        yield f"ready, the rate being θ − δ: {name}", "≤ 5 %", f"{ready:.1%}"
        lost = simulations.wrongly(Verdict.NOT_READY, claim, required)
        yield f"not ready, the rate being θ: {name}", "≤ 5 %", f"{lost:.1%}"
    claim = Claim(0.92, 0.05, ALPHA, 100)
    for shared in (0.0, 0.1, 0.3):
        ready = simulations.clustered_ready(claim, 5, shared, claim.at_least, runs // 10)
        name = f"20 conversations of 5 questions, correlation {shared}"
        yield f"ready, the rate being θ − δ: {name}", "≤ 5 %", f"{ready:.1%}"


def bounds() -> Iterator[Line]:
    """How often what is said to hold the truth does hold it."""
    for trials in (30, 100, 300):
        least, mean = simulations.coverage(partial(wilson, trials=trials), trials)
        seen = f"{mean:.1%}, at the worst rate {least:.1%}"
        yield f"Wilson's interval (shown) holds the rate, n = {trials}", "about 95 %", seen
        exact = partial(_from, trials=trials)
        least, mean = simulations.coverage(exact, trials)
        seen = f"{mean:.1%}, at the worst rate {least:.1%}"
        yield f"the exact bound (decides) lies below the rate, n = {trials}", "≥ 95 %", seen


def _from(passed: int, trials: int) -> tuple[float, float]:
    return lower(passed, trials, ALPHA), 1.0


def upgrades(runs: int) -> Iterator[Line]:
    """How often an upgrade is judged wrongly."""
    for pairs, margin in ((100, 0.05), (150, 0.02), (300, 0.05)):
        name = f"{margin:.0%}, n = {pairs}"
        gains = (0.0, 0.005, 0.02, 0.1)
        worst = max(simulations.not_inferior(pairs, margin, margin, each, runs) for each in gains)
        yield f"not inferior, the rate being lower by the margin: {name}", "≤ 5 %", f"{worst:.1%}"
        worst = max(simulations.above_the_truth(pairs, margin, each, runs) for each in gains)
        seen = f"{worst:.1%} at the worst"
        yield f"Tango's bound (shown) lies above the truth: {name}", "about 5 %", seen
    for pairs in (100, 200, 300):
        power = [simulations.not_inferior(pairs, 0.05, 0, each / 2, runs) for each in (0.04, 0.1)]
        seen = f"{power[0]:.0%}, {power[1]:.0%}"
        name = f"n = {pairs}, where 4 % and 10 % of pairs differ by chance"
        yield f"shown not to be inferior by 5 %, nothing having changed: {name}", "", seen
    for profile in ("ci", "full"):
        checks = simulations.matrix_of(load(), profile)
        for differing in (0.01, 0.05, 0.2):
            alarms = simulations.false_alarms(checks, differing, runs // 10)
            name = f"{profile}, {len(checks)} checks, {differing:.0%} of trials differ by chance"
            yield f"an alarm anywhere, nothing having changed: {name}", "≤ 5 %", f"{alarms:.1%}"


def looks(runs: int) -> Iterator[Line]:
    """How often one who looks before the end is misled."""
    few = runs // 10
    ready = simulations.ever_declared(0.92, Verdict.READY, few, 1000)
    yield "e-process, looked at after each of 1,000 trials: ready at θ", "≤ 5 %", f"{ready:.1%}"
    lost = simulations.ever_declared(0.92, Verdict.NOT_READY, few, 1000)
    yield "the same: not ready at θ", "≤ 5 %", f"{lost:.1%}"
    claim = Claim(0.95, 0.05, ALPHA, 60)
    for alike, topics in ((False, "other topics in each"), (True, "the same topics in all")):
        ready = simulations.ready_together(claim, claim.at_least, (few, 5), alike=alike)
        name = f"five runs of 60 trials, ready with those before at θ − δ: {topics}"
        yield name, "≤ 5 %", f"{ready:.1%}"
    test = Sprt(0.85, 0.95, 300)
    for rate in (0.85, 0.95, 0.92, 1.0):
        ready, lost, mean = simulations.sprt(test, rate, few)
        seen = f"{ready:.1%} ready, {lost:.1%} not, after {mean:.0f} trials"
        due = {0.85: "≤ 5 % ready", 0.95: "≤ 5 % not ready"}.get(rate, "")
        yield f"Wald's test of 0.85 against 0.95, the rate being {rate}", due, seen


def places(runs: int) -> Iterator[Line]:
    """How often failures are said to gather that are chance, and how often those that do."""
    rated = simulations.rated_checks(load(), "ci")
    for shared in (0.0, 0.1, 0.3):
        said = simulations.gathered_by_chance(rated, shared, runs)
        name = f"ci, {len(rated)} checks at exactly their rates, correlation {shared}"
        yield f"failures said to gather anywhere, being chance: {name}", "≤ 5 %", f"{said:.1%}"
    (recall,) = (each for each in rated if each[0].id == "memory.recall_at_turn_50")
    lost: dict[str, Callable[[Probe], bool]] = {
        "nothing": lambda probe: False,
        "turns 45 back": lambda probe: probe.places.get("turns back") == 45,
        "turns 44 to 46 back": lambda probe: 44 <= probe.places.get("turns back", 0) <= 46,
        "turns 40 to 45 back": lambda probe: 40 <= probe.places.get("turns back", 0) <= 45,
        "one class of questions, 4 of 100": lambda probe: probe.family == "next reported",
        "English, 36 turns back and more": lambda probe: (
            probe.labels["language"] == "en" and probe.places.get("turns back", 0) >= 36
        ),
    }
    for name, of in lost.items():
        found = simulations.not_ready_for(recall, of, 0.02, runs)
        yield (
            f"`recall_at_turn_50` is not READY, losing 2 % anywhere and {name}",
            "",
            f"{found:.0%}",
        )


if __name__ == "__main__":
    main()
