"""Replies: their fields, and whether every message of the conversation is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from readiness import sdk_client
from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as replies
from readiness.checks.api.probes import (
    both_forms,
    fitting,
    large,
    probes,
    with_code_words,
    with_parts,
)
from readiness.checks.api.requests import (
    reproduced,
    send,
    send_as_is,
    send_large_bodies,
    send_text_alone,
    send_with_part,
)
from readiness.probe import Message, Probe
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import PASSED, Outcome, Score, failed

#: The tokens that a window that is not known may have room for, and those of a short message.
UNKNOWN_ROOM, SHORT_ROOM = 10_000, 400


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
    return await recalled(chat, probe, await send(chat, probe))


async def recalled(chat: Chat, probe: Probe, reply: Reply) -> Score:
    """Look for the words in a reply; if they are missing, see if they were in the prompt."""
    score = replies.score_words(reply, probe.expect["words"])
    if score.passed:
        return score
    other = probe.expect.get("half") or probe.expect["plain"]
    comparison = await chat(other, budget=probe.budget, **probe.parameters)
    if "half" in probe.expect:
        return replies.rescore_by_growth(score, reply, comparison)
    # Where a prompt has no system message, some templates add one of their own.
    alone = _has_system(probe.messages) and not _has_system(other)
    default = await chat.fetch_once("default system message", _default_system) if alone else 0
    return replies.rescore_by_prompt_tokens(score, reply, comparison, default)


def _has_system(messages: Sequence[Message]) -> bool:
    return any(each.get("role") in ("system", "developer") for each in messages)


async def _default_system(chat: Chat) -> int:
    """The most tokens of the system message that the template adds where there is none."""
    user: Message = {"role": "user", "content": "Hi."}
    without = await chat.reply_or_score([user], budget=16)
    given = await chat.reply_or_score([{"role": "system", "content": "."}, user], budget=16)
    return replies.default_system_tokens(without, given)


@check(with_code_words("all_messages_read"), trials=7)
async def all_messages_read(chat: Chat, probe: Probe) -> Score:
    """System, user and assistant messages MUST all be read, in their order."""
    return await recall(chat, probe)


@check(with_code_words("content_parts_read"), trials=2)
async def content_parts_read(chat: Chat, probe: Probe) -> Score:
    """A message that comes as several text parts MUST be read in full."""
    return await recall(chat, probe)


@check(with_code_words("long_message_read"), trials=1)
async def long_message_read(chat: Chat, probe: Probe) -> Score:
    """A message of 20 KB, or half of the window, MUST be read from its first line to its last."""
    return await recall(chat, fitting(probe, _room(chat, probe)))


def _room(chat: Chat, probe: Probe) -> int | None:
    """The tokens that the window has for a probe's messages; None where it is not known."""
    window = chat.context.context_window
    return None if window is None else window - probe.budget - chat.dialect.reasoning_tokens


@check(with_code_words("long_system_message_read"), trials=2)
async def long_system_message_read(chat: Chat, probe: Probe) -> Score:
    """A system message of 40 KB, or half of the window, MUST be read from its first line on as the
    same text of a user is.
    """
    room = _room(chat, probe) or UNKNOWN_ROOM
    score = await _compared_with_plain_form(chat, fitting(probe, room))
    if score.outcome is not Outcome.FAIL:
        return score
    short = await send(chat, fitting(probe, SHORT_ROOM))
    return replies.rescore_by_short_form(score, short, probe.expect["words"])


@check(large())
async def large_bodies_accepted(chat: Chat, probe: Probe) -> Score:
    """A request whose body has 64 KB, 256 KB or 1 MB, as text within the window may take, MUST be
    answered.
    """
    return replies.score_bodies(await send_large_bodies(chat, probe))


@check(with_parts())
async def unread_parts_not_dropped(chat: Chat, probe: Probe) -> Score:
    """A picture, file or sound MUST be rejected, or else read and counted in prompt_tokens: none is
    dropped in silence.
    """
    text = await chat.fetch_once("text alone", partial(send_text_alone, probe))
    sent = [replies.score_part(each, text) for each in await send_with_part(chat, probe)]
    return next((score for score in sent if not score.passed), PASSED)


@check(with_code_words("special_tokens_escaped"), trials=2)
async def special_tokens_escaped(chat: Chat, probe: Probe) -> Score:
    """User text that looks like the chat template's control tokens MUST NOT end the message."""
    return await _compared_with_plain_form(chat, probe)


async def _compared_with_plain_form(chat: Chat, probe: Probe) -> Score:
    """Ask for words of the conversation; if they are missing, ask in its plain form."""
    words = probe.expect["words"]

    async def attempt() -> Score:
        score = replies.score_parts(await send(chat, probe), words)
        if score.passed:
            return score
        said = probe.expect.get("plain", probe.messages)
        parameters = {**probe.parameters, **probe.expect.get("offers", {})}
        plain = await chat(said, budget=probe.budget, **parameters)
        return replies.rescore_by_plain_form(score, plain, words)

    return await reproduced(attempt)


@check(with_code_words("system_message_with_tools"), trials=1, needs=["tools"])
async def system_message_with_tools(chat: Chat, probe: Probe) -> Score:
    """In a request with tools, the system message MUST still be read."""
    return await recall(chat, probe)


@check(probes("tool_result_accepted"), needs=["tools"])
async def tool_result_accepted(chat: Chat, probe: Probe) -> Score:
    """A tool call with null or no content, or without arguments, followed by its result, be it JSON
    or text, MUST be accepted as history and answered.
    """
    return replies.score_answered(await send(chat, probe))


@check(with_code_words("tool_history_read"), trials=1, needs=["tools"])
async def tool_history_read(chat: Chat, probe: Probe) -> Score:
    """After a later user message, earlier tool calls and their results MUST still be read."""
    return await recall(chat, probe)


@check(with_code_words("tool_history_without_tools_read"), trials=4, needs=["tools"])
async def tool_history_without_tools_read(chat: Chat, probe: Probe) -> Score:
    """Tool calls and their results MUST be accepted as history and read where the request itself
    offers no tools.
    """
    if "words" in probe.expect:
        return await _compared_with_plain_form(chat, probe)
    return replies.score_answered(await send(chat, probe))


@check(probes("own_message_accepted"), needs=["tools"])
async def own_message_accepted(chat: Chat, probe: Probe) -> Score:
    """An assistant message that the endpoint has sent MUST be accepted as history just as it came,
    with all of its fields.
    """
    sent = await chat.send(probe.messages, budget=probe.budget, **probe.parameters)
    reply = read(sent)
    if reply.finish == "length":
        # A call that is cut off has arguments that are no JSON, which may be refused.
        return Score(Outcome.UNDETERMINED, f"the model does not end in {probe.budget} tokens")
    results = [
        {"role": "tool", "tool_call_id": each.id, "content": probe.expect["result"]}
        for each in reply.tool_calls
    ]
    message = replies.document(sent)["choices"][0]["message"]
    asked = {"role": "user", "content": probe.expect["next"]}
    history = [*probe.messages, message, *(results or [asked])]
    tools = {name: of for name, of in probe.parameters.items() if name == "tools"}
    return replies.score_answered(await chat(history, budget=probe.budget, **tools))


@check(with_code_words("calls_beside_words_read"), trials=2, needs=["tools"])
async def calls_beside_words_read(chat: Chat, probe: Probe) -> Score:
    """In an assistant message that has text as well, tool calls and their results MUST be read as
    they are without it.
    """
    return await _compared_with_plain_form(chat, probe)


@check(with_code_words("words_beside_calls_read"), trials=2, needs=["tools"])
async def words_beside_calls_read(chat: Chat, probe: Probe) -> Score:
    """In an assistant message that has tool calls as well, the text SHOULD be read as it is without
    them.
    """
    return await _compared_with_plain_form(chat, probe)


@check(with_code_words("instructions_not_dropped"), trials=4)
async def instructions_not_dropped(chat: Chat, probe: Probe) -> Score:
    """A second or a late system message, the first of two user messages in a row, and what the
    assistant says before any user MUST be rejected or else read, not dropped in silence.
    """
    return await _read_or_rejected(chat, probe)


@check(with_code_words("developer_message_not_dropped"), trials=1)
async def developer_message_not_dropped(chat: Chat, probe: Probe) -> Score:
    """A developer message SHOULD be rejected or else read, not dropped in silence."""
    return await _read_or_rejected(chat, probe)


async def _read_or_rejected(chat: Chat, probe: Probe) -> Score:
    exchange = await chat.send_invalid(probe.messages, budget=probe.budget)
    if (exchange.status or 0) >= 400:
        return replies.score_declined(exchange)
    reply = read(exchange)
    if reply.finish == "length":
        # Reasoning may have used our limit up: it is accepted, so that chat can give it room.
        reply = await send(chat, probe)
    return await recalled(chat, probe, reply)


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
    """A conversation that ends with an assistant message SHOULD be accepted, and what it begins be
    said to its end.
    """
    return replies.score_continued(await send(chat, probe), probe.expect["goes_on"])


@check(probes("message_name_accepted"))
async def message_name_accepted(chat: Chat, probe: Probe) -> Score:
    """A message with a `name` field SHOULD be accepted."""
    return replies.score_answered(await send(chat, probe))
