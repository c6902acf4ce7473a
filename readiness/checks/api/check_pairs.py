"""Pairs of requests: the same messages streamed or not, and with another parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_pairs as pairs
from readiness.checks.api.probes import with_code_words
from readiness.checks.api.requests import (
    reproduced,
    send,
    send_refusable,
    send_without_reasoning,
)
from readiness.probe import Probe
from readiness.reply import Reply
from readiness.score import Outcome, Score
from readiness.scoring.rejection import tells

SEEDS = (11, 12)
#: A model that slips in half of its copies makes so many pairs differ alike in one of 128 trials.
PAIRS = 4
#: The length of stop sequences that every server takes: Baidu's takes 20 characters, FastDeploy
#: eight tokens; Anthropic's takes none of white space alone.
USUAL = 12


async def whole_and_streamed(chat: Chat, probe: Probe) -> tuple[Reply, Reply]:
    """The replies to the same request, whole and streamed."""
    whole = await send(chat, probe)
    return whole, await chat(
        probe.messages, budget=probe.budget, **{**probe.parameters, "stream": True}
    )


async def send_limited(chat: Chat, probe: Probe, limit: int) -> Reply:
    """The reply of so many tokens at most, those of reasoning among them."""
    return await send_without_reasoning(chat, replace(probe, expect={"send": {"most": limit}}))


@check(with_code_words("stream_matches_whole"), trials=4, needs=["stream"])
async def stream_matches_whole(chat: Chat, probe: Probe) -> Score:
    """A text MUST arrive undamaged, be tools offered or not, and a streamed reply MUST be the same
    as a whole one: its line breaks and spaces, its finish_reason and its usage.
    """
    tools = probe.parameters.get("tools", ())

    async def attempt() -> Score:
        replies = await whole_and_streamed(chat, probe)
        return pairs.score_copies(*replies, probe.expect["text"], tools)

    scores = [await attempt()]
    while scores[-1].outcome is Outcome.FAIL and len(scores) < PAIRS:
        scores.append(await attempt())
    return pairs.score_alike(scores)


@check(with_code_words("stream_calls_match_whole"), trials=2, needs=["stream", "tools"])
async def stream_calls_match_whole(chat: Chat, probe: Probe) -> Score:
    """Streamed tool calls MUST be the same as whole ones: their names, arguments and usage."""

    async def attempt() -> Score:
        return pairs.score_same_calls(*await whole_and_streamed(chat, probe), probe.expect["word"])

    return await reproduced(attempt)


@check(with_code_words("stop_keeps_calls"), trials=2, needs=["tools"])
async def stop_keeps_calls(chat: Chat, probe: Probe) -> Score:
    """A stop sequence that stands nowhere in a tool call MUST leave the call as it is without."""

    async def attempt() -> Score:
        free = await send(chat, probe)
        stop = {"stop": probe.expect["stop"]}
        stopped = await chat(probe.messages, budget=probe.budget, **probe.parameters, **stop)
        return pairs.score_kept_calls(free, stopped, probe.expect["word"])

    return await reproduced(attempt)


@check(with_code_words("limit_change_honoured"), trials=2)
async def limit_change_honoured(chat: Chat, probe: Probe) -> Score:
    """The same messages with another limit MUST get a reply that honours it, and never the one that
    was sent before.
    """
    if "unlimited" in probe.expect:
        before = await send_limited(chat, probe, probe.expect["unlimited"])
        return pairs.score_unlimited(before, await send(chat, probe))
    before, limit = await send(chat, probe), probe.expect["limit"]
    return pairs.score_limited(before, await send_limited(chat, probe, limit), limit)


@check(with_code_words("stop_change_honoured"), trials=1)
async def stop_change_honoured(chat: Chat, probe: Probe) -> Score:
    """The same messages with a stop MUST get a reply that honours it, and never the one that was
    sent before.
    """
    before, stop = await send(chat, probe), probe.expect["stop"]
    reply = await chat(probe.messages, budget=probe.budget, stop=stop)
    return pairs.score_stopped(before, reply, stop)


@check(with_code_words("format_change_honoured"), trials=1, needs=["json_schema"])
async def format_change_honoured(chat: Chat, probe: Probe) -> Score:
    """The same messages with a response_format MUST get a reply in it, and never the one that was
    sent before.
    """
    before, schema = await send(chat, probe), probe.expect["schema"]
    reply = await chat(probe.messages, budget=probe.budget, response_format=_format(schema))
    return pairs.score_formatted(before, reply, schema)


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {"name": "answer", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": wanted}


async def _called_in_format(chat: Chat, probe: Probe) -> Score:
    """Ask for the same call without a format and with one, which may be refused."""
    wanted = {**probe.parameters, "response_format": _format(probe.expect["schema"])}

    async def attempt() -> Score:
        free = await send(chat, probe)
        formatted = await chat.send_invalid(probe.messages, budget=probe.budget, **wanted)
        return pairs.score_calls_in_format(free, formatted, probe.expect["word"])

    return await reproduced(attempt)


@check(with_code_words("format_keeps_calls"), trials=2, needs=["tools", "json_schema"])
async def format_keeps_calls(chat: Chat, probe: Probe) -> Score:
    """With a response_format, a tool that must be called MUST be called as it is without, or the
    request be rejected.
    """
    return await _called_in_format(chat, probe)


@check(with_code_words("format_leaves_calls"), trials=1, needs=["tools", "json_schema"])
async def format_leaves_calls(chat: Chat, probe: Probe) -> Score:
    """With a response_format, a tool that may be called SHOULD be called as it is without, or the
    request be rejected.
    """
    return await _called_in_format(chat, probe)


@check(with_code_words("tools_change_honoured"), trials=2, needs=["tools"])
async def tools_change_honoured(chat: Chat, probe: Probe) -> Score:
    """The same messages with a tool to call MUST get the call, and never the reply that was sent
    before.
    """
    before = await send(chat, probe)
    reply = await chat(probe.messages, budget=probe.budget, **probe.expect["change"])
    return pairs.score_called(before, reply)


@check(with_code_words("message_change_honoured"), trials=4)
async def message_change_honoured(chat: Chat, probe: Probe) -> Score:
    """Requests that differ only in a number, in the system message, in an earlier turn or in the
    last one MUST each get a reply of their own.
    """
    before = await send(chat, probe)
    reply = await send(chat, replace(probe, messages=probe.expect["changed"]))
    return pairs.score_own_words(before, reply, probe.expect["words"])


@check(with_code_words("sampling_change_honoured"), trials=1)
async def sampling_change_honoured(chat: Chat, probe: Probe) -> Score:
    """The same messages at temperature 0, and at temperature 1 with two seeds, SHOULD get replies
    that differ.
    """
    if not chat.dialect.sampling:
        return Score(Outcome.UNSUPPORTED, "no temperature is sent to this endpoint")
    drawn = [{"temperature": 0}, *({"temperature": 1, "seed": seed} for seed in SEEDS)]
    sent = [await chat(probe.messages, budget=probe.budget, **each) for each in drawn]
    return pairs.score_sampled([each.text for each in sent])


@check(with_code_words("stop_cuts_same_text"), trials=6)
async def stop_cuts_same_text(chat: Chat, probe: Probe) -> Score:
    """With a stop sequence, a reply MUST be what stands before it in the reply without, or all of
    that where it only begins, whole and streamed.
    """
    stops, after = probe.expect["stop"], probe.expect.get("after", 0)
    usual = [stop for stop in stops if not stop.isspace() and len(stop) <= USUAL]
    stopping = partial(chat, probe.messages, budget=probe.budget)

    async def attempt(**form: Any) -> Score:
        free = await send(chat, probe)
        if usual == stops:
            return pairs.score_stop_cut(free, await stopping(stop=stops, **form), stops, after)
        stopped = await send_refusable(chat, probe, stop=stops, **form)
        if isinstance(stopped, Reply):
            return pairs.score_stop_cut(free, stopped, stops, after)
        # It may decline those; if it declines a word too, it has no stop sequences.
        reply, told = await stopping(stop=usual or ["END"], **form), tells(stopped)
        return pairs.score_stop_cut(free, reply, usual, after) if usual and told.passed else told

    whole = await reproduced(attempt)
    return await reproduced(partial(attempt, stream=True)) if whole.passed else whole
