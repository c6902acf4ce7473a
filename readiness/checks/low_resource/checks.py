"""Low resource: how fast one card serves, and in how much memory, where the card is declared."""

from __future__ import annotations

from functools import partial

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.low_resource import scoring as scorer
from readiness.checks.low_resource.timing import BUDGET, LONG, RUNS, SHORT, bursts, loaded, series
from readiness.probe import Probe
from readiness.score import Score


def probe(name: str, requests: int, prompt: int) -> list[Probe]:
    """A probe that times some requests with prompts of a length."""
    budget, tokens = requests * BUDGET, requests * (prompt + 64)
    return [Probe(f"low_resource.{name}@v1", [], budget=budget, tokens=tokens)]


@check(probe("short", RUNS + 1, SHORT), alone=True, in_order=True, needs=["stream"])
async def decode_speed(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, a single stream MUST decode as fast as the policy requires
    (article: 112 tokens/s).
    """
    timed = await chat.fetch_once("low_resource.short", partial(series, length=SHORT))
    return scorer.decodes(timed, chat.context.hardware)


@check(probe("long", RUNS + 1, LONG), alone=True, in_order=True, needs=["stream"])
async def prefill_speed(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, a prompt of 4K tokens SHOULD be prefilled as fast as the policy
    requires.
    """
    return scorer.reads(await series(chat, LONG), chat.context.hardware)


@check(probe("bursts", 15, SHORT), alone=True, in_order=True, needs=["stream"])
async def aggregate_throughput(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, up to eight concurrent streams SHOULD together be as fast as the
    policy requires.
    """
    made = await chat.fetch_once("low_resource.bursts", bursts)
    return scorer.serves(made, chat.context.hardware)


@check(probe("memory", 6, LONG), alone=True, in_order=True, needs=["stream"])
async def gpu_memory(chat: Chat, probe: Probe) -> Score:
    """On the declared hardware, GPU memory under load MUST stay below the policy's limit (article:
    11.2 GB).
    """
    return scorer.fits(await loaded(chat), chat.context.hardware, chat.context.context_window)


@check(probe("figures", RUNS + 16, SHORT), alone=True, in_order=True, needs=["stream"])
async def plausible_measurements(chat: Chat, probe: Probe) -> Score:
    """Measured token counts SHOULD fit the limit and the text of the replies, and decode speed the
    memory bandwidth.
    """
    timed = await chat.fetch_once("low_resource.short", partial(series, length=SHORT))
    made = await chat.fetch_once("low_resource.bursts", bursts)
    evidence = chat.context.license_evidence
    weights = evidence.bytes if evidence else 0
    return scorer.adds_up(timed, made, chat.context.hardware, weights)
