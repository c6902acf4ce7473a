"""Whether a reply is the one right answer to a task, in any of the ways to write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from readiness.checks.spanish.numerals import in_figures


class Kind(StrEnum):
    """What an answer is, and so how it may be written."""

    NUMBER = "number"
    FIGURES = "number in figures"
    LETTERS = "number in letters"
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True)
class Answer:
    """The one right answer to a task.

    Args:
        value: The answer as a perfect reader gives it.
        kind: What it is.
        forms: Other texts that say the same.
    """

    value: str
    kind: Kind = Kind.TEXT
    forms: Sequence[str] = ()


_DIGIT = re.compile(r"\d")
# Marks of quotation and of Markdown around an answer, and the end of a sentence.
_AROUND = " \t\r\n\"'“”‘’«»*_`.,;:!¡¿()[]"
_SAID = re.compile(r"^(?:la )?(?:respuesta|resultado)(?: es| final)?: *", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:el|la|los|las|un|una) (?=\S)")
_NUMBER = re.compile(r"(?:[€$] ?)?(?P<n>-?\d[\d., ]*)(?: ?[€$%]| ?[a-z]{1,3}| [a-z]+(?: [a-z]+)?)?")
_PLAIN = re.compile(r"(?P<whole>-?\d+)(?:[.,](?P<part>\d+))?")
_PARTED = re.compile(
    r"(?P<whole>-?\d{1,3}(?P<by>[., ])\d{3}(?:(?P=by)\d{3})*)(?:[.,](?P<part>\d+))?"
)
_BREAKS = re.compile(r"\s*(?:[,;\n]| [ye] )\s*(?:[-*•]|\d+[.)])?\s*")
# The tilde of ñ is no accent: año and ano are two words.
_ACCENTS = re.compile("(?<![nN])[\u0300\u0301\u0308]|(?<=[nN])[\u0300\u0301\u0308]")


def is_right(text: str, answer: Answer) -> bool:
    """Whether a reply is the answer: all of it, or its last line."""
    return any(_matches(part, answer) for part in (text, *_lines(text)[-1:]))


def beside(text: str, answer: Answer) -> str:
    """What a right reply says beside the answer; the answer's own words are right in any case."""
    return "" if _matches(text, answer) else "\n".join(_lines(text)[:-1])


def _lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line.strip()]


def folded(text: str) -> str:
    """A text in lower case, with neither accents nor what may stand around it."""
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", text))
    return _SAID.sub("", " ".join(text.split()).strip(_AROUND)).strip(_AROUND)


def _matches(text: str, answer: Answer) -> bool:
    match answer.kind:
        case Kind.LIST:
            return _items(text) == _items(answer.value)
        case Kind.TEXT:
            said = _bare(text)
            return any(said == _bare(form) for form in (answer.value, *answer.forms))
        case Kind.FIGURES if not _DIGIT.search(text):
            return False
        case Kind.LETTERS if _DIGIT.search(text):
            return False
    return Decimal(answer.value) in _readings(folded(text))


def _bare(text: str) -> str:
    return _ARTICLE.sub("", folded(text).replace(",", ""))


def _items(text: str) -> list[str]:
    parts = _BREAKS.split("\n" + text.strip(_AROUND))
    return [folded(part) for part in parts if part.strip(_AROUND)]


def _readings(text: str) -> set[Decimal]:
    """What a number may mean: 1.250 is 1250 in Spain, and not quite in Mexico."""
    found = _NUMBER.fullmatch(in_figures(text))
    if not found:
        return set()
    written = [form.fullmatch(found["n"].strip(" .,")) for form in (_PLAIN, _PARTED)]
    return {
        Decimal(f"{re.sub('[., ]', '', each['whole'])}.{each['part'] or 0}")
        for each in written
        if each
    }
