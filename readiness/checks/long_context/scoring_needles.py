"""Whether a reply to a long log has found what was planted in it."""

from __future__ import annotations

import json
import re
from typing import Any

from readiness.checks.long_context.document import Question
from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import PASSED, Measure, Score, failed
from readiness.scoring.values import normalise, numbers

_DECODER = json.JSONDecoder()
_LABELLED = re.compile(r"^(?:\d+[.)])?\W*([a-z]\d{1,2})\b\W*?[:：]\s*(.+?),?\s*$", re.MULTILINE)
_NAME = re.compile(r"(?<![A-Za-z])[A-Z]{5}(?![A-Za-z])")
_ABSENT = re.compile(
    "|".join(re.escape(normalise(each)) for each in prompts("long_context.yaml")["absent"])
)
_MISSING = object()
#: An answer of more than so many times the numbers that are wanted is no answer: it fires at all.
SHOTGUN = 2


def finds(reply: Reply, question: Question) -> Score:
    """Score the answer to one question, which stands in a field of its own."""
    value = answers(reply.text).get(question.label, _MISSING)
    shown = f"{question.kind}{_at(question)}: expected {_wanted(question)}"
    if value is _MISSING:
        length = ", cut off at its budget" if reply.finish == "length" else ""
        return failed(f"{shown}, got no answer{length}")
    wrong = _mistake(value, question)
    return failed(f"{shown}, got {_text(value)!r:.120}: {wrong}") if wrong else PASSED


def found(score: Score, question: Question, length: int) -> Measure:
    """Whether the answer to one question was found, at its length and depth."""
    depth = {} if question.depth is None else {"depth": question.depth}
    return Measure("found", float(score.passed), at={"length": length, **depth})


def answers(text: str) -> dict[str, Any]:
    """The answers of a reply by their labels: of a JSON object anywhere in it, or of its lines."""
    for brace in re.finditer(r"\{", text):
        try:
            found, _ = _DECODER.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and found:
            return found
    return dict(_LABELLED.findall(text))


def _mistake(value: Any, question: Question) -> str:
    """What is wrong with an answer; "" where nothing is."""
    text = _text(value)
    if question.kind == "absent":
        return "" if _abstains(value, text) else "made up"
    given = _NAME.findall(text.upper()) if question.kind == "names" else numbers(text)
    given = list(dict.fromkeys(given))
    if not given:
        return "not found" if _abstains(value, text) else "no answer"
    if question.kind == "count":
        return "" if given[0] == question.wanted[0] else "miscounted"
    if any(each in given for each in question.stale):
        return "stale"
    lost = [each for each in question.wanted if each not in given]
    if lost:
        return f"{len(lost)} of {len(question.wanted)} not found"
    if len(given) > SHOTGUN * len(question.wanted):
        return f"{len(given)} values are no answer"
    return ""


def _abstains(value: Any, text: str) -> bool:
    return (
        value is None or value == [] or bool(_ABSENT.search(normalise(text)) and not numbers(text))
    )


def _text(value: Any) -> str:
    """An answer as text, whichever JSON it is."""
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(question: Question) -> str:
    return "" if question.depth is None else f" at {question.depth:.0%}"


def _wanted(question: Question) -> str:
    return ", ".join(question.wanted) or "none"
