"""What makes a reply no text to read: it is blocked, a call, or empty."""

from __future__ import annotations

from readiness.reply import Reply
from readiness.score import Outcome, Score, failed


def unusable(reply: Reply) -> Score | None:
    """Score a reply that holds no text to read; None where it does."""
    if reply.defects:
        return failed(reply.defect_text)
    if reply.finish == "content_filter":
        return Score(Outcome.BLOCKED, f"blocked by a filter: {reply.text!r:.120}")
    if reply.tool_calls:
        return failed(f"format: a call of {reply.tool_calls[0].name!r:.60}")
    return None if reply.text.strip() else failed("format: no text")
