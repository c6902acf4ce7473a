"""Low resource: speed and memory of one GPU, scored where the hardware is declared."""

from __future__ import annotations

from functools import partial

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.low_resource import scoring
from readiness.checks.low_resource.timing import (
    BUDGET,
    LONG,
    RUNS,
    SHORT,
    StreamBurst,
    TimedStream,
    measure_memory_under_load,
    time_bursts,
    time_streams,
)
from readiness.load.meters.meter import PeakUsage
from readiness.probe import Probe
from readiness.score import Score


def probe(name: str, requests: int, prompt: int) -> list[Probe]:
    """A probe of the given number of timed requests, with prompts of the given length in tokens."""
    budget, tokens = requests * BUDGET, requests * (prompt + 64)
    return [Probe(f"low_resource.{name}@v1", [], budget=budget, tokens=tokens)]


async def _short_streams(chat: Chat) -> list[TimedStream]:
    work = partial(time_streams, length=SHORT)
    return await chat.measure_once("low_resource.short", work, list[TimedStream])


async def _bursts(chat: Chat) -> list[StreamBurst]:
    return await chat.measure_once("low_resource.bursts", time_bursts, list[StreamBurst])


@check(probe("short", RUNS + 1, SHORT), alone=True, in_order=True, needs=["stream"])
async def decode_speed(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, a single stream MUST decode as fast as the policy requires
    (article: 112 tokens/s).
    """
    return scoring.score_decode_speed(await _short_streams(chat), chat.context.hardware)


@check(probe("long", RUNS + 1, LONG), alone=True, in_order=True, needs=["stream"])
async def prefill_speed(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, a prompt of 4K tokens SHOULD be prefilled as fast as the policy
    requires.
    """
    work = partial(time_streams, length=LONG)
    timed = await chat.measure_once("low_resource.long", work, list[TimedStream])
    return scoring.score_prefill_speed(timed, chat.context.hardware)


@check(probe("bursts", 15, SHORT), alone=True, in_order=True, needs=["stream"])
async def aggregate_throughput(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, up to eight concurrent streams SHOULD together be as fast as the
    policy requires.
    """
    bursts = await _bursts(chat)
    return scoring.score_aggregate_throughput(bursts, chat.context.hardware)


@check(probe("memory", 6, LONG), alone=True, in_order=True, needs=["stream"])
async def gpu_memory(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, GPU memory under load MUST stay below the policy's limit (article:
    11.2 GB).
    """
    peak = await chat.measure_once("low_resource.memory", measure_memory_under_load, PeakUsage)
    return scoring.score_memory(peak, chat.context.hardware, chat.context.context_window)


@check(probe("figures", RUNS + 16, SHORT), alone=True, in_order=True, needs=["stream"])
async def plausible_measurements(chat: Chat, probe: Probe) -> Score:
    """Measured token counts SHOULD fit the limit and the text of the replies, and decode speed the
    memory bandwidth.
    """
    timed, bursts = await _short_streams(chat), await _bursts(chat)
    evidence = chat.context.license_evidence
    weights = evidence.weight_bytes if evidence else 0
    return scoring.score_plausibility(timed, bursts, chat.context.hardware, weights)
