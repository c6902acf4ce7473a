"""Text and times as every file shows them; text from a model is untrusted, and is escaped.

So are the names and texts of others: what a CI system takes for a command is written as none.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

#: Of Azure Pipelines, GitHub, TeamCity and others: ##[error], ##vso[task.setvariable …], ::error::.
_COMMAND = re.compile(r"#(?=#\w*\[)|:(?=:[\w-]+(?: (?:[^:]|:(?!:))*)?::)")


def escape_unprintable(text: str) -> str:
    """The text on one line, with every unprintable character written as an escape sequence.

    These are terminal escapes, control, bidi and zero-width characters, and lone surrogates. The
    first character of a CI system's command is written so, too, wherever it stands: lines are
    broken, and some systems look for commands in the middle of them.
    """
    shown = text
    if not text.isprintable():
        shown = "".join(char if char.isprintable() else _escape(char) for char in text)
    if "##" in shown or "::" in shown:
        shown = _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)
    return shown


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
