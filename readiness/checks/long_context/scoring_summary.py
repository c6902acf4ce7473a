"""Whether a summary has the figures of a report, and none that the report does not have."""

from __future__ import annotations

import re

from readiness.checks.long_context.document import Expected, Figure
from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import PASSED, Measure, Score, failed
from readiness.scoring.values import dates, normalise, numbers

RECALL = 0.90
NEAR = 40  # characters between a figure's name and its number
_NUMBER = re.compile(r"(?<!\S)\d+(?:\.\d+)?(?!\S)")
#: The numbers of the task: to name them is to make nothing up.
_TASK = {
    number
    for text in prompts("long_context.yaml")["report"]["asking"].values()
    for number in numbers(text)
}
DIGITS = 3  # A number of fewer may count sections, or the figures themselves.


def summarises(reply: Reply, expected: Expected) -> Score:
    """Score a summary: figures with their dates, nothing made up, and the mark at its end."""
    text, figures = normalise(reply.text), expected.figures
    told = sum(_tells(text, each) for each in figures)
    dated = _dated(reply.text, figures)
    invented = _invented(reply.text, figures)
    wrong = []
    if told < RECALL * len(figures):
        wrong.append(f"{told} of {len(figures)} figures")
    if dated < RECALL * len(figures):
        wrong.append(f"{dated} of {len(figures)} dates")
    if invented:
        wrong.append(f"made up: {', '.join(invented[:5])}")
    if reply.finish == "length":
        wrong.append("cut off at its budget")
    elif not reply.text.rstrip(" \n\t*_`。.").endswith(expected.end):
        wrong.append(f"ends with {reply.text[-20:]!r}, not {expected.end!r}")
    score = failed(f"{'; '.join(wrong)}, got {reply.text!r:.120}") if wrong else PASSED
    return score.measured(
        Measure("figures recalled", told / len(figures)),
        Measure("dates recalled", dated / len(figures)),
        Measure("made up", len(invented)),
    )


def _tells(text: str, figure: Figure) -> bool:
    """Whether a normalised text has the number next to the name, the first behind it or before."""
    name = normalise(figure.name)
    for place in re.finditer(re.escape(name), text):
        behind = _NUMBER.findall(text[place.end() : place.end() + NEAR])
        before = _NUMBER.findall(text[max(place.start() - NEAR, 0) : place.start()])
        if figure.number in (*behind[:1], *([] if behind else before[-1:])):
            return True
    return False


def _dated(text: str, figures: tuple[Figure, ...]) -> int:
    """How many figures have their date in the text, perhaps without its year."""
    found = set(dates(text))
    return sum(bool({each.date, f"-{each.date[4:]}"} & found) for each in figures)


def _invented(text: str, figures: tuple[Figure, ...]) -> list[str]:
    """Numbers and dates that the report does not have."""
    days = {each.date for each in figures}
    known = {each.number for each in figures} | {each[:4] for each in days} | _TASK
    long = [each for each in numbers(text) if len(re.sub(r"\D", "", each)) >= DIGITS]
    made_up = [each for each in long if each.lstrip("-") not in known]
    ends = {each[4:] for each in days}
    made_up += [
        each
        for each in dates(text)
        if each not in days and not (each[0] == "-" and each[1:] in ends)
    ]
    return list(dict.fromkeys(made_up))
