"""The mutation test table: each mutant must be detected by its own check, and by no other."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from readiness.check import Check
from readiness.checks.api import check_whole_run
from readiness.mutants.flaw import Flaw
from readiness.verdict.claim import Gate, Verdict, worst

#: The documented exit statuses, on purpose not shared with the gate that is tested.
_EXIT_STATUS = {Verdict.READY: 0, Verdict.NOT_READY: 1, Verdict.INCONCLUSIVE: 10}

#: The dimension whose flaws show beside many requests.
CROWDED = "load"
#: The checks that judge what all others have sent, where a flaw of any dimension may show.
WHOLE_RUN = frozenset(each.id for each in vars(check_whole_run).values() if isinstance(each, Check))


@dataclass(frozen=True)
class FoundVerdict:
    """The verdict of a run on one check or dimension."""

    id: str
    verdict: Verdict
    gate: Gate

    @property
    def detected(self) -> bool:
        """Whether a defect was found."""
        return self.verdict is Verdict.NOT_READY

    @property
    def acceptable(self) -> bool:
        """Whether it is ready; one that does not gate may be unassessed."""
        return self.verdict is Verdict.READY if self.gate is Gate.REQUIRED else not self.detected


@dataclass(frozen=True)
class MutantRow:
    """One mutant, and the result of its run.

    Args:
        flaw: The mutant.
        status: The run's exit status.
        dimensions: The verdicts on dimensions; empty where the run wrote no record.
        checks: The verdicts on checks.
        output: The last lines of output.
        whole: Whether all dimensions were tried; a part of them is never enough for READY.
    """

    flaw: Flaw
    status: int
    dimensions: tuple[FoundVerdict, ...]
    checks: tuple[FoundVerdict, ...]
    output: str = ""
    whole: bool = True

    @property
    def caught_by(self) -> tuple[str, ...]:
        """The ids of the checks with the expected verdict."""
        return tuple(check.id for check in self.checks if self._is_as_expected(check))

    @property
    def problems(self) -> tuple[str, ...]:
        """The deviations from the expected result, as messages."""
        if not self.dimensions:
            return (f"exit status {self.status} and no record",)
        own_too = self.flaw.dimension in self.flaw.elsewhere
        others = [each for each in self.dimensions if own_too or each.id != self.flaw.dimension]
        also = [each for each in others if not each.acceptable and self._may_show_in(each)]
        wrong = [
            f"{each.id} is {each.verdict}"
            for each in others
            if not each.acceptable and each not in also
        ]
        if not self.flaw.harmless and self.flaw.check not in self.caught_by:
            wrong.append(f"{self.flaw.check} found nothing")
        own = [each for each in self.dimensions if each.id == self.flaw.dimension]
        gates = self._gates(self.checks, self.flaw.check)
        if gates and not all(self._is_as_expected(each) for each in own):
            wrong.append(f"{self.flaw.dimension} is not detected")
        counts = gates and self._gates(self.dimensions, self.flaw.dimension)
        verdict = self.flaw.expected_verdict if counts else Verdict.READY
        untried = [] if self.whole else [Verdict.INCONCLUSIVE]
        expected = _EXIT_STATUS[worst([verdict, *untried, *(each.verdict for each in also)])]
        if not wrong and self.status != expected:
            wrong.append(f"exit status {self.status}, not {expected}")
        return tuple(wrong)

    def _may_show_in(self, dimension: FoundVerdict) -> bool:
        """Whether a flaw of another dimension may show here too: in the whole run, or in a crowd.

        What breaks beside many requests breaks the trials of every dimension that meet as many.
        """
        if dimension.id in self.flaw.elsewhere:
            return True
        found = [
            each.id
            for each in self.checks
            if each.id.startswith(f"{dimension.id}.")
            and each.gate is Gate.REQUIRED
            and each.verdict in (Verdict.NOT_READY, Verdict.INCONCLUSIVE)
        ]
        crowded = self.flaw.dimension == CROWDED and dimension.id != CROWDED
        return not self.flaw.harmless and bool(found) and (crowded or WHOLE_RUN.issuperset(found))

    def _is_as_expected(self, found: FoundVerdict) -> bool:
        return found.verdict is self.flaw.expected_verdict

    @staticmethod
    def _gates(found: Sequence[FoundVerdict], name: str) -> bool:
        """Whether a check or dimension is required, so that it decides the verdict above it."""
        return any(each.id == name and each.gate is Gate.REQUIRED for each in found)


def read_row(
    flaw: Flaw, status: int, record: Path, output: str, tried: Collection[str] = ()
) -> MutantRow:
    """Read the verdicts of a mutant's run on the dimensions tried (all) from its record, if any."""
    if not record.exists():
        return MutantRow(flaw, status, (), (), output)
    found = json.loads(record.read_text(encoding="utf-8"))["dimensions"]
    dimensions = [each for each in found if each["id"] in tried] if tried else found
    checks = [check for dimension in dimensions for check in dimension["checks"]]
    return MutantRow(flaw, status, _read(dimensions), _read(checks), output, not tried)


def kill_table(rows: Sequence[MutantRow]) -> Table:
    """The table of mutants, each with the check that must detect it and those that did."""
    titles = ("mutant", "its check", "caught by", "verdict")
    table = Table(*(Column(title, overflow="fold") for title in titles))
    for row in rows:
        wrong = Text("; ".join(row.problems), style="red")
        right = Text("stays ready" if row.flaw.harmless else "caught", style="green")
        expected = Text(row.flaw.check or "none: harmless", style="" if row.flaw.check else "dim")
        caught = Text("\n".join(row.caught_by))
        table.add_row(Text(row.flaw.name), expected, caught, wrong if row.problems else right)
    return table


def _read(found: Sequence[Mapping[str, Any]]) -> tuple[FoundVerdict, ...]:
    return tuple(
        FoundVerdict(each["id"], Verdict(each["verdict"]), Gate(each["gate"])) for each in found
    )
