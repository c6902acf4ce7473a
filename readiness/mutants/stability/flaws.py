"""Flaws that show after aborts, in a burst, a long reply, a session, a soak, or with bad input."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine, begins, endures, loads
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.flaw import Flaw

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_DEAD = SubstituteResponse(500, RequestError("the engine has died", status=500).body, _JSON)
_SHORT, _LIST = "] Reply with the word OK.", "] List the numbers from 1 to 4000"
_SURVIVES, _RESTS = "stability.recovers_after_aborts", "stability.no_leak_after_aborts"


def _short(request: Request) -> bool:
    return _SHORT in begins(request)


def _long(request: Request) -> bool:
    return "List the numbers" in begins(request) and (most_tokens(request) or 0) >= 2_000


class _Degrading(Engine):
    async def begin(self, request: Request) -> SubstituteResponse | None:
        if endures(request):
            await asyncio.sleep(0.05 * self.aborted)
        return await super().begin(request)


class _Lingering(Engine):
    """After ten aborts, all requests wait 0.3 s more."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        if endures(request) and self.aborted > 10:
            await asyncio.sleep(0.3)
        return await super().begin(request)


class _Mixed(Engine):
    """After ten aborts, some requests get the reply to an aborted one."""

    words = "1, 2, 3, 4"

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        self.seen += _short(request) and self.aborted > 10
        struck = _short(request) and self.aborted > 10 and not self.seen % 7
        return dataclasses.replace(answer, content=self.words) if struck else answer


class _Muddled(_Mixed):
    """After ten aborts, some replies are noise."""

    words = "\ufffd \ufffd \ufffd"


class _Dying(Engine):
    async def begin(self, request: Request) -> SubstituteResponse | None:
        await super().begin(request)
        return _DEAD if endures(request) and self.aborted > 10 else None


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
        if endures(request):
            await asyncio.sleep(max(self.free - asyncio.get_running_loop().time(), 0.0))
        return refusal

    def end(self, *, aborted: bool) -> None:
        super().end(aborted=aborted)
        if aborted:
            self.free = asyncio.get_running_loop().time() + 25.0


class _Cutting(Engine):
    """An abort cuts a concurrent stream."""

    struck = False

    def end(self, *, aborted: bool) -> None:
        super().end(aborted=aborted)
        self.struck = self.struck or aborted

    def goes_on(self, request: Request) -> bool:
        if endures(request) and most_tokens(request) == 200 and self.struck:
            self.struck = False
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
    """The key is accepted for twenty requests of a session, and rejected afterwards."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        await super().begin(request)
        if "This is message" not in begins(request):
            return None
        self.seen += 1
        body = RequestError("the token has expired", None, "invalid_api_key", 401).body
        return SubstituteResponse(401, body, _JSON) if self.seen > 20 else None


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
        lost = _LIST in begins(request) and not request.get("stream")
        return dataclasses.replace(answer, content="") if lost else answer


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
        "abort_finishes",
        "an aborted request runs on for half a minute, and others wait",
        "stability.abort_stops_generation",
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
    Flaw("tires_of_lists", "long lists end, some earlier than others", engine=_Tiring),
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
        self.seen += loads(request)
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
        lost = loads(request) and self.excess_requests and self.excess_requests % self.one_in == 0
        return _LOST if lost else refusal


class Caching(Engine):
    """A cache fills up, and replies become faster."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Answer faster as the cache fills."""
        self.seen += loads(request)
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
