"""The checks of long documents at the reference endpoint, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from readiness.chat import Chat, Dialect, Scope, Send
from readiness.check import Check
from readiness.exchange import COMPLETIONS, Arrival, Call, Exchange, Fault
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.flaw import Flaw
from readiness.mutants.model import answer
from readiness.mutants.problem import Problem
from readiness.mutants.protocol import MODEL, check
from readiness.mutants.response import Completion, chunks, encode, frames, whole
from readiness.mutants.speech import say
from readiness.mutants.tokens import prompt_tokens
from readiness.probe import Probe
from readiness.reply import Reply, Timing, Usage
from readiness.score import EndpointError, Score

JSON, STREAM = "application/json", "text/event-stream"
PATIENCE = 120.0  # seconds


def reference(flaw: Flaw = FLAWLESS, tokenizer: str = "", seen: list[str] | None = None) -> Send:
    """What the reference endpoint answers, with at most one flaw, and perhaps a tokenizer."""
    turns, numbers = count(), count()

    async def send(call: Call) -> Exchange:
        seq = next(numbers)
        if seen is not None:
            seen.append(call.path)
        if call.method == "GET":
            return _exchange(call, seq, 200, b"{}")
        if call.path != COMPLETIONS:
            return _exchange(call, seq, 200 if tokenizer else 404, _tokenized(call, tokenizer))
        request = flaw.asks(json.loads(json.dumps(call.body)))
        turn = next(turns)
        try:
            prompt = check(request, frozenset({MODEL}))
        except Problem as problem:
            return _exchange(call, seq, problem.status, problem.body)
        if refusal := flaw.refuses(request, turn):
            late = refusal.seconds > PATIENCE
            return _exchange(call, seq, None if late else refusal.status, refusal.body, late)
        said = flaw.says(request, answer(request), turn)
        done = Completion(request, prompt, say(request, said, prompt))
        if not request.get("stream"):
            return _exchange(call, seq, 200, encode(flaw.forms(request, whole(done))))
        made = frames(flaw.chunks(request, chunks(done)))
        return _exchange(call, seq, 200, b"".join(made))

    return send


def _tokenized(call: Call, form: str) -> bytes:
    """What vLLM says, what llama.cpp does, and what nobody should."""
    tokens = prompt_tokens(call.body)
    return {
        "": b'{"detail": "Not Found"}',
        "count": b'{"count": %d, "tokens": []}' % tokens,
        "tokens": json.dumps({"tokens": [1] * tokens}).encode(),
        "nonsense": b'{"count": 7, "tokens": []}',
    }[form]


def _exchange(
    call: Call, seq: int, status: int | None, body: bytes, late: bool = False
) -> Exchange:
    kind = STREAM if body.startswith(b"data:") else JSON
    fault = Fault.FIRST_BYTE if late else None
    arrivals = (Arrival(1, len(body)),)
    return Exchange(
        call.body, status, {"content-type": kind}, body, arrivals, fault, "", 0.0, 2, seq=seq
    )


def tried(
    checks: Mapping[Check, Sequence[Probe]], scope: Scope, flaw: Flaw = FLAWLESS, **other: Any
) -> dict[str, list[Score]]:
    """What becomes of the probes of some checks, which share their requests."""
    send = reference(flaw, **other)

    async def attempt(each: Check, probe: Probe) -> Score:
        try:
            return await each.attempt(Chat(send, Dialect(MODEL), scope), probe)
        except EndpointError as error:
            return error.score

    async def attempts() -> dict[str, list[Score]]:
        return {
            each.id: [await attempt(each, probe) for probe in probes]
            for each, probes in checks.items()
        }

    return asyncio.run(attempts())


def fresh(window: int | None = None, **other: Any) -> Scope:
    """A run in which nothing has been sent yet."""
    return Scope(window=window, common={}, **other)


def reply(text: str, prompt: int | None = 1000, finish: str = "stop", **usage: Any) -> Reply:
    """A reply of that text to a prompt of so many tokens."""
    counted = None if prompt is None else Usage(prompt, 10, **usage)
    timing = Timing(0.1, 0.1, 0.2, 0.3)
    return Reply(text, text, "", (), "", finish, counted, (), (), {}, timing)
