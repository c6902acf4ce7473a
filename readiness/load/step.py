"""A step of a load test: concurrent clients or Poisson arrivals, and the measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from readiness.load.latency import Latency
from readiness.load.saturation import ClientSaturation
from readiness.load.traffic import WORDS, UserScript
from readiness.statistics.histogram import Histogram
from readiness.statistics.trend import Estimate, batch_means, divided, rate

MAX_BATCHES = 10


@dataclass(frozen=True)
class Shape:
    """The parameters of a step.

    Args:
        scenario: The scenario, which sets what users send.
        clients: The number of concurrent clients (closed loop); 0 for Poisson arrivals.
        requests: The most requests that are measured.
        seconds: How long is measured at least, with all clients busy.
        rate: Arrivals per second (open loop).
        seed: The seed of the prompts.
        small: Whether prompts and replies are short, in a run that shows defects only.
        warm: Whether prompts share their prefix, so that a prefix cache applies.
        part: The index of this part of a step, and the number of parts, one for each load worker.
        each: How many requests of each client are measured at least.
        known: The forms of requests with known answers that the endpoint answers without load.
        max_error: The relative standard error of the mean reply time above which a step goes on,
            up to the most requests; infinite where time and number alone decide.
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
    each: int = 0
    known: tuple[str, ...] = WORDS
    max_error: float = inf

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
        code: The word that its reply must contain; "" where no answer is known.
        reply_excerpt: The beginning of the reply, or of the arguments of its call.
        error: Why it has no complete reply, or an empty string.
        limiter: The limiter that refused it, or an empty string.
        latency: The latency of its reply; None without one.
        right: Whether its reply is the known answer; None where its word alone decides.
        length: The letters of its reply.
        stall: The longest wait between two arrivals of it, in seconds.
        turn: Which turn of its conversation it is, from 0.
        exchange: The number of its exchange in the evidence; -1 where a load worker sent it.
        mark: The mark with which its reply is to begin; "" for none.
        free: When its client could send the next one: later than its end where this process was
            busy with the response, and never before it.
        late: By how much this machine may have delayed it, in seconds.
    """

    due: float
    sent: float
    end: float
    code: str = ""
    reply_excerpt: str = ""
    error: str = ""
    limiter: str = ""
    latency: Latency | None = None
    right: bool | None = None
    length: int = 0
    stall: float = 0.0
    turn: int = 0
    exchange: int = -1
    mark: str = ""
    free: float = 0.0
    late: float = 0.0

    @property
    def took(self) -> float:
        """The duration in seconds since it was due, which includes time in the client's queue."""
        return self.end - self.due

    @property
    def held(self) -> float:
        """For how many seconds its client could send nothing else."""
        return max(self.free, self.end) - self.due

    @property
    def wrong(self) -> bool:
        """Whether the reply lacks its known answer."""
        if not self.code or self.error:
            return False
        return (
            self.code not in self.reply_excerpt.casefold() if self.right is None else not self.right
        )

    @property
    def longest_wait(self) -> float:
        """The longest time without a token, before the first or after it, in seconds."""
        first = self.latency.time_to_first_token if self.latency else 0.0
        return max(self.sent - self.due + first, self.stall)


@dataclass
class StepResult:
    """The measurements of a step.

    Args:
        shape: Its parameters.
        samples: Its requests, in the order in which their replies were read.
        gaps: The inter-token latencies of the requests that are measured.
        client_saturation: The saturation of this process.
        full_load_start: When all clients had been answered once.
        full_load_end: When enough was measured: load goes on until what was measured has ended.
        known_answer_requests: The requests with known answers.
        cross_talk: The known answers found in replies to other requests.
        right_alone: How many of the wrong answers were right when asked without load.
        kept_requests: Some of the requests that were measured, with the letters of their replies.
        lengths: The letters of some replies under load, and of those to the same requests alone.
        wrong_after: The forms of known answers that were wrong right after the step.
        marked_alone: Whether replies had their marks when their requests were sent again alone.
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
    kept_requests: list[tuple[UserScript, int]] = field(default_factory=list)
    lengths: list[tuple[int, int]] = field(default_factory=list)
    wrong_after: list[str] = field(default_factory=list)
    marked_alone: list[bool] = field(default_factory=list)
    workers: int = 0
    start_skew: float = 0.0

    @classmethod
    def merged(cls, shape: Shape, parts: Sequence[StepResult], skew: float) -> StepResult:
        """The merged results of all load workers."""
        step = cls(shape, workers=len(parts), start_skew=skew)
        for each in parts:
            step.samples += each.samples
            step.known_answer_requests += each.known_answer_requests
            step.kept_requests += each.kept_requests
            step.gaps.merge(each.gaps)
        step.client_saturation = max(
            (each.client_saturation for each in parts), key=lambda saturation: saturation.lag
        )
        step.client_saturation.busy = max(each.client_saturation.busy for each in parts)
        step.client_saturation.pressure = max(each.client_saturation.pressure for each in parts)
        step.full_load_start = max(each.full_load_start for each in parts)
        step.full_load_end = min(each.full_load_end for each in parts)
        return step

    @property
    def window(self) -> list[RequestMeasurement]:
        """The requests that began while all clients were busy, in the order of `due`."""
        start, end = self.full_load_start, self.full_load_end
        return sorted(
            (each for each in self.samples if start <= each.due < end), key=lambda each: each.due
        )

    @property
    def measured(self) -> list[RequestMeasurement]:
        """The answered requests of the scenario among them."""
        return [each for each in self.window if not (each.error or each.code)]

    @property
    def in_flight(self) -> float:
        """How many requests were in flight on average while all clients were busy."""
        return self._at_once((each.due, each.end) for each in self.samples)

    @property
    def busy_clients(self) -> float:
        """How many clients had a request, or this process had their response, on average."""
        return self._at_once((each.due, each.due + each.held) for each in self.samples)

    def _at_once(self, spans: Iterable[tuple[float, float]]) -> float:
        """How many of some spans there were on average while all clients were busy."""
        start, end = self.full_load_interval
        within = (min(until, end) - max(since, start) for since, until in spans)
        return sum(max(each, 0.0) for each in within) / max(end - start, 1e-9)

    @property
    def throughput(self) -> Estimate:
        """Requests answered a second while all clients were busy, with a 95 % interval.

        In a closed loop each client always has one request under way, so that all clients together
        are answered once in the time that one request takes: no request is cut by an end of the
        window. The interval is that of batch means.
        """
        if not self.shape.clients:
            ends = [each.end for each in self.samples if not each.error]
            return rate(ends, *self.full_load_interval)
        costs = [_seconds_per_answer(each) for each in divided(self.window, MAX_BATCHES)]
        cost, low, high = batch_means(costs)
        if not 0.0 < cost < inf:
            return Estimate(0.0, 0.0, inf)
        clients = self.shape.clients
        return Estimate(clients / cost, clients / high, clients / low if low else inf)

    @property
    def errors(self) -> list[str]:
        """The errors of failed requests, without those that a limiter refused."""
        return [each.error for each in self.samples if each.error and not each.limiter]

    @property
    def limiters(self) -> list[str]:
        """The limiter of each request that one refused."""
        return [each.limiter for each in self.samples if each.limiter]

    @property
    def wrong(self) -> list[RequestMeasurement]:
        """The requests with known answers whose replies were wrong."""
        return [each for each in self.samples if each.wrong]

    @property
    def known_answers(self) -> list[RequestMeasurement]:
        """The requests with known answers that were answered."""
        return [each for each in self.samples if each.code and not each.error]

    @property
    def marked(self) -> list[bool]:
        """Whether replies have the marks with which they were to begin."""
        due = (each for each in self.samples if each.mark and not each.error)
        return [each.mark in each.reply_excerpt.casefold() for each in due]

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


def _seconds_per_answer(batch: Sequence[RequestMeasurement]) -> float:
    answered = sum(not each.error for each in batch)
    return sum(each.held for each in batch) / answered if answered else inf


def _divided(many: int, workers: int) -> list[int]:
    """A number divided among workers as evenly as possible."""
    return [many * (at + 1) // workers - many * at // workers for at in range(workers)]
