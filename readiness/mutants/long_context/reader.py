"""The reader of long documents: it answers from the prompt as received, without error."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from readiness.mutants.endpoint.answer import ModelOutput, Request
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


class StatedFigure(NamedTuple):
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


def figures(text: str) -> list[StatedFigure]:
    """The key figures of a text, in their order."""
    sentences = dict.fromkeys(_around(text, each.start()) for each in _DATE.finditer(text))
    found = [each for sentence in sentences for each in _found("report.figure", sentence)]
    return [
        StatedFigure(each["name"], each["number"], each["unit"], each["date"]) for each in found
    ]


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


_END: Mapping[str, str] = prompts("long_context.yaml")["report"]["end"]
_NONE = {"zh": "无", "en": "none"}
_LABELLED = re.compile(r"^([a-z]\d+): (.+)$", re.MULTILINE)
_ABOUT = "这份文字记录了各部门就日常事务交换的意见。"

Groups = Mapping[str, str]


def answer(request: Request) -> ModelOutput | None:
    """Answer what is asked of a long document; None where nothing is."""
    prompt = prompt_of(request)
    if prompt is None:
        return None
    if prompt.kind == "page":
        return ModelOutput(_ABOUT)
    said = _summary(prompt) if prompt.kind == "report" else _answers(prompt)
    return ModelOutput(f"{prompt.code}\n{said}" if prompt.code else said)


def answers(prompt: Prompt) -> dict[str, Any]:
    """The answers to the questions that are asked of a log, by their labels."""
    log = _Log(prompt.document)
    none = _NONE[prompt.language]
    asked = _LABELLED.findall(prompt.asked)
    found = {label: log.answer(text) for label, text in asked}
    return {label: value if value else none for label, value in found.items()}


def _answers(prompt: Prompt) -> str:
    return json.dumps(answers(prompt), ensure_ascii=False)


def _summary(prompt: Prompt) -> str:
    colon, between = ("：", "，") if prompt.language == "zh" else (": ", ", ")
    space = "" if prompt.language == "zh" else " "
    lines = [
        f"- {name}{colon}{number}{space}{unit}{between}{date}"
        for name, number, unit, date in figures(prompt.document)
    ]
    return "\n".join([*lines, _END[prompt.language]])


class _Log:
    """What a log says."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._holding: dict[str, list[str]] = defaultdict(list)
        for each in facts("variable", text):
            self._holding[each["value"]].append(each["name"])
        self._same: dict[str, list[str]] = defaultdict(list)
        for each in facts("alias", text):
            self._same[each["other"]].append(each["name"])
        self._marks = Counter(each["key"] for each in facts("marker", text))

    def answer(self, text: str) -> str | list[str] | int | None:
        """The answer to a question; nothing where the log does not say."""
        for kind, find in self._ways.items():
            for asked in questions(kind, text):
                return find(asked)
        return None

    @property
    def _ways(self) -> Mapping[str, Callable[[Groups], str | list[str] | int | None]]:
        return {
            "latest": self._latest,
            "record": self._latest,
            "member": self._members,
            "variable": self._variables,
            "marker": lambda asked: self._marks[asked["key"]],
            "checkpoint": self._checkpoint,
        }

    def _latest(self, asked: Groups) -> str | None:
        key, what = asked["key"], asked["what"]
        for kind in ("correction", "record"):
            found = [
                each["value"] for each in facts(kind, self._around(key)) if each["what"] == what
            ]
            if found:
                return found[-1]
        return None

    def _members(self, asked: Groups) -> list[str]:
        return [each["value"] for each in facts("member", self._around(asked["key"]))]

    def _checkpoint(self, asked: Groups) -> str | None:
        found = facts("checkpoint", self._around(asked["key"]))
        return next((each["value"] for each in found), None)

    def _variables(self, asked: Groups) -> list[str]:
        """Those that hold the value, and those that hold what one of them holds."""
        found = list(self._holding[asked["value"]])
        for name in found:
            found += self._same[name]
        return found

    def _around(self, key: str) -> str:
        """The lines that have a key."""
        lines, place = [], self._text.find(key)
        while place >= 0:
            start, end = self._text.rfind("\n", 0, place) + 1, self._text.find("\n", place)
            end = len(self._text) if end < 0 else end
            lines.append(self._text[start:end])
            place = self._text.find(key, end)
        return "\n".join(lines)
