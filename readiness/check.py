"""A check: one requirement, and the probes to try it with."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from readiness.chat import Chat
from readiness.forms.factors import Factor, FormSpace
from readiness.probe import Probe
from readiness.score import Score
from readiness.statistics.proportions import can_show, fewest

#: The default margin below the required rate, and the default risk of a wrong verdict.
MARGIN, ALPHA = 0.05, 0.05

BUILT_IN = "readiness.checks."

Attempt = Callable[[Chat, Probe], Awaitable[Score]]

#: Generates the given number of distinct probes from a seed: `generate(seed, trials)`.
Generator = Callable[[int, int], Sequence[Probe]]


#: Why equal probes are refused.
ONCE = "the same request again shows nothing new, and would count as another trial"


class CheckMistake(TypeError):
    """A check is written wrongly; the message says where, and what to write instead."""


def equal_probes(probes: Sequence[Probe]) -> tuple[str, str] | None:
    """The ids of two probes that ask and expect the same; None where there are none.

    One without messages leaves it to its check what to ask.
    """
    seen: dict[str, str] = {}
    for probe in filter(lambda each: each.messages, probes):
        asked = repr([probe.messages, probe.parameters, probe.expect])
        if asked in seen:
            return seen[asked], probe.id
        seen[asked] = probe.id
    return None


@dataclass(frozen=True, eq=False)
class Check:
    """One requirement, and the probes to try it with."""

    attempt: Attempt
    source: Sequence[Probe] | Generator
    required: float
    trials: int
    extension: int
    needs: frozenset[str]
    in_order: bool
    alone: bool
    forms: FormSpace | None
    whole_run: bool = False
    evidence: str = ""

    def __post_init__(self) -> None:
        if not self.requirement:
            raise TypeError(f"{self.id} has no docstring, which would be its requirement")
        if not inspect.iscoroutinefunction(self.attempt):
            raise TypeError(f"{self.place}: {self.id} waits for replies: write `async def`")
        if not (callable(self.source) or self.is_built_in):
            self._require_different(self.source)
        if not 0 < self.required <= 1:
            raise ValueError(f"{self.id}: required is a rate above 0, up to 1: {self.required}")
        if self.trials < 1:
            raise ValueError(f"{self.id} needs probes, or a generator and a number of trials")
        if self.in_order and self.forms and Factor.LOAD in self.forms.levels:
            raise ValueError(f"{self.id}: trials in order cannot be put under another load")
        if not can_show(self.required, MARGIN, ALPHA, self.trials):
            raise ValueError(
                f"{self.id} can never be ready: it runs {self.trials} trials, and showing "
                f"a rate of {self.required:.0%} takes {fewest(self.required, MARGIN, ALPHA)}"
            )

    def _require_different(self, probes: Sequence[Probe]) -> None:
        """Require that the trials of a list ask for different things.

        Raises:
            ValueError: Two probes are equal, or a rate is to be shown by the same ones again.
        """
        counted = [probe for probe in probes if not probe.control]
        if twins := equal_probes(counted):
            raise ValueError(f"{self.id}: probes {twins[0]} and {twins[1]} are equal: {ONCE}")
        if self.required < 1 and self.trials > len(counted):
            raise ValueError(
                f"{self.id} asks for {self.trials} trials and has {len(counted)} probes: {ONCE}"
            )

    @property
    def is_built_in(self) -> bool:
        """Whether it belongs to this package, and not to a user."""
        return self.attempt.__module__.startswith(BUILT_IN)

    @property
    def place(self) -> str:
        """The file and the line of its function."""
        code = self.attempt.__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    @property
    def dimension(self) -> str:
        """The check's dimension: its package in `readiness.checks`, or the name of its module."""
        module = self.attempt.__module__
        if module.startswith(BUILT_IN):
            return module.removeprefix(BUILT_IN).partition(".")[0]
        return module.rpartition(".")[2].removeprefix("check_")

    @property
    def id(self) -> str:
        """The check's id in every report: `dimension.function`."""
        return f"{self.dimension}.{self.attempt.__name__}"

    @property
    def requirement(self) -> str:
        """What the endpoint MUST do: the docstring of the attempt."""
        return " ".join((inspect.getdoc(self.attempt) or "").split())

    def probes(self, seed: int, trials: int) -> list[Probe]:
        """The probes of the given number of counted trials, and the control probes.

        A generator's probes are all distinct; a fixed sequence repeats in a cycle. Control probes
        come first, so that a check that ends early has tried them.
        """
        if callable(self.source):
            return sorted(self.source(seed, trials), key=_counts)
        controls = [probe for probe in self.source if probe.control]
        counted = filter(_counts, self.source)
        return [*controls, *islice(cycle(counted), trials)]


def _counts(probe: Probe) -> bool:
    return not probe.control


def check(
    probes: Sequence[Probe] | Generator,
    *,
    required: float = 1.0,
    trials: int = 0,
    extension: int = 0,
    needs: Sequence[str] = (),
    in_order: bool = False,
    alone: bool = False,
    forms: FormSpace | None = None,
    whole_run: bool = False,
    evidence: str = "",
) -> Callable[[Attempt], Check]:
    """Decorate an async function that tries one probe in one chat, which makes it a check.

    Args:
        probes: The probes to try the requirement with, or a generator of them.
        required: The pass rate that must be shown; 1 where no trial may fail.
        trials: The number of trials, where the policy names none; 0 tries each probe once.
        extension: The number of further trials, run once, where the first leave the verdict
            inconclusive; the risk of a wrong verdict is then split between the two looks.
        needs: Features that the requirement depends on, as in `["tools"]`.
        in_order: Whether the trials run sequentially, as in "100 consecutive calls".
        alone: Whether no other check may run at the same time, as when time is measured.
        forms: The request forms of its probes; None where they all have one form.
        whole_run: Whether it judges all exchanges of the run, and sends nothing: it is tried when
            all other checks have ended.
        evidence: The option that names the evidence it needs besides replies, as in
            `license-evidence`; "" for none.

    Raises:
        TypeError: The function has no docstring, which would be the requirement.
        ValueError: The number of trials can never show the required rate.
    """
    counted = 0 if callable(probes) else sum(not probe.control for probe in probes)
    return lambda attempt: Check(
        attempt,
        probes,
        required,
        trials or counted,
        extension,
        frozenset(needs),
        in_order,
        alone or whole_run,
        forms,
        whole_run,
        evidence,
    )
