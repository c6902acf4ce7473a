"""Whole replies: the shape that clients build on."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_shape as shape
from readiness.checks.api import sdk_client
from readiness.checks.api.probes import both, probes
from readiness.checks.api.requests import ask, sent
from readiness.probe import Probe
from readiness.score import PASSED, Score, failed


@check(probes("fits_the_sdk"))
async def fits_the_sdk(chat: Chat, probe: Probe) -> Score:
    """A reply MUST have every field that the official SDK's types require, of the right type."""
    found = shape.document(await sent(chat, probe))
    return shape.fits_completion(found, await sdk_client.schema("completion"))


@check(probes("labels_json"))
async def labels_json(chat: Chat, probe: Probe) -> Score:
    """A reply MUST be labelled application/json, or the SDK hands on text instead of an object."""
    return shape.labelled(await sent(chat, probe), "application/json")


@check(probes("adds_up_usage"))
async def adds_up_usage(chat: Chat, probe: Probe) -> Score:
    """A reply MUST tell its token counts, and the total MUST be their sum."""
    return shape.adds_up(shape.document(await sent(chat, probe)).get("usage"))


@check(probes("echoes_the_model"))
async def echoes_the_model(chat: Chat, probe: Probe) -> Score:
    """A reply SHOULD name the model that was asked for."""
    return shape.same_model(shape.document(await sent(chat, probe)), chat.dialect.model)


@check(probes("tells_the_time"))
async def tells_the_time(chat: Chat, probe: Probe) -> Score:
    """`created` SHOULD be the time of the reply."""
    exchange = await sent(chat, probe)
    return shape.timely(shape.document(exchange).get("created"), exchange.sent)


@check(probes("has_every_field"))
async def has_every_field(chat: Chat, probe: Probe) -> Score:
    """A reply SHOULD have every field that OpenAI's specification requires, null or not."""
    return shape.complete(shape.document(await sent(chat, probe)))


@check(probes("leaves_out_empty_fields"))
async def leaves_out_empty_fields(chat: Chat, probe: Probe) -> Score:
    """A field that has no value and may not be null SHOULD be left out."""
    return shape.no_nulls(shape.document(await sent(chat, probe)))


@check(probes("makes_fresh_ids"))
async def makes_fresh_ids(chat: Chat, probe: Probe) -> Score:
    """Each reply SHOULD have an id of its own."""
    found = [shape.document(await sent(chat, probe)), shape.document(await sent(chat, probe))]
    return shape.differ([each.get("id") for each in found])


@check(probes("names_the_request"))
async def names_the_request(chat: Chat, probe: Probe) -> Score:
    """A response MAY have the header x-request-id, by which support finds it in the logs."""
    has = "x-request-id" in (await sent(chat, probe)).headers
    return PASSED if has else failed("no x-request-id")


@check(probes("keeps_reasoning_apart"))
async def keeps_reasoning_apart(chat: Chat, probe: Probe) -> Score:
    """Reasoning SHOULD NOT stand in the content, where users would read it."""
    return shape.apart(await ask(chat, probe))


@check(both("leaks_no_template"))
async def leaks_no_template(chat: Chat, probe: Probe) -> Score:
    """A reply MUST NOT have control tokens of the chat template in its text."""
    return shape.leakless(await ask(chat, probe))
