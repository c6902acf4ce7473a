"""Text from a model is hostile: this makes it safe to print, to log and to put in a report."""

from __future__ import annotations

from typing import Any


def escape_unprintable(text: str) -> str:
    """The text on one line, with everything that is not printable written as an escape.

    That takes terminal escapes, control and bidi characters, zero-width ones and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def escape_unprintable_json(value: Any) -> Any:
    """JSON with all of its texts clean, names included."""
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


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
