"""The strict reading of JSON: what a parser without mercy says of a text."""

from __future__ import annotations

import json
import math
from typing import Any

#: The whitespace of RFC 8259; a no-break space or a byte order mark is none.
SPACE = " \t\r\n"
DEEPEST = 100


class NotJson(ValueError):
    """The text is not one JSON document and nothing else; the message says what came instead.

    Args:
        kind: What is wrong.
        came: What came, which no two texts have alike.
    """

    def __init__(self, kind: str, came: str | None = None) -> None:
        super().__init__(kind if came is None else f"{kind}: {came}")
        self.kind = kind


def strict(text: str) -> Any:
    """Read a text that is one JSON document and nothing else.

    Raises:
        NotJson: It is anything else, or holds what Python's own parser lets pass.
    """
    try:
        value, rest = prefix(text)
        if rest:
            raise NotJson("text after the JSON", f"{rest!r:.120}")
    except NotJson:
        if text.lstrip().startswith("<think") or "</think>" in text:
            raise NotJson("reasoning leaks into the text", f"{text!r:.120}") from None
        raise
    return value


def prefix(text: str) -> tuple[Any, str]:
    """Read the JSON value that a text begins with, and give what stands after it.

    Raises:
        NotJson: The text begins with anything else.
    """
    bare = text.strip(SPACE)
    if not bare:
        raise NotJson("empty text", f"{text!r:.120}")
    if bare.startswith("\ufeff"):
        raise NotJson("a byte order mark before the JSON", f"{bare!r:.120}")
    if bare.startswith("```"):
        raise NotJson("a fence around the JSON", f"{bare!r:.120}")
    value, end = _decoded(bare)
    _refuse_depth(value, bare)
    _refuse_surrogates(value)
    return value, bare[end:].lstrip(SPACE)


def _decoded(bare: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(bare)
    except json.JSONDecodeError as error:
        if error.pos == 0:
            raise NotJson("text before the JSON", f"{bare!r:.120}") from None
        what = error.msg[0].lower() + error.msg[1:].removesuffix(" at")
        near = bare[max(0, error.pos - 20) :]
        raise NotJson("no JSON", f"{what} at character {error.pos}: {near!r:.120}") from None
    except RecursionError:
        raise NotJson("nested too deeply", f"{bare!r:.120}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotJson(f"duplicate key {twice!r:.120}")
    return members


def _no_constant(name: str) -> Any:
    raise NotJson(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotJson("number out of range", f"{digits:.120}")
    return number


def _whole(digits: str) -> int:
    # Python refuses to read more than 4,300 digits, with a ValueError of its own.
    if len(digits) > 1000:
        raise NotJson("number out of range", f"{digits:.120}")
    return int(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
)


def _refuse_depth(value: Any, bare: str) -> None:
    layer = [value]
    for _ in range(DEEPEST):
        layer = [member for node in layer for member in _members(node)]
        if not layer:
            return
    raise NotJson("nested too deeply", f"{bare!r:.120}")


def _members(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        near = error.object[max(0, error.start - 20) : error.end + 20]
        raise NotJson("a lone surrogate", f"{near!r:.120}") from None
