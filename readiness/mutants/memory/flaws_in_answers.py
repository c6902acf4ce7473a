"""Answers that have the right value in them and say another: bounds, ranges, guesses, what was."""

from __future__ import annotations

import re
from collections.abc import Callable

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory.reader import (
    each_answer,
    language_asked,
    memory_of,
    question_in,
    recall,
)

#: Changes an answer, in the language of the conversation.
Change = Callable[[str, str], str]

_RECALL = "memory.recall_at_turn_50"
_UNSAID = "memory.abstention"
_DATE = re.compile(r"\d+年\d+月\d+日|[A-Z][a-z]+ \d+, \d+")


def _says(change: Change) -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """Change what is answered where something was told, in a conversation of any wording."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        language, text = language_asked(request), said.content or ""
        if not language or not any(map(str.isdigit, text)):
            return said
        return ModelOutput(change(text, language))

    return says


def _in(zh: str, en: str) -> Change:
    return lambda text, language: (zh if language == "zh" else en).format(text)


def _next(text: str) -> str:
    """The text with its last number one higher."""
    at = max(place for place, letter in enumerate(text) if letter.isdigit())
    return f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}"


def _or_next(text: str, language: str) -> str:
    return f"{text}{'或' if language == 'zh' else ' or '}{_next(text)}"


def _to_next(text: str, language: str) -> str:
    return f"{text}到{_next(text)}之间" if language == "zh" else f"between {text} and {_next(text)}"


def _in_other_units(text: str, language: str) -> str:
    """An amount in another currency, a number of days as so many weeks."""
    if _is_amount(text):
        return re.sub("€|EUR ?|欧元| ?euros?", "", f"{text} USD")
    if not re.fullmatch(r"\d{1,3}(?: ?天| days?)?", text):
        return text
    number = re.findall(r"\d+", text)[0]
    return f"{number}周" if language == "zh" else f"{number} weeks"


def _is_amount(text: str) -> bool:
    return bool(re.search("€|EUR|欧元|euro", text))


def _day_before(text: str, language: str) -> str:
    if not _DATE.search(text):
        return text
    return f"{text}的前一天" if language == "zh" else f"the day before {text}"


def _not_unsaid(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Deny that nothing was said, where nothing was."""
    language, text = language_asked(request), said.content or ""
    if not language or any(map(str.isdigit, text)):
        return said
    return ModelOutput(f"不是{text}" if language == "zh" else f"It is not true that it was {text}.")


def _another_way(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Say in everyday words that nothing was said."""
    language = language_asked(request)
    if not language or any(map(str.isdigit, said.content or "")):
        return said
    return ModelOutput("这个没聊到过。" if language == "zh" else "We haven't discussed that.")


def _with_what_was(form: str) -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """Name the value before the last change beside the value, as what it was."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        language = language_asked(request)
        question = question_in(text_of(request["messages"][-1]), language) if language else None
        if question is None or question.kind != "ask":
            return said
        memory = memory_of(request["messages"], language)
        values = memory.facts.get(question.key, [])
        if len(values) < 2 or not recall(memory, question):
            return said
        return ModelOutput(form.format(new=said.content or "", old=values[-2]))

    return says


_FLAWS: list[tuple[str, str, Change]] = [
    ("memory_bounds", "it gives bounds: at least so much", _in("至少{}", "at least {}")),
    ("memory_upper_bounds", "or 4821以下, under 4821", _in("{}以下", "under {}")),
    ("memory_hedges", "it names two values and chooses none", _or_next),
    ("memory_ranges", "it gives a range", _to_next),
    ("memory_in_the_past", "it says what was once: 以前是4821", _in("以前是{}", "formerly {}")),
    ("memory_denies", "it says what it is not", _in("不会是{}", "anything but {}")),
    ("memory_doubles", "it says a multiple", _in("{}的两倍", "twice {}")),
    ("memory_other_units", "amounts are in dollars, and days are weeks", _in_other_units),
    ("memory_day_before", "a date is told as the day before it", _day_before),
]

FLAWS = [
    *(
        Flaw(name, about, _RECALL, change_output=each_answer(_says(change)))
        for name, about, change in _FLAWS
    ),
    Flaw(
        "memory_reversed_change",
        "of a change it says that the old value replaced the new one",
        _RECALL,
        change_output=each_answer(_with_what_was("{old}, which replaced {new}")),
    ),
    Flaw(
        "memory_not_unsaid",
        "it denies that nothing was said",
        _UNSAID,
        change_output=each_answer(_not_unsaid),
    ),
    Flaw(
        "memory_which_replaced",
        "what was before the change may be named as that",
        change_output=each_answer(_with_what_was("{new}, which replaced {old}")),
    ),
    Flaw(
        "memory_arrow",
        "an arrow leads from the old value to the new one",
        change_output=each_answer(_with_what_was("{old} → {new}")),
    ),
    Flaw("memory_not_discussed", "没聊到过 is 没有提到", change_output=each_answer(_another_way)),
]
