"""What flaws of memory have in common: they keep to questions about a conversation."""

from __future__ import annotations

from collections.abc import Callable

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.memory.facts import (
    WORDS,
    Memory,
    Question,
    language_asked,
    memory_of,
    question_in,
)
from readiness.mutants.memory.reader import answer

Says = Callable[[Request, Answer, int], Answer]


def asked(change: Callable[[Request, Answer], Answer]) -> Says:
    """Change what is said to a question about a conversation."""
    return lambda request, said, _turn: change(request, said) if language_asked(request) else said


def recalled(change: Callable[[Memory, Question], str]) -> Says:
    """Answer from a memory in which something is wrong."""

    def says(request: Request, said: Answer) -> Answer:
        language, messages = language_asked(request), request["messages"]
        question = question_in(text_of(messages[-1]), language)
        if question is None:
            return said
        wrong = change(memory_of(messages, language), question)
        return Answer(wrong or WORDS["absent"][language])

    return asked(says)


def of_part(choose: Callable[[Request], Request]) -> Says:
    """Answer from a part of the messages."""
    return asked(lambda request, said: answer(choose(request)) or said)
