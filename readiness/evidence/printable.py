"""Text from a model is hostile: this makes it safe to print, to log and to put in a report."""

from __future__ import annotations

from typing import Any


def clean(text: str) -> str:
    """The text on one line, with everything that is not printable written as an escape.

    That takes terminal escapes, control and bidi characters, zero-width ones and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def cleaned(value: Any) -> Any:
    """JSON with all of its texts clean, names included."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(name): cleaned(each) for name, each in value.items()}
        case list():
            return [cleaned(each) for each in value]
        case _:
            return value


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
