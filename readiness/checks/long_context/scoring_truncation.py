"""Whether a long prompt arrived whole, and which part of it is lost where it did not."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.checks.long_context.document import Expected
from readiness.checks.long_context.scoring_needles import finds
from readiness.reply import Reply
from readiness.score import PASSED, Measure, Outcome, Score, failed

#: How much of what was sent must be counted: less where nothing else tells of a loss.
COUNTED, COUNTED_AT_LEAST = 0.97, 0.90
#: How much of the length must be taken up, as the endpoint counts.
FILLED = 0.96
BEFORE = -1.0  # The depth of what stands before the document.


def accepts(reply: Reply, length: int, reserved: int, sent: int) -> Score:
    """Score whether the endpoint took a prompt that fills the length.

    Args:
        reply: The reply to it.
        length: The tokens that prompt and reply were to have together.
        reserved: How many of them were kept free for the reply.
        sent: How many tokens the prompt has, by what the endpoint has counted; 0 where it has not.
    """
    if not sent:
        why = "the endpoint counts no tokens, so that the length is only estimated"
        return Score(Outcome.UNDETERMINED, why)
    prompt = reply.usage.prompt if reply.usage else sent
    room = f"{prompt:,} tokens of prompt and {reserved:,} of reply"
    full = prompt + reserved >= FILLED * length
    score = PASSED if full else failed(f"accepts {room}, and not {length:,}")
    return score.measured(Measure("prompt", prompt, "tokens", {"length": length}))


def arrives(reply: Reply, expected: Expected, sent: int) -> Score:
    """Score whether all of a log was read, by what is counted and by what is known of each part.

    Args:
        reply: The reply to its questions.
        expected: The questions.
        sent: About how many tokens the prompt has; 0 where nobody knows.
    """
    count = reply.usage.prompt if reply.usage else None
    depths = sorted(each for each in _found(reply, expected).items())
    found = [known for _, known in depths]
    lost = [_place(depth) for depth, known in depths if not known]
    counted = "prompt_tokens are not counted" if count is None else f"{count:,} prompt_tokens"
    of = f" of about {sent:,}" if sent else ""
    shown = f"{counted}{of}; lost at {', '.join(lost) or 'no depth'}"
    least = COUNTED if lost else COUNTED_AT_LEAST
    if count is not None and count < least * sent:
        return failed(f"truncated ({shape(found)}): {shown}")
    if not any(found[1:]):
        # A model that answers nothing, or nothing rightly, shows nothing of its prompt.
        return Score(Outcome.UNDETERMINED, f"no answer tells what arrived: {shown}")
    if cut := end_lost(found):
        return failed(f"truncated ({cut}), whatever is counted: {shown}")
    return PASSED


def shape(found: Sequence[bool]) -> str:
    """Which part is lost, of places in their order that are known or not."""
    if all(found):
        return "cap"
    if not any(found):
        return "all"
    first, last = found.index(False), len(found) - 1 - found[::-1].index(False)
    if any(found[first : last + 1]):
        return "in places"
    if first == 0:
        return "head"
    return "tail" if last == len(found) - 1 else "middle"


def end_lost(found: Sequence[bool]) -> str:
    """Which end is lost, two places of it or more, where all else is known; "" where none is.

    What is lost in the middle is the model's to find. One place may be, anywhere.
    """
    part = shape(found)
    return part if part in ("head", "tail") and found.count(False) > 1 else ""


def _found(reply: Reply, expected: Expected) -> dict[float, bool]:
    """Which depths of the log are known; before the log comes the order to begin with a code."""
    found = {
        each.depth: finds(reply, each).passed
        for each in expected.questions
        if each.depth is not None
    }
    return {BEFORE: expected.code in reply.text, **found}


def _place(depth: float) -> str:
    return "the first message" if depth == BEFORE else f"{depth:.0%}"
