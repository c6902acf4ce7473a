"""The plan: what a run is going to send, before it sends anything."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from readiness.check import Check
from readiness.policy.policy import Policy
from readiness.probe import Probe
from readiness.verdict.claim import Claim
from readiness.verdict.sequential import Sprt

# Rough, and printed as such: between the tokenizers of today a factor of two is usual.
CHARACTERS_PER_TOKEN = 4.0
WIDE = re.compile(r"[⺀-鿿가-힯＀-￯]")
REPLY_SHARE = 0.25  # of its budget that a reply takes, as a rule
SHARE_AGAIN, FEWEST_AGAIN = 1 / 3, 10  # of the trials of a baseline
#: How much better than required a rate is that a sequential test must not call not ready.
GOOD = 0.03
SECONDS_PER_TOKEN = 1 / 40  # in one stream of a server under some load


@dataclass(frozen=True, eq=False)
class PlannedCheck:
    """One check's part of the plan.

    Args:
        check: The check.
        claim: What it has to show.
        probes: What it tries.
        sent: Those of its probes whose requests no probe before them has shared.
        extension: What is tried besides where they leave the verdict open.
    """

    check: Check
    claim: Claim
    probes: Sequence[Probe]
    sent: Sequence[Probe]
    extension: Sequence[Probe] = ()

    @cached_property
    def prompt_tokens(self) -> int:
        """About how many tokens the prompts have."""
        return sum(_tokens(probe, self.claim.defects_only) for probe in self.sent)

    @cached_property
    def completion_tokens(self) -> int:
        """About how many tokens the replies will have."""
        return int(sum(probe.budget * REPLY_SHARE for probe in self.sent))

    @cached_property
    def probes_digest(self) -> str:
        """A digest of the probes: two runs can be compared where it is the same."""
        asked = [[each.id, each.messages, each.parameters, each.expect] for each in self.probes]
        text = json.dumps(asked, default=plain)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def has_independent_trials(self) -> bool:
        """Whether it is of a rate whose trials share nothing, and are of a number fixed before."""
        shared = any(each.cluster for each in self.probes)
        return self.claim.required < 1 and not (shared or self.extension)

    @property
    def test(self) -> Sprt | None:
        """A sequential test of its claim; None where its trials have to be counted.

        That is so where none may fail, and where trials share a document or a conversation.
        """
        claim = self.claim
        if claim.defects_only or not self.has_independent_trials:
            return None
        bad, good = claim.required - claim.margin, claim.required
        good += min(GOOD, (1 - claim.required) / 2)
        return Sprt(bad, good, claim.trials, claim.alpha, claim.alpha) if bad > 0 else None

    @property
    def repeat_sample(self) -> PlannedCheck:
        """The part of it that is tried once more, to see how much of a difference is noise."""
        few = max(FEWEST_AGAIN, round(len(self.probes) * SHARE_AGAIN))
        return replace(self, probes=self.probes[:few], extension=())

    @property
    def seconds(self) -> float:
        """About how long the trials take, one after another."""
        return self.completion_tokens * SECONDS_PER_TOKEN

    @property
    def longest(self) -> float:
        """What the runner sorts by: checks whose trials must queue come first."""
        return self.seconds * (1000 if self.check.in_order else 1)


def plan(checks: Sequence[Check], policy: Policy, profile: str, seed: int) -> list[PlannedCheck]:
    """Settle the trials of each check."""
    planned = []
    shared: set[str] = set()
    for check in checks:
        if policy.leaves_out(check.id, profile):
            continue
        claim = policy.claim(check, profile)
        if claim.gate != "off":
            planned.append(_planned(check, claim, seed, shared))
    return planned


def _planned(check: Check, claim: Claim, seed: int, shared: set[str]) -> PlannedCheck:
    probes = check.probes(seed, claim.trials)
    sent = list(_fresh(probes, shared))
    if not check.extension or claim.defects_only:
        return PlannedCheck(check, claim, probes, sent)
    longer = check.probes(seed, claim.trials + check.extension)
    more = [probe for probe in longer if not probe.control][claim.trials :]
    return PlannedCheck(check, replace(claim, alpha=claim.alpha / 2), probes, sent, more)


def _fresh(probes: Sequence[Probe], shared: set[str]) -> Iterator[Probe]:
    """The probes whose requests are not sent yet."""
    for probe in probes:
        if probe.shared not in shared:
            yield probe
        if probe.shared:
            shared.add(probe.shared)


def seconds(planned: Sequence[PlannedCheck], concurrency: int) -> float:
    """About how long the plan takes: queues cannot be shortened, the rest is shared out."""
    queues = [each.seconds for each in planned if each.check.in_order]
    return max([sum(each.seconds for each in planned) / concurrency, *queues], default=0.0)


def plain(value: object) -> object:
    """What JSON has no form for; the order of a set is nobody's."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else repr(value)


def _tokens(probe: Probe, defects_only: bool) -> int:
    if probe.tokens:
        return (probe.fewer if defects_only else 0) or probe.tokens
    text = json.dumps([list(probe.messages), dict(probe.parameters)], ensure_ascii=False)
    wide = len(WIDE.findall(text))
    return int(wide + (len(text) - wide) / CHARACTERS_PER_TOKEN)
