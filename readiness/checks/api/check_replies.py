"""Whole replies, and whether the whole of a conversation is read."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as replies
from readiness.checks.api import scoring_replies as shape
from readiness.checks.api import sdk_client
from readiness.checks.api.probes import both, coded, probes
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


async def recall(chat: Chat, probe: Probe) -> Score:
    """Ask for words of the conversation; where they are lost, see if they were in the prompt."""
    reply = await ask(chat, probe)
    score = replies.knows(reply, probe.expect["words"])
    if score.passed:
        return score
    other = probe.expect.get("half") or probe.expect["plain"]
    told = await chat(other, budget=probe.budget, **probe.parameters)
    return (replies.grows if "half" in probe.expect else replies.in_prompt)(score, reply, told)


@check(coded("remembers_turns"), trials=4)
async def remembers_turns(chat: Chat, probe: Probe) -> Score:
    """Messages of system, user and assistant MUST all be read, in their order."""
    return await recall(chat, probe)


@check(coded("reads_parts"), trials=2)
async def reads_parts(chat: Chat, probe: Probe) -> Score:
    """A message in several text parts MUST be read as a whole."""
    return await recall(chat, probe)


@check(coded("reads_long_messages"), trials=1)
async def reads_long_messages(chat: Chat, probe: Probe) -> Score:
    """A message of 20 KB MUST be read from its first line to its last."""
    return await recall(chat, probe)


@check(coded("reads_past_special_tokens"), trials=2)
async def reads_past_special_tokens(chat: Chat, probe: Probe) -> Score:
    """A user's text that looks like the template's control tokens MUST NOT end the message."""
    words = probe.expect["words"]
    score = replies.knows(await ask(chat, probe), words)
    if score.passed:
        return score
    plain = await chat(probe.expect["plain"], budget=probe.budget)
    return replies.knows_plainly(score, plain, words)


@check(coded("reads_instructions_with_tools"), trials=1, needs=["tools"])
async def reads_instructions_with_tools(chat: Chat, probe: Probe) -> Score:
    """Where a request has tools, its system message MUST be read all the same."""
    return await recall(chat, probe)


@check(probes("takes_tool_results"), needs=["tools"])
async def takes_tool_results(chat: Chat, probe: Probe) -> Score:
    """A tool call with content null, and the result that follows it, MUST be taken as history."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_developer_messages"))
async def takes_developer_messages(chat: Chat, probe: Probe) -> Score:
    """The role developer SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_repeated_roles"))
async def takes_repeated_roles(chat: Chat, probe: Probe) -> Score:
    """Two messages in a row from the same side SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_a_prefill"))
async def takes_a_prefill(chat: Chat, probe: Probe) -> Score:
    """A conversation that ends with the assistant's own words SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_names"))
async def takes_names(chat: Chat, probe: Probe) -> Score:
    """The `name` of who speaks SHOULD be taken."""
    return replies.answers(await ask(chat, probe))
