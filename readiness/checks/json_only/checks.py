"""JSON and nothing else, so that another program can read it without cleaning."""

from __future__ import annotations

from functools import partial

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.json_only import generated_records as invented
from readiness.checks.json_only.probes import (
    FORMAT_FORMS,
    FORMS,
    TOLD_FORMS,
    bad_formats,
    instruction_probes,
    next_turn,
    poems,
    stated_value_probes,
    with_object,
    with_schema,
)
from readiness.checks.json_only.scoring import is_json
from readiness.probe import Probe
from readiness.reply import Reply
from readiness.score import PASSED, Score
from readiness.scoring.rejection import refused
from readiness.search import GeneratedCase, Search, nothing

RECORDS = Search("json_only.property_based_json", invented.cases, examples=30, calls=60)


async def converse(probe: Probe, chat: Chat) -> list[Reply]:
    """Say one thing after another, as long as JSON of the schema comes."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    if not (probe.expect.get("then") and is_json(reply, probe.expect["schema"]).passed):
        return [reply]
    return [reply, *await converse(next_turn(probe, reply.message), chat)]


async def told(chat: Chat, probe: Probe) -> list[Reply]:
    """The replies to a probe; where its values are compared as well, it is sent once for both."""
    if not probe.shared:
        return await converse(probe, chat)
    return await chat.fetch_once((probe.shared,), partial(converse, probe))


@check(instruction_probes, required=1.0, trials=100, forms=TOLD_FORMS)
async def prompted_json(chat: Chat, probe: Probe) -> Score:
    """Told in words to send only JSON, the endpoint MUST send JSON of the requested shape and
    nothing else.
    """
    replies = await told(chat, probe)
    turns = [probe.expect, *probe.expect["then"]]
    scores = [is_json(reply, turn["schema"]) for reply, turn in zip(replies, turns, strict=False)]
    return next((score for score in scores if not score.passed), PASSED)


@check(stated_value_probes, required=0.95, trials=50, forms=FORMS)
async def values_preserved(chat: Chat, probe: Probe) -> Score:
    """Given data to put into JSON, the endpoint MUST send JSON with exactly these values."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return is_json(reply, probe.expect["schema"], probe.expect["value"])


@check(with_object, required=1.0, trials=10, needs=["json_object"], forms=FORMAT_FORMS)
async def json_object_mode(chat: Chat, probe: Probe) -> Score:
    """With response_format json_object, the endpoint MUST send one JSON object and nothing else."""
    return is_json((await told(chat, probe))[0], probe.expect["schema"])


@check(with_schema, required=1.0, trials=20, needs=["json_schema"], forms=FORMAT_FORMS)
async def json_schema_mode(chat: Chat, probe: Probe) -> Score:
    """With response_format json_schema, the endpoint MUST send JSON that is valid against the
    schema.
    """
    return is_json((await told(chat, probe))[0], probe.expect["schema"])


@check(poems, required=1.0, trials=5, needs=["json_schema"], forms=FORMAT_FORMS)
async def schema_over_topic(chat: Chat, probe: Probe) -> Score:
    """Asked for a poem with response_format json_schema, the endpoint MUST still follow the
    schema.
    """
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return is_json(reply, probe.expect["schema"])


@check(bad_formats, required=1.0, trials=5, needs=["json_schema"])
async def invalid_format_rejected(chat: Chat, probe: Probe) -> Score:
    """A malformed or unsatisfiable response_format SHOULD be rejected with a client error such as
    400 or 422.
    """
    asked = chat.send_invalid(probe.messages, budget=probe.budget, **probe.parameters)
    return refused(await asked)


async def attempt(chat: Chat, case: GeneratedCase) -> Score:
    """Send one record that was made up."""
    probe = invented.probe(case)
    reply = await chat(probe.messages, budget=probe.budget)
    return is_json(reply, case["schema"], case["value"])


@check(invented.searches, trials=3)
async def property_based_json(chat: Chat, probe: Probe) -> Score:
    """Whatever its fields and values, a record asked for as JSON only SHOULD come back as exactly
    that JSON.
    """
    seed, findings = probe.expect["seed"], chat.context.findings
    return nothing(await RECORDS.smallest(partial(attempt, chat), seed, findings), invented.told)
