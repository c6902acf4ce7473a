"""The kill table: each mutant must fall by its own check, and nothing else may fall with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from readiness.mutants.flaw import Flaw
from readiness.verdict.claim import Gate, Verdict

#: What the documents promise: a table shared with the gate would be wrong on both sides.
_EXIT_STATUS = {Verdict.READY: 0, Verdict.NOT_READY: 1, Verdict.INCONCLUSIVE: 10}


@dataclass(frozen=True)
class FoundVerdict:
    """What a run found of one check or dimension."""

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
    """One mutant, and what became of it.

    Args:
        flaw: The mutant.
        status: The run's exit status.
        dimensions: What the run found; empty where it left no record.
        checks: What it found of each check.
        said: The last lines that the run printed.
    """

    flaw: Flaw
    status: int
    dimensions: tuple[FoundVerdict, ...]
    checks: tuple[FoundVerdict, ...]
    said: str = ""

    @property
    def caught_by(self) -> tuple[str, ...]:
        """The ids of the checks that came to the verdict which is due."""
        return tuple(check.id for check in self.checks if self._came_to_it(check))

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong with this row, in words; empty where all is right."""
        if not self.dimensions:
            return (f"exit status {self.status} and no record",)
        others = [each for each in self.dimensions if each.id != self.flaw.dimension]
        wrong = [f"{each.id} is {each.verdict}" for each in others if not each.acceptable]
        if not self.flaw.harmless and self.flaw.check not in self.caught_by:
            wrong.append(f"{self.flaw.check} found nothing")
        own = [each for each in self.dimensions if each.id == self.flaw.dimension]
        gates = self._gates(self.checks, self.flaw.check)
        if gates and not all(self._came_to_it(each) for each in own):
            wrong.append(f"{self.flaw.dimension} does not fall")
        counts = gates and self._gates(self.dimensions, self.flaw.dimension)
        due = _EXIT_STATUS[self.flaw.expected_verdict if counts else Verdict.READY]
        if not wrong and self.status != due:
            wrong.append(f"exit status {self.status}, not {due}")
        return tuple(wrong)

    def _came_to_it(self, found: FoundVerdict) -> bool:
        return found.verdict is self.flaw.expected_verdict

    @staticmethod
    def _gates(found: Sequence[FoundVerdict], name: str) -> bool:
        """Whether what falls takes what is above it along: advice does not."""
        return any(each.id == name and each.gate is Gate.REQUIRED for each in found)


def read_row(flaw: Flaw, status: int, record: Path, said: str) -> MutantRow:
    """Read what a run of a mutant found from its record, where it left one."""
    if not record.exists():
        return MutantRow(flaw, status, (), (), said)
    dimensions = json.loads(record.read_text(encoding="utf-8"))["dimensions"]
    checks = [check for dimension in dimensions for check in dimension["checks"]]
    return MutantRow(flaw, status, _read(dimensions), _read(checks), said)


def kill_table(rows: Sequence[MutantRow]) -> Table:
    """Show each mutant, the check that must catch it, and what did."""
    titles = ("mutant", "its check", "caught by", "verdict")
    table = Table(*(Column(title, overflow="fold") for title in titles))
    for row in rows:
        wrong = Text("; ".join(row.complaints), style="red")
        right = Text("stays ready" if row.flaw.harmless else "caught", style="green")
        due = Text(row.flaw.check or "none: harmless", style="" if row.flaw.check else "dim")
        caught = Text("\n".join(row.caught_by))
        table.add_row(Text(row.flaw.name), due, caught, wrong if row.complaints else right)
    return table


def _read(found: Sequence[Mapping[str, Any]]) -> tuple[FoundVerdict, ...]:
    return tuple(
        FoundVerdict(each["id"], Verdict(each["verdict"]), Gate(each["gate"])) for each in found
    )
