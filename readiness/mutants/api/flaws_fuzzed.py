"""Flaws that only requests show which are wrong in ways that nobody has thought of."""

from __future__ import annotations

from readiness.mutants.api.requests import CRASH
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.flaw import Flaw


def _untyped(request: Request | None, refusal: Refusal) -> Refusal:
    """Crash where the model is no text, as a program does that looks it up unseen."""
    wrong = request is not None and not isinstance(request.get("model", ""), str)
    return CRASH if wrong else refusal


FLAWS = [
    Flaw(
        "api_odd_model_crashes",
        "a model that is no text ends in a 500",
        "api.survives_fuzz",
        errs=_untyped,
    ),
]
