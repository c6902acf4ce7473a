"""What flaws of selling copy have in common: which turns they change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.multilingual.facts import Wish, wish_in
from readiness.mutants.multilingual.reader import copy

#: Changes the copy that was wished for.
Change = Callable[[Wish, str], str]
Says = Callable[[Request, Answer, int], Answer]


def says(change: Change, *languages: str) -> Says:
    """Change the turns in some languages, or in all where none is named."""

    def changed(request: Request, said: Answer, _turn: int) -> Answer:
        wish = wish_in(request)
        if wish is None or (languages and wish.language not in languages):
            return said
        return replace(said, content=change(wish, said.content or ""))

    return changed


def stays_in(language: str, told: re.Pattern[str]) -> Says:
    """Write in one language, whatever is wished for, where a turn is told in such words."""

    def changed(request: Request, said: Answer, _turn: int) -> Answer:
        fits = told.search(text_of(request["messages"][-1]))
        wish = wish_in(request, language) if fits else None
        return Answer(copy(wish)) if wish else said

    return changed
