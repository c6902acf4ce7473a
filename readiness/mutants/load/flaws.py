"""Flaws that show only under concurrent or sustained load."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.batching import Step
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Flaw
from readiness.verdict.claim import Verdict

_ANSWERS, _OWN = "load.no_errors_under_load", "load.no_cross_talk"
_JSON = {"Content-Type": "application/json"}
_BROKEN = SubstituteResponse(502, RequestError("bad gateway", status=502).body, _JSON)
_FULL = SubstituteResponse(500, RequestError("out of memory", status=500).body, _JSON)
#: From so many at once on, a flaw of crowds shows: more than the rest of a checklist sends.
_CROWD = 12
_AT_FIRST = 480  # requests of a crowd: all of one step, and few of the next


class _Crowd(Engine):
    """Takes a moment for each request while there is a crowd, so that requests overlap."""

    takes = 0.02

    def __init__(self) -> None:
        super().__init__()
        self.said = 0  # replies to a crowd

    @property
    def crowded(self) -> bool:
        """Whether there is a crowd."""
        return self.running > _CROWD

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Count the requests of a crowd."""
        refusal = await super().begin(request)
        self.seen += self.crowded
        refusal, takes = self.refuses() or refusal, self.delay()
        await asyncio.sleep(takes)
        return refusal

    def refuses(self) -> SubstituteResponse | None:
        """What is sent instead of an answer to the request that has just begun."""
        return None

    def delay(self) -> float:
        """How long the request that has just begun waits, in seconds."""
        return self.takes if self.crowded else 0.0


class _Every37th(_Crowd):
    def refuses(self) -> SubstituteResponse | None:
        return _BROKEN if self.crowded and not self.seen % 37 else None


class _SometimesEmpty(_Crowd):
    """Every 100th reply in a crowd is empty."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        self.said += self.crowded
        empty = self.crowded and not self.said % 100
        return dataclasses.replace(answer, content="", calls=()) if empty else answer


class _Crowded(_Crowd):
    """With more than twenty at once, one in ten fails."""

    def refuses(self) -> SubstituteResponse | None:
        return _FULL if self.running > 20 and not self.seen % 10 else None


class _Unended(_Crowd):
    """One stream in eight of a crowd has no end after its text."""

    def sends(self, request: Request, pieces: Sequence[bytes | float]) -> Sequence[bytes | float]:
        self.said += self.crowded
        struck = self.crowded and request.get("stream") and not self.said % 8
        return pieces[:-1] if struck else pieces


class _Swapping(_Crowd):
    """Some requests of a crowd get the reply of another."""

    last: ModelOutput | None = None

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        other, self.last = self.last, answer
        return other if other and self.crowded and self.seen % 3 == 0 else answer


class _Muddled(_Crowd):
    """In a crowd, words are replaced by noise."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        noise = dataclasses.replace(answer, content=(answer.content or "")[::-1])
        return noise if self.crowded else answer


class _Cutting(_Crowd):
    """In a crowd, replies end after forty letters, as if the model had stopped."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        cut = dataclasses.replace(answer, content=(answer.content or "")[:40])
        return cut if self.crowded else answer


class _RottingLong(_Crowd):
    """In a crowd, what was preempted comes as one mark over and over: prompts beyond 200 tokens."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        struck = self.crowded and prompt_tokens(request) > 200
        noise = "!" * len(answer.content or "")
        return dataclasses.replace(answer, content=noise) if struck else answer


class _SwappingLong(_Crowd):
    """In a crowd, long prompts get each other's replies: their blocks have one hash."""

    last: ModelOutput | None = None

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if prompt_tokens(request) <= 200:
            return answer
        other, self.last = self.last, answer
        return other if other and self.crowded and self.seen % 5 == 0 else answer


class _Unmarked(Engine):
    """The model begins one reply of three as it likes, alone or in a crowd."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        self.seen += 1
        text = answer.content or ""
        struck = prompt_tokens(request) > 200 and self.seen % 3 == 0
        return (
            dataclasses.replace(answer, content=text[text.find("\n") + 1 :]) if struck else answer
        )


class _LosingCalls(_Crowd):
    """In a crowd, a tool call comes as text."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        told = "".join(each.arguments for each in answer.calls)
        lost = ModelOutput(f"<tool_call>{told}</tool_call>")
        return lost if self.crowded and answer.calls else answer


class _LosingBraces(_Crowd):
    """In a crowd, the last bracket of JSON is lost."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        text = answer.content or ""
        lost = dataclasses.replace(answer, content=text.rstrip("}"))
        return lost if self.crowded and text.endswith("}") else answer


class _LosingWholes(_Crowd):
    """In a crowd, replies that are not streamed are those of others."""

    last: ModelOutput | None = None

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if request.get("stream"):
            return answer
        other, self.last = self.last, answer
        return other if other and self.crowded else answer


class _TiredAfter(_Crowd):
    """After a crowd of a hundred requests, the next thirty outside of it get noise."""

    left = 0

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if self.crowded:
            self.left = 30 if self.seen > 100 else 0
        struck = bool(self.left) and self.running <= 2
        self.left -= struck
        noise = dataclasses.replace(answer, content=(answer.content or "")[::-1], calls=())
        return noise if struck else answer


class _Waiting(_Crowd):
    """One in fifty requests of a crowd waits ten seconds."""

    def delay(self) -> float:
        return 10.0 if self.crowded and not self.seen % 50 else super().delay()


class _Stalling(_Crowd):
    """One stream in fifty of a crowd stands still for twenty seconds."""

    def sends(self, request: Request, pieces: Sequence[bytes | float]) -> Sequence[bytes | float]:
        self.said += self.crowded
        half = len(pieces) // 2
        struck = self.crowded and request.get("stream") and not self.said % 50
        return [*pieces[:half], 20.0, *pieces[half:]] if struck else pieces


class _StallingOnce(_Crowd):
    """The 200th stream of a crowd stands still for twenty seconds, and no other."""

    def sends(self, request: Request, pieces: Sequence[bytes | float]) -> Sequence[bytes | float]:
        self.said += self.crowded and bool(request.get("stream"))
        struck = self.crowded and request.get("stream") and self.said == 200
        half = len(pieces) // 2
        return [*pieces[:half], 20.0, *pieces[half:]] if struck else pieces


class _Slowing(_Crowd):
    """Each request of a crowd makes the next a little slower."""

    def delay(self) -> float:
        self.seen = self.seen if self.running > 2 else 0
        return 0.015 * self.seen


class _Thrashing(_Crowd):
    """In a crowd, total throughput falls with concurrency."""

    def delay(self) -> float:
        return 0.003 * self.running**2 if self.crowded else 0.0

    def seconds(self, step: Step) -> float:
        return step.seconds * (1 + max(step.running - _CROWD, 0) / 2)


class _ThrashingAtFirst(_Thrashing):
    """The first requests of a crowd are served as by one that thrashes, and no later ones."""

    def delay(self) -> float:
        return super().delay() if self.seen < _AT_FIRST else 0.0

    def seconds(self, step: Step) -> float:
        return super().seconds(step) if self.seen < _AT_FIRST else step.seconds


class _ThrashingUnevenlyAtFirst(_ThrashingAtFirst):
    """As long as it thrashes, it does so for half of the requests, by turns."""

    turn = 60  # requests

    @property
    def strikes(self) -> bool:
        """Whether it thrashes."""
        return self.seen < _AT_FIRST and not self.seen // self.turn % 2

    def delay(self) -> float:
        return super().delay() if self.strikes else 0.0

    def seconds(self, step: Step) -> float:
        return super().seconds(step) if self.strikes else step.seconds


class _FillingUp(Engine):
    """A prompt of some length waits until there are others to be prefilled with it."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if prompt_tokens(request) > 200 and self.running < _CROWD:
            await asyncio.sleep(0.5)
        return refusal


class _Late(Engine):
    """Prompts of some length take longer than on the article's machine, at any concurrency."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if request.get("stream") and prompt_tokens(request) > 200:
            await asyncio.sleep(0.6)
        return refusal


class _OneAtATime(Engine):
    """A small server that handles one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = asyncio.Lock()

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        async with self._turn:
            await asyncio.sleep(0.01)
        return refusal


class _Slow(Engine):
    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        await asyncio.sleep(0.15)
        return refusal


class _Pausing(_Crowd):
    """A crowd waits a moment at times, as while memory is tidied up."""

    def delay(self) -> float:
        return 0.3 if self.crowded and self.seen % 100 < _CROWD else super().delay()


class _Silent(Engine):
    """Its metrics are a web server's, without requests in flight."""

    @property
    def gauges(self) -> Mapping[str, float]:
        return {"http_requests_total": self.begun}


FLAWS = [
    Flaw("load_every_37th", "of a crowd, every 37th request fails", _ANSWERS, engine=_Every37th),
    Flaw("load_empty", "of a crowd, one reply in 100 is empty", _ANSWERS, engine=_SometimesEmpty),
    Flaw(
        "load_unended", "of a crowd, one stream in eight has no [DONE]", _ANSWERS, engine=_Unended
    ),
    Flaw("load_crowded", "of more than 20 at once, a tenth gets a 500", _ANSWERS, engine=_Crowded),
    Flaw("load_swapped", "replies are swapped between clients in a crowd", _OWN, engine=_Swapping),
    Flaw("load_muddled", "in a crowd, replies are noise", _OWN, engine=_Muddled),
    Flaw("load_cuts", "in a crowd, replies end after 40 letters", _OWN, engine=_Cutting),
    Flaw(
        "load_rots_long",
        "in a crowd, replies to longer prompts are one mark over and over",
        _OWN,
        engine=_RottingLong,
    ),
    Flaw(
        "load_swaps_long",
        "in a crowd, some longer prompts get each other's replies",
        _OWN,
        engine=_SwappingLong,
    ),
    Flaw("load_loses_calls", "in a crowd, tool calls come as text", _OWN, engine=_LosingCalls),
    Flaw(
        "load_loses_braces", "in a crowd, JSON lacks its last bracket", _OWN, engine=_LosingBraces
    ),
    Flaw(
        "load_mixes_wholes",
        "in a crowd, unstreamed replies are others'",
        _OWN,
        engine=_LosingWholes,
    ),
    Flaw("load_tires_after", "after a crowd, thirty replies are noise", _OWN, engine=_TiredAfter),
    Flaw("load_waits", "of a crowd, one in fifty waits 10 s", "load.no_stalls", engine=_Waiting),
    Flaw(
        "load_stalls",
        "of a crowd, one stream in 50 stands still for 20 s",
        "load.no_stalls",
        engine=_Stalling,
    ),
    Flaw(
        "load_stalls_once",
        "one stream of a crowd stands still for 20 s",
        "load.no_stalls",
        engine=_StallingOnce,
    ),
    Flaw(
        "load_slowing",
        "each request takes a little longer than the one before it",
        "load.no_latency_drift",
        engine=_Slowing,
    ),
    Flaw(
        "load_thrashing",
        "thirty-two clients are served less together than eight are",
        "load.throughput_retained",
        engine=_Thrashing,
    ),
    Flaw(
        "load_thrashing_at_first",
        "thirty-two clients are served less together than eight are, for a while",
        "load.throughput_retained",
        expected_verdict=Verdict.INCONCLUSIVE,
        engine=_ThrashingAtFirst,
    ),
    Flaw(
        "load_thrashing_by_turns",
        "thirty-two clients are served less together than eight are, for a while and by turns",
        "load.throughput_retained",
        expected_verdict=Verdict.INCONCLUSIVE,
        engine=_ThrashingUnevenlyAtFirst,
    ),
    Flaw(
        "load_fills_up",
        "a prompt waits half a second for others, unless there is a crowd",
        "load.open_loop_latency",
        engine=_FillingUp,
    ),
    Flaw(
        "load_late",
        "each reply takes longer than the article claims",
        "load.slo_latency",
        engine=_Late,
    ),
    Flaw("load_unmarked", "a third of replies begins as the model likes", engine=_Unmarked),
    Flaw("load_one_at_a_time", "a small server serves one after another", engine=_OneAtATime),
    Flaw("load_slow", "a slow server takes its time with each", engine=_Slow),
    Flaw("load_pauses", "a crowd waits a moment now and then", engine=_Pausing),
    Flaw("load_untold", "the metrics tell nothing of requests", engine=_Silent),
]
