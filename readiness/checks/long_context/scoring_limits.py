"""Whether an endpoint knows its limits: what is too long for it, how long it takes, what lives."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.checks.long_context.length_search import Ladder
from readiness.checks.long_context.liveness import Life
from readiness.checks.long_context.scoring_truncation import arrives
from readiness.checks.long_context.send_document import Sent
from readiness.exchange import Exchange
from readiness.protocol.completion import error_text, read
from readiness.reply import Reply
from readiness.score import PASSED, EndpointError, Measure, Outcome, Score, failed

NS = 1e9
REFUSED_WITHIN = 30.0  # seconds
#: What the article claims as its 99th percentile, in seconds.
QUICK = 8.2
WARM = 64  # tokens: a cached system prompt of the endpoint's own
#: Seconds that a short chat may take beside a long document, and how it must be afterwards.
BESIDE, RECOVERED, UNNOTICED = 30.0, 1.5, 1.0
#: A 4xx that says nothing of the length of a prompt.
OTHERWISE = (401, 403, 404, 408, 429)


def refuses(sent: Sent) -> Score:
    """Score what came of a prompt that is longer than the window: an error, or all of it read."""
    exchange, about = sent.exchange, f"a prompt beyond the window of {sent.window:,}"
    if exchange.fault is not None:
        return failed(f"{about}: {exchange.fault}: {exchange.detail}")
    status, seconds = exchange.status or 0, exchange.end / NS
    if 200 <= status < 300:
        try:
            score = arrives(read(exchange), sent.expected, sent.tokens)
        except EndpointError as error:
            return failed(f"{about}: {error}")
        return score if score.passed else failed(f"{about}: HTTP {status}, {score.reason}")
    if not 400 <= status < 500 or status in OTHERWISE:
        return failed(f"{about}: HTTP {status}: {error_text(exchange)!r:.120}")
    if seconds > REFUSED_WITHIN:
        return failed(f"{about}: refused after {seconds:.0f} s")
    return PASSED


def quick(reply: Reply, length: int) -> Score:
    """Score the time that a cold prompt took, from its first byte to the reply's last."""
    cached = (reply.usage.cached if reply.usage else None) or 0
    timing = reply.timing
    first = "" if timing.first_token is None else f", its first token {timing.first_token:.1f} s"
    took = f"{length:,} tokens took {timing.end:.1f} s{first}"
    warm = cached > WARM
    at: dict[str, float | str] = {"length": length, **({"cached": cached} if warm else {})}
    measures = [Measure("time", timing.end, "s", at)]
    if timing.first_token is not None:
        measures.append(Measure("time to first token", timing.first_token, "s", at))
    if warm:
        score = Score(Outcome.UNDETERMINED, f"warm: {cached:,} tokens were cached, {took}")
    else:
        score = PASSED if timing.end <= QUICK else failed(f"slow: {took}, more than {QUICK} s")
    return score.measured(*measures)


def survives(exchange: Exchange, life: Life, remedy: str = "") -> Score:
    """Score what came of a long page, and of the short requests beside it."""
    if ended := ending(exchange):
        return failed(f"{ended}; beside it {life.shown}{remedy}")
    if life.dead:
        return failed(f"beside a long page {life.dead}")
    if life.slowest > BESIDE:
        return failed(f"beside a long page a short request takes {life.slowest:.0f} s")
    if life.after > max(RECOVERED * life.before, life.before + UNNOTICED):
        times = f"{life.before:.1f} s before and {life.after:.1f} s after"
        return failed(f"a short request takes {times} a long page")
    return PASSED


def remedy(pieces: Sequence[Exchange]) -> str:
    """What the pieces of a page tell, which failed as a whole, in words."""
    if ended := ending(pieces[-1]):
        return f"; of its pieces, number {len(pieces)} fails: {ended}"
    return f"; in {len(pieces)} pieces of 5,000 characters that overlap it passes"


def reaches(ladder: Ladder, required: int, window: int | None) -> Score:
    """Score up to which length what was planted is found."""
    declared = "" if window is None else f" of {window:,} that are declared"
    reached = f"effective length {ladder.effective:,} tokens{declared}: found at {ladder.shown}"
    if ladder.effective >= required:
        score = PASSED
    elif ladder.effective == ladder.top and (window is None or window >= required):
        score = Score(Outcome.UNDETERMINED, f"{reached}, and {required:,} was not tried")
    else:
        score = failed(reached)
    stated = [] if window is None else [Measure("declared window", window, "tokens")]
    effective = Measure("effective length", ladder.effective, "tokens")
    return score.measured(effective, *stated, *ladder.measures)


def ending(exchange: Exchange) -> str:
    """What is wrong with how a long request ended; a refusal is no less an answer."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    status = exchange.status or 0
    if 400 <= status < 500 and status not in OTHERWISE:
        return ""
    try:
        reply = read(exchange)
    except EndpointError as error:
        return str(error)
    return "" if (reply.text or reply.reasoning).strip() else "no text"
