"""A check: one requirement, and the probes to try it with."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from readiness.chat import Chat
from readiness.forms.factors import FormSpace
from readiness.probe import Probe
from readiness.score import Score
from readiness.statistics.proportions import can_show, fewest

#: What a claim may fall short by, and the risk of a wrong verdict, where no policy says.
MARGIN, ALPHA = 0.05, 0.05

BUILT_IN = "readiness.checks."

Attempt = Callable[[Chat, Probe], Awaitable[Score]]

#: Makes that many probes, all different, from a seed: `generate(seed, trials)`.
Generator = Callable[[int, int], Sequence[Probe]]


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

    def __post_init__(self) -> None:
        if not self.requirement:
            raise TypeError(f"{self.id} has no docstring, which would be its requirement")
        if not 0 < self.required <= 1:
            raise ValueError(f"{self.id}: required is a rate above 0, up to 1: {self.required}")
        if self.trials < 1:
            raise ValueError(f"{self.id} needs probes, or a generator and a number of trials")
        if not can_show(self.required, MARGIN, ALPHA, self.trials):
            raise ValueError(
                f"{self.id} can never be ready: it makes {self.trials} trials, and to show "
                f"a rate of {self.required:.0%} takes {fewest(self.required, MARGIN, ALPHA)}"
            )

    @property
    def dimension(self) -> str:
        """The dimension that the check belongs to: its module, or the package of ours it is in."""
        module = self.attempt.__module__
        if module.startswith(BUILT_IN):
            return module.removeprefix(BUILT_IN).partition(".")[0]
        return module.rpartition(".")[2].removeprefix("check_")

    @property
    def id(self) -> str:
        """What every report calls the check."""
        return f"{self.dimension}.{self.attempt.__name__}"

    @property
    def requirement(self) -> str:
        """What the endpoint MUST do: the docstring of the attempt."""
        return " ".join((inspect.getdoc(self.attempt) or "").split())

    def probes(self, seed: int, trials: int) -> list[Probe]:
        """The probes of that many trials, and the control items beside them.

        A generator makes them all different; a fixed sequence is gone through again. Control items
        come first: a check that ends early has them too.
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
) -> Callable[[Attempt], Check]:
    """Make a check of an async function that tries one probe in one chat.

    Args:
        probes: What to try the requirement with: probes, or a generator of them.
        required: The rate of passed trials that must be shown; 1 where none may fail.
        trials: How many, where the policy names no number; 0 for each probe once.
        extension: How many more, once, where these leave the verdict open; the risk of a wrong
            verdict is then shared between the two looks.
        needs: Features without which the requirement cannot be met, as in `["tools"]`.
        in_order: Whether the trials follow one another, as in "100 consecutive calls".
        alone: Whether no other check may run meanwhile, as when time is measured.
        forms: The forms that its probes are in; None where they are in one.

    Raises:
        TypeError: The function has no docstring, which would be the requirement.
        ValueError: The numbers can never show what is required.
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
        alone,
        forms,
    )
