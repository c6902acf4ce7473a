"""A soak: an hour at half of what an endpoint can do, at rest once a minute, and what changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from readiness.chat import Chat
from readiness.checks.stability.abort_cycles import AbortCycles, AbortCyclesResult
from readiness.checks.stability.mishaps import make_odd_body
from readiness.checks.stability.probes import PROMPTS
from readiness.exchange import Call
from readiness.load.latency import odd_input_failure
from readiness.load.levels import step_at_capacity
from readiness.load.saturation import ClientSaturation
from readiness.load.step import Shape, StepResult
from readiness.load.users import poisson_arrivals, run_concurrently, run_step
from readiness.statistics.proportions import lower
from readiness.statistics.trend import percentile

#: What comes: mostly short requests, some that are long to read, some that are left in the middle,
#: and some that nobody should send.
SHORT = "code"
MIXTURE = {SHORT: 0.70, "ticket": 0.20}
LEFT, ODD = 0.05, 0.05
HALF = 0.5
#: The article's only loss under load; a soak that has surely lost more need not go on.
ALLOWED, ALPHA = 0.003, 0.05


@dataclass(frozen=True)
class SoakLength:
    """How long a soak is.

    Args:
        rounds: How often it comes to rest, and is read.
        seconds: How long requests come in between.
        most: How many come then at the most: a night is to end, and to cost what was planned.
    """

    rounds: int = 60
    seconds: float = 60.0
    most: int = 300


HOUR = SoakLength()


@dataclass(frozen=True)
class SoakRound:
    """What came between two readings; replies are not kept, for there are many of them.

    Args:
        requests: How many requests were to be answered.
        errors: How they were lost, in words.
        limited: How many were refused by a limit that the endpoint states.
        wrong: How replies were another's, or wrong among many, in words; "" where none was.
        odd_input_failures: How requests that nobody should send have upset the server, in words.
        p95_under_load: What a short request took among the others: the 95th percentile, in seconds.
        seconds_at_rest: What one took when all was quiet again.
        client_saturation: How busy this side was.
    """

    requests: int
    errors: Sequence[str] = ()
    limited: int = 0
    wrong: str = ""
    odd_input_failures: Sequence[str] = ()
    p95_under_load: float | None = None
    seconds_at_rest: float = 0.0
    client_saturation: ClientSaturation = field(default_factory=ClientSaturation)


@dataclass
class SoakResult:
    """What came of a soak.

    Args:
        length: How long it was to be.
        half_capacity: Half of what the endpoint can do, in requests a second.
        rest_measurements: What was read at rest.
        rounds: What came in between.
    """

    length: SoakLength
    half_capacity: float
    rest_measurements: AbortCyclesResult = field(default_factory=AbortCyclesResult)
    rounds: list[SoakRound] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """How many requests come in a second."""
        return min(self.half_capacity, self.length.most / self.length.seconds)

    @property
    def requests(self) -> int:
        """How many requests were to be answered."""
        return sum(each.requests for each in self.rounds)

    @property
    def errors(self) -> Counter[str]:
        """How requests were lost, and how often."""
        return Counter(error for each in self.rounds for error in each.errors)

    @property
    def lost(self) -> bool:
        """Whether more was surely lost than may be, or the endpoint is gone."""
        errors = self.errors.total()
        return bool(self.rest_measurements.control_errors) or (
            errors > 0 and lower(errors, self.requests, ALPHA) > ALLOWED
        )


async def run_soak(chat: Chat, seed: str, length: SoakLength = HOUR) -> SoakResult:
    """Soak an endpoint.

    Raises:
        EndpointError: What it can do could not be measured, or a budget is spent.
    """
    taken = [
        share / (await step_at_capacity(chat, name, seed))[1] for name, share in MIXTURE.items()
    ]
    soak, weather = SoakResult(length, HALF / sum(taken)), AbortCycles(chat)
    soak.rest_measurements = weather.result
    await weather.begin()
    for number in range(length.rounds):
        rain = _RoundTraffic(chat, weather, soak, f"{seed}/soak/{number}")
        await rain.fall()
        await weather.rest()
        soak.rounds.append(rain.summed(median(await weather.controls())))
        if soak.lost:
            break
    return soak


class _RoundTraffic:
    """What comes down on the endpoint between two readings."""

    def __init__(self, chat: Chat, weather: AbortCycles, soak: SoakResult, seed: str) -> None:
        self._steps: list[StepResult] = []
        self._upset: list[str] = []
        self._chat, self._weather, self._soak, self._seed = chat, weather, soak, seed
        self._random = Random(seed)

    async def fall(self) -> None:
        """Let it come, until all of it has ended."""
        shapes = [self._shape(name, share) for name, share in MIXTURE.items()]
        leaving, strange = self._shape("left", LEFT), self._shape("odd", ODD)
        await run_concurrently(
            [
                *map(self._step, shapes),
                *(
                    self._leave(due, at)
                    for at, due in enumerate(poisson_arrivals(leaving, self._random))
                ),
                *(self._send_odd(due) for due in poisson_arrivals(strange, self._random)),
            ]
        )

    def summed(self, rest: float) -> SoakRound:
        """What came of it, and of a short request afterwards."""
        steps = self._steps
        took = [
            each.took for step in steps for each in step.measured if step.shape.scenario == SHORT
        ]
        wrong = next((each.cross_talk_reason for each in steps if each.cross_talk_reason), "")
        return SoakRound(
            sum(len(step.samples) for step in steps),
            [each for step in steps for each in step.errors],
            sum(step.limited for step in steps),
            wrong,
            self._upset,
            percentile(took, 0.95).value if took else None,
            rest,
            max((step.client_saturation for step in steps), key=lambda strain: strain.lag),
        )

    def _shape(self, name: str, share: float) -> Shape:
        length, rate = self._soak.length, share * self._soak.rate
        return Shape(name, 0, length.most, length.seconds, rate, self._seed)

    async def _step(self, shape: Shape) -> None:
        self._steps.append(await run_step(self._chat, shape))

    async def _leave(self, due: float, number: int) -> None:
        await asyncio.sleep(due)
        await self._weather.abort_request(number)

    async def _send_odd(self, due: float) -> None:
        await asyncio.sleep(due)
        about = self._random.choice(PROMPTS["odd"])
        usual = self._chat.dialect.request([{"role": "user", "content": "Hello"}], 8, {})
        came = await self._chat.call(Call(make_odd_body(about, usual), crowd=True))
        if why := odd_input_failure(came):
            self._upset.append(f"{about['name']}: {why}")
