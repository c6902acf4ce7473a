"""Streams: framed, ended and counted as clients expect."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as shape
from readiness.checks.api import scoring_streams as stream
from readiness.checks.api import sdk_client
from readiness.checks.api.probes import both, brief, streamed
from readiness.checks.api.requests import ask, once, sent
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.score import Score

STREAM = ["stream"]


@check(streamed("labels_streams"), needs=STREAM)
async def labels_streams(chat: Chat, probe: Probe) -> Score:
    """A stream MUST be labelled text/event-stream."""
    return shape.labelled(await sent(chat, probe), "text/event-stream")


@check(streamed("chunks_fit_the_sdk"), needs=STREAM)
async def chunks_fit_the_sdk(chat: Chat, probe: Probe) -> Score:
    """Each frame MUST be JSON and fit the official SDK's type of a chunk."""
    exchange = await sent(chat, probe)
    framed = stream.without(read(exchange), stream.FRAMING)
    fit = await sdk_client.schema("chunk")
    return stream.all_fit(stream.chunks(exchange), fit) if framed.passed else framed


@check(streamed("ends_with_done"), needs=STREAM, in_order=True)
async def ends_with_done(chat: Chat, probe: Probe) -> Score:
    """A stream MUST end with [DONE], and the connection MUST serve the next request."""
    reply = await once(chat, probe)
    await once(chat, probe)
    return stream.without(reply, stream.ENDING)


@check(streamed("keeps_its_identity"), needs=STREAM)
async def keeps_its_identity(chat: Chat, probe: Probe) -> Score:
    """All chunks of a stream MUST have the same id, object and model."""
    return stream.identical(stream.chunks(await sent(chat, probe)), "id", "object", "model")


@check(streamed("keeps_its_time"), needs=STREAM)
async def keeps_its_time(chat: Chat, probe: Probe) -> Score:
    """All chunks of a stream SHOULD have the same `created`."""
    return stream.identical(stream.chunks(await sent(chat, probe)), "created")


@check(streamed("opens_with_the_role"), needs=STREAM)
async def opens_with_the_role(chat: Chat, probe: Probe) -> Score:
    """The first delta of a stream SHOULD tell the role, and no other."""
    return stream.opened(stream.chunks(await sent(chat, probe)))


@check(streamed("finishes_once"), needs=STREAM)
async def finishes_once(chat: Chat, probe: Probe) -> Score:
    """A stream MUST have one finish_reason, with or after the last text."""
    return stream.without(await once(chat, probe), stream.FINISHING)


@check(both("keeps_characters"))
async def keeps_characters(chat: Chat, probe: Probe) -> Score:
    """Characters of any script, and emoji, MUST arrive undamaged, whole and streamed."""
    return stream.intact(await ask(chat, probe), probe.expect["echo"])


@check(streamed("really_streams"), needs=STREAM, alone=True)
async def really_streams(chat: Chat, probe: Probe) -> Score:
    """A stream MUST come while it is made, and not all at once at its end."""
    # Who waited behind others once is no proxy that keeps streams back: what fails fails twice.
    score = await _arrives(chat, probe)
    return score if score.passed else await _arrives(chat, probe)


async def _arrives(chat: Chat, probe: Probe) -> Score:
    word, many, again = [await sent(chat, each) for each in (brief(probe), probe, brief(probe))]
    return stream.arrives(many, [word, again])


@check(streamed("counts_stream_tokens"), needs=STREAM)
async def counts_stream_tokens(chat: Chat, probe: Probe) -> Score:
    """A stream that is asked for usage MUST end with the token counts of the whole."""
    return stream.counted(stream.chunks(await sent(chat, probe)))


@check(streamed("sends_usage_last"), needs=STREAM)
async def sends_usage_last(chat: Chat, probe: Probe) -> Score:
    """Token counts SHOULD come once, on a last chunk that has no choices."""
    return stream.counted_last(stream.chunks(await sent(chat, probe)))


@check(streamed("sends_usage_when_asked"), needs=STREAM)
async def sends_usage_when_asked(chat: Chat, probe: Probe) -> Score:
    """A stream SHOULD have token counts and chunks without choices where they are asked for."""
    return stream.uncounted(stream.chunks(await sent(chat, probe)))
