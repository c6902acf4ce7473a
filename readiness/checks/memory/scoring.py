"""Whether a reply recalls what was said before, and what it recalls instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from readiness.probe import Message
from readiness.reply import Reply
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.assertions import Role, mentions, role, says_unsaid, says_unsure
from readiness.scoring.usable import unusable
from readiness.scoring.values import normalise, pattern_of

#: How many tokens a character must go on to take, of what it took before: texts differ a little.
STEADY = 0.85
BRIEF = 40  # characters of an answer
LONG = re.compile(r"\d{3}|\d-\d")  # digits of a value: a smaller number may count turns
#: What a value is not said to be, and what it is not said to be any more.
_NOT_SO = {Role.DENIED}
_NOT_NOW = {Role.DENIED, Role.FORMER}


@dataclass(frozen=True)
class Expected:
    """What a reply has to recall.

    Args:
        values: Ways to write the answer; none where nothing was said of it.
        stale: Values that the answer once had.
        others: Values of other things that were talked about.
        marks: Of these the reply must have one, letter for letter, as it was once told.
        distance: How many turns ago the last of what it takes was said; None where nothing was.
    """

    values: Sequence[str]
    stale: Sequence[str] = ()
    others: Sequence[str] = ()
    marks: Sequence[str] = ()
    distance: int | None = None


def recalls(reply: Reply, expected: Expected) -> Score:
    """Score a reply that must give the answer, and no other value that was talked about."""
    if score := unusable(reply):
        return score
    if wrong := _mistake(normalise(reply.text), expected) or _unmarked(reply.text, expected):
        return failed(f"{wrong}expected {_shown(expected)}", got=f"{reply.text!r:.120}")
    said = reply.text.strip()
    # The answer alone was asked for: that is another virtue than memory.
    return (
        scored(Outcome.PASS, "verbose", came=f"{len(said)} characters")
        if len(said) > BRIEF
        else PASSED
    )


def grows(replies: Sequence[Reply], lengths: Sequence[int], recalled: bool) -> Score:
    """Score whether a conversation arrives whole: its tokens grow with it, or its start is known.

    Args:
        replies: The replies to two beginnings of the conversation and to all of it.
        lengths: How much text each of the three has.
        recalled: Whether the reply to all of it knows what was said first.
    """
    counts = [reply.usage.prompt for reply in replies if reply.usage]
    last = replies[-1].text
    if len(counts) < len(replies):
        why = "the first turn is lost, and no usage says how much of the prompt arrived"
        return PASSED if recalled else failed("truncated history", f"{why}, got {last!r:.120}")
    # What a server adds to every prompt is no part of the differences.
    grown, text = _steps(counts), _steps(lengths)
    if grown[0] > 0 and grown[1] * text[0] >= STEADY * grown[0] * text[1]:
        return PASSED
    said = f"prompt_tokens are {counts} where the text has {list(lengths)} characters"
    if recalled:
        # Some servers leave what they have cached out of the count.
        return Score(Outcome.UNDETERMINED, f"{said}, though the first turn is known")
    return failed("truncated history", f"{said}, and the first turn is lost")


def length(messages: Sequence[Message]) -> int:
    """How much text a conversation has: a letter beyond ASCII takes as much as four others."""
    text = "".join(str(message["content"]) for message in messages)
    return sum(1 if letter.isascii() else 4 for letter in text)


def _mistake(text: str, expected: Expected) -> str:
    """What is wrong with a normalised reply, a word of the taxonomy first; "" where nothing is."""
    stale = any(_roles(text, value) - _NOT_NOW for value in expected.stale)
    swapped = any(_roles(text, value) - _NOT_SO for value in expected.others)
    if not expected.values:
        return "hallucinated: " if swapped else _made_up(text)
    said = {role for value in expected.values for role in _roles(text, value) - _NOT_SO}
    if not said:
        return _instead(text, stale, swapped)
    if stale or swapped:
        return f"{'stale' if stale else 'swap'}: beside the answer, "
    if Role.ALTERNATIVE in said:
        return "format: an answer and another, "
    return "format: an answer and none, " if says_unsaid(text) else ""


def _made_up(text: str) -> str:
    """What is wrong with a normalised reply to what was never said: it must say so, and no more."""
    values = [each.value for each in mentions(text) if each.role not in _NOT_SO]
    if any(LONG.search(value) for value in values):
        return "hallucinated: "
    if says_unsaid(text):
        return ""
    return "hallucinated: " if values else "format: no word that it was never said, "


def _instead(text: str, stale: bool, swapped: bool) -> str:
    if says_unsaid(text) or says_unsure(text):
        return "false abstention: "
    return "stale: " if stale else "swap: " if swapped else "miss: "


def _unmarked(text: str, expected: Expected) -> str:
    said = _folded(text)
    # EUR is no part of "euros".
    marks = [rf"(?<![a-z]){re.escape(_folded(mark))}(?![a-z])" for mark in expected.marks]
    obeyed = not marks or any(re.search(mark, said) for mark in marks)
    return "" if obeyed else "format: not as instructed, "


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _steps(numbers: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(numbers)]


# The probes of one conversation share its values.
_form = lru_cache(4096)(normalise)


def _roles(text: str, value: str) -> set[Role]:
    """What a normalised text says of a value, wherever it stands."""
    form = _form(value)
    if form not in text:
        return set()  # As most are, and this spares a pattern for each.
    return {role(text, *found.span()) for found in pattern_of(form).finditer(text)}


def _shown(expected: Expected) -> str:
    wanted = repr(expected.values[0]) if expected.values else "no value"
    ago = "" if expected.distance is None else f" {expected.distance} turns back"
    marked = f" with {expected.marks[0]!r}" if expected.marks else ""
    return f"{wanted}{ago}{marked}"
