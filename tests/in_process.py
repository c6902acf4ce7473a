"""The reference endpoint without a socket: the same code, from request to bytes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence

from readiness.chat import Chat, Dialect
from readiness.check import Check
from readiness.exchange import Arrival, Call, Exchange
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.flaw import Flaw
from readiness.mutants.model import answer
from readiness.mutants.problem import Problem
from readiness.mutants.protocol import MODEL, check
from readiness.mutants.response import Completion, chunks, encode, frames, whole
from readiness.mutants.speech import say
from readiness.probe import Probe
from readiness.score import EndpointError, Score

JSON, STREAM = "application/json", "text/event-stream"


class Reference:
    """Answers as the reference endpoint does, with at most one flaw."""

    def __init__(self, flaw: Flaw = FLAWLESS) -> None:
        self._flaw = flaw
        self._turn = -1

    async def send(self, call: Call) -> Exchange:
        """Answer one request."""
        request = json.loads(json.dumps(call.body))
        self._turn += 1
        try:
            prompt = check(request, frozenset({MODEL}))
        except Problem as problem:
            if refusal := self._flaw.forgives(request, self._turn):
                return _exchange(call, refusal.status, JSON, refusal.body)
            return _exchange(call, problem.status, JSON, problem.body)
        if refusal := self._flaw.refuses(request, self._turn):
            return _exchange(call, refusal.status, JSON, refusal.body)
        said = self._flaw.says(request, answer(request), self._turn)
        completion = Completion(request, prompt, say(request, said, prompt))
        if not request.get("stream"):
            return _exchange(call, 200, JSON, encode(self._flaw.forms(request, whole(completion))))
        made = frames(self._flaw.chunks(request, chunks(completion)))
        sent = [each for each in self._flaw.frames(request, made) if isinstance(each, bytes)]
        return _exchange(call, 200, STREAM, b"".join(sent))


def _exchange(call: Call, status: int, kind: str, body: bytes) -> Exchange:
    arrivals = (Arrival(1, len(body)),)
    headers = {"content-type": kind}
    return Exchange(call.body, status, headers, body, arrivals, None, "", 0.0, 2)


def scores(checked: Check, probes: Sequence[Probe], flaw: Flaw = FLAWLESS) -> list[Score]:
    """What becomes of the probes at the reference endpoint, with at most one flaw."""
    reference = Reference(flaw)

    async def attempt(probe: Probe) -> Score:
        try:
            return await checked.attempt(Chat(reference.send, Dialect(MODEL)), probe)
        except EndpointError as error:
            return error.score

    async def attempts() -> list[Score]:
        return [await attempt(probe) for probe in probes]

    return asyncio.run(attempts())


def reasons(found: Sequence[Score]) -> Counter[str]:
    """Why trials did not pass, with how often."""
    return Counter(score.reason for score in found if not score.passed)
