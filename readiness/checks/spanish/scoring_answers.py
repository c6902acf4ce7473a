"""Scoring of answers in Spanish: what a reply states, in whichever words and form."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
from readiness.scoring.claims import VAGUE, Role, role, unread
from readiness.scoring.language import has_words_of_others
from readiness.scoring.units import is_unit, parts_of, unit_named


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
        unit: What a number counts, as it was asked for; None where that is not known.
        given: Numbers of the task itself, which a reply may repeat before its answer.
        asked: The text of the task, whose words a reply may repeat.
    """

    value: str
    kind: Kind = Kind.TEXT
    forms: Sequence[str] = ()
    language: str = SPANISH
    unit: str | None = None
    given: Sequence[str] = ()
    asked: str = ""


@dataclass(frozen=True)
class Found:
    """The right answer in a reply.

    Args:
        frame: The sentence that it stands in; "" where it stands alone, as it was asked for.
        before: The lines before it.
        unread: What stands beside it, and nobody can tell the sense of.
    """

    frame: str
    before: str
    unread: str = ""

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
            return Found(part if around else "", lines, _unread(part, answer))
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
_AROUND = " \t\r\n\"'“”‘’«»*_`.,;:!¡¿?()[]<>=#"


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
    claims: list[Claim] = []
    words = ""
    for line in map(simplified, text.splitlines()):
        found = reader(line)
        words += " " + _without(line, found)
        claims += [Claim(each, role(line, each.start, each.end), line) for each in found]
    stated = _answered(claims, answer, _wanted(answer, reader))
    return words.strip() if stated and _is_written(stated, answer.kind) else None


_ARTICLES = ("un", "una", "uno")
#: About a value that has to be reckoned is that value.
_EXACT = {Role.STATED, Role.PAST, Role.APPROXIMATE}


@dataclass(frozen=True)
class Claim:
    """A value that a line states, and what it says of it."""

    stated: Stated
    role: Role
    line: str


def _answered(claims: Sequence[Claim], answer: Answer, wanted: Collection[object]) -> list[Stated]:
    """The values of a reply if all that it states are the answer, and none if not."""
    right = [each for each in claims if _agrees(each.stated, wanted)]
    open_ = VAGUE | {Role.UNSURE} if answer.kind is Kind.NUMBER else VAGUE
    others = {each.role for each in claims if each not in right} & {Role.UNSURE, Role.ALTERNATIVE}
    if others or any(each.role in open_ for each in right):
        return []
    stated = [
        each for each in claims if each.role in _EXACT and not _is_beside(each, answer, right)
    ]
    stated = [each for each in stated if each.stated.written not in _ARTICLES] or stated
    if all(each in right and _is_in_unit(each.stated, answer) for each in stated):
        return [each.stated for each in stated]
    return []


#: What may be counted is a noun; these are none, though they may follow a number.
_NO_NOUN = re.compile(
    r" ?(?:como|pero|salvo|aunque|apenas|segun|quiza|casi|sobre|bajo|hasta|desde|antes|despues"
    r"|mientras"
    r"|cada|otro|otra|otros|otras|mas|menos|largos|escasos|pasados|cortos)\b"
)
_NOUN = re.compile(r" ?(?:de )?[a-zñ]{4,}(?: (?:en|de) (?:el |la |los |las )?[a-zñ]{4,})*")


def _unread(text: str, answer: Answer) -> str:
    """What stands beside each statement of a value, besides a noun that it counts."""
    reader = _reader(answer) if answer.kind is not Kind.LIST else None
    if reader is None:
        return ""
    wanted, asked, beside = _wanted(answer, reader), simplified(answer.asked), []
    for line in map(simplified, text.splitlines()):
        for each in reader(line):
            if not _agrees(each, wanted) or role(line, each.start, each.end) not in _EXACT:
                continue
            noun = None if _NO_NOUN.match(line, each.end) else _NOUN.match(line, each.end)
            end = noun.end() if noun and answer.kind is Kind.NUMBER else each.end
            beside.append(unread(line[: each.end] + line[end:], each.start, each.end, asked))
    return min(beside) if beside and all(beside) else ""


def _is_in_unit(stated: Stated, answer: Answer) -> bool:
    unit = None if answer.unit is None else unit_named(simplified(answer.unit))
    return answer.kind is not Kind.NUMBER or is_unit(stated.unit, unit)


def _is_beside(claim: Claim, answer: Answer, right: Sequence[Claim]) -> bool:
    """Whether a number is of the task, told before the answer, or the answer in another unit."""
    if answer.kind is not Kind.NUMBER or claim in right:
        return False
    stated, line = claim.stated, claim.line
    given = {Decimal(each) for each in answer.given} & {*stated.meant}
    behind = [each.stated.start for each in right if each.line == line]
    told = [start for start in behind if re.search("[a-z]{3}", line[stated.end : start])]
    if given and (told or not behind):
        return bool(right)
    unit = unit_named(simplified(answer.unit or ""))
    size = parts_of(unit, stated.unit)
    return bool(
        size
        and any(
            Decimal(answer.value) == each * size
            for each in stated.meant
            if isinstance(each, Decimal)
        )
    )


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

_TITLE = (
    "(?:senor(?:a|ita)?|señor(?:a|ita)?|sra?|srta|d[.]a|dña|don|doña|directora?"
    "|arquitect[oa]|president[ea]|encargad[oa])"
)
_ARTICLE = re.compile(rf"^(?:(?:el|la|los|las|un|una) (?=\S))?(?:{_TITLE}[.]? (?=\S))?")
#: The feminine of an adjective beside it, a country behind a city, an office behind a name.
_BESIDE = re.compile(
    r"(?:(?<=o)(?:\s*/\s*-?|\s*\(-?|,\s*-)as?\)?"
    r"|(?:,\s*|\s*\()(?:españa|spain|argentina|mexico|peru|colombia|ecuador|chile)\)?"
    rf"|(?:,\s*|\s*\()(?:la |el )?{_TITLE}(?: del? [a-z ]+)?\)?"
    r"|\s*\((?:adj|adjetivo|sust|sustantivo|m|f|plural)\.?\)?"
    r"|(?:,\s*|\s*\()(?:y )?no (?:es )?(?:una? )?[a-zñ]+\)?)[.]?$"
)
_LINK = re.compile(
    r"(?:^|(?:[:=]|→|->) ?|\b(?:es|son|era|fue|sera|seria|llama|llamaba|cae|caera|queda|escribe"
    r"|vive|viene"
    r"|espera|trata|dice|como|corresponde|diseño|falta|llegado|por) )"
    r"(?:(?:de|desde|en|a) )?(?:el |la |los |las |lo |una? )?"
    r"(?:(?:palabra|etiqueta|ciudad de|forma|dia|taller de|arquitecta|directora|presidenta) )?$"
)
_LEADS = re.compile(r"[ ,]*\b(?:es|son|fue|era|sera) (?:el|la|los|las|lo|su|quien)\b[^,;.]*$")


def _around_words(text: str, answer: Answer) -> str | None:
    """The words around an answer that ends a sentence, or that one begins with."""
    if text.strip().endswith("?"):
        return None
    said = _BESIDE.sub("", folded(text))
    for form in map(_bare, (answer.value, *answer.forms)):
        if form in (_bare(text), _bare(said), _turned(said)):
            return ""
        before, _, behind = said.rpartition(form)
        denied = role(said, len(before), len(before) + len(form)) in _SAID_OTHERWISE
        ends = not behind and not denied and _LINK.search(_untitled(before))
        leads = said.startswith(form) and _LEADS.fullmatch(said[len(form) :])
        if (before and ends) or leads:
            return said
    return None


_SAID_OTHERWISE = {Role.DENIED, Role.RELATIVE, Role.ALTERNATIVE}


def _bare(text: str) -> str:
    return _ARTICLE.sub("", re.sub("[,()]", "", folded(text)))


def _turned(said: str) -> str:
    """A name whose surname stands first, before a comma."""
    surname, comma, name = said.partition(",")
    return _bare(f"{name} {surname}".strip()) if comma and len(said.split()) == 2 else ""


def _untitled(before: str) -> str:
    return re.sub(rf"\b{_TITLE}[.]? $", "", before)


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
