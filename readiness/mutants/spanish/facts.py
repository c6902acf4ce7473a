"""What a prompt in Spanish asks: a task, an order or an open question, by a small grammar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from readiness.checks.spanish.expected_answers import SOLVES
from readiness.checks.spanish.prompt_wording import ENGLISH, PROMPTS, SPANISH, templates
from readiness.checks.spanish.scoring import Order
from readiness.checks.spanish.scoring_answers import Answer, in_figures
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.speech import inverse
from readiness.mutants.endpoint.surroundings import core

# No prompt is as long, and documents of other dimensions are longer by far.
_LONGEST = 2000
_ONE_WORD = frozenset({"price", "off", "n", "day", "year", "times", "least", "most", "many"})
_TRIVIAL = (
    (re.compile(r"What is (\d+) plus (\d+)\?.*"), lambda a, b: str(int(a) + int(b))),
    (re.compile(r"What is (\d+) minus (\d+)\?.*"), lambda a, b: str(int(a) - int(b))),
    (re.compile(r"Which number is larger, (\d+) or (\d+)\?.*"), lambda a, b: max(a, b, key=int)),
    (re.compile(r"Repeat this (code|number) and nothing else: (\S+)"), lambda _, it: str(it)),
)


@dataclass(frozen=True)
class SpanishQuestion:
    """What is asked, and in which language.

    Args:
        language: The language of the prompt.
        answer: The answer to a task; None where it is no task.
        order: The rule that a text is to keep; None where there is none.
        topic: What a text is to be about; "" for a task.
    """

    language: str
    answer: Answer | None = None
    order: Order | None = None
    topic: str = ""


def question_in(request: Request) -> SpanishQuestion | None:
    """What a request asks; None where it is about something else."""
    request = core(request)
    said = [each for each in request["messages"] if each["role"] != "system"]
    if len(said) != 1 or request.get("tools") or request.get("response_format"):
        return None
    text = text_of(said[0]).strip()
    if len(text) > _LONGEST:
        return None
    return _trivial(text) or _task(text) or _order(text) or _talk(text)


def in_spanish(request: Request) -> SpanishQuestion | None:
    """What a request asks in Spanish; None where it asks in another language, or anything else."""
    found = question_in(request)
    return found if found and found.language == SPANISH else None


def _trivial(text: str) -> SpanishQuestion | None:
    for pattern, answer in _TRIVIAL:
        if found := pattern.fullmatch(text):
            return SpanishQuestion(ENGLISH, Answer(answer(*found.groups())))
    return None


def _task(text: str) -> SpanishQuestion | None:
    for language in (SPANISH, ENGLISH):
        for kind in SOLVES:
            for template in templates(kind, language):
                if slots := _slots(template, text):
                    try:
                        return SpanishQuestion(language, SOLVES[kind](slots, language))
                    except (ArithmeticError, KeyError, StopIteration, ValueError):
                        return None  # Of a prompt that was cut, a part may still look whole.
    return None


def _order(text: str) -> SpanishQuestion | None:
    for write in PROMPTS["write"]:
        for rule, wordings in PROMPTS["rules"].items():
            for wording in wordings:
                slots = _slots(" ".join((write, PROMPTS["mention"], wording)), text)
                if slots:
                    wanted = {name: _value(slots[name]) for name in _names(wording)}
                    order = Order(slots["keyword"], rule, wanted)
                    return SpanishQuestion(SPANISH, order=order, topic=slots["topic"])
    return None


def _talk(text: str) -> SpanishQuestion | None:
    found = [_slots(template, text) for template in PROMPTS["open_questions"]]
    return next((SpanishQuestion(SPANISH, topic=each["topic"]) for each in found if each), None)


def _value(said: str) -> int | str:
    digits = in_figures(said)
    return int(digits) if digits.isdecimal() else said


def _names(template: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", template)


def _slots(template: str, text: str) -> Mapping[str, str]:
    found = _pattern(template).fullmatch(text)
    return found.groupdict() if found else {}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return inverse(template, lambda name: r"\w+" if name in _ONE_WORD else r"[^{}]+?")
