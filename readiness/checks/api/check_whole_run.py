"""The whole run as evidence: what must hold of all valid exchanges of all checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_whole_run as whole
from readiness.checks.api.run_evidence import Observed, run_evidence
from readiness.probe import Probe
from readiness.score import Score

RUN = [Probe("api.run@v1", [], budget=0)]


async def judged(chat: Chat, score: Callable[[Sequence[Observed]], whole.Judged]) -> Score:
    """Score the run so far, and name the exchanges that show it."""
    found, exchanges = score(await run_evidence(chat))
    chat.exchanges += exchanges[: whole.MAX_NAMED]
    return found


@check(RUN, whole_run=True)
async def answers_every_request(chat: Chat, probe: Probe) -> Score:
    """Every valid request of the run MUST be answered; under load, 0.3 % may fail."""
    return await judged(chat, whole.score_service)


@check(RUN, whole_run=True)
async def same_model_throughout(chat: Chat, probe: Probe) -> Score:
    """All replies of the run MUST name the same model, be it under another name than requested."""
    return await judged(chat, whole.score_models)


@check(RUN, whole_run=True)
async def same_fingerprint_throughout(chat: Chat, probe: Probe) -> Score:
    """All replies of the run SHOULD have the same system_fingerprint; replicas may have others."""
    return await judged(chat, whole.score_fingerprints)


@check(RUN, whole_run=True)
async def no_replayed_reply(chat: Chat, probe: Probe) -> Score:
    """No reply MUST be older than the run: it would be an answer to somebody else."""
    return await judged(chat, whole.score_created)


@check(RUN, whole_run=True)
async def unique_ids_throughout(chat: Chat, probe: Probe) -> Score:
    """No two replies of the run SHOULD have the same id."""
    return await judged(chat, whole.score_ids)


@check(RUN, whole_run=True)
async def well_formed_throughout(chat: Chat, probe: Probe) -> Score:
    """Every reply of the run MUST have the fields of a chat completion, be it with tools, with a
    format or long, and no more than 1 % control tokens of the template in their text.
    """
    return await judged(chat, whole.score_forms)


@check(RUN, whole_run=True)
async def usage_counts_everything(chat: Chat, probe: Probe) -> Score:
    """Token counts MUST never be missing, 0 where text was sent, more than its bytes or its limit,
    or another total than their sum, and a reply MUST be cut at its limit only, and say so.
    """
    return await judged(chat, whole.score_counts)


@check(RUN, whole_run=True)
async def prompt_tokens_reproducible(chat: Chat, probe: Probe) -> Score:
    """The same prompt MUST always have the same prompt_tokens, cached or not, and one that extends
    it no fewer.
    """
    return await judged(chat, whole.score_prompt_tokens)


@check(RUN, whole_run=True)
async def prompt_tokens_proportional(chat: Chat, probe: Probe) -> Score:
    """Long prompts MUST have about as many tokens per character as similar short ones."""
    return await judged(chat, whole.score_rates)


@check(RUN, whole_run=True)
async def replies_on_topic(chat: Chat, probe: Probe) -> Score:
    """Replies MUST have to do with their requests: no more than 1 %, of all and of each kind, may
    lack what the request fixes (a word, numbers, a tool, a key), or be in a script that it has not.
    """
    return await judged(chat, whole.score_topics)
