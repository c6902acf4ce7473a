"""Answers about a long log with the right value in them that say another, and odd right ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from readiness.mutants.flaw import Flaw
from readiness.mutants.long_context.flaws import in_answers, in_text
from readiness.verdict.claim import Verdict

_FINDS = "long_context.needle_retrieval"


def _values(form: str) -> Callable[[Any], Any]:
    """Put the value of an answer that has one, and only one, into a form."""

    def change(value: Any) -> Any:
        return form.format(value) if re.fullmatch(r"\d+", str(value)) else value

    return change


def _either(value: Any) -> Any:
    """A list with an alternative before its last item; a single value beside its neighbour."""
    if isinstance(value, list):
        return f"{', '.join(value[:-1])} or {value[-1]}"
    return f"{value} or {int(value) + 1}" if re.fullmatch(r"\d+", str(value)) else value


def _counted(form: str) -> Callable[[Any], Any]:
    """Put small numbers, which count something, into a form."""

    def change(value: Any) -> Any:
        return form.format(value) if re.fullmatch(r"\d{1,3}", str(value)) else value

    return change


def _twice(text: str) -> str:
    """The answers in one JSON document, and others in another."""
    code, _, answers = text.rpartition("\n")
    other = {label: f"{value}0" for label, value in json.loads(answers).items()}
    return f"{code}\n{json.dumps(other, ensure_ascii=False)}\n{answers}"


def _lines(form: str) -> Callable[[str], str]:
    """Each answer on a line of its own."""

    def change(text: str) -> str:
        code, _, answers = text.rpartition("\n")
        lines = [form.format(label, _bare(value)) for label, value in json.loads(answers).items()]
        return "\n".join([code, *lines])

    return change


def _bare(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


# One question in twelve counts: an endpoint that fails all of them is inconclusive by them alone.
FLAWS = [
    Flaw(
        "long_bounds", "values are bounds", _FINDS, change_output=in_answers(_values("at least {}"))
    ),
    Flaw(
        "long_sums", "something is taken off", _FINDS, change_output=in_answers(_values("{} - 5"))
    ),
    Flaw("long_guesses", "values are one of two", _FINDS, change_output=in_answers(_either)),
    Flaw(
        "long_in_the_past",
        "values are those of once",
        _FINDS,
        change_output=in_answers(_values("formerly {}")),
    ),
    Flaw(
        "long_more_counted",
        "counts are bounds",
        _FINDS,
        change_output=in_answers(_counted("more than {}")),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "long_ordinals",
        "counts are places in a row",
        _FINDS,
        change_output=in_answers(_counted("第{}次")),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "long_two_documents",
        "two documents that differ",
        _FINDS,
        change_output=in_text("log", _twice),
    ),
    Flaw(
        "long_tags",
        "answers may stand in tags",
        change_output=in_text("log", _lines("<{0}>{1}</{0}>")),
    ),
    Flaw(
        "long_spoken",
        "or in sentences",
        change_output=in_text("log", _lines("The answer to {} is {}.")),
    ),
    Flaw(
        "long_bare", "or behind their labels alone", change_output=in_text("log", _lines("{} {}"))
    ),
]
