"""What makes a reply no text to read: it is blocked, a call, or empty."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.reply import Defect, Reply
from readiness.score import Outcome, Score, failed, scored


def defective(defects: Sequence[Defect]) -> Score | None:
    """Score a reply by what is wrong with its form; None where nothing is."""
    if not defects:
        return None
    reason = "; ".join(each.text for each in defects)
    return Score(Outcome.FAIL, reason, kind="; ".join(each.said for each in defects))


def unusable(reply: Reply) -> Score | None:
    """Score a reply that holds no text to read; None where it does."""
    if broken := defective(reply.defects):
        return broken
    if reply.finish == "content_filter":
        return scored(Outcome.BLOCKED, "blocked by a filter", came=f"{reply.text!r:.120}")
    if reply.tool_calls:
        return failed("format", f"a call of {reply.tool_calls[0].name!r:.60}")
    return None if reply.text.strip() else failed("format", "no text")
