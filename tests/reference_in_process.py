"""The reference endpoint without a socket: the same code, from request to bytes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from time import time
from typing import Any

from readiness.chat import Chat
from readiness.check import Check
from readiness.context import Context
from readiness.evidence.redaction import Secrets
from readiness.exchange import COMPLETIONS, Arrival, Call, Exchange, Fault, Send
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.answer import ServerResponse
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.reference import Accepted, Reference
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Flaw
from readiness.probe import Probe
from readiness.protocol.dialect import Dialect
from readiness.reply import Reply, Timing, Usage
from readiness.runner.scheduler import attempted
from readiness.score import Score

PATIENCE = 120.0  # seconds


def reference(flaw: Flaw = FLAWLESS, tokenizer: str = "", seen: list[str] | None = None) -> Send:
    """What the reference endpoint answers, with at most one flaw, and perhaps a tokenizer."""
    endpoint, numbers = Reference(flaw), count()

    def answered(body: bytes) -> ServerResponse | None:
        due = endpoint.accept(body)
        return endpoint.complete(due) if isinstance(due, Accepted) else due

    async def send(call: Call) -> Exchange:
        if seen is not None:
            seen.append(call.path)
        if call.method == "GET":
            return _exchange(call, next(numbers), ServerResponse(200, {}, [b"{}"]))
        if call.path != COMPLETIONS:
            said = ServerResponse(200 if tokenizer else 404, {}, [_tokenized(call, tokenizer)])
            return _exchange(call, next(numbers), said)
        body = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
        return _exchange(call, next(numbers), answered(body))

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


def _exchange(call: Call, seq: int, sent: ServerResponse | None) -> Exchange:
    sent, fault = sent or ServerResponse(0, {}, []), None if sent else Fault.RESET
    headers = {name.lower(): value for name, value in sent.headers.items()}
    body = b"".join(piece for piece in sent.pieces if isinstance(piece, bytes))
    if any(isinstance(piece, float) and piece < 0 for piece in sent.pieces):
        fault = Fault.RESET
    if sent.seconds > PATIENCE:
        fault, body = Fault.FIRST_BYTE, b""
    status = None if fault and not body else sent.status
    waited = sum(piece for piece in sent.pieces if isinstance(piece, float) and piece > 0)
    first = 1 + round(waited * 1e9)
    arrivals = (Arrival(first, len(body)),)
    at = time() - waited
    return Exchange(call.body, status, headers, body, arrivals, fault, "", at, first + 1, seq=seq)


def tried(
    checks: Mapping[Check, Sequence[Probe]], context: Context, flaw: Flaw = FLAWLESS, **other: Any
) -> dict[str, list[Score]]:
    """What becomes of the probes of some checks, which share their requests."""
    send = reference(flaw, **other)

    async def attempt(each: Check, probe: Probe) -> Score:
        score, _ = await attempted(each, Chat(send, Dialect(MODEL), context), probe, Secrets([]))
        return score

    async def attempts() -> dict[str, list[Score]]:
        return {
            each.id: [await attempt(each, probe) for probe in probes]
            for each, probes in checks.items()
        }

    return asyncio.run(attempts())


@cache
def probes_of(check: Check, seed: int, trials: int) -> Sequence[Probe]:
    """The probes of a check, made once: to make them anew for each flaw would double the time."""
    return tuple(check.probes(seed, trials))


def scores(checked: Check, probes: Sequence[Probe], flaw: Flaw = FLAWLESS) -> list[Score]:
    """What becomes of the probes of one check."""
    return tried({checked: probes}, fresh(), flaw)[checked.id]


def reasons(found: Sequence[Score]) -> Counter[str]:
    """Why trials did not pass, with how often."""
    return Counter(score.reason for score in found if not score.passed)


def fresh(window: int | None = None, **other: Any) -> Context:
    """A run in which nothing has been sent yet."""
    return Context(context_window=window, **other)


def reply(text: str, prompt: int | None = 1000, finish: str = "stop", **usage: Any) -> Reply:
    """A reply of that text to a prompt of so many tokens."""
    counted = None if prompt is None else Usage(prompt, 10, **usage)
    timing = Timing(0.1, 0.1, 0.2, 0.3)
    return Reply(text, text, "", (), "", finish, counted, (), (), {}, timing)
