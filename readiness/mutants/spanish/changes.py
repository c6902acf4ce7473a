"""What flaws of Spanish have in common: which replies they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.spanish.facts import Question, in_spanish

#: Changes what is said to a question in Spanish.
Change = Callable[[Question, str], str]
Text = Callable[[str], str]


def says(change: Change) -> Callable[[Request, Answer, int], Answer]:
    """Change the replies to what is asked in Spanish."""

    def changed(request: Request, said: Answer, _turn: int) -> Answer:
        asked = in_spanish(request)
        return replace(said, content=change(asked, said.content or "")) if asked else said

    return changed


def answers(change: Text) -> Change:
    """Change the answers to tasks, and leave texts as they are."""
    return lambda asked, text: change(text) if asked.answer else text


def texts(change: Text) -> Change:
    """Change texts, and leave the answers to tasks as they are."""
    return lambda asked, text: text if asked.answer else change(text)


def talks(change: Text) -> Change:
    """Change the replies to open questions."""
    return lambda asked, text: text if asked.answer or asked.order else change(text)


def all_of_it(change: Text) -> Change:
    """Change whatever is said."""
    return lambda _asked, text: change(text)
