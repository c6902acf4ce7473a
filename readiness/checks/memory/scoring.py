"""Scoring of memory: whether a reply recalls the answer, and how it is wrong."""

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

#: The least ratio of tokens per character, later in a conversation to earlier: texts differ.
MIN_TOKEN_RATIO = 0.85
MAX_ANSWER = 40  # characters; a longer reply is verbose
LONG = re.compile(r"\d{3}|\d-\d")  # digits of a value: a smaller number may count turns
#: What a value is not said to be, and what it is not said to be any more.
_NOT_SO = {Role.DENIED}
_NOT_NOW = {Role.DENIED, Role.FORMER}


@dataclass(frozen=True)
class Expected:
    """The answer that a reply must recall.

    Args:
        values: Ways to write the answer; none if it was never stated.
        stale: Earlier values of the answer.
        others: Values of other things in the conversation.
        marks: Texts of which the reply must contain one verbatim, by a standing instruction.
        distance: How many turns ago the last needed fact was stated; None if it never was.
    """

    values: Sequence[str]
    stale: Sequence[str] = ()
    others: Sequence[str] = ()
    marks: Sequence[str] = ()
    distance: int | None = None


def score_recall(reply: Reply, expected: Expected) -> Score:
    """Score a reply that must state the answer, and no other value of the conversation."""
    if score := unusable(reply):
        return score
    if wrong := _mistake(normalise(reply.text), expected) or _unmarked(reply.text, expected):
        return failed(f"{wrong}expected {_shown(expected)}", got=f"{reply.text!r:.120}")
    text = reply.text.strip()
    # That only the answer was asked for is no matter of memory.
    return (
        scored(Outcome.PASS, "verbose", came=f"{len(text)} characters")
        if len(text) > MAX_ANSWER
        else PASSED
    )


def score_history(replies: Sequence[Reply], lengths: Sequence[int], recalled: bool) -> Score:
    """Score whether a conversation arrives complete, by prompt_tokens and recall of its first turn.

    Args:
        replies: The replies to two prefixes of the conversation and to all of it.
        lengths: The length of the text of each of the three.
        recalled: Whether the reply to all of it recalls the first turn.
    """
    counts = [reply.usage.prompt for reply in replies if reply.usage]
    last = replies[-1].text
    if len(counts) < len(replies):
        why = "the first turn is not recalled, and no usage shows how much of the prompt arrived"
        return PASSED if recalled else failed("truncated history", f"{why}, got {last!r:.120}")
    # The tokens that a server adds to every prompt cancel out in the differences.
    grown, text = _steps(counts), _steps(lengths)
    if grown[0] > 0 and grown[1] * text[0] >= MIN_TOKEN_RATIO * grown[0] * text[1]:
        return PASSED
    counted = f"prompt_tokens are {counts} for texts of {list(lengths)} characters"
    if recalled:
        # Some servers leave cached tokens out of the count.
        return Score(Outcome.UNDETERMINED, f"{counted}, though the first turn is recalled")
    return failed("truncated history", f"{counted}, and the first turn is not recalled")


def length(messages: Sequence[Message]) -> int:
    """The length of a conversation's text, with a character beyond ASCII counted as four."""
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
        return f"{'stale' if stale else 'swap'}: besides the answer, "
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
    folded = _folded(text)
    # EUR must not match "euros".
    marks = [rf"(?<![a-z]){re.escape(_folded(mark))}(?![a-z])" for mark in expected.marks]
    obeyed = not marks or any(re.search(mark, folded) for mark in marks)
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
