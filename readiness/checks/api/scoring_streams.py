"""Scoring of streams: framing, end, identity of chunks, timing, usage and characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from statistics import median_low
from typing import Any, NamedTuple, Self

from readiness.checks.api.scoring_replies import document, score_schema, score_usage
from readiness.exchange import Exchange
from readiness.protocol.completion import lost, read
from readiness.protocol.message import decode
from readiness.protocol.sse import Parser
from readiness.reply import DefectKind, Reply
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.lateness import excuse_if_late, too_busy
from readiness.scoring.rejection import tells
from readiness.scoring.usable import defective

Chunk = Mapping[str, Any]
MIN_ARRIVALS = 3
#: What arrives within so many seconds of what came before is of the same burst, for so many seconds
#: at most: what keeps coming for longer has not arrived at once.
BURST_GAP, BURST_SPAN = 0.0005, 0.02
#: A stream of so many frames is generated over some time by any model.
MANY_FRAMES, FRAME = 1_000, b"data:"
#: A proxy's block is of so many bytes at least, and of fewer than one read of this process takes:
#: what it reads late comes in pieces of any size up to that.
MIN_BLOCK, READ_SIZE = 512, 2**18
#: The least number of steps between blocks, and the share of them that must be of one size and end
#: inside a frame: the kernel cuts some elsewhere.
MIN_STEPS, BLOCK_SHARE = 3, 0.75
FRAME_ENDS = (b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r\n")
#: A stream generated in fewer seconds shows nothing by its times.
MIN_SECONDS = 0.1
#: How much longer what waits for its own end waits, if it has twice as many frames: between no
#: longer and twice as long, which a busy machine blurs.
GROWTH = 1.5
#: The share of the generation time that may pass before the first token. Of the total time, a fast
#: model far away would fail. A reply that is made first and played back at half the speed waits for
#: a third of it.
MAX_WAIT_SHARE = 0.25
#: How many lags of this process may delay a first token: the kernel has the time of the last byte
#: of those that are read at once, and the words that it is compared with have theirs.
LAGS = 2.0
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
    given = [choice.get("logprobs") for choice in choices(exchange)]
    listed = [each.get("content") for each in given if isinstance(each, Mapping)]
    return [token for each in listed if isinstance(each, list) for token in each]


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


class StreamTimes(NamedTuple):
    """The times of a stream, in seconds since its request was written.

    Args:
        first: To its first token; 0 without one.
        end: To its end.
        late: By how much this machine may have delayed it.
    """

    first: float
    end: float
    late: float = 0.0

    @classmethod
    def of(cls, exchange: Exchange, reply: Reply | None = None) -> Self:
        """The times of an exchange."""
        timing, written = (reply or read(exchange)).timing, exchange.seconds_to_write
        first = 0.0 if timing.first_token is None else timing.first_token - written
        return cls(first, timing.end - written, exchange.seconds_late)

    def generation(self, words: Sequence[StreamTimes], lags: float = 0.0) -> float:
        """The time that it took beyond the first token of streams of one word.

        Args:
            words: The times of streams of one word.
            lags: How many lags of this process may have delayed each of them.
        """
        usual = min(max(each.first - lags * each.late, 0.0) for each in words)
        return self.end - min(usual, self.first)

    def wait_share(self, words: Sequence[StreamTimes], lags: float = 0.0) -> float:
        """The share of its generation that passed before its first token."""
        return 1 - (self.end - self.first) / max(self.generation(words, lags), 1e-9)


def score_incremental(exchange: Exchange, words: Sequence[StreamTimes]) -> Score:
    """Score whether a stream arrived incrementally: neither at its end, nor in blocks of bytes.

    Args:
        exchange: A stream of many tokens.
        words: The times of streams of one word, whose time to first token has the same network,
            queue and prefill time, and whose generation takes next to none.
    """
    reply, bursts = read(exchange), _bursts(exchange)
    if reply.timing.first_token is None:
        return Score(Outcome.UNDETERMINED, "the stream has no text")
    times = StreamTimes.of(exchange, reply)
    generation, late = times.generation(words), max(each.late for each in (times, *words))
    due = MAX_WAIT_SHARE + _hidden_share(reply)
    if block := _block(exchange.body, bursts):
        return failed(f"it arrives in blocks of {block:,} bytes that end inside a frame")
    long = frames(exchange) >= MANY_FRAMES
    if len(bursts) < MIN_ARRIVALS and (long or generation >= MIN_SECONDS):
        points = f"{len(bursts)} point{'s'[: len(bursts) > 1]} in time"
        score = failed(f"the whole stream arrived at {points}")
        return excuse_if_late(score, (1 - due) * generation, late, lags=LAGS)
    if generation < MIN_SECONDS:
        came = f"{len(exchange.body):,} bytes in {generation * 1000:.0f} ms"
        return scored(Outcome.UNDETERMINED, "too short to tell", came=came)
    return score_wait(times, words, due, _longest_pause(exchange, reply))


def score_wait(times: StreamTimes, words: Sequence[StreamTimes], due: float, pause: float) -> Score:
    """Score the share of a stream's generation that passed before its first token.

    Args:
        times: The times of the stream.
        words: Those of streams of one word.
        due: The share that may pass.
        pause: For how long the stream stood still later on, in seconds.
    """
    share, generation = times.wait_share(words), times.generation(words)
    late = max(each.late for each in (times, *words))
    shown = f"{share:.0%} of {generation:.2f} s of generation passed before the first token"
    if share > due:
        excess = (share - due) * generation
        if pause > excess:
            came = f"{shown}, and {pause:.2f} s later on"
            return scored(Outcome.UNDETERMINED, "a stream stands still more than once", came=came)
        return excuse_if_late(failed(shown), excess, late, lags=LAGS)
    # Words that came late make the wait of a longer stream look short, and so does a starved rest.
    if times.wait_share(words, LAGS) > (due / 2 if times.late >= generation else due):
        return too_busy(late, shown)
    return PASSED


def _longest_pause(exchange: Exchange, reply: Reply) -> float:
    """The longest time from one arrival to the next after the first token, in seconds."""
    first = reply.timing.first_token or 0.0
    times = [each.seconds for each in exchange.arrivals if each.seconds >= first]
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


def _hidden_share(reply: Reply) -> float:
    """The share of a reply's tokens that were generated and are not shown."""
    usage = reply.usage
    if usage is None or reply.reasoning or not usage.completion:
        return 0.0
    return (usage.reasoning or 0) / usage.completion


def score_buffered(long: Exchange, half: Exchange, words: Sequence[StreamTimes]) -> Score:
    """Score whether two streams, of which one ends half-way, were kept back until their ends.

    Both must show it; and unless the blocks do, the longer one must have waited for longer.
    """
    scores = [score_incremental(each, words) for each in (long, half)]
    if open_ := next((each for each in scores if each.outcome is not Outcome.FAIL), None):
        return open_
    blocks = [_block(each.body, _bursts(each)) for each in (long, half)]
    usual = min(each.first for each in words)
    waits = [StreamTimes.of(each).first - usual for each in (long, half)]
    counts = [frames(each) for each in (long, half)]
    if all(blocks) or (
        counts[0] >= GROWTH * counts[1] and waits[0] >= max(GROWTH * waits[1], MIN_SECONDS)
    ):
        return scores[0]
    came = " and ".join(
        f"{of} frames after {wait:.2f} s" for of, wait in zip(counts, waits, strict=True)
    )
    return scored(
        Outcome.UNDETERMINED, "streams were late, but not the later the longer", came=came
    )


def frames(exchange: Exchange) -> int:
    """The number of a stream's frames."""
    return exchange.body.count(FRAME)


def _bursts(exchange: Exchange) -> list[int]:
    """The sizes of the body at the ends of its bursts: what follows at once is of the same one."""
    sizes = list[int]()
    began = before = float("-inf")
    for arrival in exchange.arrivals:
        now = arrival.seconds
        if sizes and now - before <= BURST_GAP and now - began <= BURST_SPAN:
            sizes[-1] = arrival.size
        else:
            began = now
            sizes.append(arrival.size)
        before = now
    return sizes


def _block(body: bytes, bursts: Sequence[int]) -> int:
    """The size of the blocks in which a proxy passes a stream on; 0 where there are none.

    They are of one size, but for the first and the last, and end wherever that is.
    """
    ends = [end for end in bursts if end < len(body)]
    steps = [later - earlier for earlier, later in pairwise(ends)]
    block = median_low(steps) if len(steps) >= MIN_STEPS else 0
    if not MIN_BLOCK <= block < READ_SIZE:
        return 0
    inside = sum(not body[max(end - 4, 0) : end].endswith(FRAME_ENDS) for end in ends)
    even = sum(step % block == 0 for step in steps)
    return block if min(inside / len(ends), even / len(steps)) >= BLOCK_SHARE else 0


def score_refused_streams(pairs: Sequence[tuple[Exchange, Exchange]]) -> Score:
    """Score requests that were refused whole, by how each is refused streamed."""
    if not pairs:
        return Score(Outcome.UNDETERMINED, "the endpoint rejects none of the requests")
    for whole, streamed in pairs:
        if missing := lost(streamed):
            return missing
        status, due = streamed.status or 0, whole.status or 0
        if status < 400 or status // 100 > due // 100:
            shown = f"HTTP {due} whole, HTTP {status} with {streamed.body[:120]!r} streamed"
            return failed("rejected otherwise in a stream", shown)
        if tells(whole).passed and not (score := tells(streamed)).passed:
            return score
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
    common = (str.isascii, _in_first_plane, _in_no_extension_a, _is_no_rare_ideograph)
    left = {"".join(filter(kept, echo)).strip() for kept in common} - {echo}
    if text.strip() in left - {""}:
        return failed("characters are lost", f"{text!r:.120} for {echo!r:.120}")
    if any(letter in text for letter in echo if not letter.isascii()):
        return PASSED
    return scored(Outcome.UNDETERMINED, "the model does not repeat the text", came=f"{text!r:.120}")


def score_markup(reply: Reply, text: str, word: str) -> Score:
    """Score a copy of a text, or a call with it, by whether all of the text is in it.

    Args:
        reply: The reply.
        text: What the copy has to hold.
        word: The word that any copy begins with.
    """
    came = [reply.content or "", *(call.arguments for call in reply.tool_calls)]
    if any(text in each for each in came):
        return PASSED
    if any(word in each for each in (*came, reply.reasoning)):
        return failed("what looks like markup is damaged", f"{' '.join(came)!r:.200}")
    why = "the model does not repeat the text"
    return scored(Outcome.UNDETERMINED, why, came=f"{' '.join(came)!r:.120}")


def _in_first_plane(letter: str) -> bool:
    return letter <= "\uffff"


def _in_no_extension_a(letter: str) -> bool:
    return not "\u3400" <= letter <= "\u4dbf"


def _is_no_rare_ideograph(letter: str) -> bool:
    """Whether a letter is none of those that names have and few vocabularies do."""
    return _in_no_extension_a(letter) and not "\U00020000" <= letter <= "\U0003ffff"


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
