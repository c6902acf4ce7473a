"""Hostile input, handwritten and generated: it is rejected, and affects no other request.

What a client can send is to be handled. What only a fuzzer sends may fail, but by itself alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import fuzz_cases
from readiness.checks.api import probes as hostile
from readiness.checks.api.probes import NEIGHBOUR, probes
from readiness.checks.api.requests import send_beside_others, send_invalid
from readiness.checks.api.scoring_replies import score_next_request, score_others
from readiness.probe import Probe
from readiness.score import Score
from readiness.scoring.rejection import refused, survived
from readiness.search import GeneratedCase, Search, nothing


# Alone, so that the next request is its own, and not another check's.
@check(probes("odd_input_handled"), in_order=True, alone=True)
async def odd_input_handled(chat: Chat, probe: Probe) -> Score:
    """Empty, unusual or invalid input MUST be answered or rejected with a 4xx, and the next valid
    request answered.
    """
    score = survived(await send_invalid(chat, probe))
    return score_next_request(score, await chat.send(hostile.NEIGHBOUR, budget=16))


@check(probes("invalid_utf8_handled"))
async def invalid_utf8_handled(chat: Chat, probe: Probe) -> Score:
    """A body that is not valid UTF-8 MUST be answered or rejected with a 4xx."""
    return survived(await send_invalid(chat, probe))


@check(probes("invalid_utf8_rejected"))
async def invalid_utf8_rejected(chat: Chat, probe: Probe) -> Score:
    """A body that is not valid UTF-8 SHOULD be rejected with a client error such as 400 or 422."""
    return refused(await send_invalid(chat, probe))


@check(hostile.heavy("huge_body_handled"), alone=True)
async def huge_body_handled(chat: Chat, probe: Probe) -> Score:
    """A body of 32 MB MUST be answered or rejected with a 4xx within 60 s, and other requests still
    answered.
    """
    sent = await send_beside_others(chat, probe)
    own = survived(sent.exchange)
    return score_others(sent.others) if own.passed else own


@check(probes("fuzz_input"), alone=True)
async def fuzz_input_isolated(chat: Chat, probe: Probe) -> Score:
    """Input that no client library sends MUST NOT keep other requests from being answered."""
    return score_others((await send_beside_others(chat, probe)).others)


@check(hostile.heavy("many_tools_handled"), needs=["tools"], alone=True)
async def many_tools_handled(chat: Chat, probe: Probe) -> Score:
    """A request with 2,000 tools MUST NOT keep other requests from being answered."""
    return score_others((await send_beside_others(chat, probe)).others)


@check(hostile.nested(), alone=True)
async def deep_nesting_handled(chat: Chat, probe: Probe) -> Score:
    """JSON nested up to 100,000 levels deep MUST NOT keep other requests from being answered."""
    return score_others((await send_beside_others(chat, probe)).others)


@check(probes("fuzz_input"), alone=True)
async def fuzz_input_rejected(chat: Chat, probe: Probe) -> Score:
    """Input that no client library sends SHOULD be rejected with a 4xx, or answered where it can
    be.
    """
    exchange = (await send_beside_others(chat, probe)).exchange
    return refused(exchange) if probe.expect.get("rejected") else survived(exchange)


@check([*hostile.nested(), *hostile.heavy("many_tools_handled")], alone=True)
async def extreme_input_rejected(chat: Chat, probe: Probe) -> Score:
    """JSON nested up to 100,000 levels deep and 2,000 tools SHOULD be answered or rejected with a
    4xx within 60 s.
    """
    return survived((await send_beside_others(chat, probe)).exchange)


#: A batch of generated requests. Shrinking may take three times as many calls again.
BATCH = Search("api.fuzzed_requests_handled", fuzz_cases.cases, examples=20, calls=80)


def batches(seed: int, trials: int) -> Sequence[Probe]:
    """A probe with a seed for each batch."""
    random = Random(f"api.fuzz/{seed}")
    seeds = [random.randrange(2**32) for _ in range(trials)]
    return [
        Probe(f"api.fuzz.{at:02}@v1", NEIGHBOUR, {"seed": each}) for at, each in enumerate(seeds)
    ]


async def attempt(chat: Chat, case: GeneratedCase) -> Score:
    """Send one generated request."""
    return survived(await chat.call(fuzz_cases.build_call(case, chat.dialect)))


@check(batches, trials=1, in_order=True)
async def fuzzed_requests_handled(chat: Chat, probe: Probe) -> Score:
    """Randomly malformed requests SHOULD be answered or rejected with a 4xx, and the next valid
    request answered.
    """
    found = await BATCH.smallest(
        partial(attempt, chat), probe.expect["seed"], chat.context.findings
    )
    batch = nothing(found, lambda case: fuzz_cases.curl(fuzz_cases.build_call(case, chat.dialect)))
    return score_next_request(batch, await chat.send(NEIGHBOUR, budget=16))
