"""Replies: their fields, and whether every message of the conversation is read."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as replies
from readiness.checks.api import sdk_client
from readiness.checks.api.probes import both_forms, probes, with_code_words
from readiness.checks.api.requests import send, send_as_is
from readiness.probe import Probe
from readiness.score import PASSED, Score, failed


@check(probes("reply_matches_sdk_types"))
async def reply_matches_sdk_types(chat: Chat, probe: Probe) -> Score:
    """A reply MUST have every field that the official SDK's types require, of the right type."""
    found = replies.document(await send_as_is(chat, probe))
    return replies.score_completion(found, await sdk_client.schema("completion"))


@check(probes("json_content_type"))
async def json_content_type(chat: Chat, probe: Probe) -> Score:
    """A reply MUST have Content-Type application/json, or the SDK returns text instead of an
    object.
    """
    return replies.score_content_type(await send_as_is(chat, probe), "application/json")


@check(probes("usage_consistent"))
async def usage_consistent(chat: Chat, probe: Probe) -> Score:
    """A reply MUST have usage, with total_tokens the sum of prompt_tokens and completion_tokens."""
    return replies.score_usage(replies.document(await send_as_is(chat, probe)).get("usage"))


@check(probes("model_echoed"))
async def model_echoed(chat: Chat, probe: Probe) -> Score:
    """A reply SHOULD name the model that was requested."""
    return replies.score_model_name(
        replies.document(await send_as_is(chat, probe)), chat.dialect.model
    )


@check(probes("created_is_current"))
async def created_is_current(chat: Chat, probe: Probe) -> Score:
    """A reply's `created` SHOULD be the time of the reply, within a day."""
    exchange = await send_as_is(chat, probe)
    return replies.score_created(replies.document(exchange).get("created"), exchange.sent)


@check(probes("all_fields_present"))
async def all_fields_present(chat: Chat, probe: Probe) -> Score:
    """A reply SHOULD have every field that OpenAI's specification requires, null or not."""
    return replies.score_all_fields(replies.document(await send_as_is(chat, probe)))


@check(probes("no_disallowed_nulls"))
async def no_disallowed_nulls(chat: Chat, probe: Probe) -> Score:
    """A field that has no value and may not be null SHOULD be omitted."""
    return replies.score_no_nulls(replies.document(await send_as_is(chat, probe)))


@check(probes("unique_reply_id"))
async def unique_reply_id(chat: Chat, probe: Probe) -> Score:
    """Each reply SHOULD have a unique id."""
    found = [
        replies.document(await send_as_is(chat, probe)),
        replies.document(await send_as_is(chat, probe)),
    ]
    return replies.score_unique([each.get("id") for each in found])


@check(probes("request_id_header"))
async def request_id_header(chat: Chat, probe: Probe) -> Score:
    """A response SHOULD have the header x-request-id, by which support finds it in the logs."""
    has = "x-request-id" in (await send_as_is(chat, probe)).headers
    return PASSED if has else failed("no x-request-id")


@check(probes("no_reasoning_in_content"))
async def no_reasoning_in_content(chat: Chat, probe: Probe) -> Score:
    """Reasoning SHOULD NOT be in the content, where users would read it."""
    return replies.score_reasoning_separate(await send(chat, probe))


@check(both_forms("no_template_leak"))
async def no_template_leak(chat: Chat, probe: Probe) -> Score:
    """A reply's text MUST NOT contain control tokens of the chat template."""
    return replies.score_no_template_leak(await send(chat, probe))


async def recall(chat: Chat, probe: Probe) -> Score:
    """Ask for words of the conversation; if they are missing, see if they were in the prompt."""
    reply = await send(chat, probe)
    score = replies.score_words(reply, probe.expect["words"])
    if score.passed:
        return score
    other = probe.expect.get("half") or probe.expect["plain"]
    comparison = await chat(other, budget=probe.budget, **probe.parameters)
    return (
        replies.rescore_by_growth if "half" in probe.expect else replies.rescore_by_prompt_tokens
    )(score, reply, comparison)


@check(with_code_words("all_messages_read"), trials=4)
async def all_messages_read(chat: Chat, probe: Probe) -> Score:
    """System, user and assistant messages MUST all be read, in their order."""
    return await recall(chat, probe)


@check(with_code_words("content_parts_read"), trials=2)
async def content_parts_read(chat: Chat, probe: Probe) -> Score:
    """A message that comes as several text parts MUST be read in full."""
    return await recall(chat, probe)


@check(with_code_words("long_message_read"), trials=1)
async def long_message_read(chat: Chat, probe: Probe) -> Score:
    """A message of 20 KB MUST be read from its first line to its last."""
    return await recall(chat, probe)


@check(with_code_words("special_tokens_escaped"), trials=2)
async def special_tokens_escaped(chat: Chat, probe: Probe) -> Score:
    """User text that looks like the chat template's control tokens MUST NOT end the message."""
    words = probe.expect["words"]
    score = replies.score_words(await send(chat, probe), words)
    if score.passed:
        return score
    plain = await chat(probe.expect["plain"], budget=probe.budget)
    return replies.rescore_by_plain_form(score, plain, words)


@check(with_code_words("system_message_with_tools"), trials=1, needs=["tools"])
async def system_message_with_tools(chat: Chat, probe: Probe) -> Score:
    """In a request with tools, the system message MUST still be read."""
    return await recall(chat, probe)


@check(probes("tool_result_accepted"), needs=["tools"])
async def tool_result_accepted(chat: Chat, probe: Probe) -> Score:
    """A tool call with null content, followed by its result, MUST be accepted as history and
    answered.
    """
    return replies.score_answered(await send(chat, probe))


@check(probes("developer_role_accepted"))
async def developer_role_accepted(chat: Chat, probe: Probe) -> Score:
    """A message with the role developer SHOULD be accepted."""
    return replies.score_answered(await send(chat, probe))


@check(probes("consecutive_roles_accepted"))
async def consecutive_roles_accepted(chat: Chat, probe: Probe) -> Score:
    """Two messages in a row with the same role SHOULD be accepted."""
    return replies.score_answered(await send(chat, probe))


@check(probes("assistant_prefill_accepted"))
async def assistant_prefill_accepted(chat: Chat, probe: Probe) -> Score:
    """A conversation that ends with an assistant message SHOULD be accepted."""
    return replies.score_answered(await send(chat, probe))


@check(probes("message_name_accepted"))
async def message_name_accepted(chat: Chat, probe: Probe) -> Score:
    """A message with a `name` field SHOULD be accepted."""
    return replies.score_answered(await send(chat, probe))
