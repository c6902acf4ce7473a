"""The metadata in a GGUF file's header, read without its weights and vocabulary.

The library `gguf` takes nine seconds for a model of 135M, because it builds arrays of all tokens.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from readiness.resources import opened

MAGIC = b"GGUF"
STRING, ARRAY = 8, 9
#: Each number's struct code, by its type in the file.
NUMBERS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
MAX_KEYS = 10_000
MAX_TEXT = 2**20  # bytes: chat templates have some thousands
MAX_TEXTS = 2**24  # bytes of all keys and texts
MAX_ITEMS = 2**23  # of an array of texts: the largest vocabularies have a quarter of a million
GENERAL = "general."

Value = str | float | bool


def read_header(path: Path) -> Mapping[str, Value]:
    """The header's values under `general`: strings, numbers and booleans, without arrays.

    Raises:
        ValueError: It is no GGUF header, or a truncated one.
    """
    with opened(path) as file:
        try:
            return _read(file)
        except (struct.error, EOFError, OSError, OverflowError, UnicodeError, KeyError) as error:
            raise ValueError(f"the header cannot be read: {error!r:.120}") from None


def _read(file: BinaryIO) -> Mapping[str, Value]:
    if file.read(4) != MAGIC:
        raise ValueError("no GGUF file")
    version = file.read(4)
    # The version is a small number: if not, the file has the other byte order.
    order = "<" if version[1:] == b"\0\0\0" else ">"
    if struct.unpack(f"{order}I", version)[0] not in (2, 3):
        raise ValueError(f"version {version!r} of GGUF is unknown")
    _tensors, keys = _unpack(file, f"{order}QQ")
    if keys > MAX_KEYS:
        raise ValueError(f"a header of {keys} keys")
    found, texts = {}, 0
    for _ in range(keys):
        key, value = _pair(file, order)
        texts += len(key) + (len(value) if isinstance(value, str) else 0)
        if texts > MAX_TEXTS:
            raise ValueError(f"more than {MAX_TEXTS:,} bytes of text")
        if value is not None and key.startswith(GENERAL):
            found[key] = value
    return found


def _pair(file: BinaryIO, order: str) -> tuple[str, Value | None]:
    key = _text(file, order)
    (kind,) = _unpack(file, f"{order}I")
    if kind == ARRAY:
        _skip(file, order)
        return key, None
    if kind == STRING:
        return key, _text(file, order)
    (value,) = _unpack(file, order + NUMBERS[kind])
    return key, value


def _skip(file: BinaryIO, order: str) -> None:
    kind, size = _unpack(file, f"{order}IQ")
    if kind == ARRAY:
        raise ValueError("an array of arrays")
    if size > MAX_ITEMS:
        raise ValueError(f"an array of {size} items")
    if kind != STRING:
        file.seek(size * struct.calcsize(NUMBERS[kind]), 1)
        return
    length = struct.Struct(f"{order}Q")
    for _ in range(size):
        file.seek(length.unpack(file.read(8))[0], 1)


def _text(file: BinaryIO, order: str) -> str:
    (size,) = _unpack(file, f"{order}Q")
    if size > MAX_TEXT:
        raise ValueError(f"a text of {size} bytes")
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data.decode()


def _unpack(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
