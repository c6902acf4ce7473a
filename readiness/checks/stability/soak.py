"""A soak: an hour at half of the endpoint's throughput, with an idle reading each minute."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from readiness.chat import Chat
from readiness.checks.stability.abort_cycles import AbortCycles, AbortCyclesResult
from readiness.checks.stability.probes import PROMPTS
from readiness.checks.stability.scenarios import malformed_body
from readiness.exchange import Call
from readiness.load.latency import odd_input_failure
from readiness.load.levels import step_at_capacity
from readiness.load.saturation import ClientSaturation
from readiness.load.step import Shape, StepResult
from readiness.load.users import poisson_arrivals, run_concurrently, run_step
from readiness.statistics.proportions import lower
from readiness.statistics.trend import percentile

#: The mix of requests: mostly short ones, some with a long prompt, some that are aborted and some
#: that are malformed.
SHORT = "code"
MIXTURE = {SHORT: 0.70, "ticket": 0.20}
ABORTED_SHARE, MALFORMED_SHARE = 0.05, 0.05
LOAD_SHARE = 0.5
#: The article's error rate under load, and the level at which more is significant and stops a soak.
ALLOWED, ALPHA = 0.003, 0.05


@dataclass(frozen=True)
class SoakLength:
    """The length of a soak.

    Args:
        rounds: How many rounds of load, each followed by an idle reading.
        seconds: How long a round sends requests.
        max_requests: The most requests of a round, which bounds a run's duration and cost.
    """

    rounds: int = 60
    seconds: float = 60.0
    max_requests: int = 300


HOUR = SoakLength()


@dataclass(frozen=True)
class SoakRound:
    """The measurements of one round; replies are not kept, because there are many.

    Args:
        requests: How many well-formed requests were sent.
        errors: Why requests failed, as messages.
        limiters: The limiter of each of them that one refused.
        wrong: Why a reply was another request's, or wrong under load; "" if none was.
        bad_input_failures: How malformed requests made the server fail, as messages.
        p95_under_load: 95th percentile of a short request's duration under load, in seconds.
        seconds_idle: Median duration of a short request when idle again.
        client_saturation: How busy this process was.
    """

    requests: int
    errors: Sequence[str] = ()
    limiters: Sequence[str] = ()
    wrong: str = ""
    bad_input_failures: Sequence[str] = ()
    p95_under_load: float | None = None
    seconds_idle: float = 0.0
    client_saturation: ClientSaturation = field(default_factory=ClientSaturation)


@dataclass
class SoakResult:
    """The measurements of a soak.

    Args:
        length: The planned length.
        half_capacity: Half of the endpoint's measured throughput, in requests a second.
        idle_measurements: Readings and short requests between rounds, when idle.
        rounds: The rounds completed.
    """

    length: SoakLength
    half_capacity: float
    idle_measurements: AbortCyclesResult = field(default_factory=AbortCyclesResult)
    rounds: list[SoakRound] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The arrival rate, in requests a second."""
        return min(self.half_capacity, self.length.max_requests / self.length.seconds)

    @property
    def requests(self) -> int:
        """How many well-formed requests were sent."""
        return sum(each.requests for each in self.rounds)

    @property
    def errors(self) -> Counter[str]:
        """How many requests failed, by reason."""
        return Counter(error for each in self.rounds for error in each.errors)

    @property
    def has_failed(self) -> bool:
        """Whether the error rate significantly exceeds ALLOWED or an idle endpoint fails."""
        errors = self.errors.total()
        return bool(self.idle_measurements.control_errors) or (
            errors > 0 and lower(errors, self.requests, ALPHA) > ALLOWED
        )


async def run_soak(chat: Chat, seed: str, length: SoakLength = HOUR) -> SoakResult:
    """Measure the throughput, then run the soak until its end or until it has failed.

    Raises:
        EndpointError: The throughput could not be measured, or the budget is spent.
    """
    seconds_per_request = [
        share / (await step_at_capacity(chat, name, seed))[1] for name, share in MIXTURE.items()
    ]
    soak, idle = SoakResult(length, LOAD_SHARE / sum(seconds_per_request)), AbortCycles(chat)
    soak.idle_measurements = idle.result
    await idle.begin()
    for number in range(length.rounds):
        traffic = _RoundTraffic(chat, idle, soak, f"{seed}/soak/{number}")
        await traffic.send()
        await idle.read_when_idle()
        soak.rounds.append(traffic.summarise(median(await idle.controls())))
        if soak.has_failed:
            break
    return soak


class _RoundTraffic:
    """The requests of one round."""

    def __init__(self, chat: Chat, idle: AbortCycles, soak: SoakResult, seed: str) -> None:
        self._steps: list[StepResult] = []
        self._bad_input_failures: list[str] = []
        self._chat, self._idle, self._soak, self._seed = chat, idle, soak, seed
        self._random = Random(seed)

    async def send(self) -> None:
        """Send the requests of all shapes concurrently, until all have ended."""
        shapes = [self._shape(name, share) for name, share in MIXTURE.items()]
        aborted, malformed = self._shape("left", ABORTED_SHARE), self._shape("odd", MALFORMED_SHARE)
        await run_concurrently(
            [
                *map(self._step, shapes),
                *(
                    self._abort(due, at)
                    for at, due in enumerate(poisson_arrivals(aborted, self._random))
                ),
                *(self._send_malformed(due) for due in poisson_arrivals(malformed, self._random)),
            ]
        )

    def summarise(self, seconds_idle: float) -> SoakRound:
        """Return the measurements, with the duration of a short request afterwards."""
        steps = self._steps
        took = [
            each.took for step in steps for each in step.measured if step.shape.scenario == SHORT
        ]
        wrong = next((each.cross_talk_reason for each in steps if each.cross_talk_reason), "")
        return SoakRound(
            sum(len(step.samples) for step in steps),
            [each for step in steps for each in step.errors],
            [each for step in steps for each in step.limiters],
            wrong,
            self._bad_input_failures,
            percentile(took, 0.95).value if took else None,
            seconds_idle,
            max((step.client_saturation for step in steps), key=lambda saturation: saturation.lag),
        )

    def _shape(self, name: str, share: float) -> Shape:
        length, rate = self._soak.length, share * self._soak.rate
        return Shape(name, 0, length.max_requests, length.seconds, rate, self._seed)

    async def _step(self, shape: Shape) -> None:
        self._steps.append(await run_step(self._chat, shape))

    async def _abort(self, due: float, number: int) -> None:
        await asyncio.sleep(due)
        await self._idle.abort_request(number)

    async def _send_malformed(self, due: float) -> None:
        await asyncio.sleep(due)
        change = self._random.choice(PROMPTS["odd"])
        usual = self._chat.dialect.request([{"role": "user", "content": "Hello"}], 8, {})
        exchange = await self._chat.call(
            Call(malformed_body(change, usual), crowd=True, valid=False)
        )
        if not exchange.limiter and (why := odd_input_failure(exchange)):
            self._bad_input_failures.append(f"{change['name']}: {why}")
