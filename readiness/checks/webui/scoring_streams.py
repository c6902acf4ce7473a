"""Scoring of long streams through the web interface."""

from __future__ import annotations

from readiness.checks.webui.requests import described
from readiness.exchange import Exchange
from readiness.load.latency import incomplete_reply_reason
from readiness.protocol.completion import lost
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored

DONE = b"data: [DONE]"


def score_long_stream(exchange: Exchange) -> Score:
    """Score whether a long stream is complete; what was cut may not look complete."""
    took = Measure("long stream", exchange.seconds, "s")
    if exchange.status is not None and exchange.status != 200:
        return failed("a chat is not answered", described(exchange))
    if exchange.status is None and (missing := lost(exchange)):
        return missing
    if not (why := incomplete_reply_reason(exchange)):
        return PASSED.measured(took)
    if exchange.fault is None and DONE in exchange.body[-64:]:
        return failed("a cut stream ends like a complete one", f"{why}, after {_took(exchange)}")
    return failed("a long stream is cut", f"{why}, after {_took(exchange)}").measured(took)


def score_stream_over_end(exchange: Exchange, session: float) -> Score:
    """Score a stream that was to be under way when its session ended, after so many seconds."""
    if why := incomplete_reply_reason(exchange):
        return failed("a stream does not outlast its session", why)
    if exchange.seconds <= session:
        came = f"after {_took(exchange)}, and the session lasted {session:.0f} s"
        return scored(Outcome.UNDETERMINED, "the stream ended before its session", came)
    return PASSED


def _took(exchange: Exchange) -> str:
    return f"{exchange.seconds:.1f} s"
