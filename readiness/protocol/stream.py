"""A streamed reply, assembled from its chunks as existing clients do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from readiness.protocol.errors import is_error, stated
from readiness.protocol.message import (
    Defects,
    MessageAssembler,
    RawReply,
    StreamedToolCalls,
    decode,
    excerpt,
    malformed,
)
from readiness.protocol.sse import Event, Parser
from readiness.reply import DefectKind
from readiness.score import EndpointError, Outcome

DONE = b"[DONE]"
REPLACEMENT = "\ufffd"


@dataclass
class StreamedChoice:
    """One choice of a streamed chat completion."""

    message: MessageAssembler
    calls: StreamedToolCalls = field(default_factory=StreamedToolCalls)
    finish: str = ""

    def add(self, sent: Mapping[str, Any], defects: Defects) -> bool:
        """Add a chunk's part of this choice, and return whether it contained a token."""
        token = False
        delta = sent.get("delta")
        if delta:
            if not isinstance(delta, dict):
                raise malformed(f"a delta is no object: {delta!r:.120}")
            token = self.message.add(delta)
            fragments = delta.get("tool_calls")
            if fragments:
                self.calls.add(fragments, defects)
                token = True
            if token and self.finish:
                defects.note(DefectKind.DELTA_AFTER_FINISH_REASON, f"{delta!r:.120}")
        reason = sent.get("finish_reason")
        if reason is not None:
            self._end(reason, defects)
        return token

    def _end(self, reason: Any, defects: Defects) -> None:
        if not reason or not isinstance(reason, str):
            defects.note(DefectKind.INVALID_FINISH_REASON, f"{reason!r:.60}")
        elif self.finish:
            defects.note(
                DefectKind.SECOND_FINISH_REASON, f"{self.finish!r:.60}, then {reason!r:.60}"
            )
        else:
            self.finish = reason


def read_stream(body: bytes, defects: Defects) -> RawReply:
    """Read the first choice of a streamed chat completion."""
    stream = StreamAssembler(defects)
    parser = Parser()
    for event in parser.feed(body):
        stream.take(event)
    if not stream.began:
        raise malformed(f"a stream without choices: {body[:200]!r}")
    if parser.rest.removeprefix(b"data:").strip() == DONE:
        stream.take(Event(b"", DONE, len(body)))  # The stream ends; no blank line has to follow.
    elif parser.rest:
        defects.note(DefectKind.FRAME_CUT_OFF, f"{parser.rest!r:.120}")
    return stream.finish()


class StreamAssembler:
    """Assembles one stream, and notes its defects."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._choices: dict[int, StreamedChoice] = {}
        self._usage: Any = None
        self._id: Any = ""
        self._done = False
        self._first: int | None = None
        self._last: int | None = None

    @property
    def began(self) -> bool:
        """Whether a choice has been received."""
        return bool(self._choices)

    def take(self, event: Event) -> None:
        """Add an event."""
        if event.data == DONE:
            self._done = True  # Sent twice, it hurts nobody: clients leave at the first.
        elif self._done:
            self._defects.note(DefectKind.DATA_AFTER_DONE, f"{event.data!r:.120}")
        elif isinstance(chunk := self._decoded(event.data), dict):
            self._take_chunk(chunk, event)

    def _decoded(self, data: bytes) -> Any:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            bad = excerpt(data, error.start, error.end)
            self._defects.note(DefectKind.INVALID_UTF8, f"{bad!r}")
            text = data.decode(errors="replace")
        try:
            chunk = decode(text)
        except ValueError:
            self._defects.note(DefectKind.FRAME_NOT_JSON, f"{text!r:.120}")
            return None
        if not isinstance(chunk, dict):
            self._defects.note(DefectKind.FRAME_NOT_OBJECT, f"{text!r:.120}")
        return chunk

    def _take_chunk(self, chunk: Mapping[str, Any], event: Event) -> None:
        choices = chunk.get("choices")
        if is_error(chunk) or event.type == b"error":
            raise self._broken(chunk)
        if not isinstance(choices, list):
            self._defects.note(DefectKind.FRAME_WITHOUT_CHOICES, f"{event.data!r:.120}")
            choices = []
        # Azure begins with a chunk about the prompt that has an empty id.
        if (name := chunk.get("id")) and name != self._id:
            self._take_id(name)
        self._usage = chunk.get("usage") or self._usage
        for sent in choices:
            if self._choice(sent).add(sent, self._defects):
                self._last = event.end
                self._first = self._first or event.end

    def _choice(self, sent: Any) -> StreamedChoice:
        if not isinstance(sent, dict):
            raise malformed(f"a choice is no object: {sent!r:.120}")
        index = sent.get("index")
        if type(index) is not int:
            self._defects.note(DefectKind.CHOICE_WITHOUT_INDEX, f"{sent!r:.120}")
            index = 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = StreamedChoice(MessageAssembler(self._defects))
        return choice

    def _take_id(self, name: Any) -> None:
        if self._id:
            self._defects.note(DefectKind.ID_CHANGES, f"{self._id!r:.60}, then {name!r:.60}")
        self._id = name

    def _broken(self, chunk: Mapping[str, Any]) -> EndpointError:
        """The error of a stream that ends in one; it is a block only if no token came before."""
        problem = stated(chunk)
        blocked = problem.filtered and self._first is None
        outcome = Outcome.BLOCKED if blocked else Outcome.ENDPOINT_ERROR
        return EndpointError("error in mid-stream", outcome, came=f"{problem.message!r:.200}")

    def finish(self) -> RawReply:
        """Note what the stream lacks, and return the reply."""
        defects = self._defects
        choice = self._choices[min(self._choices)]
        if not choice.finish:
            defects.note(DefectKind.NO_FINISH_REASON)
        if not self._done:
            defects.note(DefectKind.NO_DONE)
        texts = choice.message.finish()
        _check(texts.content or "", choice.finish, defects)
        calls = choice.calls.finish(defects)
        return RawReply(texts, calls, choice.finish, self._usage, self._first, self._last)


def _check(text: str, finish: str, defects: Defects) -> None:
    if finish == "length":
        # The token limit may split a character: its replacement is then no defect.
        text = text.rstrip(REPLACEMENT)
    index = text.find(REPLACEMENT)
    # Undecodable bytes have a defect of their own, and their U+FFFD is ours.
    if index >= 0 and not defects.kinds & {DefectKind.INVALID_UTF8, DefectKind.LONE_SURROGATE}:
        defects.note(DefectKind.REPLACEMENT_CHARACTER, f"{excerpt(text, index, index)!r}")
