"""License: what the evidence shows about the terms of the weights. No legal advice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.license import scoring
from readiness.checks.license.license_evidence import LicenseEvidence
from readiness.probe import Probe
from readiness.score import Outcome, Score, scored

EVIDENCE = [Probe("license.evidence@v1", [], budget=0)]
NO_EVIDENCE = scored(
    Outcome.UNSUPPORTED, "no licence evidence", came="name it with --license-evidence PATH"
)


def score_evidence(chat: Chat, score: Callable[[LicenseEvidence], Score]) -> Score:
    """Score the user's evidence; the endpoint's replies show nothing about a licence."""
    evidence = chat.context.license_evidence
    return NO_EVIDENCE if evidence is None else score(evidence)


@check(EVIDENCE, evidence="license-evidence")
async def commercial_use_permitted(chat: Chat, probe: Probe) -> Score:
    """The licence MUST permit commercial use, on no condition that the policy does not accept."""
    return score_evidence(
        chat,
        lambda each: scoring.score_commercial_use(each, chat.context.accepted_license_conditions),
    )


@check(EVIDENCE, evidence="license-evidence")
async def verbatim_license_text(chat: Chat, probe: Probe) -> Score:
    """The licence text MUST be present verbatim, with nothing added or omitted."""
    return score_evidence(chat, scoring.score_verbatim_text)


@check(EVIDENCE, evidence="license-evidence")
async def consistent_license_name(chat: Chat, probe: Probe) -> Score:
    """The licence text, the model card and the header of the weights MUST name the same licence."""
    return score_evidence(chat, scoring.score_consistency)


@check(EVIDENCE, evidence="license-evidence")
async def base_models_permitted(chat: Chat, probe: Probe) -> Score:
    """Every base model of the weights MUST be known, with evidence that its licence permits
    commercial use too.
    """
    return score_evidence(
        chat, lambda each: scoring.score_base_models(each, chat.context.accepted_license_conditions)
    )


@check(EVIDENCE, evidence="license-evidence")
async def no_extra_restrictions(chat: Chat, probe: Probe) -> Score:
    """Use of the weights MUST NOT be restricted beyond the licence by a use policy or a model
    card's prose, unless the policy accepts it.
    """
    return score_evidence(
        chat,
        lambda each: scoring.score_restrictions(each, chat.context.accepted_license_conditions),
    )


@check(EVIDENCE, evidence="license-evidence")
async def recent_vendor_statement(chat: Chat, probe: Probe) -> Score:
    """A statement of the licence on the vendor's own site, read within the last 400 days, SHOULD
    be in the evidence.
    """
    return score_evidence(
        chat, lambda each: scoring.score_vendor_statement(each.statements, datetime.now(UTC).date())
    )


@check(EVIDENCE, evidence="license-evidence")
async def evidence_matches_model(chat: Chat, probe: Probe) -> Score:
    """The evidence SHOULD be for the model that the endpoint names."""
    return score_evidence(
        chat,
        lambda each: scoring.score_model_match((*each.names, *each.origins), chat.dialect.model),
    )
