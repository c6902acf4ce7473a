"""Waivers: checks whose verdicts do not gate until a date, with owner and approver."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from readiness.policy.policy_file import PolicyFile, read, unknown
from readiness.policy.yaml_reader import KeyPath, PolicyError


@dataclass(frozen=True)
class Waiver:
    """A waived check, whose measured verdict stays in the record.

    Args:
        check: The check's id.
        reason: Why it is waived.
        owner: Who is to fix it.
        approver: Who approved the waiver.
        expiry: The last day on which it is valid, in UTC.
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
    """Load a file of waivers, by check.

    Raises:
        PolicyError: The file is invalid, or a waiver is of an unknown check or has expired; the
            message has a line for each problem.
    """
    file = read(path, "waivers")
    waivers = file.content["waivers"].items()
    if problems := [
        file.problem(key_path, text) for key_path, text in _problems(file, checks, today)
    ]:
        raise PolicyError("\n".join(problems))
    return {check: _waiver(check, **fields) for check, fields in waivers}


def _problems(
    file: PolicyFile, checks: Collection[str], today: date
) -> Iterator[tuple[KeyPath, str]]:
    for check, fields in file.content["waivers"].items():
        key_path = ("waivers", check)
        if check not in checks:
            yield key_path, unknown(check, sorted(checks))
        try:
            expired = date.fromisoformat(fields["expiry"]) < today
        except ValueError as error:
            yield (*key_path, "expiry"), f"is not a date: {error}"
        else:
            if expired:
                yield (*key_path, "expiry"), f"is {fields['expiry']}: the waiver has expired"


def _waiver(check: str, reason: str, owner: str, approver: str, expiry: str) -> Waiver:
    return Waiver(check, reason, owner, approver, date.fromisoformat(expiry))
