"""Parameters: each is honoured or rejected, and none is silently ignored."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as replies
from readiness.checks.api.probes import (
    both_forms,
    plainly,
    probes,
    streamed,
    unstreamed,
    with_nulls,
)
from readiness.checks.api.requests import (
    ask_with_limit,
    ask_without_limit,
    reproduced,
    send,
    send_as_is,
    send_invalid,
    send_without_reasoning,
)
from readiness.checks.api.scoring_streams import choices, logprobs
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.protocol.dialect import OLDER_LIMIT
from readiness.score import Outcome, Score
from readiness.scoring.rejection import refused, survived

#: The limit of a list that takes far more tokens.
TIGHT = 16
#: How many replies show whether a model always tells a word.
DRAWN = 3


@check(both_forms("max_tokens_honoured"))
async def max_tokens_honoured(chat: Chat, probe: Probe) -> Score:
    """A reply MUST NOT exceed max_tokens, nor be cut before, and one that is cut there MUST have
    finish_reason length.
    """
    return await ask_with_limit(chat, probe, "max_tokens")


@check(streamed("no_default_token_limit"), needs=["stream"])
async def no_default_token_limit(chat: Chat, probe: Probe) -> Score:
    """Without a token limit in the request, a reply MUST run to its end, beyond 2,000 tokens."""
    return await ask_without_limit(chat, probe)


@check(with_nulls())
async def null_parameters_handled(chat: Chat, probe: Probe) -> Score:
    """An optional parameter that is null MUST be taken as left out, or rejected with a 4xx."""
    word = probe.expect["word"]
    plain = await chat.fetch_once("no null", partial(send_without_reasoning, probe=plainly(probe)))

    async def attempt() -> Score:
        return replies.score_null(await send_invalid(chat, probe), plain, word)

    score = await reproduced(attempt)
    if score.outcome is not Outcome.FAIL:
        return score
    # Drawn without a temperature, a weak model says the word now and then.
    absent = replace(probe, expect={"send": {"drop": [*probe.expect["send"]["set"]]}})
    drawn = [await send_without_reasoning(chat, absent) for _ in range(DRAWN)]
    return replies.score_drawn(score, drawn, word)


@check(both_forms("max_completion_tokens_honoured"))
async def max_completion_tokens_honoured(chat: Chat, probe: Probe) -> Score:
    """max_completion_tokens MUST be honoured as max_tokens is, or rejected, and never ignored."""
    return await ask_with_limit(chat, probe, "max_completion_tokens")


@check(both_forms("stop_sequence_honoured"))
async def stop_sequence_honoured(chat: Chat, probe: Probe) -> Score:
    """A reply MUST end before any `stop` sequence, with finish_reason stop."""
    return replies.score_stop(await send(chat, probe), probe.expect["before"], probe.expect["stop"])


@check(both_forms("limit_honoured_beside_tools"), needs=["tools"])
async def limit_honoured_beside_tools(chat: Chat, probe: Probe) -> Score:
    """Where tools are offered, a reply MUST NOT exceed its token limit, and one that is cut there
    MUST have finish_reason length.
    """
    names = (OLDER_LIMIT, chat.dialect.max_tokens_field)
    name = names["older" not in probe.expect or not chat.dialect.older_limit]
    sent = {"send": {"drop": names, "set": {name: TIGHT}}}
    reply = await send_without_reasoning(chat, replace(probe, expect=sent))
    return replies.score_text_beside_tools(reply, partial(replies.score_token_limit, limit=TIGHT))


@check(both_forms("stop_honoured_beside_tools"), needs=["tools"])
async def stop_honoured_beside_tools(chat: Chat, probe: Probe) -> Score:
    """Where tools are offered, a text MUST end before any `stop` sequence, with finish_reason
    stop.
    """
    score = partial(replies.score_stop, before=probe.expect["before"], stops=probe.expect["stop"])
    return replies.score_text_beside_tools(await send(chat, probe), score)


@check(probes("trailing_whitespace_kept"))
async def trailing_whitespace_kept(chat: Chat, probe: Probe) -> Score:
    """Whitespace at the end of a reply SHOULD be kept."""
    return replies.score_trailing_space(await send(chat, probe), probe.expect["before"])


@check(both_forms("n_choices_returned"))
async def n_choices_returned(chat: Chat, probe: Probe) -> Score:
    """A request for n choices SHOULD return n, numbered from 0, or be rejected."""
    return replies.score_choices(choices(await send_as_is(chat, probe)), probe.parameters["n"])


@check(probes("usage_over_all_choices"))
async def usage_over_all_choices(chat: Chat, probe: Probe) -> Score:
    """The completion_tokens of a reply with several choices SHOULD count all of them."""
    found = replies.document(await send_as_is(chat, probe))
    return replies.score_usage_of_choices(found, probe.expect["send"]["most"])


@check(probes("seed_accepted"))
async def seed_accepted(chat: Chat, probe: Probe) -> Score:
    """A request with a seed SHOULD be answered."""
    return replies.score_answered(await send(chat, probe))


@check(probes("seed_reproducible"))
async def seed_reproducible(chat: Chat, probe: Probe) -> Score:
    """The same request with the same seed SHOULD get the same reply; batching often prevents it."""
    return replies.score_equal(await send(chat, probe), await send(chat, probe))


@check(both_forms("logprobs_returned"))
async def logprobs_returned(chat: Chat, probe: Probe) -> Score:
    """When logprobs are requested, they SHOULD cover every token of the text, with the likeliest
    alternatives and no more than requested, alike whole and streamed.
    """
    plain = unstreamed(probe)
    whole = await chat.fetch_once(plain.id, partial(send_as_is, probe=plain))
    sent = whole if plain == probe else await send_as_is(chat, probe)
    top = probe.parameters["top_logprobs"]
    scores = [replies.score_logprobs(logprobs(each), read(each), top) for each in (sent, whole)]
    if sent is whole or not all(score.passed for score in scores):
        return scores[0]
    return replies.score_same_logprobs(logprobs(whole), logprobs(sent))


@check(probes("sampling_parameters_accepted"))
async def sampling_parameters_accepted(chat: Chat, probe: Probe) -> Score:
    """Sampling parameters within OpenAI's ranges SHOULD be accepted."""
    return replies.score_answered(await send(chat, probe))


@check(probes("metadata_parameters_accepted"))
async def metadata_parameters_accepted(chat: Chat, probe: Probe) -> Score:
    """`user`, `metadata` and `store` SHOULD be accepted, if only to be ignored."""
    return replies.score_answered(await send(chat, probe))


@check(probes("unknown_parameter_handled"))
async def unknown_parameter_handled(chat: Chat, probe: Probe) -> Score:
    """A request with an unknown parameter MUST be answered or rejected with a 4xx."""
    return survived(await send_invalid(chat, probe))


@check(probes("out_of_range_value_rejected"))
async def out_of_range_value_rejected(chat: Chat, probe: Probe) -> Score:
    """A parameter out of its range or of the wrong type SHOULD be rejected with a client error such
    as 400 or 422.
    """
    return refused(await send_invalid(chat, probe))


@check(probes("parameter_dependency_enforced"))
async def parameter_dependency_enforced(chat: Chat, probe: Probe) -> Score:
    """A parameter without the one that it depends on SHOULD be rejected with a client error such as
    400 or 422.
    """
    return refused(await send_invalid(chat, probe))
