"""The message of a reply: text, reasoning and tool calls, in each form that servers send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, AnyStr, NoReturn

from readiness.reply import REASONING_FIELDS, Defect, DefectKind, ToolCall
from readiness.score import EndpointError

#: The description of each defect for people; that of a tool call names the field.
DEFECT_TEXTS = {
    DefectKind.STREAM_CONTENT_TYPE: "content-type of a stream",
    DefectKind.JSON_CONTENT_TYPE: "content-type of JSON",
    DefectKind.NOT_STREAMED: "asked to stream, got one document",
    DefectKind.FRAME_NOT_JSON: "frame is not JSON",
    DefectKind.FRAME_NOT_OBJECT: "frame is no JSON object",
    DefectKind.FRAME_WITHOUT_CHOICES: "frame without choices",
    DefectKind.FRAME_CUT_OFF: "stream ends in the middle of a frame",
    DefectKind.INVALID_UTF8: "invalid UTF-8 in a frame",
    DefectKind.LONE_SURROGATE: "lone surrogate in the text",
    DefectKind.REPLACEMENT_CHARACTER: "U+FFFD in the text",
    DefectKind.CHOICE_WITHOUT_INDEX: "choice without index",
    DefectKind.ID_CHANGES: "id changes",
    DefectKind.NO_DONE: "no [DONE]",
    DefectKind.DATA_AFTER_DONE: "data after [DONE]",
    DefectKind.NO_FINISH_REASON: "no finish_reason",
    DefectKind.INVALID_FINISH_REASON: "finish_reason is neither a reason nor null",
    DefectKind.SECOND_FINISH_REASON: "two finish_reasons",
    DefectKind.DELTA_AFTER_FINISH_REASON: "delta after the finish_reason",
    DefectKind.INVALID_USAGE: "usage is not in token counts",
    DefectKind.CALL_WITHOUT_FIELD: "tool call without {field}",
    DefectKind.CALL_BEGINS_WITHOUT_FIELD: "first fragment of a tool call without {field}",
    DefectKind.CALL_FIELD_NOT_STRING: "{field} of a tool call is not a string",
    DefectKind.CALL_FIELD_CHANGES: "{field} of a tool call changes",
    DefectKind.CALL_ARGUMENTS_NOT_STRING: "arguments of a tool call are not a string",
    DefectKind.CALL_WITHOUT_INDEX: "tool call without index",
    DefectKind.CALL_INDEXES_WITH_GAPS: "indexes of the tool calls do not count from 0",
    DefectKind.CALLS_SHARE_ID: "tool calls share an id",
    DefectKind.CALL_NAME_REPEATED: "name of a tool call comes more than once",
    DefectKind.FINISH_WITHOUT_CALL: "finish_reason is tool_calls, without a tool call",
}
REASONING_PARTS = ("thinking", "reasoning")
TEXT_PARTS = ("text", "output_text")
#: No reply is nested deeper: what reads it may call itself for each level.
DEEPEST = 200
#: So much is quoted on either side of what is wrong.
BESIDE = 20


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant:.20} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text)


def _whole(text: str) -> int:
    _finite(text)  # What no double holds is infinite to other parsers.
    return int(text)


# Most other languages' parsers reject the NaN and the infinite numbers that Python's accepts.
_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_whole)


def decode(text: str) -> Any:
    """Decode JSON strictly.

    Raises:
        ValueError: It is not JSON, or is nested too deep.
    """
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if text.count("[") + text.count("{") > DEEPEST and is_nested_deeper(value, DEEPEST):
        raise ValueError("nested too deep")
    return value


def is_nested_deeper(value: Any, levels: int) -> bool:
    """Whether JSON has more levels of arrays and objects."""
    layer = [value]
    for _ in range(levels):
        layer = [member for node in layer for member in _members(node)]
        if not layer:
            return False
    return any(isinstance(node, dict | list) for node in layer)


def _members(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def excerpt(text: AnyStr, start: int, end: int) -> AnyStr:
    """A part of a text or of bytes, with what stands beside it."""
    return text[max(start - BESIDE, 0) : end + BESIDE]


def malformed(why: str) -> EndpointError:
    """Return the error that ends a trial whose response no client could read."""
    return EndpointError("malformed response", came=why)


class Defects:
    """The defects of one response; of repeated ones the first, since every frame may have it."""

    def __init__(self) -> None:
        self._found: dict[tuple[DefectKind, str], Defect] = {}

    def note(self, kind: DefectKind, shown: str = "", field: str = "") -> None:
        """Add a defect, with an excerpt that shows it, and the field for that of a tool call."""
        said = DEFECT_TEXTS[kind].format(field=field)
        self._found.setdefault((kind, field), Defect(kind, said, shown))

    @property
    def found(self) -> tuple[Defect, ...]:
        """All of them, in the order in which they were found."""
        return tuple(self._found.values())

    @property
    def kinds(self) -> frozenset[DefectKind]:
        """Their kinds."""
        return frozenset(kind for kind, _ in self._found)


@dataclass(frozen=True)
class MessageTexts:
    """The texts of a message; `content` is None where none was sent, "" where it was empty.

    `field` is the one that held the reasoning; "" where none did.
    """

    content: str | None
    reasoning: str
    refusal: str
    field: str


class MessageAssembler:
    """Assembles the texts of a message, from one document or delta by delta."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._content: list[str] = []
        self._reasoning: dict[str, list[str]] = {}
        self._refusal: list[str] = []
        self._no_content = True

    def add(self, message: Mapping[str, Any]) -> bool:
        """Add a message or a delta, and return whether it contained any text."""
        has_text = False
        for name, value in message.items():
            if name == "content":
                has_text |= self._add_content(value)
            elif value and name in REASONING_FIELDS:
                has_text |= self._add_reasoning(name, value)
            elif value and name == "refusal":
                self._refusal.append(_string("refusal", value))
                has_text = True
        return has_text

    def finish(self) -> MessageTexts:
        """Return the texts; the reasoning is that of the first field that has any."""
        content = self._joined(self._content)
        names = (name for name in (*REASONING_FIELDS, "content") if name in self._reasoning)
        held = next(names, "")
        reasoning = self._joined(self._reasoning.get(held, []))
        return MessageTexts(
            None if self._no_content else content, reasoning, self._joined(self._refusal), held
        )

    def _add_content(self, value: Any) -> bool:
        if value is None:
            return False
        self._no_content = False
        if not isinstance(value, list):
            self._content.append(_string("content", value))
            return bool(value)
        have_text = [self._add_part(part) for part in value]
        return any(have_text)

    def _add_part(self, part: Any) -> bool:
        if not isinstance(part, dict):
            raise malformed(f"a part of the content is {part!r:.120}")
        if part.get("type") in TEXT_PARTS:
            self._content.append(_string("text of a part", part.get("text")))
            return bool(self._content[-1])
        if part.get("type") in REASONING_PARTS:
            return self._add_reasoning("content", part)
        if part.get("refusal"):
            self._refusal.append(_string("refusal", part["refusal"]))
        return True

    def _add_reasoning(self, name: str, value: Any) -> bool:
        words = _words(value)
        if words:
            self._reasoning.setdefault(name, []).append(words)
        return bool(words)

    def _joined(self, texts: list[str]) -> str:
        return replace_lone_surrogates("".join(texts), self._defects)


@dataclass(frozen=True)
class RawReply:
    """The parts of a reply as they were sent, streamed or not.

    `first` and `last` are the sizes of the body at the end of the first and the last token.
    """

    texts: MessageTexts
    calls: tuple[ToolCall, ...]
    finish: str
    usage: Any
    first: int | None = None
    last: int | None = None


def replace_lone_surrogates(text: str, defects: Defects) -> str:
    """Return the text with lone surrogates, which JSON can express, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        defects.note(DefectKind.LONE_SURROGATE, f"{text[error.start :]!r:.60}")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _string(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise malformed(f"the {what} is no string: {value!r:.120}")
    return value


def _words(value: Any, depth: int = 3) -> str:
    """The text of reasoning, which has no standard form: a string, or nested parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and depth:
        return "".join(_words(item, depth - 1) for item in value)
    if isinstance(value, dict) and depth:
        keys = ("text", "thinking", "reasoning")
        return next((words for key in keys if (words := _words(value.get(key), depth - 1))), "")
    return ""


class ToolCallAssembler:
    """Assembles a tool call from its fragments."""

    def __init__(self) -> None:
        self._texts = {"id": "", "type": "", "name": ""}
        self._arguments: list[str] = []

    def add(self, fragment: Mapping[str, Any], defects: Defects) -> None:
        """Add a fragment: what it omits stays, and what it repeats must be equal."""
        self._note("id", fragment.get("id"), defects)
        self._note("type", fragment.get("type"), defects)
        function = fragment.get("function")
        if function is None:
            return
        if not isinstance(function, dict):
            raise malformed(f"the function of a tool call is {function!r:.120}")
        self._note("name", function.get("name"), defects)
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            self._arguments.append(arguments)
        elif arguments is not None:
            defects.note(DefectKind.CALL_ARGUMENTS_NOT_STRING, f"{arguments!r:.120}")
            self._arguments.append(json.dumps(arguments, ensure_ascii=False))

    def missing_fields(self, *names: str) -> list[str]:
        """The fields, of the named ones, that are still empty."""
        return [name for name in names if not self._texts[name]]

    def finish(self, defects: Defects) -> ToolCall:
        """Return the call, noting the fields that are missing."""
        for name in self.missing_fields("id", "type", "name"):
            defects.note(DefectKind.CALL_WITHOUT_FIELD, field=name)
        texts = (*self._texts.values(), "".join(self._arguments))
        return ToolCall(*(replace_lone_surrogates(text, defects) for text in texts))

    def _note(self, name: str, now: Any, defects: Defects) -> None:
        before = self._texts[name]
        if now and now == before and name == "name":
            # The official SDK's stream helper joins what comes: get_timeget_time.
            defects.note(DefectKind.CALL_NAME_REPEATED, f"{now!r:.60}")
        if not now or now == before:
            return
        if not isinstance(now, str):
            defects.note(DefectKind.CALL_FIELD_NOT_STRING, f"{now!r:.60}", name)
        elif before:
            change = f"{before!r:.60}, then {now!r:.60}"
            defects.note(DefectKind.CALL_FIELD_CHANGES, change, name)
        else:
            self._texts[name] = now


def read_calls(value: Any, defects: Defects) -> tuple[ToolCall, ...]:
    """Read the tool calls of a message that is not streamed."""
    if not value:
        return ()
    calls = []
    for sent in _entries(value):
        call = ToolCallAssembler()
        call.add(sent, defects)
        function = sent.get("function")
        if not function or function.get("arguments") is None:
            defects.note(DefectKind.CALL_WITHOUT_FIELD, field="arguments")
        calls.append(call.finish(defects))
    return require_unique_ids(calls, defects)


class StreamedToolCalls:
    """Assembles the tool calls of a stream by their index."""

    def __init__(self) -> None:
        self._calls: dict[int, ToolCallAssembler] = {}

    def add(self, fragments: Any, defects: Defects) -> None:
        """Add the `tool_calls` of a delta."""
        for fragment in _entries(fragments):
            index = fragment.get("index")
            if type(index) is not int:
                defects.note(DefectKind.CALL_WITHOUT_INDEX, f"{fragment!r:.120}")
                index = self._guess(fragment)
            call = self._calls.get(index)
            if call is not None:
                call.add(fragment, defects)
                continue
            call = self._calls[index] = ToolCallAssembler()
            call.add(fragment, defects)
            for name in call.missing_fields("id", "name"):
                defects.note(DefectKind.CALL_BEGINS_WITHOUT_FIELD, field=name)

    def finish(self, defects: Defects) -> tuple[ToolCall, ...]:
        """Return the calls, in the order of their indexes."""
        indexes = sorted(self._calls)
        if indexes != list(range(len(indexes))):
            defects.note(DefectKind.CALL_INDEXES_WITH_GAPS, f"{indexes!r:.60}")
        return require_unique_ids(
            [self._calls[index].finish(defects) for index in indexes], defects
        )

    def _guess(self, fragment: Mapping[str, Any]) -> int:
        """The index of a fragment without one: an id begins a new call."""
        return len(self._calls) if fragment.get("id") else max(len(self._calls) - 1, 0)


def require_unique_ids(calls: list[ToolCall], defects: Defects) -> tuple[ToolCall, ...]:
    """Return the calls, noting where they share an id, so that results could not be assigned."""
    ids = [call.id for call in calls if call.id]
    if len(set(ids)) < len(ids):
        defects.note(DefectKind.CALLS_SHARE_ID, f"{ids!r:.120}")
    return tuple(calls)


def _entries(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise malformed(f"tool_calls is no list of objects: {value!r:.120}")
    return value


TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
)
BLOCKS = "|".join(f"{re.escape(a)}(.*?){re.escape(b)}" for a, b in TAGS)
BLOCK = re.compile(rf"\s*(?:{BLOCKS})", re.DOTALL)
CLOSING = "</think>"

CONTROL_TOKEN = re.compile(
    r"<\|[A-Za-z_0-9]{2,40}\|>"  # ChatML, Llama 3, harmony and most others
    r"|<｜[^<>｜\n]{2,40}｜>"  # DeepSeek
    r"|</?(?:\w{1,20}:)?tool_calls?>|</?arg_(?:key|value)>"  # Hermes, Qwen, MiniMax, GLM
    r"|\[/?(?:TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|INST)\]"  # Mistral
    r"|<(?:start|end)_of_turn>"  # Gemma
    r"|\bfunctions\.[\w-]{1,64}:\d+(?=\s*(?:\{|<\|))"  # Kimi; functions.py:10 is a place in a file
    r"|assistant(?:final|commentary)",  # harmony, its special tokens skipped
)
# Every control token contains one of these. Searching for them takes a tenth of the time.
MARKS = ("<|", "<｜", "tool_call", "TOOL_", "arg_", "INST]", "_of_turn", "functions.", "assistantf")


def split(content: str, finish: str) -> tuple[str, str]:
    """Split content into visible text and the reasoning in front of it."""
    thoughts = []
    start = 0
    while block := BLOCK.match(content, start):
        thoughts.append(next(filter(None, block.groups()), "").strip())
        start = block.end()
    rest = content[start:].lstrip() if start else content
    opening = next((tag for tag, _ in TAGS if rest.lstrip().startswith(tag)), "")
    if opening and finish == "length":
        thoughts.append(rest.partition(opening)[2].strip())
        rest = ""
    elif not start and CLOSING in rest and "<think>" not in rest.partition(CLOSING)[0]:
        # The chat template wrote the opening tag, as part of the prompt.
        thought, _, rest = rest.partition(CLOSING)
        thoughts.append(thought.strip())
        rest = rest.lstrip()
    return rest, "\n".join(filter(None, thoughts))


def control_tokens(text: str) -> tuple[str, ...]:
    """The distinct control tokens of chat templates in a text."""
    if not any(mark in text for mark in MARKS):
        return ()
    return tuple(dict.fromkeys(CONTROL_TOKEN.findall(text)))
