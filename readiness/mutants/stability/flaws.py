"""Flaws that show after aborts, in a burst, a long reply, a session, a soak, or with bad input."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence as Several

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.batching import PACES, Sequence
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Flaw
from readiness.verdict.claim import Verdict

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_DEAD = SubstituteResponse(500, RequestError("the engine has died", status=500).body, _JSON)
_SURVIVES, _RESTS = "stability.recovers_after_aborts", "stability.no_leak_after_aborts"
_STOPS = "stability.abort_stops_generation"


def _short(request: Request) -> bool:
    """Whether a request asks for a word or two, and not for a stream."""
    return not request.get("stream") and 0 < (most_tokens(request) or 0) <= 16


def _long(request: Request) -> bool:
    """Whether a request asks for thousands of tokens, and says little itself."""
    return (most_tokens(request) or 0) >= 2_000 and prompt_tokens(request) < 200


class _Degrading(Engine):
    each = 0.05  # seconds

    async def begin(self, request: Request) -> SubstituteResponse | None:
        await asyncio.sleep(self.each * self.aborted)
        return await super().begin(request)


class _DegradingSlowly(_Degrading):
    """1.5 ms with each abort: three seconds a day."""

    each = 0.0015


class _Lingering(Engine):
    """After ten aborts, all requests wait 0.3 s more."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        await asyncio.sleep(0.3 if self.aborted > 10 else 0.0)
        return await super().begin(request)


class _Mixed(Engine):
    """After ten aborts, some requests get the reply to an aborted one."""

    words = "1, 2, 3, 4"

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        self.seen += _short(request) and self.aborted > 10
        struck = _short(request) and self.aborted > 10 and not self.seen % 4
        return dataclasses.replace(answer, content=self.words) if struck else answer


class _Muddled(_Mixed):
    """After ten aborts, some replies are noise."""

    words = "\ufffd \ufffd \ufffd"


class _Dying(Engine):
    """After ten aborts, all fails until it is restarted, sixty requests later."""

    lost = 60

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        self.seen += self.aborted > 10
        return _DEAD if self.aborted > 10 and self.seen <= self.lost else refusal


class _Running(Engine):
    """What is aborted runs on to its end."""

    pace = PACES["h200"]

    def leave(self, sequence: Sequence) -> None:
        """Go on with it."""


class _RunningUnseen(_Running):
    """So it does, and the metrics do not count it."""

    @property
    def gauges(self) -> Mapping[str, float]:
        ours = [each for each in self.batch if not each.gone()]
        return {"vllm:num_requests_running": min(len(ours), self.running)}


class _RunningInDecode(_Running):
    """What is aborted while it is decoded runs on; what waits or is prefilled stops."""

    def leave(self, sequence: Sequence) -> None:
        if not sequence.decoded:
            self.batch.remove(sequence)


class _RunningShort(Engine):
    """What is aborted runs on for a few tokens, until the engine looks."""

    pace = PACES["h200"]

    def leave(self, sequence: Sequence) -> None:
        sequence.tokens = min(sequence.tokens, sequence.decoded + 8)


class _Standing(Engine):
    """After thirty aborts, one stream in three of a page stands still for twenty seconds."""

    def sends(self, request: Request, pieces: Several[bytes | float]) -> Several[bytes | float]:
        page = bool(request.get("stream")) and 100 <= (most_tokens(request) or 0) <= 200
        self.seen += page and self.aborted > 30
        struck = page and self.aborted > 30 and not self.seen % 3
        at = len(pieces) // 3
        return [*pieces[:at], 20.0, *pieces[at:]] if struck else pieces


class _Leaking(Engine):
    @property
    def gauges(self) -> Mapping[str, float]:
        return {**super().gauges, "vllm:kv_cache_usage_perc": min(self.aborted * 0.002, 1.0)}


class _Swelling(Engine):
    """Memory grows with each abort, outside the cache."""

    @property
    def gauges(self) -> Mapping[str, float]:
        grown = 4e9 + 3e6 * self.aborted
        return {**super().gauges, "process_resident_memory_bytes": grown}


class _Stuck(Engine):
    @property
    def gauges(self) -> Mapping[str, float]:
        now = super().gauges
        stuck = now["vllm:num_requests_running"] + self.aborted // 10
        return {**now, "vllm:num_requests_running": stuck}


class _Breathing(Engine):
    """Memory fluctuates without growing."""

    @property
    def gauges(self) -> Mapping[str, float]:
        breath = self.begun * 2_654_435_761 % 7_919 % 7
        return {**super().gauges, "process_resident_memory_bytes": 4e9 + 1e6 * breath}


class _Finishing(Engine):
    """Aborted requests are completed, while others wait."""

    free = 0.0

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        await asyncio.sleep(max(self.free - asyncio.get_running_loop().time(), 0.0))
        return refusal

    def end(self, *, aborted: bool) -> None:
        super().end(aborted=aborted)
        if aborted:
            self.free = asyncio.get_running_loop().time() + 25.0


class _Cutting(Engine):
    """An abort cuts the stream that has been going on for the longest."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[int] = []
        self.cut: set[int] = set()

    def sends(self, request: Request, pieces: Several[bytes | float]) -> Several[bytes | float]:
        self.streams += [id(request)] if request.get("stream") else []
        return pieces

    def end(self, *, aborted: bool) -> None:
        super().end(aborted=aborted)
        self.cut |= set(self.streams[:1]) if aborted and self.running else set()
        self.streams = self.streams if self.running else []

    def goes_on(self, request: Request) -> bool:
        if id(request) in self.cut:
            self.cut.discard(id(request))
            self.streams = [each for each in self.streams if each != id(request)]
            return False
        return True


class _Bursting(Engine):
    """More than ten concurrent requests are rejected; the response is the flaw, or correct."""

    refusal = SubstituteResponse(429, RequestError("too many requests", status=429).body, _JSON)

    async def begin(self, request: Request) -> SubstituteResponse | None:
        await super().begin(request)
        if not _short(request):
            return None
        full = self.running > 10
        await asyncio.sleep(0.05)
        return self.refusal if full else None


class _BurstingPage(_Bursting):
    refusal = SubstituteResponse(502, _PAGE, _HTML)


class _BurstingRightly(_Bursting):
    refusal = SubstituteResponse(429, _Bursting.refusal.body, {**_JSON, "Retry-After": "1"})


class _Expiring(Engine):
    """The key is accepted for twenty short requests in a row, and rejected afterwards."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        self.seen = self.seen + 1 if _short(request) and self.running == 1 else 0
        body = RequestError("the token has expired", None, "invalid_api_key", 401).body
        return SubstituteResponse(401, body, _JSON) if self.seen > 20 else refusal


def _gateway(seconds: float) -> type[Engine]:
    class Gateway(Engine):
        async def begin(self, request: Request) -> SubstituteResponse | None:
            await super().begin(request)
            patient = not _long(request) or bool(request.get("stream"))
            return None if patient else SubstituteResponse(502, _PAGE, _HTML, seconds)

    return Gateway


def _cut_short(request: Request, frames: list[bytes]) -> list[bytes | float]:
    half = len(frames) // 2
    return [*frames[:half], -1.0] if _long(request) else list(frames)


class _Shortening(Engine):
    """A reply longer than a buffer is cut, unless streamed."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        kept = None if request.get("stream") or not _long(request) else 5_000
        return dataclasses.replace(answer, content=(answer.content or "")[:kept])


class _Emptying(Engine):
    """A long reply is lost, unless streamed."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        lost = _long(request) and not request.get("stream")
        return dataclasses.replace(answer, content="") if lost else answer


def _loses_frames(_request: Request, frames: list[bytes]) -> list[bytes]:
    """A proxy loses what stands at the end of its buffer: one frame of three hundred."""
    last = len(frames) - 4
    return [each for at, each in enumerate(frames) if at % 300 != 299 or at > last]


def _repeats_frames(_request: Request, frames: list[bytes]) -> list[bytes]:
    """A proxy sends what stands at the end of its buffer again."""
    last = len(frames) - 4
    return [
        each
        for at, frame in enumerate(frames)
        for each in ([frame, frame] if at % 250 == 249 and at < last else [frame])
    ]


def _swaps_frames(_request: Request, frames: list[bytes]) -> list[bytes]:
    """Beyond 400 frames, two buffers of eight frames change places."""
    if len(frames) < 420:
        return frames
    return [*frames[:400], *frames[408:416], *frames[400:408], *frames[416:]]


class _LosingWhole(Engine):
    """A buffer of 3,000 bytes loses its last one, unless a reply is streamed."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if request.get("stream") or not _long(request):
            return answer
        text = answer.content or ""
        kept = "".join(text[at : at + 2_999] for at in range(0, len(text), 3_000))
        return dataclasses.replace(answer, content=kept)


class _Rotting(Engine):
    """Beyond the first 3,000 characters, one word over and over."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        text = answer.content or ""
        again = " and" * ((len(text) - 3_000) // 4)
        return dataclasses.replace(answer, content=text[:3_000] + again)


class _Skipping(Engine):
    """The model leaves out a number of long lists, streamed or not."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        text = answer.content or ""
        skipped = text.replace(" 437,", "") if _long(request) else text
        return dataclasses.replace(answer, content=skipped) if text else answer


class _Tiring(Engine):
    """The model ends long lists early, at different places."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        self.seen += _long(request)
        kept = 5_000 + 500 * (self.seen * 7 % 5) if _long(request) else None
        return dataclasses.replace(answer, content=(answer.content or "")[:kept])


def _crash(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    """A crash on the request with an unknown role."""
    odd = request is not None and request.get("messages") == [{"role": "chair", "content": "Hello"}]
    return _DEAD if odd else refusal


GENERAL_FLAWS = [
    Flaw("abort_degrades", "each abort makes others slower", _SURVIVES, engine=_Degrading),
    Flaw("abort_lingers", "after ten aborts all wait 0.3 s more", _SURVIVES, engine=_Lingering),
    Flaw("abort_mixes", "after aborts, others get an aborted reply", _SURVIVES, engine=_Mixed),
    Flaw("abort_muddles", "after aborts, some replies are noise", _SURVIVES, engine=_Muddled),
    Flaw("abort_kills", "after ten aborts all requests fail", _SURVIVES, engine=_Dying),
    Flaw("abort_leaks", "the cache keeps what was aborted", _RESTS, engine=_Leaking),
    Flaw("abort_swells", "memory grows with each abort", _RESTS, engine=_Swelling),
    Flaw("abort_sticks", "aborted requests run for ever", _RESTS, engine=_Stuck),
    Flaw(
        "abort_costs_others", "each abort costs others 1.5 ms", _SURVIVES, engine=_DegradingSlowly
    ),
    Flaw("abort_runs_on", "what is aborted runs on to its end", _STOPS, engine=_Running),
    Flaw("abort_runs_on_unseen", "so it does, unseen by metrics", _STOPS, engine=_RunningUnseen),
    Flaw(
        "abort_runs_on_in_decode",
        "what is aborted in mid-stream runs on to its end",
        _STOPS,
        engine=_RunningInDecode,
    ),
    Flaw(
        "abort_stalls_others",
        "after aborts, a stream of another stands still for 20 s",
        "stability.abort_isolation",
        engine=_Standing,
    ),
    Flaw(
        "abort_finishes",
        "an aborted request runs on for half a minute, and others wait",
        _STOPS,
        engine=_Finishing,
    ),
    Flaw(
        "abort_cuts_others",
        "an abort cuts the stream of another",
        "stability.abort_isolation",
        engine=_Cutting,
    ),
    Flaw(
        "burst_429_bare",
        "a burst is rejected without Retry-After",
        "stability.burst_not_dropped",
        engine=_Bursting,
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "burst_502_page",
        "a burst ends in 502 and an HTML page",
        "stability.burst_not_dropped",
        engine=_BurstingPage,
    ),
    Flaw(
        "gateway_502",
        "a long reply that is not streamed ends after 30 s in 502 and an HTML page",
        "stability.long_reply_not_truncated",
        engine=_gateway(30.0),
    ),
    Flaw(
        "gateway_cuts",
        "a long stream is cut half-way",
        "stability.long_reply_not_truncated",
        change_frames=_cut_short,
    ),
    Flaw(
        "gateway_shortens",
        "a long reply ends after 5,000 characters, unless it is streamed",
        "stability.long_reply_not_truncated",
        engine=_Shortening,
    ),
    Flaw(
        "gateway_empties",
        "a long reply has no text, unless it is streamed",
        "stability.long_reply_not_truncated",
        engine=_Emptying,
    ),
    *(
        Flaw(name, about, "stability.long_reply_not_truncated", change_frames=change)
        for name, about, change in (
            ("gateway_loses_frames", "a stream loses each 300th frame", _loses_frames),
            ("gateway_repeats_frames", "a stream has each 250th frame twice", _repeats_frames),
            ("gateway_swaps_frames", "a long stream has frames out of order", _swaps_frames),
        )
    ),
    Flaw(
        "gateway_loses_bytes",
        "a long reply loses each 3,000th byte, unless it is streamed",
        "stability.long_reply_not_truncated",
        engine=_LosingWhole,
    ),
    Flaw(
        "long_reply_rots",
        "beyond 3,000 characters, a reply repeats one word",
        "stability.long_reply_not_truncated",
        engine=_Rotting,
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "session_expires",
        "a key expires after twenty requests of a session",
        "stability.key_stays_valid",
        engine=_Expiring,
    ),
    Flaw(
        "odd_role_crashes",
        "an unknown role ends in a 500",
        "stability.bad_input_isolation",
        change_error=_crash,
    ),
    Flaw("burst_429", "a burst is rejected with Retry-After", engine=_BurstingRightly),
    Flaw("skips_in_lists", "a model may leave out a number", engine=_Skipping),
    Flaw("tires_of_lists", "long lists end, some earlier than others", engine=_Tiring),
    Flaw("abort_runs_a_little", "an abort is noticed some tokens later", engine=_RunningShort),
    Flaw("abort_breathes", "memory fluctuates when idle", engine=_Breathing),
]


_HOLDS = "stability.one_hour_soak"
_LOST = SubstituteResponse(
    500, RequestError("out of memory", status=500).body, {"Content-Type": "application/json"}
)


class Wearing(Engine):
    """Degrades with the requests served, from more on than a load test sends."""

    after = 3_000

    @property
    def excess_requests(self) -> int:
        """The requests served beyond `after`."""
        return max(self.seen - self.after, 0)

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Count load requests."""
        self.seen += bool(request.get("stream"))
        return await super().begin(request)


class Tiring(Wearing):
    """Each request makes all later ones a little slower."""

    each = 50e-6  # seconds

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Delay by the excess requests."""
        refusal = await super().begin(request)
        await asyncio.sleep(self.each * self.excess_requests)
        return refusal


class Swelling(Wearing):
    """Each request leaks memory."""

    each = 1e6  # bytes

    @property
    def gauges(self) -> Mapping[str, float]:
        """The metrics with the leaked memory."""
        grown = 4e9 + self.each * self.excess_requests
        return {**super().gauges, "process_resident_memory_bytes": grown}


class Failing(Wearing):
    """One request in a hundred fails."""

    one_in = 100

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Fail one request in `one_in`."""
        refusal = await super().begin(request)
        worn = self.excess_requests > 0 and self.excess_requests % self.one_in == 0
        lost = bool(request.get("stream")) and worn
        return _LOST if lost else refusal


class Caching(Engine):
    """A cache fills up, and replies become faster."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Answer faster as the cache fills."""
        self.seen += bool(request.get("stream"))
        await asyncio.sleep(0.01 / (1 + self.seen / 50))
        return await super().begin(request)

    @property
    def gauges(self) -> Mapping[str, float]:
        """The metrics with the cache, which grows to its limit."""
        grown = 4e9 + 2e6 * min(self.seen, 500)
        return {**super().gauges, "process_resident_memory_bytes": grown}


SOAK_FLAWS = [
    Flaw("soak_tires", "each request makes later ones slower", _HOLDS, engine=Tiring),
    Flaw("soak_swells", "each request leaks memory", _HOLDS, engine=Swelling),
    Flaw("soak_fails", "after thousands of requests, one in 100 fails", _HOLDS, engine=Failing),
    Flaw("soak_caches", "a cache fills up to its limit", engine=Caching),
]

FLAWS = [*GENERAL_FLAWS, *SOAK_FLAWS]
