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
from readiness.resources import prompts
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.usable import unusable
from readiness.scoring.values import normalise, pattern_of

#: The least ratio of tokens per character, later in a conversation to earlier: texts differ.
MIN_TOKEN_RATIO = 0.85
MAX_ANSWER = 40  # characters; a longer reply is verbose
CONTEXT = 24  # characters before a value that are searched for a negation
# A negation, as in 不是X，而是Y: up to six characters before the value, with no digit between.
_DENIED = re.compile(r"(?:不是|并非|而非|不再是|not|no longer|instead of|rather than)\D{0,6}$")
# A past form: a stale value that the reply describes as such is no error.
_PAST = re.compile(r"(?:从|由|原来|原先|原为|之前|以前|旧|was|were|from|formerly)\D{0,6}$")
_ABSTAINS = re.compile("|".join(map(re.escape, prompts("memory.yaml")["abstains"])))


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
    """Return the kind of error of a normalised reply, as the start of a message, or ""."""
    stale = any(_states(text, value, _DENIED, _PAST) for value in _forms(expected.stale))
    swapped = any(_states(text, value, _DENIED) for value in _forms(expected.others))
    abstains = bool(_ABSTAINS.search(text))
    if not expected.values:
        return "" if abstains and not swapped else "hallucinated: "
    if not any(_states(text, value, _DENIED) for value in _forms(expected.values)):
        return _instead(stale, swapped, abstains)
    if stale or swapped:
        return f"{'stale' if stale else 'swap'}: besides the answer, "
    return "format: an answer and none, " if abstains else ""


def _instead(stale: bool, swapped: bool, abstains: bool) -> str:
    if abstains:
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


def _forms(values: Sequence[str]) -> list[str]:
    return [_form(value) for value in values]


# The probes of one conversation share its values.
_form = lru_cache(4096)(normalise)


def _states(text: str, value: str, *excused: re.Pattern[str]) -> bool:
    """Whether a text states the value, other than after words that negate it."""
    if value not in text:
        return False  # Most values are absent, which saves compiling their patterns.
    starts = [found.start() for found in pattern_of(value).finditer(text)]
    before = [text[max(0, start - CONTEXT) : start] for start in starts]
    return any(not any(words.search(each) for words in excused) for each in before)


def _shown(expected: Expected) -> str:
    wanted = repr(expected.values[0]) if expected.values else "no value"
    ago = "" if expected.distance is None else f" {expected.distance} turns back"
    marked = f" with {expected.marks[0]!r}" if expected.marks else ""
    return f"{wanted}{ago}{marked}"
