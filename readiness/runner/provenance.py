"""Conditions: what a run is made with, and what must be the same in two that are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from readiness import resources
from readiness.baseline.finished_run import FinishedRun, FinishedRunError
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy

if TYPE_CHECKING:
    from readiness.runner.settings import Settings

DISTRIBUTION = "llm-readiness"
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


def run_provenance(settings: Settings, planned: Sequence[PlannedCheck]) -> dict[str, Any]:
    """What must be the same in two runs that are to be compared."""
    return {
        "profile": settings.profile,
        "seed": settings.seed,
        "harness": harness(settings.policy),
        "fast": settings.use_sequential_tests,
        "sampling": dict(settings.sampling),
        "warm": settings.context.warm_prefix_cache,
        "license_evidence": settings.context.license_evidence_digests,
        "extra_body_sha256": _sha256(json.dumps(settings.extra, sort_keys=True).encode()),
        "items": {each.check.id: each.probes_digest for each in planned},
    }


def require_comparable(baseline: FinishedRun, made_with: Mapping[str, Any]) -> None:
    """Let a run be held only against one that was made under the same conditions.

    Raises:
        NoBaseline: It was not; the message names the difference.
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


def harness(policy: Policy) -> dict[str, str]:
    """What the endpoint was tried with: the version of this program, and digests of its data."""
    return {
        "version": version(DISTRIBUTION),
        "policy": policy.name,
        "policy_sha256": policy.digest,
        "prompts_sha256": _digest("prompts"),
        "openai_sdk": version("openai"),
    }


def _digest(kind: str) -> str:
    """One digest over all files of a folder, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(resources.home(kind).iterdir()):
        total.update(f"{path.name}\0{_sha256(path.read_bytes())}\n".encode())
    return total.hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
