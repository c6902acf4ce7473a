"""What a long document says, read sentence by sentence out of the prompt as it came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.resources import prompts

_PROMPTS: Any = prompts("long_context.yaml")
_LANGUAGES = ("zh", "en")
_GROUPS = {
    "key": r"[^\W\d_]+-\d{5}",
    "value": r"\d{7}",
    "name": r"[A-Z]{5}",
    "other": r"[A-Z]{5}",
    "what": r"[^，。\n]{1,20}?",
    "by": r"[^，。\n]{1,20}",
    "number": r"\d{5}",
    "unit": r"[^\d\s。.][^\d。.\n]{0,20}?",
    "date": r"\d{4}-\d\d-\d\d",
    "code": r"HC-\d{5}",
    "nonce": r"\w*",
}
_DATE = re.compile(_GROUPS["date"])
_ENDS = ("。", ".", "\n")
#: Of a figure, the name is several words.
_FIGURE = {**_GROUPS, "name": r"[^\d，。.\n]{2,24}?"}


class Figure(NamedTuple):
    """A key figure of a report."""

    name: str
    number: str
    unit: str
    date: str


@dataclass(frozen=True)
class Prompt:
    """A prompt about a long document: what is left of it.

    Args:
        kind: A log with questions, a report to be summed up, or a page.
        language: The language that it asks in.
        code: What the first line of the reply must be; "" where nobody says.
        document: The document.
        asked: What stands after the document.
    """

    kind: str
    language: str
    code: str
    document: str
    asked: str


def prompt_of(request: Request) -> Prompt | None:
    """The prompt, where it is about a long document and still asks something."""
    text = "\n".join(text_of(message) for message in request["messages"])
    for kind in ("log", "report", "page"):
        for language, asking in _asking(kind):
            place = text.rfind(asking)
            if place >= 0:
                code = next(iter(_found("system", text[:1000])), {"code": ""})["code"]
                return Prompt(kind, language, code, text[:place], text[place + len(asking) :])
    return None


def facts(kind: str, text: str) -> Iterable[Mapping[str, str]]:
    """The lines of one kind that a text has, in their order."""
    return _found(f"log.lines.{kind}", text)


def questions(kind: str, text: str) -> Iterable[Mapping[str, str]]:
    """The questions of one kind that a text has: one text is one question."""
    return _found(f"log.questions.{kind}", text)


def figures(text: str) -> list[Figure]:
    """The key figures of a text, in their order."""
    sentences = dict.fromkeys(_around(text, each.start()) for each in _DATE.finditer(text))
    found = [each for sentence in sentences for each in _found("report.figure", sentence)]
    return [Figure(each["name"], each["number"], each["unit"], each["date"]) for each in found]


def _around(text: str, place: int) -> str:
    """The sentence at a place."""
    start = max(text.rfind(end, 0, place) for end in _ENDS)
    end = min(_or_else(text.find(end, place), len(text)) for end in _ENDS)
    return text[start + 1 : end + 1].lstrip()


def _or_else(place: int, end: int) -> int:
    return place if place >= 0 else end


def _asking(kind: str) -> Iterator[tuple[str, str]]:
    asking = _PROMPTS[kind]["asking"]
    if isinstance(asking, str):
        yield "zh", asking
    else:
        yield from asking.items()


def _found(way: str, text: str) -> Iterator[Mapping[str, str]]:
    return (found.groupdict() for pattern in _patterns(way) for found in pattern.finditer(text))


@cache
def _patterns(way: str) -> tuple[re.Pattern[str], ...]:
    """What finds a sentence of prompts/long_context.yaml again, in each language."""
    node = _PROMPTS
    for step in way.split("."):
        node = node[step]
    texts = [text for each in _LANGUAGES for text in _texts(node[each])]
    groups = _FIGURE if way == "report.figure" else _GROUPS
    return tuple(re.compile(_pattern(text, groups)) for text in texts)


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _pattern(template: str, groups: Mapping[str, str]) -> str:
    parts = re.split(r"\{(\w+)\}", template)
    names = [f"(?P<{name}>{groups[name]})" for name in parts[1::2]]
    literals = [re.escape(part) for part in parts[::2]]
    return literals[0] + "".join(
        name + text for name, text in zip(names, literals[1:], strict=True)
    )
