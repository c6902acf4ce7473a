"""A check: one requirement, and the probes to try it with."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from readiness.chat import Chat
from readiness.probe import Probe
from readiness.score import Score

Attempt = Callable[[Chat, Probe], Awaitable[Score]]


@dataclass(frozen=True, eq=False)
class Check:
    """One requirement, and the probes to try it with."""

    attempt: Attempt
    probes: Sequence[Probe]
    required: float
    repeat: int
    needs: frozenset[str]
    in_order: bool
    alone: bool

    def __post_init__(self) -> None:
        if not self.requirement:
            raise TypeError(f"{self.id} has no docstring, which would be its requirement")
        if not 0 < self.required <= 1:
            raise ValueError(f"{self.id}: required is a rate above 0 and up to 1, not {self.required}")
        ids = [probe.id for probe in self.probes]
        if len(ids) != len(set(ids)) or not ids:
            raise ValueError(f"{self.id} needs probes, each with an id of its own")

    @property
    def dimension(self) -> str:
        """The dimension that the check belongs to: its module."""
        return self.attempt.__module__.rpartition(".")[2].removeprefix("check_")

    @property
    def id(self) -> str:
        """What every report calls the check."""
        return f"{self.dimension}.{self.attempt.__name__}"

    @property
    def requirement(self) -> str:
        """What the endpoint MUST do: the docstring of the attempt."""
        return " ".join((inspect.getdoc(self.attempt) or "").split())


def check(
    probes: Sequence[Probe],
    *,
    required: float = 1.0,
    repeat: int = 1,
    needs: Sequence[str] = (),
    in_order: bool = False,
    alone: bool = False,
) -> Callable[[Attempt], Check]:
    """Make a check of an async function that tries one probe in one chat.

    Args:
        probes: What to try the requirement with.
        required: The rate of passed trials that must be shown; 1 where none may fail.
        repeat: How often to try each probe, where the policy names no number of trials.
        needs: Features without which the requirement cannot be met, as in `{"tools"}`.
        in_order: Whether the trials follow one another, as in "100 consecutive calls".
        alone: Whether no other check may run meanwhile, as when time is measured.
    """
    return lambda attempt: Check(
        attempt, tuple(probes), required, repeat, frozenset(needs), in_order, alone
    )
