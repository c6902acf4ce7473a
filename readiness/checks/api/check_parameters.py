"""Parameters: each is honoured or refused, and none is silently ignored."""

from __future__ import annotations

from dataclasses import replace

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as replies
from readiness.checks.api import scoring_replies as shape
from readiness.checks.api.probes import both, call, probes, streamed
from readiness.checks.api.requests import ask, once, sent
from readiness.checks.api.scoring_streams import choices, logprobs
from readiness.exchange import ClientAbort
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.score import Score
from readiness.scoring.rejection import refused, survived

#: When who listens to a reply without a limit leaves: after so many frames, or seconds.
FRAMES, SECONDS = 400, 120.0


@check(both("max_tokens_honoured"))
async def max_tokens_honoured(chat: Chat, probe: Probe) -> Score:
    """A reply MUST NOT exceed max_tokens, and one that is cut there MUST have finish_reason
    length.
    """
    return replies.within(await once(chat, probe), probe.parameters["max_tokens"])


@check(streamed("no_default_token_limit"), needs=["stream"])
async def no_default_token_limit(chat: Chat, probe: Probe) -> Score:
    """Without a token limit in the request, a reply MUST run to its end."""
    # Who talks on and on is not listened to: a limit that is there by default has struck before.
    free = await chat.call(replace(call(probe, chat.dialect), hang_up=ClientAbort(FRAMES, SECONDS)))
    return replies.unlimited(free, await ask(chat, probe), probe.expect["last"])


@check(both("max_completion_tokens_honoured"))
async def max_completion_tokens_honoured(chat: Chat, probe: Probe) -> Score:
    """max_completion_tokens MUST be honoured as max_tokens is, or rejected, and never ignored."""
    most = probe.parameters["max_completion_tokens"]
    return replies.within(await once(chat, probe), most)


@check(both("stop_sequence_honoured"))
async def stop_sequence_honoured(chat: Chat, probe: Probe) -> Score:
    """A reply MUST end before any `stop` sequence, with finish_reason stop."""
    return replies.stopped(await ask(chat, probe), probe.expect["before"], probe.expect["stop"])


@check(probes("trailing_whitespace_kept"))
async def trailing_whitespace_kept(chat: Chat, probe: Probe) -> Score:
    """Whitespace at the end of a reply SHOULD be kept."""
    return replies.spaced(await ask(chat, probe), probe.expect["before"])


@check(both("n_choices_returned"))
async def n_choices_returned(chat: Chat, probe: Probe) -> Score:
    """A request for n choices SHOULD return n, numbered from 0, or be rejected."""
    return replies.several(choices(await sent(chat, probe)), probe.parameters["n"])


@check(probes("usage_over_all_choices"))
async def usage_over_all_choices(chat: Chat, probe: Probe) -> Score:
    """The completion_tokens of a reply with several choices SHOULD count all of them."""
    found = shape.document(await sent(chat, probe))
    return replies.counts_all(found, probe.expect["send"]["most"])


@check(probes("seed_accepted"))
async def seed_accepted(chat: Chat, probe: Probe) -> Score:
    """A request with a seed SHOULD be answered."""
    return replies.answers(await ask(chat, probe))


@check(probes("seed_reproducible"))
async def seed_reproducible(chat: Chat, probe: Probe) -> Score:
    """The same request with the same seed SHOULD get the same reply; batching often prevents it."""
    return replies.equal(await ask(chat, probe), await ask(chat, probe))


@check(both("logprobs_returned"))
async def logprobs_returned(chat: Chat, probe: Probe) -> Score:
    """When logprobs are requested, they SHOULD cover every token of the text, with no more
    alternatives than requested.
    """
    exchange = await sent(chat, probe)
    content, top = read(exchange).content or "", probe.parameters["top_logprobs"]
    return replies.sure(logprobs(exchange), content, top)


@check(probes("sampling_parameters_accepted"))
async def sampling_parameters_accepted(chat: Chat, probe: Probe) -> Score:
    """Sampling parameters within OpenAI's ranges SHOULD be accepted."""
    return replies.answers(await ask(chat, probe))


@check(probes("metadata_parameters_accepted"))
async def metadata_parameters_accepted(chat: Chat, probe: Probe) -> Score:
    """`user`, `metadata` and `store` SHOULD be accepted, if only to be ignored."""
    return replies.answers(await ask(chat, probe))


@check(probes("unknown_parameter_handled"))
async def unknown_parameter_handled(chat: Chat, probe: Probe) -> Score:
    """A request with an unknown parameter MUST be answered or rejected with a 4xx."""
    return survived(await sent(chat, probe))


@check(probes("out_of_range_value_rejected"))
async def out_of_range_value_rejected(chat: Chat, probe: Probe) -> Score:
    """A parameter out of its range or of the wrong type SHOULD be rejected with a client error such
    as 400 or 422.
    """
    return refused(await sent(chat, probe))


@check(probes("parameter_dependency_enforced"))
async def parameter_dependency_enforced(chat: Chat, probe: Probe) -> Score:
    """A parameter without the one that it depends on SHOULD be rejected with a client error such as
    400 or 422.
    """
    return refused(await sent(chat, probe))
