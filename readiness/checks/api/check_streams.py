"""Streams: framing, end, identity of chunks, timing and usage."""

from __future__ import annotations

from dataclasses import replace

from readiness import sdk_client
from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as shape
from readiness.checks.api import scoring_streams as stream
from readiness.checks.api.probes import both_forms, brief, longer, streamed, with_code_words
from readiness.checks.api.requests import (
    reproduced,
    reproduced_by_time,
    send,
    send_as_is,
    send_without_reasoning,
    within_largest_limit,
)
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.score import Score

STREAM = ["stream"]


@check(streamed("event_stream_content_type"), needs=STREAM)
async def event_stream_content_type(chat: Chat, probe: Probe) -> Score:
    """A stream MUST have Content-Type text/event-stream."""
    return shape.score_content_type(await send_as_is(chat, probe), "text/event-stream")


@check(streamed("chunks_match_sdk_types"), needs=STREAM)
async def chunks_match_sdk_types(chat: Chat, probe: Probe) -> Score:
    """Each frame of a stream MUST be JSON that fits the official SDK's chunk type."""
    exchange = await send_as_is(chat, probe)
    framed = stream.score_defects(read(exchange), stream.FRAMING)
    fit = await sdk_client.schema("chunk")
    return stream.score_chunk_schema(stream.chunks(exchange), fit) if framed.passed else framed


@check(streamed("stream_ends_with_done"), needs=STREAM, in_order=True)
async def stream_ends_with_done(chat: Chat, probe: Probe) -> Score:
    """A stream MUST end with [DONE], and the connection MUST serve the next request."""
    reply = await send_without_reasoning(chat, probe)
    await send_without_reasoning(chat, probe)
    return stream.score_defects(reply, stream.ENDING)


@check(streamed("stable_chunk_id"), needs=STREAM)
async def stable_chunk_id(chat: Chat, probe: Probe) -> Score:
    """All chunks of a stream MUST have the same id, object and model."""
    return stream.score_identical(
        stream.chunks(await send_as_is(chat, probe)), "id", "object", "model"
    )


@check(streamed("stable_chunk_created"), needs=STREAM)
async def stable_chunk_created(chat: Chat, probe: Probe) -> Score:
    """All chunks of a stream SHOULD have the same `created`."""
    return stream.score_identical(stream.chunks(await send_as_is(chat, probe)), "created")


@check(streamed("role_in_first_delta"), needs=STREAM)
async def role_in_first_delta(chat: Chat, probe: Probe) -> Score:
    """The first delta of a stream, and no other, SHOULD have the role."""
    return stream.score_role(stream.chunks(await send_as_is(chat, probe)))


@check(streamed("single_finish_reason"), needs=STREAM)
async def single_finish_reason(chat: Chat, probe: Probe) -> Score:
    """A stream MUST have exactly one finish_reason, with or after the last text."""
    return stream.score_defects(await send_without_reasoning(chat, probe), stream.FINISHING)


@check(both_forms("unicode_intact"))
async def unicode_intact(chat: Chat, probe: Probe) -> Score:
    """Characters of any script, and emoji, MUST arrive undamaged, streamed or not."""
    return stream.score_intact(await send(chat, probe), probe.expect["echo"])


@check(with_code_words("markup_in_text_kept"), trials=6)
async def markup_in_text_kept(chat: Chat, probe: Probe) -> Score:
    """Text and arguments that look like markup of reasoning or of tool calls SHOULD arrive
    undamaged.
    """
    text, word = probe.expect["text"], probe.expect["word"]

    async def attempt() -> Score:
        return stream.score_markup(await send(chat, probe), text, word)

    return await reproduced(attempt)


@check(streamed("incremental_streaming"), needs=STREAM, alone=True)
async def incremental_streaming(chat: Chat, probe: Probe) -> Score:
    """A stream MUST arrive as it is generated, not at its end, nor in blocks that end inside a
    frame.
    """
    words = [stream.StreamTimes.of(await send_as_is(chat, brief(probe)))]
    found = await send_as_is(chat, probe)
    words.append(stream.StreamTimes.of(await send_as_is(chat, brief(probe))))
    long = await within_largest_limit(chat, longer(probe, chat.context.context_window))
    if stream.StreamTimes.of(found).generation(words) < stream.MIN_SECONDS:
        found = await send_as_is(chat, long)
    score = stream.score_incremental(found, words)
    if score.passed:
        return score

    # A request that queued, or a machine that was busy, is no proxy that buffers: that keeps back
    # what is twice as long for twice as long, each time.
    async def beside_half() -> Score:
        whole = await send_as_is(chat, long)
        shorter = replace(long, budget=max(stream.frames(whole) // 2, 1))
        half = await send_as_is(chat, shorter)
        return stream.score_buffered(whole, half, words)

    return await reproduced_by_time(beside_half)


@check(streamed("usage_in_stream"), needs=STREAM)
async def usage_in_stream(chat: Chat, probe: Probe) -> Score:
    """A stream with include_usage MUST have the token counts of the whole reply in its last
    chunk.
    """
    return stream.score_usage_in_stream(stream.chunks(await send_as_is(chat, probe)))


@check(streamed("usage_only_in_final_chunk"), needs=STREAM)
async def usage_only_in_final_chunk(chat: Chat, probe: Probe) -> Score:
    """With include_usage, token counts SHOULD come once, in a final chunk without choices."""
    return stream.score_usage_in_last_chunk(stream.chunks(await send_as_is(chat, probe)))


@check(streamed("no_unrequested_usage"), needs=STREAM)
async def no_unrequested_usage(chat: Chat, probe: Probe) -> Score:
    """Without include_usage, a stream SHOULD have neither token counts nor chunks without
    choices.
    """
    return stream.score_no_usage(stream.chunks(await send_as_is(chat, probe)))
