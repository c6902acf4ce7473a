"""The plan: the checks and probes of a run, and estimates of its tokens and duration."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from readiness.check import ONCE, Check, equal_probes
from readiness.forms.covering import Coverage, coverage
from readiness.forms.factors import Factor, Form, Limit
from readiness.policy.policy import Policy, PolicyError
from readiness.probe import Probe, prompt_tokens
from readiness.verdict.claim import Claim, Gate
from readiness.verdict.sequential import Sprt

PROMPTED = ("tools", "response_format")  # the parameters that the model reads
REPLY_SHARE = 0.25  # the typical share of its budget that a reply uses
REPEAT_SHARE, MIN_REPEATS = 1 / 3, 10  # of the trials of a baseline
#: A sequential test must not call a rate not ready that exceeds the required one by this.
GOOD_MARGIN = 0.03
SECONDS_PER_TOKEN = 1 / 40  # in one stream of a server under some load
#: The dimension whose probes are steps of a load test.
STEPS = "load"


@dataclass(frozen=True, eq=False)
class PlannedCheck:
    """One check's part of the plan.

    Args:
        check: The check.
        claim: What it must show.
        probes: Its probes.
        sent: Its probes whose requests are not shared with an earlier probe.
        extension: Further probes, where the first leave the verdict inconclusive.
        step_seconds: How long each of its probes takes at least, where they are sized by time.
    """

    check: Check
    claim: Claim
    probes: Sequence[Probe]
    sent: Sequence[Probe]
    extension: Sequence[Probe] = ()
    step_seconds: float = 0.0

    @cached_property
    def prompt_tokens(self) -> int:
        """The estimated tokens of the prompts."""
        return sum(_tokens(probe, self.claim.defects_only) for probe in self.sent)

    @cached_property
    def completion_tokens(self) -> int:
        """The estimated tokens of the replies."""
        return int(sum(probe.budget for probe in self.sent) * REPLY_SHARE)

    @property
    def forms(self) -> list[Form]:
        """The request forms of the probes, without controls; none where the form does not vary."""
        space = self.check.forms
        counted = [each for each in self.probes if not each.control]
        return [space.form_of(each.labels) for each in counted] if space else []

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
        if self.step_seconds:
            return len(self.sent) * self.step_seconds
        return self.completion_tokens * SECONDS_PER_TOKEN

    @property
    def longest(self) -> float:
        """The key by which the scheduler sorts: checks with trials in order come first."""
        return self.seconds * (1000 if self.check.in_order else 1)


def plan(checks: Sequence[Check], policy: Policy, profile: str, seed: int) -> list[PlannedCheck]:
    """Plan the trials of each check that the profile tries."""
    planned = []
    shared: set[str] = set()
    made: dict[tuple[int, int], Sequence[Probe]] = {}

    def probes_of(check: Check, trials: int) -> Sequence[Probe]:
        """The probes of a check, which are made once for all checks of one source."""
        key = id(check.source), trials
        if key not in made:
            made[key] = check.probes(seed, trials)
        return made[key]

    for check in checks:
        if policy.leaves_out(check.id, profile):
            continue
        claim = policy.claim(check, profile)
        if claim.gate != "off":
            found = _planned(check, claim, probes_of, shared)
            step = policy.step_seconds.get(profile, 0.0) if check.dimension == STEPS else 0.0
            planned.append(replace(found, step_seconds=step))
    return planned


@dataclass(frozen=True)
class MissingEvidence:
    """Evidence that only the user can give, and has not given.

    Args:
        option: The option that names it.
        checks: The ids of the required checks that are not assessed without it.
        dimensions: The required dimensions that are not, so that the run cannot be ready.
    """

    option: str
    checks: Sequence[str]
    dimensions: Sequence[str]


def missing_evidence(
    planned: Sequence[PlannedCheck], policy: Policy, given: Collection[str]
) -> list[MissingEvidence]:
    """The evidence that required checks need beyond what is given: what stops the run first."""
    required = [
        each.check
        for each in planned
        if each.claim.gate is policy.gate(each.check.dimension) is Gate.REQUIRED
    ]
    lacking = [check for check in required if check.evidence and check.evidence not in given]
    assessed = {check.dimension for check in required if check not in lacking}
    found = []
    for option in dict.fromkeys(check.evidence for check in lacking):
        checks = [check for check in lacking if check.evidence == option]
        dimensions = dict.fromkeys(check.dimension for check in checks)
        found.append(
            MissingEvidence(
                option,
                [check.id for check in checks],
                [each for each in dimensions if each not in assessed],
            )
        )
    return sorted(found, key=lambda each: not each.dimensions)


def pairs_tried(planned: Iterable[PlannedCheck], strength: int = 2) -> Coverage:
    """How many pairs of levels of a request's form some checks try, of those that are possible.

    Of one check, of a dimension's, or of all; of triples with a strength of 3.
    """
    spaces = ((each.check.forms, each.forms) for each in planned)
    return coverage([(space, forms) for space, forms in spaces if space], strength)


def _planned(
    check: Check,
    claim: Claim,
    probes_of: Callable[[Check, int], Sequence[Probe]],
    shared: set[str],
) -> PlannedCheck:
    probes = probes_of(check, claim.trials)
    counted = [probe for probe in probes if not probe.control]
    if claim.required < 1 and not check.is_built_in and (twins := equal_probes(counted)):
        raise PolicyError(f"{check.id}: probes {twins[0]} and {twins[1]} are equal: {ONCE}")
    if claim.defects_only:
        # Such a check ends with its first failure: what costs least is tried first.
        probes = sorted(map(_limited, probes), key=_cost)
    sent = list(_fresh(probes, shared))
    if not check.extension or claim.defects_only:
        return PlannedCheck(check, claim, probes, sent)
    longer = probes_of(check, claim.trials + check.extension)
    more = [probe for probe in longer if not probe.control][claim.trials :]
    return PlannedCheck(check, replace(claim, alpha=claim.alpha / 2), probes, sent, more)


def _limited(probe: Probe) -> Probe:
    """The probe with its small budget, and in a plainer form where its own has no limit.

    A model that loops would fill whatever it may.
    """
    if probe.plain and probe.labels.get(Factor.LIMIT) == Limit.NONE:
        return _limited(replace(probe.plain, shared=probe.shared))
    plain, fallback = (each and _limited(each) for each in (probe.plain, probe.fallback))
    budget = probe.small_budget or probe.budget
    return replace(probe, budget=budget, plain=plain, fallback=fallback)


def _cost(probe: Probe) -> tuple[bool, int]:
    """The key by which probes are tried; controls come last."""
    return probe.control, _tokens(probe, defects_only=True) + probe.budget


def _fresh(probes: Sequence[Probe], shared: set[str]) -> Iterator[Probe]:
    """The probes whose requests no earlier probe shares."""
    for probe in probes:
        if probe.shared not in shared:
            yield probe
        if probe.shared:
            shared.add(probe.shared)


class Duration(NamedTuple):
    """The estimated duration of a run.

    Args:
        seconds: All of it.
        bound: What takes most of it, whatever the concurrency: a check whose trials run one after
            another, or a dimension whose checks run alone; "" where it is neither.
    """

    seconds: float
    bound: str


def duration(
    planned: Sequence[PlannedCheck],
    concurrency: int,
    tokens_per_second: float = 1.0 / SECONDS_PER_TOKEN,
) -> Duration:
    """The estimated duration, at a pace of one stream.

    Checks that run alone come one after another; the others overlap, within the concurrency.
    """

    def takes(each: PlannedCheck) -> float:
        pace = 1.0 if each.step_seconds else SECONDS_PER_TOKEN * tokens_per_second
        return each.seconds / pace

    together = [each for each in planned if not each.check.alone]
    queues = {each.check.id: takes(each) for each in together if each.check.in_order}
    shared = sum(map(takes, together)) / concurrency
    alone: defaultdict[str, float] = defaultdict(float)
    for each in planned:
        if each.check.alone:
            alone[each.check.dimension] += takes(each)
    longest = max(queues.values(), default=0.0)
    parts = {"": shared, **{name: of for name, of in queues.items() if of > shared}, **alone}
    return Duration(max(shared, longest) + sum(alone.values()), max(parts, key=parts.__getitem__))


def json_fallback(value: object) -> object:
    """The fallback of JSON for other types; sets are sorted, for they have no order."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else repr(value)


def _tokens(probe: Probe, defects_only: bool) -> int:
    if probe.tokens:
        return (probe.fewer if defects_only else 0) or probe.tokens
    shown = [probe.parameters[name] for name in PROMPTED if name in probe.parameters]
    return prompt_tokens(probe.messages, shown)
