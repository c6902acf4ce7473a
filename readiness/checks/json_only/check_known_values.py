"""Values that are known beforehand, compared wherever another check looks at the form alone."""

from __future__ import annotations

from dataclasses import replace

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.json_only.checks import told
from readiness.checks.json_only.probes import (
    FORMAT_FORMS,
    TOLD_FORMS,
    adversarial_probes,
    format_probes,
    rich_schemas,
)
from readiness.checks.json_only.scoring import is_json, states
from readiness.forms.apply import SENT
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.protocol.errors import declines
from readiness.score import PASSED, Outcome, Score, failed, failed_once
from readiness.scoring.rejection import tells

FORMATS = ["json_object", "json_schema"]


async def compare(chat: Chat, probe: Probe) -> Score:
    """Compare the values of each turn of a probe's conversation."""
    replies = await told(chat, probe)
    turns = [probe.expect, *probe.expect.get("then", ())]
    scores = [
        states(reply, turn["schema"], turn["value"])
        for reply, turn in zip(replies, turns, strict=False)
    ]
    wrong = next((score for score in scores if not score.passed), None)
    return wrong or (PASSED if len(replies) == len(turns) else failed("a turn is missing"))


@check(format_probes, required=0.95, trials=30, needs=FORMATS, forms=FORMAT_FORMS)
async def values_preserved_in_format(chat: Chat, probe: Probe) -> Score:
    """With a response_format, the JSON MUST have exactly the values that the prompt states."""
    return await compare(chat, probe)


@check(adversarial_probes, required=0.95, trials=30, forms=TOLD_FORMS)
async def values_preserved_under_pressure(chat: Chat, probe: Probe) -> Score:
    """With orders hidden in the data, wishes against the format, or a correction in a later turn,
    the JSON MUST have exactly the values that hold.
    """
    return await compare(chat, probe)


@check(rich_schemas, trials=6, needs=["json_schema"], forms=SENT)
async def schema_members_kept(chat: Chat, probe: Probe) -> Score:
    """With a json_schema that has members to leave out, defaults, maps, lists of lists, numbers to
    choose from or within bounds, the JSON MUST have every value that the prompt states, or the
    request be rejected.
    """
    first = await fill(chat, probe)
    if first.outcome is not Outcome.FAIL:
        return first
    other = await fill(chat, replace(probe.expect["again"], parameters=probe.parameters))
    return other if other.outcome is Outcome.FAIL else failed_once(first)


async def fill(chat: Chat, probe: Probe) -> Score:
    """Send a probe with a schema that may be rejected, and score the JSON by its values."""
    exchange = await chat.send_invalid(probe.messages, budget=probe.budget, **probe.parameters)
    if declines(exchange):
        return tells(exchange)
    return is_json(read(exchange), probe.expect["schema"], probe.expect["value"])
