"""A reply: an exchange parsed into types, so that no check handles JSON from the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from readiness.probe import Message

#: The fields in which servers send reasoning. A message that uses several repeats the same text.
REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")


class DefectKind(StrEnum):
    """The kind of a format defect of a response or stream; scorers decide by it."""

    STREAM_CONTENT_TYPE = "stream_content_type"
    JSON_CONTENT_TYPE = "json_content_type"
    NOT_STREAMED = "not_streamed"
    FRAME_NOT_JSON = "frame_not_json"
    FRAME_NOT_OBJECT = "frame_not_object"
    FRAME_WITHOUT_CHOICES = "frame_without_choices"
    FRAME_CUT_OFF = "frame_cut_off"
    INVALID_UTF8 = "invalid_utf8"
    LONE_SURROGATE = "lone_surrogate"
    REPLACEMENT_CHARACTER = "replacement_character"
    CHOICE_WITHOUT_INDEX = "choice_without_index"
    ID_CHANGES = "id_changes"
    NO_DONE = "no_done"
    DATA_AFTER_DONE = "data_after_done"
    NO_FINISH_REASON = "no_finish_reason"
    INVALID_FINISH_REASON = "invalid_finish_reason"
    SECOND_FINISH_REASON = "second_finish_reason"
    DELTA_AFTER_FINISH_REASON = "delta_after_finish_reason"
    INVALID_USAGE = "invalid_usage"
    CALL_WITHOUT_FIELD = "call_without_field"
    CALL_BEGINS_WITHOUT_FIELD = "call_begins_without_field"
    CALL_FIELD_NOT_STRING = "call_field_not_string"
    CALL_FIELD_CHANGES = "call_field_changes"
    CALL_ARGUMENTS_NOT_STRING = "call_arguments_not_string"
    CALL_WITHOUT_INDEX = "call_without_index"
    CALL_INDEXES_WITH_GAPS = "call_indexes_with_gaps"
    CALLS_SHARE_ID = "calls_share_id"
    CALL_NAME_REPEATED = "call_name_repeated"
    FINISH_WITHOUT_CALL = "finish_without_call"


@dataclass(frozen=True, slots=True)
class Defect:
    """A format defect of a response.

    Args:
        kind: Its kind, for programs.
        said: Its description, for people.
        shown: The excerpt that shows it; "" for none.
    """

    kind: DefectKind
    said: str
    shown: str = ""

    @property
    def text(self) -> str:
        """The description and the excerpt."""
        return f"{self.said}: {self.shown}" if self.shown else self.said


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call, with its arguments as the model wrote them, unparsed."""

    id: str
    type: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the endpoint reports them.

    `cached` is part of `prompt`, and `reasoning` of `completion`.
    """

    prompt: int
    completion: int
    cached: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of arrival, in seconds since the request was sent.

    `tokens_size` is the size of the body, in bytes, at the end of the last token.
    """

    first_byte: float
    first_token: float | None
    last_token: float | None
    end: float
    tokens_size: int = 0


@dataclass(frozen=True)
class Reply:
    """The endpoint's reply to one request.

    Args:
        content: The `content` exactly as sent; None where none was sent.
        text: The visible text, with reasoning and its markup removed.
        reasoning: The reasoning text, from whichever field or markup held it.
        tool_calls: The tool calls, assembled where they were streamed.
        refusal: The text of the `refusal` field; "" where there was none.
        finish: The finish reason; "" where none was sent.
        usage: Token counts; None where the endpoint sent none.
        leaks: Control tokens of the chat template that appear in the visible text.
        defects: The format defects of the response or stream.
        message: The assistant's message, to be sent back as history.
        timing: When the bytes arrived.
        reasoning_field: The field of the message that held the reasoning, `content` where it was
            a part of it; "" where there was none, or only markup in the text.
    """

    content: str | None
    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    refusal: str
    finish: str
    usage: Usage | None
    leaks: tuple[str, ...]
    defects: tuple[Defect, ...]
    message: Message
    timing: Timing
    reasoning_field: str = ""
