"""A step: many requests at once, or as they come, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from readiness.histogram import Histogram
from readiness.latency import Latency
from readiness.strain import Strain


@dataclass(frozen=True)
class Shape:
    """What a step is to be.

    Args:
        scenario: What its users send.
        clients: How many there are at once; 0 where requests arrive by themselves.
        requests: Most conversations.
        seconds: How long new ones are begun; each client has at least one.
        rate: How many arrive in a second, where they do so by themselves.
        seed: What the prompts are made from.
        small: Whether prompts and replies are short: readiness cannot be shown anyway.
    """

    scenario: str
    clients: int
    requests: int
    seconds: float
    rate: float = 0.0
    seed: str = ""
    small: bool = False

    @property
    def shown(self) -> str:
        """What it is, in words."""
        crowd = f"{self.clients} clients" if self.clients else f"{self.rate:.2g} requests a second"
        return f"{self.scenario} at {crowd}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One request under load; times are in seconds from the beginning of the step.

    Args:
        due: When it was to be sent.
        sent: When it was.
        end: When its response had ended.
        warm: Whether it was one of the first, which warm up.
        code: The word that its reply must have; "" where no answer is known.
        said: The beginning of the reply.
        error: What went wrong, in words; "" where nothing did.
        limited: Whether it was refused by a limit that the endpoint states.
        latency: The times of its reply; None where it has none.
    """

    due: float
    sent: float
    end: float
    warm: bool = False
    code: str = ""
    said: str = ""
    error: str = ""
    limited: bool = False
    latency: Latency | None = None

    @property
    def took(self) -> float:
        """From when it was due to the end of its response, so that no queue is overlooked."""
        return self.end - self.due

    @property
    def wrong(self) -> bool:
        """Whether the reply lacks the word that it was to have."""
        return bool(self.code) and not self.error and self.code not in self.said.casefold()


@dataclass
class Step:
    """What came of a step.

    Args:
        shape: What it was to be.
        samples: Its requests, in the order in which they were read.
        gaps: The times between tokens, of all of them.
        strain: How busy this side was.
        opened: When the first request was begun that does not warm up.
        closed: When the last was begun: from then on there were fewer at once.
        strange: Which replies had the word of another request.
        right_alone: Of those whose answers were wrong, how many were right when asked alone.
    """

    shape: Shape
    samples: list[Sample] = field(default_factory=list)
    gaps: Histogram = field(default_factory=Histogram)
    strain: Strain = field(default_factory=Strain)
    opened: float = 0.0
    closed: float = 0.0
    strange: list[str] = field(default_factory=list)
    right_alone: int = 0

    @property
    def measured(self) -> list[Sample]:
        """The scenario's own requests that were answered, by when they were due; none warm up."""
        own = (each for each in self.samples if not (each.warm or each.error or each.code))
        return sorted(own, key=lambda each: each.due)

    @property
    def errors(self) -> list[str]:
        """How requests were lost, by whatever fault of the endpoint."""
        return [each.error for each in self.samples if each.error and not each.limited]

    @property
    def limited(self) -> int:
        """How many were refused by a limit that the endpoint states."""
        return sum(each.limited for each in self.samples)

    @property
    def wrong(self) -> list[Sample]:
        """The requests whose answers are known, and were others."""
        return [each for each in self.samples if each.wrong]

    @property
    def busy(self) -> tuple[float, float]:
        """From when until when all clients were busy; the whole step, where that was never."""
        if self.closed > self.opened:
            return self.opened, self.closed
        return 0.0, max((each.end for each in self.samples), default=0.0)
