"""Reads what tools' results say of what is asked: in objects, lists, tables and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_CODE = re.compile(r"[A-Za-z]+-\d+")

#: No reader repeats an entry of a page and more.
_LONGEST = 500

Result = Mapping[str, Any]


def told(asked: str, results: Sequence[Result]) -> str:
    """What results say: of one with several entries, those that the question names."""
    codes = set(_CODE.findall(asked))
    return "; ".join(piece for each in results for piece in _named(codes, [*_entries(each)]))


def _named(codes: set[str], entries: Sequence[str]) -> Sequence[str]:
    short = [each for each in entries if len(each) < _LONGEST]
    return [each for each in short if codes & set(_CODE.findall(each))] or short


def _entries(value: Any) -> Iterator[str]:
    """The entries of a value: an object with what it has within, the items of lists, and lines."""
    leaves = [*_leaves(value)]
    said = [f"{key}: {of}" if key else str(of) for key, of in leaves if not _is_text(of)]
    if said:
        yield ", ".join(said)
    for _, of in leaves:
        if _is_text(of):
            yield from _lines(of)
    for each in _lists(value):
        for item in each:
            yield from _entries(item)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """What stands in an object, and in those within it, under their last names."""
    if isinstance(value, Mapping):
        for name, of in value.items():
            yield from _leaves(of, name)
    elif not isinstance(value, list):
        yield key, value


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    elif isinstance(value, Mapping):
        for of in value.values():
            yield from _lists(of)


def _lines(text: str) -> Sequence[str]:
    """The lines of a text; those of a table have the names of its columns."""
    rows = [row for row in text.splitlines() if row]
    cells = [row.split(",") for row in rows]
    names = cells[0] if cells else []
    if len(names) < 2 or any(len(each) != len(names) for each in cells):
        return rows
    return [
        ", ".join(f"{name}: {of}" for name, of in zip(names, each, strict=True))
        for each in cells[1:]
    ]
