"""Waivers: checks that the gate lets through for a while, and who answers for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from readiness.policy.policy_file import PolicyFile, read, unknown
from readiness.policy.yaml_reader import KeyPath, PolicyError


@dataclass(frozen=True)
class Waiver:
    """A check that the gate lets through. Its verdict stays what was measured.

    Args:
        check: The check's id.
        reason: Why.
        owner: Who is to mend it.
        approver: Who has allowed it.
        expiry: The last day on which it holds, in UTC.
    """

    check: str
    reason: str
    owner: str
    approver: str
    expiry: date

    def __str__(self) -> str:
        who = f"{self.owner}, approved by {self.approver}"
        return f"{self.check} is waived until {self.expiry}: {self.reason} ({who})"


def load(path: Path, checks: Collection[str], today: date) -> dict[str, Waiver]:
    """Load a file of waivers, by their checks.

    Raises:
        PolicyError: It is malformed, or a waiver is of no check or of the past; each with its line.
    """
    file = read(path, "waivers")
    waivers = file.content["waivers"].items()
    if problems := [file.problem(way, text) for way, text in _problems(file, checks, today)]:
        raise PolicyError("\n".join(problems))
    return {check: _waiver(check, **said) for check, said in waivers}


def _problems(
    file: PolicyFile, checks: Collection[str], today: date
) -> Iterator[tuple[KeyPath, str]]:
    for check, said in file.content["waivers"].items():
        way = ("waivers", check)
        if check not in checks:
            yield way, unknown(check, sorted(checks))
        try:
            expired = date.fromisoformat(said["expiry"]) < today
        except ValueError as error:
            yield (*way, "expiry"), f"is no date: {error}"
        else:
            if expired:
                yield (*way, "expiry"), f"is {said['expiry']}: the waiver has expired"


def _waiver(check: str, reason: str, owner: str, approver: str, expiry: str) -> Waiver:
    return Waiver(check, reason, owner, approver, date.fromisoformat(expiry))
