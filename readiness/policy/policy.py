"""A policy: thresholds, margins, prices, the rule for upgrades, and which dimensions gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from readiness.check import Check
from readiness.policy.hardware import HardwareProfile
from readiness.policy.policy_file import effective, unknown
from readiness.policy.slo import LatencyObjective, Slo
from readiness.policy.yaml_reader import KeyPath, PolicyError
from readiness.resources import licenses
from readiness.statistics.proportions import can_show, fewest
from readiness.verdict.claim import Claim, Gate, Unsupported

MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost.

    Args:
        prompt: Of prompts.
        completion: Of replies, reasoning included.
        currency: Of both.
    """

    prompt: float
    completion: float
    currency: str = "USD"

    def cost(self, prompt: int, completion: int) -> float:
        """What so many tokens cost."""
        return (prompt * self.prompt + completion * self.completion) / MILLION


@dataclass(frozen=True)
class UpgradeRule:
    """What a candidate has to show beside the baseline.

    Args:
        margin: How much lower than the baseline's its rate may truly be.
        non_inferiority: Whether it must show that its rate is no lower than that.
        identity: Whether it must be the same model on the same server.
    """

    margin: float = 0.05
    non_inferiority: Gate = Gate.ADVISORY
    identity: Gate = Gate.ADVISORY

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> UpgradeRule:
        """Read what a policy says; what it leaves open is as above."""
        gates = {key: Gate(said[key]) for key in ("non_inferiority", "identity") if key in said}
        return cls(said.get("margin", cls.margin), **gates)


def upgrades(policy: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a policy says of upgrades: of all, and by the ids of dimensions and checks."""
    found = {"": policy.get("upgrade", {})}
    for dimension, said in policy["dimensions"].items():
        found[dimension] = said.get("upgrade", {})
        checks = said.get("checks", {}).items()
        found |= {f"{dimension}.{name}": each.get("upgrade", {}) for name, each in checks}
    return found


__all__ = ["CheckPolicy", "DimensionPolicy", "Policy", "PolicyError", "load"]

DEFAULT = Path("article")
#: What may change without anything else being required.
APART = frozenset({"name", "extends", "prices"})


@dataclass(frozen=True)
class CheckPolicy:
    """What a policy says of one check; what it leaves open, the check itself says."""

    gate: Gate = Gate.REQUIRED
    required: float | None = None
    margin: Mapping[str, float] = field(default_factory=dict)
    trials: Mapping[str, int] = field(default_factory=dict)
    unsupported: Unsupported = Unsupported.NOT_READY


@dataclass(frozen=True)
class DimensionPolicy:
    """What a policy says of one dimension, and of its checks by their ids.

    Args:
        gate: Whether it counts towards the run.
        checks: The rules of its checks.
        advice: The share of its score that advisory checks have; None where it has its lowest.
    """

    gate: Gate = Gate.REQUIRED
    checks: Mapping[str, CheckPolicy] = field(default_factory=dict)
    advice: float | None = None


@dataclass(frozen=True)
class Policy:
    """What is required of each check, how much may be missing, and what gates.

    Args:
        name: What reports call it.
        alpha: The risk of a wrong verdict on one check.
        margin: How much less than required the true rate may be, in each profile.
        profiles: Those there are, and whether they can show defects only.
        dimensions: What is said of each dimension.
        hardware: The machines that a user may declare, by their names.
        accepts: The licence conditions that are agreed to, by their ids.
        slo: What users are promised.
        upgrades: What is said of upgrades: of all, and by the ids of dimensions and checks.
        digest: SHA-256 of all that the policy requires, in whichever files it says it.
        prices: What tokens cost; None where it does not say.
    """

    name: str
    alpha: float
    margin: Mapping[str, float]
    profiles: Mapping[str, bool]
    dimensions: Mapping[str, DimensionPolicy]
    hardware: Mapping[str, HardwareProfile]
    accepts: frozenset[str]
    slo: Slo
    upgrades: Mapping[str, Mapping[str, Any]]
    digest: str
    prices: Prices | None = None

    @property
    def checks(self) -> frozenset[str]:
        """The ids of all checks that the policy names."""
        return frozenset().union(*(each.checks for each in self.dimensions.values()))

    def on(self, machine: str) -> Policy:
        """The policy where a machine is declared: what it gates counts then.

        Raises:
            PolicyError: There is no such machine.
        """
        if machine not in self.hardware:
            raise PolicyError(f"hardware {machine} {unknown(machine, list(self.hardware))}")
        gating = {
            name: replace(self.dimensions[name], gate=Gate.REQUIRED)
            for name in self.hardware[machine].gates & self.dimensions.keys()
        }
        return replace(self, dimensions={**self.dimensions, **gating})

    def gate(self, dimension: str) -> Gate:
        """Whether a dimension counts towards the run; one that is not named, a user's own, does."""
        return self.dimensions.get(dimension, DimensionPolicy()).gate

    def expected(self, dimension: str, profile: str) -> tuple[str, ...]:
        """The ids of the checks that gate a dimension, and that a profile makes trials of."""
        if self.gate(dimension) is Gate.OFF or dimension not in self.dimensions:
            return ()
        return tuple(
            each
            for each, rule in self.dimensions[dimension].checks.items()
            if rule.gate is Gate.REQUIRED and not self.leaves_out(each, profile)
        )

    def upgrade(self, check: Check | None = None) -> UpgradeRule:
        """What an upgrade has to show, of a check or as a whole: what is nearest to it holds."""
        ways = ["", check.dimension, check.id] if check else [""]
        said = {key: value for way in ways for key, value in self.upgrades.get(way, {}).items()}
        return UpgradeRule.read(said)

    def leaves_out(self, check: str, profile: str) -> bool:
        """Whether a profile makes no trial of the check of that id."""
        rules = [each.checks[check] for each in self.dimensions.values() if check in each.checks]
        return any(rule.trials.get(profile) == 0 for rule in rules)

    def claim(self, check: Check, profile: str) -> Claim:
        """What a check has to show; the check says what the policy does not.

        Raises:
            PolicyError: There is no such profile, or its trials can never show the claim.
        """
        if profile not in self.profiles:
            raise PolicyError(f"profile {profile} {unknown(profile, list(self.profiles))}")
        dimension = self.dimensions.get(check.dimension, DimensionPolicy())
        rule = dimension.checks.get(check.id, CheckPolicy())
        try:
            required = check.required if rule.required is None else rule.required
            claim = self._claim(rule, profile, required, rule.trials.get(profile, check.trials))
        except ValueError as error:
            raise PolicyError(f"policy {self.name}: {check.id} {error}") from error
        return replace(claim, gate=Gate.OFF) if dimension.gate is Gate.OFF else claim

    def impossible(self, rule: CheckPolicy) -> Iterator[str]:
        """Say which of a rule's figures can never show what it requires."""
        if rule.required is None:
            return
        for profile in [each for each in self.profiles if rule.trials.get(each)]:
            try:
                self._claim(rule, profile, rule.required, rule.trials[profile])
            except ValueError as error:
                yield str(error)

    def _claim(self, rule: CheckPolicy, profile: str, required: float, trials: int) -> Claim:
        margin = rule.margin.get(profile, self.margin[profile])
        defects_only = self.profiles[profile]
        claim = Claim(
            required, margin, self.alpha, trials, defects_only, rule.gate, rule.unsupported
        )
        if not defects_only and not can_show(required, margin, self.alpha, trials):
            raise ValueError(
                f"can never show {required} less {margin} by {trials} trials: "
                f"{profile} needs {fewest(required, margin, self.alpha)} or more"
            )
        return claim


def load(path: Path | None = None) -> Policy:
    """Load a policy: a file, the name of one that ships with readiness, or else the article's.

    Raises:
        PolicyError: What is wrong in the policy, where, and what is allowed.
    """
    file = effective(path or DEFAULT)
    said = file.content
    profiles = {name: each["shows"] == "defects" for name, each in said["profiles"].items()}
    policy = Policy(
        name=said["name"],
        alpha=said["alpha"],
        margin=_by_profile(said["margin"], profiles),
        profiles=profiles,
        dimensions={
            name: _dimension(name, each, profiles) for name, each in said["dimensions"].items()
        },
        hardware={
            name: HardwareProfile.read(name, each)
            for name, each in said.get("hardware", {}).items()
        },
        accepts=frozenset(said.get("accepts", ())),
        slo=[LatencyObjective.read(each) for each in said.get("slo", ())],
        upgrades=upgrades(said),
        digest=_digest(said),
        prices=Prices(**said["prices"]) if "prices" in said else None,
    )
    # Several profiles may have the same problem.
    if problems := dict.fromkeys(file.problem(way, text) for way, text in _problems(policy)):
        raise PolicyError("\n".join(problems))
    return policy


def _dimension(
    dimension: str, said: dict[str, Any], profiles: Mapping[str, bool]
) -> DimensionPolicy:
    checks = said.get("checks", {})
    rules = {f"{dimension}.{name}": _rule(each, profiles) for name, each in checks.items()}
    return DimensionPolicy(Gate(said.get("gate", Gate.REQUIRED)), rules, said.get("advice"))


def _rule(said: dict[str, Any], profiles: Mapping[str, bool]) -> CheckPolicy:
    return CheckPolicy(
        Gate(said.get("gate", Gate.REQUIRED)),
        said.get("required"),
        _by_profile(said.get("margin", {}), profiles),
        _by_profile(said.get("trials", {}), profiles),
        Unsupported(said.get("unsupported", Unsupported.NOT_READY)),
    )


def _by_profile(said: Any, profiles: Mapping[str, bool]) -> dict[str, Any]:
    """One figure for each profile, where the policy has one for all."""
    return said if isinstance(said, dict) else dict.fromkeys(profiles, said)


def _digest(said: dict[str, Any]) -> str:
    rules = {key: value for key, value in said.items() if key not in APART}
    text = json.dumps(rules, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _problems(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    """What no schema can tell: figures for profiles there are not, and claims never shown."""
    conditions = list(licenses()["conditions"])
    strange = sorted(policy.accepts.difference(conditions))
    yield from ((("accepts",), f"{each} {unknown(each, conditions)}") for each in strange)
    yield from _unknown_profiles(policy, ("margin",), policy.margin)
    bare = [each for each in policy.profiles if each not in policy.margin]
    yield from ((("profiles", each), "has no margin") for each in bare)
    if bare:
        return
    for name, dimension in policy.dimensions.items():
        for check, rule in dimension.checks.items():
            way = ("dimensions", name, "checks", check.removeprefix(f"{name}."))
            yield from _unknown_profiles(policy, (*way, "margin"), rule.margin)
            yield from _unknown_profiles(policy, (*way, "trials"), rule.trials)
            yield from ((way, text) for text in policy.impossible(rule))


def _unknown_profiles(
    policy: Policy, way: KeyPath, figures: Mapping[str, float]
) -> Iterator[tuple[KeyPath, str]]:
    known = list(policy.profiles)
    return (((*way, each), unknown(each, known)) for each in figures if each not in known)
