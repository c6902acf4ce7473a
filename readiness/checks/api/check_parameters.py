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
from readiness.exchange import HangUp
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.score import Score
from readiness.scoring.rejection import refused, survived

#: When who listens to a reply without a limit leaves: after so many frames, or seconds.
FRAMES, SECONDS = 400, 120.0


@check(both("honours_max_tokens"))
async def honours_max_tokens(chat: Chat, probe: Probe) -> Score:
    """A reply MUST NOT take more tokens than max_tokens, and MUST say so by finish `length`."""
    return replies.within(await once(chat, probe), probe.parameters["max_tokens"])


@check(streamed("answers_without_a_limit"), needs=["stream"])
async def answers_without_a_limit(chat: Chat, probe: Probe) -> Score:
    """A reply that nobody limits MUST go on to its end."""
    # Who talks on and on is not listened to: a limit that is there by default has struck before.
    free = await chat.call(replace(call(probe, chat.dialect), hang_up=HangUp(FRAMES, SECONDS)))
    return replies.unlimited(free, await ask(chat, probe), probe.expect["last"])


@check(both("honours_max_completion_tokens"))
async def honours_max_completion_tokens(chat: Chat, probe: Probe) -> Score:
    """max_completion_tokens MUST be honoured as max_tokens is, or refused, but never ignored."""
    most = probe.parameters["max_completion_tokens"]
    return replies.within(await once(chat, probe), most)


@check(both("stops_at"))
async def stops_at(chat: Chat, probe: Probe) -> Score:
    """A reply MUST end before any of the texts of `stop`, with finish_reason stop."""
    return replies.stopped(await ask(chat, probe), probe.expect["before"], probe.expect["stop"])


@check(probes("keeps_spaces"))
async def keeps_spaces(chat: Chat, probe: Probe) -> Score:
    """White space at the end of a reply SHOULD be kept."""
    return replies.spaced(await ask(chat, probe), probe.expect["before"])


@check(both("gives_several_choices"))
async def gives_several_choices(chat: Chat, probe: Probe) -> Score:
    """A request for n choices SHOULD get n, numbered from 0, or be refused."""
    return replies.several(choices(await sent(chat, probe)), probe.parameters["n"])


@check(probes("counts_every_choice"))
async def counts_every_choice(chat: Chat, probe: Probe) -> Score:
    """The token count of a reply with several choices SHOULD be that of all of them."""
    found = shape.document(await sent(chat, probe))
    return replies.counts_all(found, probe.expect["send"]["most"])


@check(probes("takes_a_seed"))
async def takes_a_seed(chat: Chat, probe: Probe) -> Score:
    """A request with a seed SHOULD be answered."""
    return replies.answers(await ask(chat, probe))


@check(probes("repeats_with_a_seed"))
async def repeats_with_a_seed(chat: Chat, probe: Probe) -> Score:
    """The same request with the same seed MAY get the same reply; batching often prevents it."""
    return replies.equal(await ask(chat, probe), await ask(chat, probe))


@check(both("gives_logprobs"))
async def gives_logprobs(chat: Chat, probe: Probe) -> Score:
    """Log probabilities SHOULD be given for every token of the text when they are asked for."""
    exchange = await sent(chat, probe)
    content, top = read(exchange).content or "", probe.parameters["top_logprobs"]
    return replies.sure(logprobs(exchange), content, top)


@check(probes("takes_sampling"))
async def takes_sampling(chat: Chat, probe: Probe) -> Score:
    """Sampling parameters within OpenAI's ranges SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_bookkeeping"))
async def takes_bookkeeping(chat: Chat, probe: Probe) -> Score:
    """`user`, `metadata` and `store` SHOULD be taken, if only to be ignored."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_unknown_parameters"))
async def takes_unknown_parameters(chat: Chat, probe: Probe) -> Score:
    """An unknown parameter MUST be ignored or refused with a 4xx, and never break anything."""
    return survived(await sent(chat, probe))


@check(probes("refuses_out_of_range"))
async def refuses_out_of_range(chat: Chat, probe: Probe) -> Score:
    """A parameter out of its range, or of the wrong type, SHOULD be refused with a 4xx."""
    return refused(await sent(chat, probe))


@check(probes("refuses_contradictions"))
async def refuses_contradictions(chat: Chat, probe: Probe) -> Score:
    """A parameter without the one that it belongs to SHOULD be refused with a 4xx."""
    return refused(await sent(chat, probe))
