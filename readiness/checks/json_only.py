"""JSON and nothing else, so that another program can read it without cleaning."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.probe import Probe
from readiness.probes.json_formats import bad_formats, poems, with_object, with_schema
from readiness.probes.json_only import next_turn, stated, told
from readiness.score import Score
from readiness.scorers.json_reply import is_json
from readiness.scorers.refusal import refused


@check(told, required=1.0, trials=100)
async def when_told(chat: Chat, probe: Probe) -> Score:
    """Told in words to send JSON only, the endpoint MUST send JSON as asked and nothing else."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    score = is_json(reply, probe.expect["schema"])
    if score.passed and probe.expect["then"]:
        return await when_told.attempt(chat, next_turn(probe, reply.message))
    return score


@check(stated, required=0.95, trials=50)
async def keeps_the_values(chat: Chat, probe: Probe) -> Score:
    """Given data to put into JSON, the endpoint MUST send JSON with exactly these data."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return is_json(reply, probe.expect["schema"], probe.expect["value"])


@check(with_object, required=1.0, trials=10, needs=["json_object"])
async def with_json_object(chat: Chat, probe: Probe) -> Score:
    """With response_format json_object, the endpoint MUST send one JSON object and nothing else."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return is_json(reply, probe.expect["schema"])


@check(with_schema, required=1.0, trials=20, needs=["json_schema"])
async def with_json_schema(chat: Chat, probe: Probe) -> Score:
    """With response_format json_schema, the endpoint MUST send JSON that is valid against it."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return is_json(reply, probe.expect["schema"])


@check(poems, required=1.0, trials=5, needs=["json_schema"])
async def despite_the_topic(chat: Chat, probe: Probe) -> Score:
    """Asked for a poem with response_format json_schema, the endpoint MUST keep to the schema."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return is_json(reply, probe.expect["schema"])


@check(bad_formats, required=1.0, trials=5, needs=["json_schema"])
async def refuses_bad_formats(chat: Chat, probe: Probe) -> Score:
    """Sent a malformed or impossible response_format, the endpoint MUST refuse it with a 4xx."""
    return refused(await chat.send(probe.messages, budget=probe.budget, **probe.parameters))
