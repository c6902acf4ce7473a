"""Floors that the article's hardware does not have, over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.license.gather import gather
from readiness.checks.low_resource import checks
from readiness.checks.low_resource.timing import LONG
from readiness.context import Context
from readiness.mutants.catalog import FLAWLESS, find
from readiness.mutants.endpoint.answer import Request, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Flaw
from readiness.mutants.license import evidence
from readiness.policy.policy import load
from readiness.score import Outcome
from tests.load_driver import tried

CARD = load().hardware["rtx-3060-12g"]


def outcome(flaw: Flaw, check: Check, context: Context, *, small: bool) -> Outcome:
    """The outcome of a check, with the full number of streams or a small one."""

    async def work(chat: Chat) -> Outcome:
        (probe,) = check.probes(0, 1)
        return (await check.attempt(chat, probe)).outcome

    return tried(flaw, work, replace(context, defects_only=small))


def slow_prefill(request: Request, frames: list[bytes]) -> list[bytes | float]:
    """Answer a long prompt after two seconds."""
    return [2.0, *frames] if prompt_tokens(request) > LONG / 2 else [*frames]


def stream_500_tokens_a_second(_request: Request, frames: list[bytes]) -> list[bytes | float]:
    return [0.1, *frames[:2], 0.4, *frames[2:]]


class Alone(Engine):
    """One stream at a time, as with `--parallel 1`."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Lock()

    async def begin(self, request: Request) -> SubstituteResponse | None:
        await self.turn.acquire()
        return await super().begin(request)

    def end(self, *, aborted: bool) -> None:
        super().end(aborted=aborted)
        self.turn.release()


@pytest.mark.parametrize(
    ("flaw", "due"),
    [
        (FLAWLESS, Outcome.PASS),
        (Flaw("slow_prefill", "", change_frames=slow_prefill), Outcome.FAIL),
    ],
    ids=lambda each: each.name if isinstance(each, Flaw) else "",
)
def test_hardware_may_have_a_floor_for_prefill(flaw: Flaw, due: Outcome) -> None:
    own = Context(hardware=replace(CARD, floors={"prefill": 3_000}))
    assert outcome(flaw, checks.prefill_speed, own, small=True) is due
    decode = outcome(flaw, checks.decode_speed, Context(hardware=CARD), small=True)
    assert decode is Outcome.PASS


@pytest.mark.parametrize(
    ("flaw", "due"),
    [
        (Flaw("together", "", change_frames=stream_500_tokens_a_second), Outcome.PASS),
        (Flaw("alone", "", change_frames=stream_500_tokens_a_second, engine=Alone), Outcome.FAIL),
    ],
    ids=lambda each: each.name if isinstance(each, Flaw) else "",
)
def test_hardware_may_have_a_floor_for_aggregate_throughput(flaw: Flaw, due: Outcome) -> None:
    own = Context(hardware=replace(CARD, floors={"aggregate": 1_000}))
    assert outcome(flaw, checks.aggregate_throughput, own, small=False) is due


@pytest.mark.parametrize(
    ("name", "due"), [("reference", Outcome.PASS), ("smaller_than_shown", Outcome.FAIL)]
)
def test_weights_too_large_for_the_decode_speed_are_implausible(
    name: str, due: Outcome, tmp_path: Path
) -> None:
    flaw, record = find(name), evidence.write(tmp_path)
    flaw.change_license_evidence(tmp_path)
    own = Context(hardware=CARD, license_evidence=gather((record,)))
    assert outcome(flaw, checks.plausible_measurements, own, small=True) is due
