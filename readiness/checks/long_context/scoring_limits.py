"""Scoring of lengths: silent truncation, oversized prompts, latency, liveness."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.checks.long_context.document import DocumentAnswers
from readiness.checks.long_context.length_search import LengthSearchResult
from readiness.checks.long_context.liveness import LivenessResult
from readiness.checks.long_context.scoring_needles import score_answer
from readiness.checks.long_context.send_document import OversizedDocumentReply
from readiness.exchange import Exchange
from readiness.protocol.completion import error_text, read
from readiness.reply import Reply
from readiness.score import PASSED, EndpointError, Measure, Outcome, Score, failed, scored
from readiness.scoring.lateness import excuse_if_late

#: The share of the sent tokens that must be counted: less if no other evidence shows a loss.
MIN_COUNTED, MIN_COUNTED_WITHOUT_LOSS = 0.97, 0.90
#: The share of the length that prompt and reply must fill, as the endpoint counts.
MIN_FILLED = 0.96
#: With fewer places found, nothing shows which part arrived.
MIN_FOUND = 2
#: The share of places that a model finds in a short document, if what it misses in a long one is
#: lost: RULER's threshold, as of the effective length.
MIN_FOUND_IN_SHORT = 0.856
BEFORE = -1.0  # the depth assigned to the system message


def score_accepted_length(reply: Reply, length: int, reserved: int, sent: int) -> Score:
    """Score whether the endpoint accepted a prompt that fills the length.

    Args:
        reply: The reply to it.
        length: The target length of prompt and reply together, in tokens.
        reserved: The tokens of it reserved for the reply.
        sent: The tokens of the prompt, based on the endpoint's counts; 0 if it counts none.
    """
    if not sent:
        why = "the endpoint counts no tokens, so the length is only estimated"
        return Score(Outcome.UNDETERMINED, why)
    prompt = reply.usage.prompt if reply.usage else sent
    room = f"{prompt:,} tokens of prompt and {reserved:,} of reply"
    full = prompt + reserved >= MIN_FILLED * length
    score = PASSED if full else failed(f"accepts {room}, and not {length:,}")
    return score.measured(Measure("prompt", prompt, "tokens", {"length": length}))


def score_truncation(reply: Reply, expected: DocumentAnswers, sent: int) -> Score:
    """Score whether all of a log reached the model, by token counts and by needles at each depth.

    Args:
        reply: The reply to the log's questions.
        expected: The questions and answers.
        sent: The approximate tokens of the prompt; 0 if unknown.
    """
    count = reply.usage.prompt if reply.usage else None
    depths = sorted(_found(reply, expected).items())
    found = [known for _, known in depths]
    lost = [_place(depth) for depth, known in depths if not known]
    counted = "prompt_tokens are not counted" if count is None else f"{count:,} prompt_tokens"
    of = f" of about {sent:,}" if sent else ""
    shown = f"{counted}{of}; lost at {', '.join(lost) or 'no depth'}"
    share = MIN_COUNTED if lost else MIN_COUNTED_WITHOUT_LOSS
    if count is not None and count < share * sent:
        return failed(f"truncated ({lost_part(found)})", shown)
    if not any(found[1:]) or sum(found) < MIN_FOUND:
        # A model that answers next to nothing correctly shows nothing about its prompt.
        return scored(Outcome.UNDETERMINED, "too few correct answers show what arrived", came=shown)
    if cut := end_lost(found):
        return failed(f"truncated ({cut}), whatever prompt_tokens says", shown)
    return PASSED


def is_lost_by_answers_alone(reply: Reply, expected: DocumentAnswers, sent: int) -> bool:
    """Whether an end of a log is lost by its answers, while all of its tokens are counted."""
    counted = reply.usage is None or reply.usage.prompt >= MIN_COUNTED * sent
    return counted and bool(
        end_lost([known for _, known in sorted(_found(reply, expected).items())])
    )


def rescore_by_short_document(lost: Score, reply: Reply, expected: DocumentAnswers) -> Score:
    """Score a log whose end is lost again, by a short one, in which a weak model misses as much."""
    found = [*_found(reply, expected).values()]
    if sum(found) >= MIN_FOUND_IN_SHORT * len(found):
        return lost
    came = f"{sum(found)} of {len(found)} found in a short document; {lost.reason}"
    return scored(Outcome.UNDETERMINED, "the model misses as much in short documents", came=came)


def lost_part(found: Sequence[bool]) -> str:
    """Name the part that is lost, from whether each needle was found, in order of depth."""
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
    """Return which end lost two needles or more while all others were found, or "".

    Needles missed in the middle, or a single one anywhere, are the model's misses.
    """
    part = lost_part(found)
    return part if part in ("head", "tail") and found.count(False) > 1 else ""


def _found(reply: Reply, expected: DocumentAnswers) -> dict[float, bool]:
    """Whether the needle at each depth was found; the code ordered by the system message first."""
    found = {
        each.depth: score_answer(reply, each).passed
        for each in expected.questions
        if each.depth is not None
    }
    return {BEFORE: expected.code in reply.text, **found}


def _place(depth: float) -> str:
    return "the first message" if depth == BEFORE else f"{depth:.0%}"


REJECTION_TIMEOUT = 30.0  # seconds
#: The article's 99th percentile, in seconds.
MAX_LATENCY = 8.2
MAX_CACHED = 64  # tokens of a cold prompt: a system prompt of the endpoint's own
#: The seconds of a short request during a long one; the ratio and seconds by which it may be slower
#: afterwards.
MAX_SECONDS_DURING, MAX_RATIO_AFTER, MAX_SLOWDOWN_AFTER = 30.0, 1.5, 1.0
#: The 4xx statuses that are no rejection of a prompt's length.
UNRELATED_STATUSES = (401, 403, 404, 408, 429)


def score_oversized_document(sent: OversizedDocumentReply) -> Score:
    """Score a prompt longer than the window: rejected with a 4xx in time, or read in full."""
    exchange, about = sent.exchange, f"a prompt beyond the window of {sent.window:,}"
    if exchange.fault is not None:
        return failed(about, f"{exchange.fault}: {exchange.detail}")
    status, seconds = exchange.status or 0, exchange.seconds
    if 200 <= status < 300:
        try:
            score = score_truncation(read(exchange), sent.expected, sent.tokens)
        except EndpointError as error:
            return failed(about, str(error))
        failing = score.outcome is Outcome.FAIL
        return failed(about, f"HTTP {status}, {score.reason}") if failing else score
    if not 400 <= status < 500 or status in UNRELATED_STATUSES:
        return failed(about, f"HTTP {status}: {error_text(exchange)!r:.120}")
    if seconds > REJECTION_TIMEOUT:
        score = failed(about, f"refused after {seconds:.0f} s")
        return excuse_if_late(score, seconds - REJECTION_TIMEOUT, exchange.seconds_late)
    return PASSED


def score_latency(reply: Reply, length: int) -> Score:
    """Score the latency of a cold prompt, from the request's first byte to the reply's last."""
    cached = (reply.usage.cached if reply.usage else None) or 0
    timing = reply.timing
    first = "" if timing.first_token is None else f", its first token {timing.first_token:.1f} s"
    took = f"{length:,} tokens took {timing.end:.1f} s{first}"
    warm = cached > MAX_CACHED
    at: dict[str, float | str] = {"length": length, **({"cached": cached} if warm else {})}
    measures = [Measure("time", timing.end, "s", at)]
    if timing.first_token is not None:
        measures.append(Measure("time to first token", timing.first_token, "s", at))
    if warm:
        score = scored(Outcome.UNDETERMINED, "warm", came=f"{cached:,} tokens were cached, {took}")
    else:
        score = (
            PASSED
            if timing.end <= MAX_LATENCY
            else failed("slow", f"{took}, more than {MAX_LATENCY} s")
        )
    return score.measured(*measures)


def score_long_page(exchange: Exchange, liveness: LivenessResult, pieces: str = "") -> Score:
    """Score the response to a long page, and the short requests during it."""
    if why := failure_of(exchange):
        return failed(f"{why}; during it {liveness.shown}{pieces}")
    if liveness.failure:
        return failed(f"during a long page {liveness.failure}")
    if (excess := liveness.slowest_seconds - MAX_SECONDS_DURING) > 0:
        took = f"{liveness.slowest_seconds:.0f} s"
        score = failed(f"during a long page a short request takes {took}")
        return excuse_if_late(score, excess, liveness.late_during)
    if (excess := seconds_slower(liveness)) > 0:
        times = f"{liveness.seconds_before:.1f} s before and {liveness.seconds_after:.1f} s after"
        score = failed(f"a short request takes {times} a long page")
        return excuse_if_late(score, excess, liveness.late_after)
    return PASSED


def seconds_slower(liveness: LivenessResult) -> float:
    """By how many seconds a short request takes too long after a long one; 0 or less for none."""
    before = liveness.seconds_before
    return liveness.seconds_after - max(MAX_RATIO_AFTER * before, before + MAX_SLOWDOWN_AFTER)


def pieces_note(pieces: Sequence[Exchange]) -> str:
    """How a page that failed as a whole fared in pieces, as the end of a message."""
    if why := failure_of(pieces[-1]):
        return f"; of its pieces, number {len(pieces)} fails: {why}"
    return f"; in {len(pieces)} overlapping pieces of 5,000 characters it passes"


def score_effective_length(search: LengthSearchResult, required: int, window: int | None) -> Score:
    """Score the effective length of a length search."""
    declared = "" if window is None else f" of {window:,} declared"
    reached = (
        f"effective length {search.effective_length:,} tokens{declared}: accuracy at {search.shown}"
    )
    if search.effective_length >= required:
        score = PASSED
    elif search.effective_length == search.max_length and (window is None or window >= required):
        score = Score(Outcome.UNDETERMINED, f"{reached}, and {required:,} was not tried")
    else:
        score = failed(reached)
    stated = [] if window is None else [Measure("declared window", window, "tokens")]
    effective = Measure("effective length", search.effective_length, "tokens")
    return score.measured(effective, *stated, *search.measures)


def failure_of(exchange: Exchange) -> str:
    """Return how a long request failed, or an empty string; a rejection is an answer too."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    status = exchange.status or 0
    if 400 <= status < 500 and status not in UNRELATED_STATUSES:
        return ""
    try:
        reply = read(exchange)
    except EndpointError as error:
        return str(error)
    return "" if (reply.text or reply.reasoning).strip() else "no text"
