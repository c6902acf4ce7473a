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
    """Prices of a million tokens.

    Args:
        prompt: The price of prompt tokens.
        completion: The price of completion tokens, including reasoning.
        currency: The currency of both.
    """

    prompt: float
    completion: float
    currency: str = "USD"

    def cost(self, prompt: int, completion: int) -> float:
        """The cost of the tokens."""
        return (prompt * self.prompt + completion * self.completion) / MILLION


@dataclass(frozen=True)
class UpgradeRule:
    """What a candidate must show compared with the baseline.

    Args:
        margin: How far below the baseline's its true rate may be.
        non_inferiority: Whether non-inferiority within the margin is required.
        identity: Whether the endpoint must report the same identity.
    """

    margin: float = 0.05
    non_inferiority: Gate = Gate.ADVISORY
    identity: Gate = Gate.ADVISORY

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> UpgradeRule:
        """Read the rule from a policy; the defaults are those of the class."""
        gates = {
            key: Gate(section[key]) for key in ("non_inferiority", "identity") if key in section
        }
        return cls(section.get("margin", cls.margin), **gates)


def upgrades(policy: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The upgrade rules of a policy: the general one under "", others by dimension and check id."""
    found = {"": policy.get("upgrade", {})}
    for dimension, section in policy["dimensions"].items():
        found[dimension] = section.get("upgrade", {})
        checks = section.get("checks", {}).items()
        found |= {f"{dimension}.{name}": each.get("upgrade", {}) for name, each in checks}
    return found


__all__ = ["CheckPolicy", "DimensionPolicy", "Policy", "PolicyError", "load"]

DEFAULT = Path("article")
#: The keys that are not part of the digest, since they change no requirement.
UNDIGESTED_KEYS = frozenset({"name", "extends", "prices"})


@dataclass(frozen=True)
class CheckPolicy:
    """A policy's rule for one check; where it sets no value, the check's own applies."""

    gate: Gate = Gate.REQUIRED
    required: float | None = None
    margin: Mapping[str, float] = field(default_factory=dict)
    trials: Mapping[str, int] = field(default_factory=dict)
    unsupported: Unsupported = Unsupported.NOT_READY


@dataclass(frozen=True)
class DimensionPolicy:
    """A policy's rule for one dimension.

    Args:
        gate: Whether it counts towards the run.
        checks: The rules of its checks, by id.
        advice: The share of advisory checks in its score; None where the score is the lowest of
            its gating checks.
    """

    gate: Gate = Gate.REQUIRED
    checks: Mapping[str, CheckPolicy] = field(default_factory=dict)
    advice: float | None = None


@dataclass(frozen=True)
class Policy:
    """A policy: required rates, margins, trials and gates.

    Args:
        name: Its name in reports.
        alpha: The risk of a wrong verdict on one check.
        margin: How far below the required rate the true rate may be, by profile.
        profiles: The profiles, and whether each shows defects only.
        dimensions: The rules of dimensions, by id.
        hardware: The hardware profiles that a user may declare, by name.
        accepts: The ids of accepted licence conditions.
        slo: The service level objectives.
        upgrades: The upgrade rules: the general one, and those of dimensions and checks.
        digest: The SHA-256 of its requirements, however they are divided among files.
        prices: The prices of tokens; None where it has none.
        step_seconds: How long a step of a load test is measured at least, by profile.
        waiver_days: For how many days a waiver may hold; None for any number.
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
    step_seconds: Mapping[str, float] = field(default_factory=dict)
    waiver_days: int | None = None

    @property
    def checks(self) -> frozenset[str]:
        """The ids of all checks that the policy names."""
        return frozenset().union(*(each.checks for each in self.dimensions.values()))

    def on(self, machine: str) -> Policy:
        """The policy for a declared machine, whose gated dimensions become required.

        Raises:
            PolicyError: The policy has no such machine.
        """
        if machine not in self.hardware:
            raise PolicyError(f"hardware {machine} {unknown(machine, list(self.hardware))}")
        gating = {
            name: replace(self.dimensions[name], gate=Gate.REQUIRED)
            for name in self.hardware[machine].gates & self.dimensions.keys()
        }
        return replace(self, dimensions={**self.dimensions, **gating})

    def requiring(self, dimension: str) -> Policy:
        """The policy of a run that asks for a dimension by an option: it gates unless it is off."""
        rules = self.dimensions.get(dimension, DimensionPolicy())
        if rules.gate is Gate.OFF:
            return self
        required = {dimension: replace(rules, gate=Gate.REQUIRED)}
        return replace(self, dimensions={**self.dimensions, **required})

    def gate(self, dimension: str) -> Gate:
        """The gate of a dimension; a user's own that the policy does not name is required."""
        return self.dimensions.get(dimension, DimensionPolicy()).gate

    def expected(self, dimension: str, profile: str) -> tuple[str, ...]:
        """The ids of a dimension's required checks that a profile tries."""
        if self.gate(dimension) is Gate.OFF or dimension not in self.dimensions:
            return ()
        return tuple(
            each
            for each, rule in self.dimensions[dimension].checks.items()
            if rule.gate is Gate.REQUIRED and not self.leaves_out(each, profile)
        )

    def upgrade(self, check: Check | None = None) -> UpgradeRule:
        """The upgrade rule of a check or of the run: the most specific value applies."""
        keys = ["", check.dimension, check.id] if check else [""]
        section = {
            key: value
            for key_path in keys
            for key, value in self.upgrades.get(key_path, {}).items()
        }
        return UpgradeRule.read(section)

    def leaves_out(self, check: str, profile: str) -> bool:
        """Whether a profile does not try a check, by its id."""
        rules = [each.checks[check] for each in self.dimensions.values() if check in each.checks]
        return any(rule.trials.get(profile) == 0 for rule in rules)

    def claim(self, check: Check, profile: str) -> Claim:
        """A check's claim; the check's own values apply where the policy sets none.

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
        """Why a rule's trials can never show what it requires, for each profile."""
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
    """Load a policy: a file, a built-in policy by name, or the default, `article`.

    Raises:
        PolicyError: The policy is invalid; the message names each place and what is allowed.
    """
    file = effective(path or DEFAULT)
    section = file.content
    profiles = {name: each["shows"] == "defects" for name, each in section["profiles"].items()}
    policy = Policy(
        name=section["name"],
        alpha=section["alpha"],
        margin=_by_profile(section["margin"], profiles),
        profiles=profiles,
        dimensions={
            name: _dimension(name, each, profiles) for name, each in section["dimensions"].items()
        },
        hardware={
            name: HardwareProfile.read(name, each)
            for name, each in section.get("hardware", {}).items()
        },
        accepts=frozenset(section.get("accepts", ())),
        slo=[LatencyObjective.read(each) for each in section.get("slo", ())],
        upgrades=upgrades(section),
        digest=_digest(section),
        prices=Prices(**section["prices"]) if "prices" in section else None,
        step_seconds={
            name: each["step_seconds"]
            for name, each in section["profiles"].items()
            if "step_seconds" in each
        },
        waiver_days=section.get("waiver_days"),
    )
    # Several profiles may have the same problem.
    if problems := dict.fromkeys(
        file.problem(key_path, text) for key_path, text in _problems(policy)
    ):
        raise PolicyError("\n".join(problems))
    return policy


def _dimension(
    dimension: str, section: dict[str, Any], profiles: Mapping[str, bool]
) -> DimensionPolicy:
    checks = section.get("checks", {})
    rules = {f"{dimension}.{name}": _rule(each, profiles) for name, each in checks.items()}
    return DimensionPolicy(Gate(section.get("gate", Gate.REQUIRED)), rules, section.get("advice"))


def _rule(section: dict[str, Any], profiles: Mapping[str, bool]) -> CheckPolicy:
    return CheckPolicy(
        Gate(section.get("gate", Gate.REQUIRED)),
        section.get("required"),
        _by_profile(section.get("margin", {}), profiles),
        _by_profile(section.get("trials", {}), profiles),
        Unsupported(section.get("unsupported", Unsupported.NOT_READY)),
    )


def _by_profile(section: Any, profiles: Mapping[str, bool]) -> dict[str, Any]:
    """The value for each profile, where the policy may have one for all."""
    return section if isinstance(section, dict) else dict.fromkeys(profiles, section)


def _digest(section: dict[str, Any]) -> str:
    rules = {key: value for key, value in section.items() if key not in UNDIGESTED_KEYS}
    text = json.dumps(rules, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _problems(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    """Problems that no schema finds: unknown profiles and conditions, and impossible claims."""
    conditions = list(licenses()["conditions"])
    unknown_conditions = sorted(policy.accepts.difference(conditions))
    yield from (
        (("accepts",), f"{each} {unknown(each, conditions)}") for each in unknown_conditions
    )
    yield from _unknown_profiles(policy, ("margin",), policy.margin)
    without_margin = [each for each in policy.profiles if each not in policy.margin]
    yield from ((("profiles", each), "has no margin") for each in without_margin)
    if without_margin:
        return
    for name, dimension in policy.dimensions.items():
        for check, rule in dimension.checks.items():
            key_path = ("dimensions", name, "checks", check.removeprefix(f"{name}."))
            yield from _unknown_profiles(policy, (*key_path, "margin"), rule.margin)
            yield from _unknown_profiles(policy, (*key_path, "trials"), rule.trials)
            yield from ((key_path, text) for text in policy.impossible(rule))


def _unknown_profiles(
    policy: Policy, key_path: KeyPath, figures: Mapping[str, float]
) -> Iterator[tuple[KeyPath, str]]:
    known = list(policy.profiles)
    return (((*key_path, each), unknown(each, known)) for each in figures if each not in known)
