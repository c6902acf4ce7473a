"""Whether a reply tells what a tool's result says, and makes no figure up."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from readiness.checks.tool_calling.scoring import Tool, fold, silent
from readiness.probe import Message
from readiness.reply import Reply
from readiness.score import PASSED, Score, failed

# A hyphen behind a letter or a digit joins, as in 21.3-37.4; anywhere else it is a minus.
_NUMBER = re.compile(r"(?:(?<![\w°%])[-−])?\d+(?:[.,]\d+)*")
#: How far in front of a figure the word stands that makes it one of the weather.
NEAR = 16


@dataclass(frozen=True)
class NumberInText:
    """A figure in a text, and what stands around it."""

    written: str
    before: str
    behind: str

    @property
    def values(self) -> set[Decimal]:
        """All that it may mean, where a comma, or a dot, sets off decimals or thousands."""
        plain = self.written.replace("−", "-")
        forms = [plain.replace(",", ""), plain.replace(".", "").replace(",", ".")]
        return {Decimal(form) for form in forms if form.count(".") <= 1}


def tells(
    reply: Reply,
    expect: Mapping[str, Any],
    messages: Sequence[Message],
    tools: Collection[Tool],
) -> Score:
    """Score a reply to a result: it must tell what the result says, or admit that there is none.

    Args:
        reply: The reply.
        expect: The figures to be `told`, those `untold`, and which are a `percent`; or else the
            words that mark `figures`, where the result is an error.
        messages: The conversation so far, whose figures are not made up.
        tools: The tools that are offered.
    """
    score = silent(reply, tools)
    if not score.passed:
        return score
    if "told" not in expect:
        return _admits(reply.text, messages, expect["figures"])
    found = _values(reply.text)
    if lost := [each for each in expect["told"] if _exact(each) not in found]:
        return failed(f"expected {lost[0]} in the text", got=f"{reply.text!r:.200}")
    if other := [each for each in expect.get("untold", ()) if _exact(each) in found]:
        return failed(f"{other[0]} belongs to another result", f"{reply.text!r:.200}")
    return _no_other_percentage(reply.text, expect)


def tells_of(
    reply: Reply,
    expect: Mapping[str, Any],
    messages: Sequence[Message],
    tools: Collection[Tool],
) -> Score:
    """Score a reply that must tell figures of a result, and a name, however it is accented."""
    score = tells(reply, expect, messages, tools)
    name = expect.get("word", "")
    if score.passed and fold(name) not in fold(reply.text):
        return failed(f"expected {name} in the text", got=f"{reply.text!r:.200}")
    return score


def _no_other_percentage(text: str, expect: Mapping[str, Any]) -> Score:
    """Score a text in which only some of the figures are percentages."""
    told = {_exact(each) for each in expect["told"]}
    others = told - {_exact(each) for each in expect.get("percent", ())}
    for figure in figures(text):
        if figure.values & others and figure.behind.lstrip().startswith("%"):
            return failed(f"{figure.written} is no percentage", f"{text!r:.200}")
    return PASSED


def _admits(text: str, messages: Sequence[Message], words: Mapping[str, Any]) -> Score:
    """Score a text that must be about the weather or the failure, and make no figure up."""
    known = _values(json.dumps(list(messages), ensure_ascii=False))
    for figure in figures(text):
        if not figure.values & known and _is_weather(figure, words):
            return failed(f"{figure.written} is made up, for the tool failed", f"{text!r:.200}")
    said = unicodedata.normalize("NFKC", text).casefold()
    if any(word in said for word in words["about"]):
        return PASSED
    return failed("nothing is said of what the tool failed to tell", f"{text!r:.200}")


def figures(text: str) -> list[NumberInText]:
    """The figures in a text, in whatever width they are written."""
    plain = unicodedata.normalize("NFKC", text)
    return [
        NumberInText(
            match[0],
            plain[max(0, match.start() - NEAR) : match.start()],
            plain[match.end() : match.end() + NEAR],
        )
        for match in _NUMBER.finditer(plain)
    ]


def _values(text: str) -> set[Decimal]:
    return {value for figure in figures(text) for value in figure.values}


def _exact(value: float) -> Decimal:
    return Decimal(str(value))


def _is_weather(figure: NumberInText, words: Mapping[str, Any]) -> bool:
    marks = [unicodedata.normalize("NFKC", word).casefold() for word in words["behind"]]
    if figure.behind.casefold().lstrip().startswith(tuple(marks)):
        return True
    return any(word.casefold() in figure.before.casefold() for word in words["before"])
