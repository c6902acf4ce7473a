"""License: what the evidence shows of the terms that the weights stand under. No legal advice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.license import scoring as scorer
from readiness.checks.license.license_evidence import LicenseEvidence
from readiness.probe import Probe
from readiness.score import Outcome, Score, scored

EVIDENCE = [Probe("license.evidence@v1", [], budget=0)]
NONE = scored(
    Outcome.UNSUPPORTED, "no evidence was given", came="name it with --license-evidence PATH"
)


def judged(chat: Chat, scored: Callable[[LicenseEvidence], Score]) -> Score:
    """Score what the user gave; a licence shows in no reply of the endpoint."""
    evidence = chat.context.license_evidence
    return NONE if evidence is None else scored(evidence)


@check(EVIDENCE)
async def commercial_use_permitted(chat: Chat, probe: Probe) -> Score:
    """The licence MUST permit commercial use, on no condition that the policy does not accept."""
    return judged(chat, lambda each: scorer.permits(each, chat.context.accepted_license_conditions))


@check(EVIDENCE)
async def verbatim_license_text(chat: Chat, probe: Probe) -> Score:
    """The licence text MUST be there verbatim, with nothing added or left out."""
    return judged(chat, scorer.whole)


@check(EVIDENCE)
async def consistent_license_name(chat: Chat, probe: Probe) -> Score:
    """The licence text, the model card and the header of the weights MUST name the same licence."""
    return judged(chat, scorer.agree)


@check(EVIDENCE)
async def base_models_permitted(chat: Chat, probe: Probe) -> Score:
    """Every model that the weights were derived from MUST be known, with evidence that it permits
    commercial use as well.
    """
    return judged(chat, lambda each: scorer.clear(each, chat.context.accepted_license_conditions))


@check(EVIDENCE)
async def no_extra_restrictions(chat: Chat, probe: Probe) -> Score:
    """Use of the weights MUST NOT be restricted beyond the licence, by a use policy or a card's
    prose, unless the policy accepts it.
    """
    return judged(
        chat, lambda each: scorer.unrestricted(each, chat.context.accepted_license_conditions)
    )


@check(EVIDENCE)
async def recent_vendor_statement(chat: Chat, probe: Probe) -> Score:
    """The vendor SHOULD have stated the licence on a site of its own, as read within the last 400
    days.
    """
    return judged(chat, lambda each: scorer.stated(each.statements, datetime.now(UTC).date()))


@check(EVIDENCE)
async def evidence_matches_model(chat: Chat, probe: Probe) -> Score:
    """The evidence SHOULD be for the model that the endpoint names."""
    return judged(chat, lambda each: scorer.matches(each.names, chat.dialect.model))
