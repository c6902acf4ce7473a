"""A step of a load test: concurrent clients or Poisson arrivals, and the measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from readiness.load.latency import Latency
from readiness.load.saturation import ClientSaturation
from readiness.load.traffic import UserScript
from readiness.statistics.histogram import Histogram


@dataclass(frozen=True)
class Shape:
    """The parameters of a step.

    Args:
        scenario: The scenario, which sets what users send.
        clients: The number of concurrent clients (closed loop); 0 for Poisson arrivals.
        requests: Maximum number of conversations.
        seconds: How long new conversations are started; each client has at least one.
        rate: Arrivals per second (open loop).
        seed: The seed of the prompts.
        small: Whether prompts and replies are short, in a run that shows defects only.
        warm: Whether prompts share their prefix, so that a prefix cache applies.
        part: The index of this part of a step, and the number of parts, one for each load worker.
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
        """The step divided among workers: each has a share of the clients and the requests."""
        if not self.clients:
            each_second = self.rate / workers
            sizes = [(0, size, each_second) for size in _divided(self.requests, workers)]
        else:
            workers = min(workers, self.clients)
            done, sizes = 0, []
            for clients in _divided(self.clients, workers):
                first, done = done, done + clients
                size = self.requests * done // self.clients - self.requests * first // self.clients
                sizes.append((clients, size, 0.0))
        return [
            replace(self, clients=clients, requests=size, rate=rate, part=(at, workers))
            for at, (clients, size, rate) in enumerate(sizes)
        ]

    @property
    def shown(self) -> str:
        """The step as text, as in "ticket at 16 clients"."""
        load = f"{self.clients} clients" if self.clients else f"{self.rate:.2g} requests a second"
        return f"{self.scenario} at {load}{', warm' if self.warm else ''}"


@dataclass(frozen=True, slots=True)
class RequestMeasurement:
    """One request under load; times are in seconds since the start of the step.

    Args:
        due: When it was scheduled to be sent.
        sent: When it was sent.
        end: When its response ended.
        warm: Whether it is one of the first, which warm up the endpoint.
        code: The word that its reply must contain; "" where no answer is known.
        reply_excerpt: The beginning of the reply.
        error: Why it has no complete reply, or an empty string.
        limited: Whether a stated rate limit rejected it.
        latency: The latency of its reply; None without one.
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
        """The duration in seconds since it was due, which includes time in the client's queue."""
        return self.end - self.due

    @property
    def wrong(self) -> bool:
        """Whether the reply lacks its known answer."""
        return bool(self.code) and not self.error and self.code not in self.reply_excerpt.casefold()


@dataclass
class StepResult:
    """The measurements of a step.

    Args:
        shape: Its parameters.
        samples: Its requests, in the order in which their replies were read.
        gaps: The inter-token latencies of all requests.
        client_saturation: The saturation of this process.
        full_load_start: When the first request after warm-up was started.
        full_load_end: When the last request was started: the load decreases from then on.
        known_answer_requests: The requests with known answers.
        cross_talk: The known answers found in replies to other requests.
        right_alone: How many of the wrong answers were right when asked without load.
        workers: The number of load workers; 0 where this process ran the step.
        start_skew: The maximum difference of the workers' start times, in seconds.
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
    def merged(cls, shape: Shape, parts: Sequence[StepResult], skew: float) -> StepResult:
        """The merged results of all load workers."""
        step = cls(shape, workers=len(parts), start_skew=skew)
        for each in parts:
            step.samples += each.samples
            step.known_answer_requests += each.known_answer_requests
            step.gaps.merge(each.gaps)
        step.client_saturation = max(
            (each.client_saturation for each in parts), key=lambda saturation: saturation.lag
        )
        step.client_saturation.busy = max(each.client_saturation.busy for each in parts)
        step.full_load_start = max(each.full_load_start for each in parts)
        step.full_load_end = min(each.full_load_end for each in parts)
        return step

    @property
    def measured(self) -> list[RequestMeasurement]:
        """The answered requests of the scenario after warm-up, in the order of `due`."""
        own = (each for each in self.samples if not (each.warm or each.error or each.code))
        return sorted(own, key=lambda each: each.due)

    @property
    def errors(self) -> list[str]:
        """The errors of failed requests, without those of rate limits."""
        return [each.error for each in self.samples if each.error and not each.limited]

    @property
    def limited(self) -> int:
        """The number of requests that a stated rate limit rejected."""
        return sum(each.limited for each in self.samples)

    @property
    def wrong(self) -> list[RequestMeasurement]:
        """The requests with known answers whose replies were wrong."""
        return [each for each in self.samples if each.wrong]

    @property
    def known_answers(self) -> list[RequestMeasurement]:
        """The requests with known answers that were answered."""
        return [each for each in self.samples if each.code and not each.error]

    @property
    def wrong_share(self) -> str:
        """The number of wrong known answers, as text."""
        known, wrong = len(self.known_answers), len(self.wrong)
        return f"of {known} known answers {wrong} were wrong: {self.shape.shown}"

    @property
    def cross_talk_reason(self) -> str:
        """Why there is cross-talk: words of others, or answers right only without load; or ""."""
        if self.cross_talk:
            found = ", ".join(self.cross_talk[:3])
            return f"replies have words of other requests: {found}; {self.shape.shown}"
        if self.right_alone > 1:
            return f"{self.wrong_share}; asked alone, {self.right_alone} of them were right"
        return ""

    @property
    def full_load_interval(self) -> tuple[float, float]:
        """The interval in which all clients were busy; the whole step if they never were."""
        if self.full_load_end > self.full_load_start:
            return self.full_load_start, self.full_load_end
        return 0.0, max((each.end for each in self.samples), default=0.0)


def _divided(many: int, workers: int) -> list[int]:
    """A number divided among workers as evenly as possible."""
    return [many * (at + 1) // workers - many * at // workers for at in range(workers)]
