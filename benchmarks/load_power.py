"""What the rules of load say of simulated steps: `python -m benchmarks.load_power`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from statistics import mean

import numpy as np

from readiness.checks.load.scoring import score_latency_drift, score_throughput_scaling
from readiness.load.levels import MAX_ERROR, TICKETS_EACH
from readiness.load.step import MAX_BATCHES, RequestMeasurement, Shape, StepResult
from readiness.score import Outcome, Score
from readiness.statistics.trend import divided, relative_error

STEPS, SPREAD = 200, 0.25
#: Requests of each client that are measured; where there are two numbers, the second unless the
#: first shows the mean well enough, as of tickets in `ci`.
EACH = ((2, 2), (2, 4), (4, 4), (10, 10))
Each = tuple[int, int]
FEW_EACH = TICKETS_EACH[4]  # of four clients


def step(
    generator: np.random.Generator, clients: int, each: Each, grown: float = 1.0
) -> StepResult:
    """A closed loop whose reply times vary by a quarter, and end `grown` times as long."""
    made = _step(generator, clients, each[0], grown)
    batches = divided(sorted(made.samples, key=lambda one: one.due), MAX_BATCHES)
    means = [mean(one.took for one in batch) for batch in batches]
    known = each[0] == each[1] or relative_error(means) <= MAX_ERROR
    return made if known else _step(generator, clients, each[1], grown)


def _step(generator: np.random.Generator, clients: int, each: int, grown: float) -> StepResult:
    made = StepResult(Shape("ticket", clients, clients * each, 1.0))
    for _ in range(clients):
        due = 0.0
        for at in range(each):
            usual = 1 + (grown - 1) * at / max(each - 1, 1)
            took = usual * max(generator.normal(1.0, SPREAD), 0.1)
            made.samples.append(RequestMeasurement(due, due, due + took))
            due += took
    made.full_load_end = max(each.due for each in made.samples) + 1e-6
    return made


def share(score: Callable[[np.random.Generator], Score]) -> str:
    """The shares of steps that pass, fail and stay open, in per cent."""
    found = Counter(score(np.random.default_rng(seed)).outcome for seed in range(STEPS))
    kinds = (Outcome.PASS, Outcome.FAIL, Outcome.UNDETERMINED)
    return " / ".join(f"{100 * found[each] / STEPS:.0f}" for each in kinds)


def _throughput(each: Each, kept: float, generator: np.random.Generator) -> Score:
    few, many = step(generator, 4, FEW_EACH), step(generator, 32, each)
    slower = 8 / kept
    many.samples = [
        RequestMeasurement(one.due * slower, one.due * slower, one.end * slower)
        for one in many.samples
    ]
    many.full_load_end *= slower
    return score_throughput_scaling(few, many)


def _drift(each: Each, grown: float, generator: np.random.Generator) -> Score:
    return score_latency_drift(step(generator, 32, each, grown))


def table() -> str:
    """The table of docs/load.md."""
    lines = ["| pass / fail / open, % | 2 a client | 2, or 4 | 4 | 10 |", "|---|--:|--:|--:|--:|"]
    for kept in (1.0, 0.7, 0.5, 0.35, 0.23):
        shares = [share(partial(_throughput, each, kept)) for each in EACH]
        lines.append(f"| 32 clients get {kept:.0%} of what 4 do | {' | '.join(shares)} |")
    for grown in (1.0, 1.1, 1.3, 2.0, 3.0):
        shares = [share(partial(_drift, each, grown)) for each in EACH]
        lines.append(f"| replies end {grown:g} times as long | {' | '.join(shares)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
