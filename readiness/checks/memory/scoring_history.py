"""Scoring of histories: whether all turns of a conversation arrive, by how many tokens they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from readiness.checks.memory.scoring import Expected, score_recall
from readiness.reply import Reply
from readiness.score import PASSED, Outcome, Score, failed
from readiness.scoring.usable import unusable

#: What tokens may differ by where two texts are joined: a few, and a small share of them.
SLACK, SLACK_SHARE = 16, 0.02
#: No tokenizer has fewer tokens than one for so many letters, a character beyond ASCII being four.
MOST_LETTERS = 16
#: A numbered line, perhaps of a list or a table, or in bold; a number alone may stand above its
#: answer, and the word for a question before the number.
_LINE = re.compile(
    r"^[\s>*#|(（\[-]*(?:(?:question|answer|q|a|no\.?|第|问?题目?|答案?) *)?"
    r"(?:(?P<line>[1-9])题?[\s*]*[.)）\]、:：．|–—-]|(?P<circled>[①-⑨]))[\s*]*(?P<answer>.+)$",
    re.MULTILINE | re.IGNORECASE,
)


def score_history(replies: Sequence[Reply], lengths: Sequence[int], recalled: bool) -> Score:
    """Score whether a conversation arrives complete, by prompt_tokens and recall of its first turn.

    Whatever the tokenizer, and whatever is added to every prompt or message, the tokens of two
    halves add up to those of the whole. There are fewer where turns of the whole are dropped, and
    more where turns of a half are, or where what is long is counted twice.

    Args:
        replies: The replies to the question alone, after each half of the conversation, after all.
        lengths: The length of the text of each of the four.
        recalled: Whether the reply to all of it recalls the first turn.
    """
    counts = [reply.usage.prompt for reply in replies if reply.usage]
    last = replies[-1].text
    if len(counts) < len(replies):
        why = "the first turn is not recalled, and no usage shows how much of the prompt arrived"
        return PASSED if recalled else failed("truncated history", f"{why}, got {last!r:.120}")
    if _adds_up(counts, lengths):
        return PASSED
    counted = f"prompt_tokens are {counts} for texts of {list(lengths)} characters"
    if recalled:
        # Some servers leave cached tokens out of the count.
        return Score(Outcome.UNDETERMINED, f"{counted}, though the first turn is recalled")
    return failed("truncated history", f"{counted}, and the first turn is not recalled")


def score_line(reply: Reply, line: int, expected: Expected) -> Score:
    """Score the answer to one of several questions, on the line of its number, or that line."""
    if score := unusable(reply):
        return score
    lines = enumerate(filter(str.strip, reply.text.splitlines()), 1)
    numbered = {
        unicodedata.digit(found["line"] or found["circled"]): found["answer"]
        for found in _LINE.finditer(reply.text)
    }
    answers = numbered or dict(lines)
    if line not in answers:
        return failed("format: no line of the number asked", got=f"{reply.text!r:.120}")
    return score_recall(replace(reply, text=answers[line]), expected)


def _adds_up(counts: Sequence[int], lengths: Sequence[int]) -> bool:
    alone, *halves, whole = counts
    due, grown = sum(halves) - 2 * alone, whole - alone
    sizes = zip(counts, lengths, strict=True)
    enough = all(MOST_LETTERS * (count - alone) >= length - lengths[0] for count, length in sizes)
    return enough and abs(grown - due) <= SLACK + SLACK_SHARE * due
