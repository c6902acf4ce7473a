"""Strict JSON: what a parser without mercy reads in a text, and how two values differ."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from readiness.protocol.message import excerpt, is_nested_deeper

#: The whitespace of RFC 8259; a no-break space or a byte order mark is none.
SPACE = " \t\r\n"
DEEPEST = 100
EXACT = 2**53  # up to here each whole number has a float of its own
#: Python refuses to read more than 4,300 digits, with a ValueError of its own.
MOST_DIGITS = 1000
#: Stands for a value that the prompt did not state.
UNSTATED: Any = object()
#: A schema that declares nothing.
OPEN: Mapping[str, Any] = {}


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
    if is_nested_deeper(value, DEEPEST):
        raise NotJson("nested too deeply", f"{bare!r:.120}")
    _refuse_surrogates(value)
    return value, bare[end:].lstrip(SPACE)


def _decoded(bare: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(bare)
    except json.JSONDecodeError as error:
        if error.pos == 0:
            raise NotJson("text before the JSON", f"{bare!r:.120}") from None
        what = error.msg[0].lower() + error.msg[1:].removesuffix(" at")
        near = excerpt(bare, error.pos, len(bare))
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
    if abs(number) < EXACT:
        return number
    # Beyond, a float stands for several whole numbers: 9007199254740993.0 is one of its own.
    exact = Decimal(digits)
    is_another = exact != Decimal(repr(number)) and exact == exact.to_integral_value()
    return int(exact) if is_another else number


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise NotJson("number out of range", f"{digits:.120}")
    return int(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
)


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        near = excerpt(error.object, error.start, error.end)
        raise NotJson("a lone surrogate", f"{near!r:.120}") from None


@dataclass(frozen=True)
class Difference:
    """A value that is another than was expected, with its path."""

    path: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        wanted, got = (_shown(of) for of in (self.expected, self.found))
        return f"expected {wanted:.120}, got {got:.120}"


def _shown(value: Any) -> str:
    return "nothing" if value is UNSTATED else repr(value)


def differences(
    expected: Any, found: Any, schema: Mapping[str, Any] = OPEN, path: str = "$"
) -> Iterator[Difference]:
    """Where what was found differs from what was expected.

    Args:
        expected: The value that was asked for.
        found: The value that came.
        schema: Its schema: what it declares and the expected value leaves out is free.
        path: Where both stand.
    """
    if isinstance(expected, Mapping) and isinstance(found, dict):
        declared = schema.get("properties", OPEN)
        for key in expected:
            of = declared.get(key, OPEN)
            yield from differences(expected[key], found.get(key, UNSTATED), of, f"{path}.{key}")
        for key in found.keys() - expected.keys() - declared.keys():
            yield Difference(f"{path}.{key}", UNSTATED, found[key])
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        items = schema.get("items", OPEN)
        for at, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, items, f"{path}[{at}]")
    elif not _same(expected, found):
        yield Difference(path, expected, found)


def _same(expected: Any, found: Any) -> bool:
    """Whether leaves are the same value: 1.0 is 1, True is not, and é is é however composed."""
    if isinstance(expected, str) and isinstance(found, str):
        return unicodedata.normalize("NFC", expected) == unicodedata.normalize("NFC", found)
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        # As decimals, not as floats: each of 2**53 and 2**53 + 1 is itself, and 1e23 is 10**23.
        return Decimal(repr(expected)) == Decimal(repr(found))
    return bool(expected == found)
