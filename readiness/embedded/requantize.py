"""Requantisation of a GGUF file from Q4_1 to Q4_0, for which llama.cpp has faster matrix products.

On one core with AVX2, SmolLM2 reads 165 tokens/s in Q4_1 and 310 in Q4_0, and writes 72 and 120 of
one reply, 101 and 137 of four at once. The bytes are those that the library `gguf` makes of it.
"""

from __future__ import annotations

import struct
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Q4_0, Q4_1 = 2, 3  # As types of tensors, and of files of which most tensors have that type.
STRING, ARRAY = 8, 9
#: The size in bytes of each other type of values in the header.
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
ALIGNMENT = 32  # bytes
BLOCK = 32  # weights, which share their scale
FROM = np.dtype([("scale", "<f2"), ("least", "<f2"), ("steps", "u1", BLOCK // 2)])
TO = np.dtype([("scale", "<f2"), ("steps", "u1", BLOCK // 2)])


def requantized(gguf: bytes) -> bytes:
    """The same file with its tensors of type Q4_1 in Q4_0."""
    file, header, data = BytesIO(gguf), bytearray(gguf), bytearray()
    _magic, _version, tensors, pairs = _unpack(file, "4sIQQ")
    for _ in range(pairs):
        key, kind = _text(file), _number(file, "I")
        if key == b"general.file_type":
            struct.pack_into("<I", header, file.tell(), Q4_0)
        _skip(file, kind)
    found = [_tensor(file) for _ in range(tensors)]
    start = _aligned(file.tell())
    ends = [*(offset for _, _, _, offset in found[1:]), len(gguf) - start]
    for (place, weights, kind, offset), end in zip(found, ends, strict=True):
        stored = gguf[start + offset : start + end]
        if kind == Q4_1:
            kind, stored = Q4_0, _q4_0(np.frombuffer(stored, FROM, weights // BLOCK))
        struct.pack_into("<IQ", header, place, kind, len(data))
        data += stored.ljust(_aligned(len(stored)), b"\0")
    return bytes(header[:start] + data)


def _q4_0(blocks: NDArray[Any]) -> bytes:
    """Blocks of Q4_1, `steps * scale + least`, as blocks of Q4_0, `(steps - 8) * scale`."""
    steps = np.stack([blocks["steps"] & 15, blocks["steps"] >> 4], axis=1).reshape(-1, BLOCK)
    scale, least = (blocks[name].astype(np.float32)[:, None] for name in ("scale", "least"))
    weights = steps.astype(np.float32) * scale + least
    largest = np.take_along_axis(weights, np.abs(weights).argmax(axis=1, keepdims=True), axis=1)
    made = np.zeros(len(blocks), TO)
    made["scale"] = (largest / -8)[:, 0]
    per_step = np.divide(1, largest / -8, where=largest != 0, out=np.zeros_like(largest))
    rounded = (weights * per_step + np.float32(8.5)).astype(np.uint8).clip(0, 15)
    made["steps"] = rounded[:, : BLOCK // 2] | rounded[:, BLOCK // 2 :] << 4
    return made.tobytes()


def _tensor(file: BytesIO) -> tuple[int, int, int, int]:
    """Where a tensor's type stands in the header, its number of weights, its type and offset."""
    _text(file)
    weights = prod(_unpack(file, f"{_number(file, 'I')}Q"))
    return file.tell(), weights, _number(file, "I"), _number(file, "Q")


def _skip(file: BytesIO, kind: int) -> None:
    if kind == STRING:
        _text(file)
    elif kind == ARRAY:
        of, items = _unpack(file, "IQ")
        for _ in range(items):
            _skip(file, of)
    else:
        file.seek(SIZES[kind], 1)


def _text(file: BytesIO) -> bytes:
    return file.read(_number(file, "Q"))


def _number(file: BytesIO, form: str) -> int:
    (number,) = _unpack(file, form)
    return int(number)


def _unpack(file: BytesIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
