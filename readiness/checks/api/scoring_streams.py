"""Scoring of streams: framing, end, identity of chunks, timing, usage and characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from readiness.checks.api.scoring_replies import document, score_schema, score_usage
from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.protocol.message import decode
from readiness.protocol.sse import Parser
from readiness.reply import DefectKind, Reply
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.usable import defective

Chunk = Mapping[str, Any]
MIN_ARRIVALS = 3
#: A stream generated in fewer seconds shows nothing by its times.
MIN_SECONDS = 0.1
#: The share of the generation time that may pass before the first token. Of the total time, a fast
#: model far away would fail.
MAX_WAIT_SHARE = 0.7
#: More characters a token than any tokenizer has, in a text of words.
MAX_CHARACTERS_PER_TOKEN = 40
FRAMING = {
    DefectKind.STREAM_CONTENT_TYPE,
    DefectKind.NOT_STREAMED,
    DefectKind.FRAME_NOT_JSON,
    DefectKind.FRAME_NOT_OBJECT,
    DefectKind.FRAME_WITHOUT_CHOICES,
    DefectKind.INVALID_UTF8,
    DefectKind.FRAME_CUT_OFF,
    DefectKind.CHOICE_WITHOUT_INDEX,
}
ENDING = {DefectKind.NO_DONE, DefectKind.DATA_AFTER_DONE}
FINISHING = {
    DefectKind.NO_FINISH_REASON,
    DefectKind.SECOND_FINISH_REASON,
    DefectKind.DELTA_AFTER_FINISH_REASON,
    DefectKind.INVALID_FINISH_REASON,
}
DAMAGE = {
    DefectKind.REPLACEMENT_CHARACTER,
    DefectKind.INVALID_UTF8,
    DefectKind.LONE_SURROGATE,
}


def chunks(exchange: Exchange) -> list[Chunk]:
    """The chunks of a stream that are part of the reply: Azure's first one is not.

    Raises:
        EndpointError: The stream cannot be read.
    """
    read(exchange)
    frames = [_object(event.data) for event in Parser().feed(exchange.body)]
    return [each for each in frames if any(map(each.get, ("choices", "usage", "id")))]


def choices(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The choices of a reply, or of all chunks of a stream."""
    streamed = isinstance(exchange.request, dict) and exchange.request.get("stream")
    found = chunks(exchange) if streamed else [document(exchange)]
    return [choice for each in found for choice in each.get("choices") or ()]


def logprobs(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The logprobs of a reply, one entry a token."""
    given = [choice.get("logprobs") or {} for choice in choices(exchange)]
    return [token for each in given for token in each.get("content") or ()]


def score_defects(reply: Reply, kinds: Set[DefectKind]) -> Score:
    """Score a reply by its defects of the given kinds."""
    return defective([each for each in reply.defects if each.kind in kinds]) or PASSED


def score_chunk_schema(found: Sequence[Chunk], schema: Mapping[str, Any]) -> Score:
    """Score every chunk by the SDK's schema."""
    scores = [score_schema(chunk, schema, f"chunk {at}") for at, chunk in enumerate(found)]
    return next((score for score in scores if not score.passed), PASSED)


def score_identical(found: Sequence[Chunk], *names: str) -> Score:
    """Score whether fields are the same in all chunks."""
    for name in names:
        values = list(dict.fromkeys(repr(chunk.get(name)) for chunk in found))
        if len(values) > 1:
            return failed(f"{name} changes", f"{values[0]:.60}, then {values[1]:.60}")
    return PASSED


def score_role(found: Sequence[Chunk]) -> Score:
    """Score whether the first delta, and no other, has the role."""
    deltas = [choice.get("delta") or {} for chunk in found for choice in chunk.get("choices") or ()]
    if not deltas or deltas[0].get("role") != "assistant":
        return failed("the first delta has no role", f"{deltas[:1]!r:.120}")
    again = [delta for delta in deltas[1:] if delta.get("role")]
    return failed("the role is repeated", f"{again[0]!r:.80}") if again else PASSED


def score_usage_in_stream(found: Sequence[Chunk]) -> Score:
    """Score the usage of a stream with include_usage: the last chunk has the total."""
    last = next((at for at in reversed(range(len(found))) if found[at].get("usage")), None)
    if last is None:
        return failed("usage was requested, and none was sent")
    if last != len(found) - 1:
        # The SDK's stream helper takes the usage of the last chunk, even if null.
        return failed(f"usage is in chunk {last}, and the last of {len(found)} has none")
    score = score_usage(found[last]["usage"])
    return _plausible(found) if score.passed else score


def _plausible(found: Sequence[Chunk]) -> Score:
    """Score whether the last count is of the whole text, rather than of the last chunk."""
    deltas = [choice.get("delta") or {} for chunk in found for choice in chunk.get("choices") or ()]
    letters = sum(len(str(delta.get("content") or "")) for delta in deltas)
    tokens = found[-1]["usage"]["completion_tokens"]
    if letters > MAX_CHARACTERS_PER_TOKEN * tokens:
        return failed(f"{tokens} completion tokens for a text of {letters} letters")
    return PASSED


def score_usage_in_last_chunk(found: Sequence[Chunk]) -> Score:
    """Score whether usage is sent once, in a final chunk without choices."""
    places = [at for at, chunk in enumerate(found) if chunk.get("usage")]
    if places != [len(found) - 1]:
        return failed(f"usage in {len(places)} of {len(found)} chunks, at {places[:5]}")
    choices = found[-1].get("choices")
    return failed("the chunk with usage has choices", f"{choices!r:.120}") if choices else PASSED


def score_no_usage(found: Sequence[Chunk]) -> Score:
    """Score a stream without include_usage."""
    extra = [chunk for chunk in found if chunk.get("usage") or not chunk.get("choices")]
    return failed(f"not requested: {dict(extra[0])!r:.160}") if extra else PASSED


def score_incremental(exchange: Exchange, words: Sequence[Exchange]) -> Score:
    """Score whether a stream arrived incrementally, and not all at its end.

    Args:
        exchange: A stream of many tokens.
        words: Streams of one word, whose time to first token has the same network, queue and
            prefill time, and whose generation takes next to none.
    """
    timing = read(exchange).timing
    if timing.first_token is None:
        return Score(Outcome.UNDETERMINED, "the stream has no text")
    usual = min(read(each).timing.first_token or 0.0 for each in words)
    generation = timing.end - min(usual, timing.first_token)
    if generation < MIN_SECONDS:
        return PASSED
    times = len({arrival.ns for arrival in exchange.arrivals})
    if times < MIN_ARRIVALS:
        return failed(f"the whole stream arrived at {times} point{'s'[: times > 1]} in time")
    waited = 1 - (timing.end - timing.first_token) / generation
    if waited > MAX_WAIT_SHARE:
        return failed(
            f"{waited:.0%} of {generation:.2f} s of generation passed before the first token"
        )
    return PASSED


def score_intact(reply: Reply, echo: str) -> Score:
    """Score whether the text's characters are intact; a different text is no damage."""
    damage = score_defects(reply, DAMAGE)
    if not damage.passed:
        return damage
    text = reply.text
    if echo in text:
        return PASSED
    if "\ufffd" in text.rstrip("\ufffd") or _misread(text):
        return failed(f"the characters arrived as {text!r:.120}")
    left = {"".join(filter(kept, echo)).strip() for kept in (str.isascii, _in_first_plane)}
    if text.strip() in left - {""}:
        return failed("characters are lost", f"{text!r:.120} for {echo!r:.120}")
    if any(letter in text for letter in echo if not letter.isascii()):
        return PASSED
    return scored(Outcome.UNDETERMINED, "the model does not repeat the text", came=f"{text!r:.120}")


def _in_first_plane(letter: str) -> bool:
    return letter <= "\uffff"


def _object(data: bytes) -> Chunk:
    """A frame as an object; an empty one if it is no JSON object, which is a defect already."""
    try:
        found = decode(data.decode(errors="replace"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _misread(text: str) -> bool:
    """Whether a text is UTF-8 that was decoded as Latin-1 or Windows-1252."""
    for encoding in ("cp1252", "latin-1"):
        try:
            again = text.encode(encoding).decode()
        except UnicodeError:
            continue
        if again != text:
            return True
    return False
