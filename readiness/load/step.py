"""A step: many requests at once, or as they come, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from readiness.load.latency import Latency
from readiness.load.saturation import ClientSaturation
from readiness.load.traffic import UserScript
from readiness.statistics.histogram import Histogram


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
        warm: Whether prompts share all but their end, so that a cached prefix fits them.
        part: Which part of it this is, from 0, and of how many: load workers share a step.
    """

    scenario: str
    clients: int
    requests: int
    seconds: float
    rate: float = 0.0
    seed: str = ""
    small: bool = False
    warm: bool = False
    part: tuple[int, int] = (0, 1)

    def parts(self, workers: int) -> list[Shape]:
        """What each of so many workers is to make of it: clients and requests are shared out."""
        if not self.clients:
            each_second = self.rate / workers
            sizes = [(0, size, each_second) for size in _shared(self.requests, workers)]
        else:
            workers = min(workers, self.clients)
            done, sizes = 0, []
            for clients in _shared(self.clients, workers):
                first, done = done, done + clients
                size = self.requests * done // self.clients - self.requests * first // self.clients
                sizes.append((clients, size, 0.0))
        return [
            replace(self, clients=clients, requests=size, rate=rate, part=(at, workers))
            for at, (clients, size, rate) in enumerate(sizes)
        ]

    @property
    def shown(self) -> str:
        """What it is, in words."""
        crowd = f"{self.clients} clients" if self.clients else f"{self.rate:.2g} requests a second"
        return f"{self.scenario} at {crowd}{', warm' if self.warm else ''}"


@dataclass(frozen=True, slots=True)
class RequestMeasurement:
    """One request under load; times are in seconds from the beginning of the step.

    Args:
        due: When it was to be sent.
        sent: When it was.
        end: When its response had ended.
        warm: Whether it was one of the first, which warm up.
        code: The word that its reply must have; "" where no answer is known.
        reply_excerpt: The beginning of the reply.
        error: What went wrong, in words; "" where nothing did.
        limited: Whether it was refused by a limit that the endpoint states.
        latency: The times of its reply; None where it has none.
    """

    due: float
    sent: float
    end: float
    warm: bool = False
    code: str = ""
    reply_excerpt: str = ""
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
        return bool(self.code) and not self.error and self.code not in self.reply_excerpt.casefold()


@dataclass
class StepResult:
    """What came of a step.

    Args:
        shape: What it was to be.
        samples: Its requests, in the order in which they were read.
        gaps: The times between tokens, of all of them.
        client_saturation: How busy this side was.
        full_load_start: When the first request was begun that does not warm up.
        full_load_end: When the last was begun: from then on there were fewer at once.
        known_answer_requests: What was asked of which the answer is known.
        cross_talk: Which replies had the word of another request.
        right_alone: Of those whose answers were wrong, how many were right when asked alone.
        workers: How many load workers have made it; 0 where it was made here.
        start_skew: How far apart they may have begun, in seconds.
    """

    shape: Shape
    samples: list[RequestMeasurement] = field(default_factory=list)
    gaps: Histogram = field(default_factory=Histogram)
    client_saturation: ClientSaturation = field(default_factory=ClientSaturation)
    full_load_start: float = 0.0
    full_load_end: float = 0.0
    known_answer_requests: list[UserScript] = field(default_factory=list)
    cross_talk: list[str] = field(default_factory=list)
    right_alone: int = 0
    workers: int = 0
    start_skew: float = 0.0

    @classmethod
    def merged(cls, shape: Shape, parts: Sequence[StepResult], agreed: float) -> StepResult:
        """One step of those that load workers have made."""
        step = cls(shape, workers=len(parts), start_skew=agreed)
        for each in parts:
            step.samples += each.samples
            step.known_answer_requests += each.known_answer_requests
            step.gaps.merge(each.gaps)
        step.client_saturation = max(
            (each.client_saturation for each in parts), key=lambda strain: strain.lag
        )
        step.client_saturation.busy = max(each.client_saturation.busy for each in parts)
        step.full_load_start = max(each.full_load_start for each in parts)
        step.full_load_end = min(each.full_load_end for each in parts)
        return step

    @property
    def measured(self) -> list[RequestMeasurement]:
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
    def wrong(self) -> list[RequestMeasurement]:
        """The requests whose answers are known, and were others."""
        return [each for each in self.samples if each.wrong]

    @property
    def known_answers(self) -> list[RequestMeasurement]:
        """The requests whose answers are known, and that were answered."""
        return [each for each in self.samples if each.code and not each.error]

    @property
    def wrong_share(self) -> str:
        """How many of the known answers were wrong, in words."""
        known, wrong = len(self.known_answers), len(self.wrong)
        return f"of {known} known answers {wrong} were wrong: {self.shape.shown}"

    @property
    def cross_talk_reason(self) -> str:
        """How replies were another's: they had its words, or were right only when asked alone."""
        if self.cross_talk:
            found = ", ".join(self.cross_talk[:3])
            return f"replies have words of other requests: {found}; {self.shape.shown}"
        if self.right_alone > 1:
            return f"{self.wrong_share}; asked alone, {self.right_alone} of them were right"
        return ""

    @property
    def full_load_interval(self) -> tuple[float, float]:
        """From when until when all clients were busy; the whole step, where that was never."""
        if self.full_load_end > self.full_load_start:
            return self.full_load_start, self.full_load_end
        return 0.0, max((each.end for each in self.samples), default=0.0)


def _shared(many: int, workers: int) -> list[int]:
    """So many, shared out as evenly as can be."""
    return [many * (at + 1) // workers - many * at // workers for at in range(workers)]
