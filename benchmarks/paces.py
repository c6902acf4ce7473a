"""Flaws of load, stability and low_resource at three paces: `python -m benchmarks.paces`.

Each flaw is tried by its own check, the reference and each harmless variant by every check of their
dimension, with `ci`'s number of trials, in simulated time: as fast as a 7B model on an H200, on a
4090, or a small one on a CPU. The hardware that is declared decodes a tenth slower than the pace.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module

from benchmarks.simulated import simulated
from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.load import checks as load
from readiness.checks.low_resource import checks as low_resource
from readiness.checks.stability import checks as stability
from readiness.context import Context
from readiness.mutants.catalog import FLAWLESS, find, mutants
from readiness.mutants.endpoint.batching import PACES
from readiness.policy.hardware import HardwareProfile
from readiness.score import EndpointError, Outcome

FAILED = frozenset({Outcome.FAIL, Outcome.ENDPOINT_ERROR})
DIMENSIONS = ("load", "stability", "low_resource")
#: These need a real process: a body of 50 MB, a restart, an hour, a card.
NOT_SIMULATED = (
    "stability.bad_input_isolation",
    "stability.recovers_after_restart",
    "stability.one_hour_soak",
    "low_resource.gpu_memory",
    "low_resource.plausible_measurements",
    "load.slo_latency",
)
CHECKS = {
    each.id: each
    for module in (load, stability, low_resource)
    for each in vars(module).values()
    if isinstance(each, Check) and each.id not in NOT_SIMULATED
}


@dataclass(frozen=True)
class Tried:
    """What came of a flaw at a pace.

    Args:
        flaw: Its name.
        check: The check that must catch it; "" for a harmless variant.
        pace: The pace.
        worst: The outcomes of its check, or of all checks, each once; without those that do not
            apply, as metrics that it does not have.
    """

    flaw: str
    check: str
    pace: str
    worst: frozenset[Outcome]

    @property
    def result(self) -> str:
        """Whether it failed, was left open, or passed."""
        if self.worst & FAILED:
            return "failed"
        return "passed" if self.worst <= {Outcome.PASS} else "open"

    @property
    def kind(self) -> str:
        """The dimension whose check must catch it."""
        return self.check.partition(".")[0] or "harmless"


def context(pace: str) -> Context:
    """What a user declares: a card that decodes a tenth slower than the pace."""
    speed = 0.9 / (PACES[pace].step + PACES[pace].sequence)
    card = HardwareProfile(pace, pace, frozenset({"low_resource"}), 0.0, {"decode": speed}, 0.0)
    return Context(hardware=card)


async def outcomes(check: Check, chat: Chat) -> set[Outcome]:
    """The outcomes of a check, until a trial fails."""
    found = set[Outcome]()
    for probe in check.probes(0, check.trials):
        try:
            found.add((await check.attempt(chat, probe)).outcome)
        except EndpointError as error:
            found.add(error.score.outcome)
        if found & FAILED:
            break
    return found


def tried(name: str, pace: str) -> Tried:
    """Try a flaw at a pace."""
    flaw, of = find(name), home(name)
    wanted = [
        check
        for id_, check in CHECKS.items()
        if (flaw.harmless and id_.startswith(of)) or flaw.check == id_
    ]

    async def work(chat: Chat) -> set[Outcome]:
        return {one for each in wanted for one in await outcomes(each, chat)}

    found = simulated(flaw, pace, work, context(pace))
    return Tried(name, flaw.check, pace, frozenset(found - {Outcome.UNSUPPORTED}))


def home(name: str) -> str:
    """The dimension in which a variant is defined."""
    for each in DIMENSIONS:
        if name in {one.name for one in import_module(f"readiness.mutants.{each}.flaws").FLAWS}:
            return each
    return ""


def names() -> Iterator[str]:
    """The reference, and what is tried of the three dimensions."""
    yield FLAWLESS.name
    for each in mutants():
        if each.check in CHECKS or (each.harmless and home(each.name)):
            yield each.name


def table(found: Sequence[Tried]) -> str:
    """How many were failed, left open and passed, and which flaws were not failed."""
    lines = ["| | " + " | ".join(PACES) + " |", "|---|" + "---|" * len(PACES)]
    for kind in (*DIMENSIONS, "harmless"):
        cells = []
        for pace in PACES:
            of = [one.result for one in found if one.pace == pace and one.kind == kind]
            counts = (f"{of.count(each)} {each}" for each in ("failed", "open", "passed"))
            cells.append(", ".join(each for each in counts if not each.startswith("0")))
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    lines += [
        f"{one.flaw} at {one.pace}: {one.result}"
        for one in found
        if (one.result != "failed" if one.check else one.result != "passed")
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--pace", nargs="+", choices=sorted(PACES), default=list(PACES))
    parser.add_argument("--only", nargs="+", help="these alone")
    given = parser.parse_args()
    all_ = [(name, pace) for pace in given.pace for name in given.only or names()]
    with ProcessPoolExecutor(given.jobs) as pool:
        found = []
        for each in [pool.submit(tried, *one) for one in all_]:
            found.append(each.result())
            print(
                f"{found[-1].flaw} at {found[-1].pace}: {found[-1].result}",
                file=sys.stderr,
                flush=True,
            )
    print(table(found))


if __name__ == "__main__":
    main()
