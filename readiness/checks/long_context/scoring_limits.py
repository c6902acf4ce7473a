"""Scoring of lengths: what is truncated in silence, and how too long a prompt is refused."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.checks.long_context.document import DocumentAnswers
from readiness.checks.long_context.length_search import LengthSearchResult
from readiness.checks.long_context.liveness import LivenessResult
from readiness.checks.long_context.scoring_needles import finds
from readiness.checks.long_context.send_document import OversizedDocumentReply
from readiness.exchange import Exchange
from readiness.protocol.completion import error_text, read
from readiness.reply import Reply
from readiness.score import PASSED, EndpointError, Measure, Outcome, Score, failed, scored

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


def arrives(reply: Reply, expected: DocumentAnswers, sent: int) -> Score:
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
        return failed(f"truncated ({shape(found)})", shown)
    if not any(found[1:]):
        # A model that answers nothing, or nothing rightly, shows nothing of its prompt.
        return scored(Outcome.UNDETERMINED, "no answer tells what arrived", came=shown)
    if cut := end_lost(found):
        return failed(f"truncated ({cut}), whatever is counted", shown)
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


def _found(reply: Reply, expected: DocumentAnswers) -> dict[float, bool]:
    """Which depths of the log are known; before the log comes the order to begin with a code."""
    found = {
        each.depth: finds(reply, each).passed
        for each in expected.questions
        if each.depth is not None
    }
    return {BEFORE: expected.code in reply.text, **found}


def _place(depth: float) -> str:
    return "the first message" if depth == BEFORE else f"{depth:.0%}"


REFUSED_WITHIN = 30.0  # seconds
#: What the article claims as its 99th percentile, in seconds.
QUICK = 8.2
WARM = 64  # tokens: a cached system prompt of the endpoint's own
#: Seconds that a short chat may take beside a long document, and how it must be afterwards.
BESIDE, RECOVERED, UNNOTICED = 30.0, 1.5, 1.0
#: A 4xx that says nothing of the length of a prompt.
OTHERWISE = (401, 403, 404, 408, 429)


def refuses(sent: OversizedDocumentReply) -> Score:
    """Score what came of a prompt that is longer than the window: an error, or all of it read."""
    exchange, about = sent.exchange, f"a prompt beyond the window of {sent.window:,}"
    if exchange.fault is not None:
        return failed(about, f"{exchange.fault}: {exchange.detail}")
    status, seconds = exchange.status or 0, exchange.seconds
    if 200 <= status < 300:
        try:
            score = arrives(read(exchange), sent.expected, sent.tokens)
        except EndpointError as error:
            return failed(about, str(error))
        return score if score.passed else failed(about, f"HTTP {status}, {score.reason}")
    if not 400 <= status < 500 or status in OTHERWISE:
        return failed(about, f"HTTP {status}: {error_text(exchange)!r:.120}")
    if seconds > REFUSED_WITHIN:
        return failed(about, f"refused after {seconds:.0f} s")
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
        score = scored(Outcome.UNDETERMINED, "warm", came=f"{cached:,} tokens were cached, {took}")
    else:
        score = PASSED if timing.end <= QUICK else failed("slow", f"{took}, more than {QUICK} s")
    return score.measured(*measures)


def survives(exchange: Exchange, life: LivenessResult, remedy: str = "") -> Score:
    """Score what came of a long page, and of the short requests beside it."""
    if ended := ending(exchange):
        return failed(f"{ended}; beside it {life.shown}{remedy}")
    if life.failure:
        return failed(f"beside a long page {life.failure}")
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


def reaches(ladder: LengthSearchResult, required: int, window: int | None) -> Score:
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
