"""A draft: a message as it was sent, whole or in pieces, before anything is made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from readiness.reply import ToolCall
from readiness.score import EndpointError

#: What is wrong, and where it was first seen: a thousand frames may share one defect.
Defects = dict[str, str]

#: The names of reasoning. A message that uses several says the same under each.
REASONING = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
HALF = "half a surrogate pair in the text"
REASONING_PARTS = ("thinking", "reasoning")
TEXT_PARTS = ("text", "output_text")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


# Most other languages' parsers refuse the NaN that Python's takes.
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def decode(text: str) -> Any:
    """Decode JSON strictly.

    Raises:
        ValueError: It is not JSON, or nested deeper than anybody reads.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def malformed(why: str) -> EndpointError:
    """Return the error that ends the trial of a response which no client could read."""
    return EndpointError(f"malformed response: {why}")


def said(defects: Defects) -> list[str]:
    """The defects in words."""
    return [f"{what}: {shown}" if shown else what for what, shown in defects.items()]


@dataclass(frozen=True)
class Texts:
    """The texts of a message; `content` is None where none was sent, not even an empty one."""

    content: str | None
    reasoning: str
    refusal: str


class Draft:
    """The texts of a message in the making, from one document or delta by delta."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._content: list[str] = []
        self._reasoning: dict[str, list[str]] = {}
        self._refusal: list[str] = []
        self._silent = True

    def add(self, message: Mapping[str, Any]) -> bool:
        """Take in a message or a delta, and say whether it held any text."""
        texts = 0
        for name, value in message.items():
            if name == "content":
                texts += self._add_content(value)
            elif value and name in REASONING:
                texts += self._add_reasoning(name, value)
            elif value and name == "refusal":
                self._refusal.append(_string("refusal", value))
                texts += 1
        return texts > 0

    def finish(self) -> Texts:
        """Return the texts, the reasoning under the first of its names that holds any."""
        content = self._joined(self._content)
        names = (name for name in (*REASONING, "content") if name in self._reasoning)
        reasoning = self._joined(self._reasoning.get(next(names, ""), []))
        return Texts(None if self._silent else content, reasoning, self._joined(self._refusal))

    def _add_content(self, value: Any) -> int:
        if value is None:
            return 0
        self._silent = False
        if not isinstance(value, list):
            self._content.append(_string("content", value))
            return len(value)
        return sum(self._add_part(part) for part in value)

    def _add_part(self, part: Any) -> int:
        if not isinstance(part, dict):
            raise malformed(f"a part of the content is {part!r:.120}")
        if part.get("type") in TEXT_PARTS:
            self._content.append(_string("text of a part", part.get("text")))
            return len(self._content[-1])
        if part.get("type") in REASONING_PARTS:
            return self._add_reasoning("content", part)
        if part.get("refusal"):
            self._refusal.append(_string("refusal", part["refusal"]))
        return 1

    def _add_reasoning(self, name: str, value: Any) -> int:
        words = _words(value)
        if words:
            self._reasoning.setdefault(name, []).append(words)
        return len(words)

    def _joined(self, texts: list[str]) -> str:
        return sound("".join(texts), self._defects)


@dataclass(frozen=True)
class Sent:
    """What was sent for a reply, whole or streamed.

    `first` and `last` are the bytes that had to arrive for a stream's first and last token.
    """

    texts: Texts
    calls: tuple[ToolCall, ...]
    finish: str
    usage: Any
    first: int | None = None
    last: int | None = None


def sound(text: str, defects: Defects) -> str:
    """Return the text as one that can be encoded; JSON can spell half a character."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        defects.setdefault(HALF, f"{text[error.start :]!r:.60}")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _string(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise malformed(f"the {what} is no string: {value!r:.120}")
    return value


def _words(value: Any, depth: int = 3) -> str:
    """The text of reasoning, which has no standard form: a string, parts, or parts of parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and depth:
        return "".join(_words(item, depth - 1) for item in value)
    if isinstance(value, dict) and depth:
        keys = ("text", "thinking", "reasoning")
        return next((words for key in keys if (words := _words(value.get(key), depth - 1))), "")
    return ""
