"""A perfect reader of prompts in Spanish, and of those that are asked in English beside them."""

from __future__ import annotations

from readiness.checks.spanish import expected_answers
from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.spanish.facts import question_in
from readiness.mutants.spanish.prose import written


def answer(request: Request) -> Answer | None:
    """Do what a prompt asks; None where the request is about something else."""
    asked = question_in(request)
    if asked is None:
        return None
    if asked.answer:
        return Answer(expected_answers.written(asked.answer, asked.language))
    return Answer(written(asked.topic, asked.order))
