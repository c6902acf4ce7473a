"""A perfect reader of long conversations: it knows what the messages say, and nothing else."""

from __future__ import annotations

import re
from datetime import date

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.memory.facts import (
    WORDS,
    Key,
    Memory,
    Question,
    language_asked,
    memory_of,
    question_in,
)


def answer(request: Request) -> Answer | None:
    """Answer a question about the conversation; None where the request is about something else."""
    if not (language := language_asked(request)):
        return None
    messages = request["messages"]
    question = question_in(text_of(messages[-1]), language)
    memory = memory_of(messages, language)
    return Answer((question and recall(memory, question)) or WORDS["absent"][language])


def recall(memory: Memory, question: Question) -> str:
    """What a conversation says in answer to a question; "" where it says nothing of it."""
    if question.kind == "ask_next":
        return _after(memory.tickets, question.value)
    if question.kind in ("ask_former", "ask_latter"):
        pair = memory.pairs.get(question.key[1])
        return _told(memory, pair[question.kind == "ask_latter"]) if pair else ""
    value = _told(memory, question.key)
    if question.kind not in ("ask_total", "ask_days"):
        return value
    other = _told(memory, (question.other[0], question.key[1]))
    if not (value and other):
        return ""
    if question.kind == "ask_days":
        return str((day_in(value) - day_in(other)).days)
    return amount(memory, digits_in(value) + digits_in(other))


def amount(memory: Memory, number: int) -> str:
    """An amount as it is to be written."""
    form = (memory.instruction or WORDS)["amount"]
    return str(form if isinstance(form, str) else form[memory.language]).format(number=number)


def digits_in(text: str) -> int:
    """The number that an amount has."""
    return int(re.sub(r"\D", "", text))


def day_in(text: str) -> date:
    """The day that a date names, as a conversation has it."""
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    if "月" in text:
        return date(*numbers[:3])
    month = next(at for at, name in enumerate(WORDS["months"], 1) if name in text)
    return date(numbers[1], month, numbers[0])


def _told(memory: Memory, key: Key) -> str:
    value = next(reversed(memory.facts.get(key, [])), "")
    plain = str(WORDS["amount"][memory.language]).partition("}")[2]
    return amount(memory, digits_in(value)) if value.endswith(plain) else value


def _after(tickets: list[str], asked: str) -> str:
    later = tickets[tickets.index(asked) + 1 :] if asked in tickets else []
    return later[0] if later else ""
