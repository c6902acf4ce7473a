"""What keeps a run from being ready, known before anything is sent, and what to give."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence

from readiness.cli.options import BASE_URL_VARIABLE, EMBEDDED, OPTIONS
from readiness.policy import plan
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy
from readiness.transport.address import Address
from readiness.verdict.claim import Gate

#: The built-in policy of models behind another's API.
HOSTED = "hosted"
LICENSE, METRICS = "license-evidence", "metrics"


def obstacles(option: Namespace, rules: Policy, planned: Sequence[PlannedCheck]) -> Iterator[str]:
    """What keeps a run from being ready, a line each."""
    if planned and planned[0].claim.defects_only:
        yield f"profile {option.profile} shows defects, never readiness: --profile ci shows both"
    if untried := _untried(rules, option.profile, planned):
        yield f"this run cannot be ready: required and not to be tried: {', '.join(untried)}"
    named = {each.name: f"--{each.name} {each.metavar}" for each in OPTIONS}
    for each in plan.missing_evidence(planned, rules, _given(option, planned)):
        if not each.dimensions:
            yield f"not assessed without {named[each.option]}: {', '.join(each.checks)}"
            continue
        hosted = each.option == LICENSE and rules.name != HOSTED
        remedy = f", or --policy {HOSTED} where the weights are another's" if hosted else ""
        names = ", ".join(each.dimensions)
        yield f"this run cannot be ready: {names} needs {named[each.option]}{remedy}"


def _untried(rules: Policy, profile: str, planned: Sequence[PlannedCheck]) -> list[str]:
    """The required dimensions of which no check is planned."""
    tried = {each.check.dimension for each in planned}
    required = (each for each in rules.dimensions if rules.gate(each) is Gate.REQUIRED)
    return [each for each in required if each not in tried and rules.expected(each, profile)]


def _given(option: Namespace, planned: Sequence[PlannedCheck]) -> set[str]:
    """The options with evidence that the user has given, and what needs none."""
    needed = {each.check.evidence for each in planned} - {""}
    given = {each for each in needed if getattr(option, each.replace("-", "_"))}
    endpoint = str(option.endpoint or os.environ.get(BASE_URL_VARIABLE, ""))
    if endpoint.partition(":")[0] == EMBEDDED:
        return given | {LICENSE, METRICS}
    return given | ({METRICS} if _is_here(endpoint) else set())


def _is_here(endpoint: str) -> bool:
    """Whether it is on this machine, whose GPU has meters of its own."""
    try:
        return bool(Address.read(endpoint, "", {}).port_here)
    except ValueError:
        return False
