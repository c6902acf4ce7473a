"""A perfect reader of prompts in Spanish, and of those that are asked in English beside them."""

from __future__ import annotations

from readiness.checks.spanish import expected_answers
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.spanish.facts import question_in
from readiness.mutants.spanish.prose import written


def answer(request: Request) -> ModelOutput | None:
    """Do what a prompt asks; None where the request is about something else."""
    asked = question_in(request)
    if asked is None:
        return None
    if asked.answer:
        return ModelOutput(expected_answers.written(asked.answer, asked.language))
    return ModelOutput(written(asked.topic, asked.order))
