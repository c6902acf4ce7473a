"""Comparability: the settings that must be equal in two runs to compare or pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readiness.baseline.finished_run import FinishedRun, FinishedRunError

#: The settings that must be equal in a run and its baseline, besides the probes.
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
    """Require that the baseline was made under the same conditions.

    Raises:
        FinishedRunError: It was not; the message names the difference.
    """
    if why := difference(baseline.evidence_header, made_with):
        raise FinishedRunError(f"--baseline {baseline.evidence.parent} cannot be compared: {why}")


def difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Why two runs cannot be compared, or an empty string."""
    if why := first_difference(theirs, ours, COMPARABILITY_KEYS):
        return why
    items = theirs.get("items", {})
    common = items.keys() & ours["items"].keys()
    other = sorted(each for each in common if items[each] != ours["items"][each])
    if other:
        return f"its probes of {other[0]} are different"
    return "" if common else "it has no check in common with this run"


def first_difference(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], names: Sequence[str]
) -> str:
    """The first of the named settings that differs in two runs, as a message; "" for none."""
    there, here = {**theirs, **theirs["harness"]}, {**ours, **ours["harness"]}
    for each in names:
        if there.get(each) != here[each]:
            return f"its {each} is {there.get(each)!s:.24}, and here it is {here[each]!s:.24}"
    return ""
