"""A perfect reader of long documents: it answers from what has come, and from nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.long_context.facts import Prompt, facts, figures, prompt_of, questions
from readiness.resources import prompts

_END: Mapping[str, str] = prompts("long_context.yaml")["report"]["end"]
_NONE = {"zh": "无", "en": "none"}
_LABELLED = re.compile(r"^([a-z]\d+): (.+)$", re.MULTILINE)
_ABOUT = "这份文字记录了各部门就日常事务交换的意见。"

Groups = Mapping[str, str]


def answer(request: Request) -> Answer | None:
    """Answer what is asked of a long document; None where nothing is."""
    prompt = prompt_of(request)
    if prompt is None:
        return None
    if prompt.kind == "page":
        return Answer(_ABOUT)
    said = _summary(prompt) if prompt.kind == "report" else _answers(prompt)
    return Answer(f"{prompt.code}\n{said}" if prompt.code else said)


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
