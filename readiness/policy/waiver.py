"""Waivers: checks whose verdicts do not gate until a date, with owner and approver."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from readiness.evidence.printable import escape_unprintable
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
        text = f"{self.check} is waived until {self.expiry}: {self.reason} ({who})"
        return escape_unprintable(text)


def load(
    path: Path, checks: Collection[str], today: date, most_days: int | None = None
) -> dict[str, Waiver]:
    """Load a file of waivers, by check.

    Args:
        path: The file.
        checks: The ids of the checks that may be waived.
        today: The day, in UTC.
        most_days: For how many days from today a waiver may hold; None for any number.

    Raises:
        PolicyError: The file is invalid, or a waiver is of an unknown check, has expired, holds for
            too long, or was approved by its owner; the message has a line for each problem.
    """
    file = read(path, "waivers")
    waivers = file.content["waivers"].items()
    if problems := [
        file.problem(key_path, text) for key_path, text in _problems(file, checks, today, most_days)
    ]:
        raise PolicyError("\n".join(problems))
    return {check: _waiver(check, **fields) for check, fields in waivers}


def _problems(
    file: PolicyFile, checks: Collection[str], today: date, most_days: int | None
) -> Iterator[tuple[KeyPath, str]]:
    for check, fields in file.content["waivers"].items():
        key_path = ("waivers", check)
        if check not in checks:
            yield key_path, unknown(check, sorted(checks))
        if _person(fields["approver"]) == _person(fields["owner"]):
            yield (*key_path, "approver"), f"is the owner, {fields['owner']!r:.60}: choose another"
        if why := _no_expiry(fields["expiry"], today, most_days):
            yield (*key_path, "expiry"), why


def _person(name: str) -> str:
    """A name as it is compared: without regard to case and spaces."""
    return " ".join(name.casefold().split())


def _no_expiry(text: str, today: date, most_days: int | None) -> str:
    """Why a waiver cannot expire on a day, or an empty string."""
    try:
        expiry = date.fromisoformat(text)
    except ValueError as error:
        return f"is not a date: {error}"
    if expiry < today:
        return f"is {expiry}: the waiver has expired"
    if most_days is not None and expiry > (last := today + timedelta(days=most_days)):
        return f"is {expiry}: the policy allows {most_days} days, until {last}"
    return ""


def _waiver(check: str, reason: str, owner: str, approver: str, expiry: str) -> Waiver:
    return Waiver(check, reason, owner, approver, date.fromisoformat(expiry))
