"""Text and times as every file shows them; text from a model is untrusted, and is escaped."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def escape_unprintable(text: str) -> str:
    """The text on one line, with every unprintable character written as an escape sequence.

    These are terminal escapes, control, bidi and zero-width characters, and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def escape_unprintable_json(value: Any) -> Any:
    """JSON with all of its strings and keys escaped."""
    match value:
        case str():
            return escape_unprintable(value)
        case dict():
            return {
                escape_unprintable(name): escape_unprintable_json(each)
                for name, each in value.items()
            }
        case list():
            return [escape_unprintable_json(each) for each in value]
        case _:
            return value


def utc(time: datetime) -> str:
    """A time in ISO 8601: UTC, to the second."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
