"""Comparability: what must be the same in two runs that are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readiness.baseline.finished_run import FinishedRun, FinishedRunError

#: What must be the same in a run and in its baseline, besides the probes.
COMPARABILITY_KEYS = (
    "version",
    "profile",
    "seed",
    "sampling",
    "warm",
    "policy_sha256",
    "prompts_sha256",
)


def require_comparable(baseline: FinishedRun, made_with: Mapping[str, Any]) -> None:
    """Let a run be held only against one that was made under the same conditions.

    Raises:
        FinishedRunError: It was not; the message names the difference.
    """
    if why := difference(baseline.evidence_header, made_with):
        raise FinishedRunError(f"--baseline {baseline.evidence.parent} cannot be compared: {why}")


def difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Why two runs cannot be compared, by what they were made with; "" where they can."""
    if why := first_difference(theirs, ours, COMPARABILITY_KEYS):
        return why
    items = theirs.get("items", {})
    common = items.keys() & ours["items"].keys()
    other = sorted(each for each in common if items[each] != ours["items"][each])
    if other:
        return f"its probes of {other[0]} are others"
    return "" if common else "it has no check in common with this run"


def first_difference(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], names: Sequence[str]
) -> str:
    """The first of those names under which two runs say different things; "" where none does."""
    told, here = {**theirs, **theirs["harness"]}, {**ours, **ours["harness"]}
    for each in names:
        if told.get(each) != here[each]:
            return f"its {each} is {told.get(each)!s:.24}, and here it is {here[each]!s:.24}"
    return ""
