"""License: what the evidence shows of the terms that the weights stand under. No legal advice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.license import scoring as scorer
from readiness.checks.license.license_evidence import Dossier
from readiness.probe import Probe
from readiness.score import Outcome, Score

EVIDENCE = [Probe("license.evidence@v1", [], budget=0)]
NONE = Score(Outcome.UNSUPPORTED, "no evidence was given: name it with --license-evidence PATH")


def judged(chat: Chat, scored: Callable[[Dossier], Score]) -> Score:
    """Score what the user gave; a licence shows in no reply of the endpoint."""
    dossier = chat.scope.given.dossier
    return NONE if dossier is None else scored(dossier)


@check(EVIDENCE)
async def permits_commercial_use(chat: Chat, probe: Probe) -> Score:
    """The licence MUST permit commercial use, on no condition that the policy does not accept."""
    return judged(chat, lambda each: scorer.permits(each, chat.scope.given.accepted))


@check(EVIDENCE)
async def stands_word_by_word(chat: Chat, probe: Probe) -> Score:
    """The text of the licence MUST be there word by word, with nothing added or left out."""
    return judged(chat, scorer.whole)


@check(EVIDENCE)
async def is_named_alike(chat: Chat, probe: Probe) -> Score:
    """The text, the model card and the header of the weights MUST name the same licence."""
    return judged(chat, scorer.agree)


@check(EVIDENCE)
async def covers_the_ancestors(chat: Chat, probe: Probe) -> Score:
    """Every model that the weights were made from MUST permit commercial use as well."""
    return judged(chat, lambda each: scorer.clear(each, chat.scope.given.accepted))


@check(EVIDENCE)
async def stands_alone(chat: Chat, probe: Probe) -> Score:
    """Nothing beside the licence MUST restrict the use, as a use policy does, or a card's prose."""
    return judged(chat, lambda each: scorer.unrestricted(each, chat.scope.given.accepted))


@check(EVIDENCE)
async def is_stated_by_the_vendor(chat: Chat, probe: Probe) -> Score:
    """The vendor SHOULD have stated the licence in public, and lately."""
    return judged(chat, lambda each: scorer.stated(each.statements, datetime.now(UTC).date()))


@check(EVIDENCE)
async def is_of_this_model(chat: Chat, probe: Probe) -> Score:
    """The evidence SHOULD be of the model that the endpoint names."""
    return judged(chat, lambda each: scorer.matches(each.names, chat.dialect.model))
