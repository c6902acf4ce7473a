"""Parsing of prompts by the templates they were generated from."""

from __future__ import annotations

import re
from collections.abc import Callable


def template_pattern(template: str, slot: Callable[[str], str]) -> re.Pattern[str]:
    """The pattern of a filled template; a name that occurs twice has the same value.

    Args:
        template: The text, with names in braces.
        slot: Returns the pattern of a name's value.
    """
    parts = re.split(r"\{(\w+)\}", template)
    made, seen = "", set[str]()
    for at, part in enumerate(parts):
        if at % 2 == 0:
            made += re.escape(part)
        else:
            made += f"(?P={part})" if part in seen else f"(?P<{part}>{slot(part)})"
            seen.add(part)
    return re.compile(made, re.IGNORECASE)
