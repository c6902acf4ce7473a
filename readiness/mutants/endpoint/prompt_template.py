"""Prompts read by the templates that they were made of."""

from __future__ import annotations

import re
from collections.abc import Callable


def template_pattern(template: str, slot: Callable[[str], str]) -> re.Pattern[str]:
    """What matches a template filled in: a word that comes twice is the same both times.

    Args:
        template: The text, with the names of its places in braces.
        slot: What may stand in the place of a name, as a pattern.
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
