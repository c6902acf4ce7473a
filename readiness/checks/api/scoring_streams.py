"""Whether streams are framed, ended and counted as clients expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from readiness.checks.api.scoring_replies import adds_up, document, fits
from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.protocol.message import decode
from readiness.protocol.sse import Parser
from readiness.reply import DefectKind, Reply
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.usable import defective

Chunk = Mapping[str, Any]
FEWEST_ARRIVALS = 3
#: A stream that is written sooner tells nothing by its times, in seconds.
SHORTEST = 0.1
#: The share of the time to write it that may pass before the first token (METHOD §11.3, M16, has
#: it of the whole time: a fast model that is far away would be called slow to stream).
MOST_WAITED = 0.7
#: More of them no tokenizer makes one token of, in a text of words.
MOST_LETTERS = 40
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
    """The chunks of a stream that belong to a reply: Azure begins with one that does not.

    Raises:
        EndpointError: There is no stream that could be read.
    """
    read(exchange)
    frames = [_object(event.data) for event in Parser().feed(exchange.body)]
    return [each for each in frames if any(map(each.get, ("choices", "usage", "id")))]


def choices(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The choices of a reply, or what the chunks of a stream bring of each."""
    asked = isinstance(exchange.request, dict) and exchange.request.get("stream")
    found = chunks(exchange) if asked else [document(exchange)]
    return [choice for each in found for choice in each.get("choices") or ()]


def logprobs(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The log probabilities of a reply, token by token."""
    given = [choice.get("logprobs") or {} for choice in choices(exchange)]
    return [token for each in given for token in each.get("content") or ()]


def without(reply: Reply, kinds: Set[DefectKind]) -> Score:
    """Score a reply by its defects of some kinds."""
    return defective([each for each in reply.defects if each.kind in kinds]) or PASSED


def all_fit(found: Sequence[Chunk], schema: Mapping[str, Any]) -> Score:
    """Score every chunk by the SDK's schema."""
    scores = [fits(chunk, schema, f"chunk {at}") for at, chunk in enumerate(found)]
    return next((score for score in scores if not score.passed), PASSED)


def identical(found: Sequence[Chunk], *names: str) -> Score:
    """Score whether fields are the same in all chunks."""
    for name in names:
        values = list(dict.fromkeys(repr(chunk.get(name)) for chunk in found))
        if len(values) > 1:
            return failed(f"{name} changes", f"{values[0]:.60}, then {values[1]:.60}")
    return PASSED


def opened(found: Sequence[Chunk]) -> Score:
    """Score where the role stands."""
    deltas = [choice.get("delta") or {} for chunk in found for choice in chunk.get("choices") or ()]
    if not deltas or deltas[0].get("role") != "assistant":
        return failed("the first delta has no role", f"{deltas[:1]!r:.120}")
    again = [delta for delta in deltas[1:] if delta.get("role")]
    return failed("the role comes again", f"{again[0]!r:.80}") if again else PASSED


def counted(found: Sequence[Chunk]) -> Score:
    """Score the token counts of a stream that was asked for them: the last chunk has the whole."""
    last = next((at for at in reversed(range(len(found))) if found[at].get("usage")), None)
    if last is None:
        return failed("asked for usage, and none came")
    if last != len(found) - 1:
        # The SDK's stream helper has the usage of the last chunk, and null is one.
        return failed(f"usage is in chunk {last}, and the last of {len(found)} has none")
    score = adds_up(found[last]["usage"])
    return _plausible(found) if score.passed else score


def _plausible(found: Sequence[Chunk]) -> Score:
    """Score whether the last count is that of the whole text, and not of its own chunk."""
    deltas = [choice.get("delta") or {} for chunk in found for choice in chunk.get("choices") or ()]
    letters = sum(len(str(delta.get("content") or "")) for delta in deltas)
    tokens = found[-1]["usage"]["completion_tokens"]
    if letters > MOST_LETTERS * tokens:
        return failed(f"{tokens} completion tokens for a text of {letters} letters")
    return PASSED


def counted_last(found: Sequence[Chunk]) -> Score:
    """Score where the counts stand: once, on a last chunk without choices."""
    places = [at for at, chunk in enumerate(found) if chunk.get("usage")]
    if places != [len(found) - 1]:
        return failed(f"usage in {len(places)} of {len(found)} chunks, at {places[:5]}")
    choices = found[-1].get("choices")
    return failed("the chunk with usage has choices", f"{choices!r:.120}") if choices else PASSED


def uncounted(found: Sequence[Chunk]) -> Score:
    """Score a stream that was not asked for counts."""
    extra = [chunk for chunk in found if chunk.get("usage") or not chunk.get("choices")]
    return failed(f"nobody asked for {dict(extra[0])!r:.160}") if extra else PASSED


def arrives(exchange: Exchange, words: Sequence[Exchange]) -> Score:
    """Score whether a stream came bit by bit, and not all at its end.

    Args:
        exchange: A stream of many tokens.
        words: Streams of one word: before its first token, too, the way, the queue and the prompt
            take their time, and next to none is taken to write.
    """
    timing = read(exchange).timing
    if timing.first_token is None:
        return Score(Outcome.UNDETERMINED, "the stream brought no text")
    usual = min(read(each).timing.first_token or 0.0 for each in words)
    written = timing.end - min(usual, timing.first_token)
    if written < SHORTEST:
        return PASSED
    times = len({arrival.ns for arrival in exchange.arrivals})
    if times < FEWEST_ARRIVALS:
        return failed(f"the whole stream came at {times} point{'s'[: times > 1]} in time")
    waited = 1 - (timing.end - timing.first_token) / written
    if waited > MOST_WAITED:
        return failed(f"{waited:.0%} of {written:.2f} s had passed before the first token")
    return PASSED


def intact(reply: Reply, echo: str) -> Score:
    """Score whether the text has kept its characters; another text than asked is no damage."""
    damage = without(reply, DAMAGE)
    if not damage.passed:
        return damage
    text = reply.text
    if echo in text:
        return PASSED
    if "\ufffd" in text.rstrip("\ufffd") or _misread(text):
        return failed(f"the characters came out as {text!r:.120}")
    left = {"".join(filter(kept, echo)).strip() for kept in (str.isascii, _in_first_plane)}
    if text.strip() in left - {""}:
        return failed("characters are lost", f"{text!r:.120} for {echo!r:.120}")
    if any(letter in text for letter in echo if not letter.isascii()):
        return PASSED
    return scored(Outcome.UNDETERMINED, "the model does not repeat the text", came=f"{text!r:.120}")


def _in_first_plane(letter: str) -> bool:
    return letter <= "\uffff"


def _object(data: bytes) -> Chunk:
    """A frame; an empty one where it is no JSON object, which is a defect of its own."""
    try:
        found = decode(data.decode(errors="replace"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _misread(text: str) -> bool:
    """Whether a text is UTF-8 that was read as Latin-1 or Windows-1252."""
    for encoding in ("cp1252", "latin-1"):
        try:
            again = text.encode(encoding).decode()
        except UnicodeError:
            continue
        if again != text:
            return True
    return False
