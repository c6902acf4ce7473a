"""Reads requests that say what to reply, and answers any other in a plain sentence."""

from __future__ import annotations

import re

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import text_of

_WORD = re.compile(r"reply with (?:only |just |exactly )?the word:? [\"'“「]?(\w+)", re.I)
_EXACT = re.compile(r"(?:reply with exactly[^:\n]*|repeat exactly):\s*(.+)", re.I | re.S)
_NUMBERS = re.compile(r"list the numbers from (\d+) to (\d+), separated by commas", re.I)

_SENTENCE = "This is the reference endpoint, and it has read your message."


def answer(request: Request) -> Answer:
    """Do what the last message says, where it is one of the simple things."""
    text = text_of(request["messages"][-1])
    if word := _WORD.search(text):
        return Answer(word[1])
    if exact := _EXACT.search(text):
        return Answer(exact[1])
    if numbers := _NUMBERS.search(text):
        return Answer(", ".join(map(str, range(int(numbers[1]), int(numbers[2]) + 1))))
    return Answer(_SENTENCE)
