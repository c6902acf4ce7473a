"""Scoring of answers in Spanish: what a reply states, in whichever words and form."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import partial

from readiness.checks.spanish.prompt_wording import SPANISH
from readiness.checks.spanish.stated_values import (
    DAY_OF_MONTH,
    WEEKDAYS,
    Day,
    Reader,
    Stated,
    codes,
    dates,
    numbers,
    phones,
    simplified,
    weekdays,
)
from readiness.scoring.language import has_words_of_others


class Kind(StrEnum):
    """What an answer is, and so how it may be written."""

    NUMBER = "number"
    FIGURES = "number in figures"
    LETTERS = "number in letters"
    #: A date, a code or a telephone number where it has the form of one, and words where not.
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True)
class Answer:
    """The one right answer to a task.

    Args:
        value: The answer as a perfect reader gives it.
        kind: What it is.
        forms: Other texts that say the same.
        language: The language that was asked in, and so that of the words around the answer.
    """

    value: str
    kind: Kind = Kind.TEXT
    forms: Sequence[str] = ()
    language: str = SPANISH


@dataclass(frozen=True)
class Found:
    """The right answer in a reply.

    Args:
        frame: The sentence that it stands in; "" where it stands alone, as it was asked for.
        before: The lines before it.
    """

    frame: str
    before: str

    @property
    def alone(self) -> bool:
        """Whether it is all of the reply."""
        return not (self.frame or self.before)

    @property
    def beside(self) -> str:
        """What else there is, and must be Spanish; the answer itself is right in any case."""
        return f"{self.before}\n{self.frame}".strip()


def find(text: str, answer: Answer) -> Found | None:
    """The right answer in a reply: its last line, or all of it; None where the reply is wrong."""
    before, last = _parted(text)
    parts = [(last, before), (text, "")]
    for part, lines in reversed(parts) if answer.kind is Kind.LIST else parts:
        around = _around(part, answer)
        if around is not None:
            return Found(part if around else "", lines)
    return None


def is_right(text: str, answer: Answer) -> bool:
    """Whether a reply has the answer, and no word of another language around it."""
    found = find(text, answer)
    return found is not None and not (
        answer.language == SPANISH and has_words_of_others(found.frame)
    )


def folded(text: str) -> str:
    """A text in lower case, with neither accents nor what may stand around it."""
    return simplified(text).strip(_AROUND)


# Marks of quotation and of Markdown around an answer, and the end of a sentence.
_AROUND = " \t\r\n\"'“”‘’«»*_`.,;:!¡¿?()[]<>="


def _parted(text: str) -> tuple[str, str]:
    """All lines but the last, and the last."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[:-1]), "".join(lines[-1:])


def _around(text: str, answer: Answer) -> str | None:
    """The words around the answer in a text that states it; None where it does not."""
    if answer.kind is Kind.LIST:
        return _around_list(text, answer)
    if (reader := _reader(answer)) is None:
        return _around_words(text, answer)
    stated: list[Stated] = []
    words = ""
    for line in map(simplified, text.splitlines()):
        found = reader(line)
        words += " " + _without(line, found)
        stated += [_taken(line, each) for each in found if not _is_denied(line, each)]
    stated = [each for each in stated if each.written not in _ARTICLES] or stated
    wanted = _wanted(answer, reader)
    right = stated and all(_agrees(each, wanted) for each in stated)
    return words.strip() if right and _is_written(stated, answer.kind) else None


_ARTICLES = ("un", "una", "uno")
_DENIED = re.compile(r"\bno (?:[a-zñ]+ ){0,2}$")
_DENIED_BEHIND = re.compile(r"\W*(?:no es\b(?! \W*\d)|es (?:incorrect|fals))")
#: More than a number is another number.
_COMPARED = re.compile(
    r"(?:\b(?:mas|menos|mayor|menor|antes|despues|superior|inferior) (?:de|que|del|a)"
    r"|\b(?:casi|hasta|desde))(?: el| la)? $"
)


REACH = 40  # characters on either side of a value that may hold a word about it


def _is_denied(line: str, stated: Stated) -> bool:
    behind = line[stated.end : stated.end + REACH]
    return bool(_DENIED.search(_before(line, stated)) or _DENIED_BEHIND.match(behind))


def _taken(line: str, stated: Stated) -> Stated:
    """A value as its line has it: where it is compared with something, it is none that we know."""
    compared = _COMPARED.search(_before(line, stated))
    return replace(stated, meant=()) if compared else stated


def _before(line: str, stated: Stated) -> str:
    return line[max(0, stated.start - REACH) : stated.start]


def _without(line: str, found: Sequence[Stated]) -> str:
    """The words of a line without the values in it."""
    starts = [0, *(each.end for each in found)]
    ends = [*(each.start for each in found), len(line)]
    left = " ".join(line[start:end] for start, end in zip(starts, ends, strict=True))
    return " ".join(re.findall(r"[^\W\d_]+", left))


def _is_written(stated: Sequence[Stated], kind: Kind) -> bool:
    """Whether a number is in figures, or in letters, where that was asked for."""
    figures = [any(map(str.isdecimal, each.written)) for each in stated]
    return {Kind.FIGURES: any(figures), Kind.LETTERS: not all(figures)}.get(kind, True)


def _agrees(stated: Stated, wanted: Collection[object]) -> bool:
    """Whether a value may mean what is wanted: all of it, as a day and that day with its year."""
    return any(
        all(meant.is_part_of(of) if isinstance(meant, Day) else meant == of for of in wanted)
        for meant in stated.meant
    )


def _wanted(answer: Answer, reader: Reader) -> Collection[object]:
    if answer.kind is not Kind.TEXT:
        return {Decimal(answer.value)}
    forms = map(simplified, (answer.value, *answer.forms))
    return {meant for form in forms for each in reader(form) for meant in each.meant}


def _reader(answer: Answer) -> Reader | None:
    """What reads values of the form that an answer has; None where it is words."""
    if answer.kind is not Kind.TEXT:
        share = 0 < Decimal(answer.value) <= 100
        return partial(numbers, share=share)
    value = simplified(answer.value)
    if code := re.fullmatch(r"([a-z]{1,4})-(\d{3,})", value):
        return partial(codes, prefix=code[1])
    if re.fullmatch(r"\d[\d ]{6,}", value):
        return partial(phones, digits=len(value.replace(" ", "")))
    if value in WEEKDAYS[answer.language]:
        return partial(weekdays, names=WEEKDAYS[answer.language])
    return dates if re.fullmatch(DAY_OF_MONTH, value) else None


# Words

_ARTICLE = re.compile(r"^(?:el|la|los|las|un|una) (?=\S)")
_LINK = re.compile(
    r"(?:^|[:=] ?|\b(?:es|son|era|fue|sera|seria|llama|llamaba|cae|caera|queda|escribe|vive|viene"
    r"|espera|trata|dice|como|corresponde|diseño|falta|llegado) )"
    r"(?:(?:de|desde|en|a) )?(?:el |la |los |las |lo |una? )?"
    r"(?:(?:palabra|etiqueta|ciudad de|forma|dia|taller de|arquitecta|directora|presidenta) )?$"
)
_LEADS = re.compile(r"[ ,]*\b(?:es|son|fue|era|sera) (?:el|la|los|las|lo|su|quien)\b[^,;.]*$")


def _around_words(text: str, answer: Answer) -> str | None:
    """The words around an answer that ends a sentence, or that one begins with."""
    said = folded(text)
    for form in map(_bare, (answer.value, *answer.forms)):
        if _bare(text) == form:
            return ""
        before, _, behind = said.rpartition(form)
        ends = not behind and not _DENIED.search(before) and _LINK.search(before)
        leads = said.startswith(form) and _LEADS.fullmatch(said[len(form) :])
        if (before and ends) or leads:
            return said
    return None


def _bare(text: str) -> str:
    return _ARTICLE.sub("", re.sub("[,()]", "", folded(text)))


# Lists

_BREAKS = re.compile(r"\s*(?:[,;<>→|]| [ye] )\s*")
_MARKER = re.compile(r"\s*(?:[-*•–]|\d+[.)]|[a-zñ][.)])\s+")
_INTRODUCED = re.compile(r"[^,;<\n]*?:\s+|[^,;:<\n]*\b(?:es|son|sería|queda|quedan)\s+(?=\S+,)")


def _around_list(text: str, answer: Answer) -> str | None:
    """The words in front of a list that has the items, and no other, in their order."""
    text = re.sub("[*_`]{2,}", "", text.strip())
    introduced = _INTRODUCED.match(text)
    rest = text[introduced.end() :] if introduced else text
    if _items(rest) != _items(answer.value):
        return None
    return introduced[0] if introduced else ""


def _items(text: str) -> list[str]:
    lines = [_MARKER.sub("", line, count=1) for line in text.strip(_AROUND).splitlines()]
    parts = [folded(part) for line in lines for part in _BREAKS.split(line)]
    return [part for part in parts if part]
