"""The plan: the checks and probes of a run, and estimates of its tokens and duration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from readiness.check import Check
from readiness.forms.apply import form_of
from readiness.forms.covering import Coverage, coverage
from readiness.forms.factors import Form
from readiness.policy.policy import Policy
from readiness.probe import Probe, tokens_of
from readiness.verdict.claim import Claim
from readiness.verdict.sequential import Sprt

PROMPTED = ("tools", "response_format")  # the parameters that the model reads
REPLY_SHARE = 0.25  # the typical share of its budget that a reply uses
REPEAT_SHARE, MIN_REPEATS = 1 / 3, 10  # of the trials of a baseline
#: A sequential test must not call a rate not ready that exceeds the required one by this.
GOOD_MARGIN = 0.03
SECONDS_PER_TOKEN = 1 / 40  # in one stream of a server under some load


@dataclass(frozen=True, eq=False)
class PlannedCheck:
    """One check's part of the plan.

    Args:
        check: The check.
        claim: What it must show.
        probes: Its probes.
        sent: Its probes whose requests are not shared with an earlier probe.
        extension: Further probes, where the first leave the verdict inconclusive.
    """

    check: Check
    claim: Claim
    probes: Sequence[Probe]
    sent: Sequence[Probe]
    extension: Sequence[Probe] = ()

    @cached_property
    def prompt_tokens(self) -> int:
        """The estimated tokens of the prompts."""
        return sum(_tokens(probe, self.claim.defects_only) for probe in self.sent)

    @cached_property
    def completion_tokens(self) -> int:
        """The estimated tokens of the replies."""
        return int(sum(probe.budget * REPLY_SHARE for probe in self.sent))

    @property
    def forms(self) -> list[Form]:
        """The request forms of the probes, without controls; none where the form does not vary."""
        space = self.check.forms
        return [form_of(each, space) for each in self.probes if space and not each.control]

    @cached_property
    def probes_digest(self) -> str:
        """The digest of the probes: two runs can be compared where it is equal."""
        asked = [[each.id, each.messages, each.parameters, each.expect] for each in self.probes]
        text = json.dumps(asked, default=json_fallback)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def has_independent_trials(self) -> bool:
        """Whether the claim is a rate with independent trials, whose number is fixed in advance."""
        shared = any(each.cluster for each in self.probes)
        return self.claim.required < 1 and not (shared or self.extension)

    @property
    def test(self) -> Sprt | None:
        """The sequential test of its claim; None where its trials must be judged by count.

        That is where no trial may fail, and where trials share a document or a conversation.
        """
        claim = self.claim
        if claim.defects_only or not self.has_independent_trials:
            return None
        bad, good = claim.required - claim.margin, claim.required
        good += min(GOOD_MARGIN, (1 - claim.required) / 2)
        return Sprt(bad, good, claim.trials, claim.alpha, claim.alpha) if bad > 0 else None

    @property
    def repeat_sample(self) -> PlannedCheck:
        """The part that is repeated, to measure noise."""
        count = max(MIN_REPEATS, round(len(self.probes) * REPEAT_SHARE))
        return replace(self, probes=self.probes[:count], extension=())

    @property
    def seconds(self) -> float:
        """The estimated duration of the trials in seconds, run sequentially."""
        return self.completion_tokens * SECONDS_PER_TOKEN

    @property
    def longest(self) -> float:
        """The key by which the scheduler sorts: checks with trials in order come first."""
        return self.seconds * (1000 if self.check.in_order else 1)


def plan(checks: Sequence[Check], policy: Policy, profile: str, seed: int) -> list[PlannedCheck]:
    """Plan the trials of each check that the profile tries."""
    planned = []
    shared: set[str] = set()
    for check in checks:
        if policy.leaves_out(check.id, profile):
            continue
        claim = policy.claim(check, profile)
        if claim.gate != "off":
            planned.append(_planned(check, claim, seed, shared))
    return planned


def pairs_tried(planned: Iterable[PlannedCheck], strength: int = 2) -> Coverage:
    """How many pairs of levels of a request's form some checks try, of those that are possible.

    Of one check, of a dimension's, or of all; of triples with a strength of 3.
    """
    spaces = ((each.check.forms, each.forms) for each in planned)
    return coverage([(space, forms) for space, forms in spaces if space], strength)


def _planned(check: Check, claim: Claim, seed: int, shared: set[str]) -> PlannedCheck:
    probes = check.probes(seed, claim.trials)
    sent = list(_fresh(probes, shared))
    if not check.extension or claim.defects_only:
        return PlannedCheck(check, claim, probes, sent)
    longer = check.probes(seed, claim.trials + check.extension)
    more = [probe for probe in longer if not probe.control][claim.trials :]
    return PlannedCheck(check, replace(claim, alpha=claim.alpha / 2), probes, sent, more)


def _fresh(probes: Sequence[Probe], shared: set[str]) -> Iterator[Probe]:
    """The probes whose requests no earlier probe shares."""
    for probe in probes:
        if probe.shared not in shared:
            yield probe
        if probe.shared:
            shared.add(probe.shared)


def seconds(planned: Sequence[PlannedCheck], concurrency: int) -> float:
    """The estimated duration in seconds: trials in order are sequential, the rest concurrent."""
    queues = [each.seconds for each in planned if each.check.in_order]
    return max([sum(each.seconds for each in planned) / concurrency, *queues], default=0.0)


def json_fallback(value: object) -> object:
    """The fallback of JSON for other types; sets are sorted, for they have no order."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else repr(value)


def _tokens(probe: Probe, defects_only: bool) -> int:
    if probe.tokens:
        return (probe.fewer if defects_only else 0) or probe.tokens
    shown = {name: probe.parameters[name] for name in PROMPTED if name in probe.parameters}
    return tokens_of(
        json.dumps([list(probe.messages), shown], ensure_ascii=False, default=json_fallback)
    )
