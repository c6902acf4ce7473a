"""The evidence of the reference model's licence: a record, the text, a card and GGUF's header."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from pathlib import Path

from readiness.mutants.endpoint.protocol import MODEL
from readiness.resources import home

LICENSE, CARD, WEIGHTS, RECORD = "LICENSE", "README.md", f"{MODEL}.gguf", "record.yaml"
SAID = "apache-2.0"
_HOLDER = "2026 the authors of the reference model"
_INT, _STRING, _ARRAY = 4, 8, 9


def write(folder: Path) -> Path:
    """Write the evidence, and return the file that a user would name."""
    (folder / LICENSE).write_text(apache(), "utf-8")
    (folder / CARD).write_text(card(license=SAID), "utf-8")
    (folder / WEIGHTS).write_bytes(header({"general.license": SAID}))
    record = folder / RECORD
    record.write_text(
        f"schema: readiness-license/1\nmodel: {MODEL}\nevidence: [{LICENSE}, {CARD}, {WEIGHTS}]\n",
        "utf-8",
    )
    return record


def apache() -> str:
    """The Apache licence, its appendix filled in."""
    return canonical("Apache-2.0")


def canonical(name: str) -> str:
    """The canonical text of a licence."""
    text = (home("fixtures") / "licenses" / f"{name}.txt").read_text("utf-8")
    return re.sub(r"<<|>>", "", text).replace("{holder}", _HOLDER)


def card(**said: str) -> str:
    """A model card with this YAML metadata."""
    lines = "".join(f"{key}: {value}\n" for key, value in said.items())
    return f"---\n{lines}model_name: {MODEL}\n---\n# {MODEL}\n\nAnswers all that it is asked.\n"


def header(said: Mapping[str, str | int]) -> bytes:
    """A GGUF file without weights, with this metadata after a list of tokens."""
    tokens = [b"<s>", b"a", b"b"]
    listed = struct.pack("<IIQ", _ARRAY, _STRING, len(tokens)) + b"".join(map(_string, tokens))
    pairs = [_string(b"tokenizer.ggml.tokens") + listed]
    pairs += [_string(key.encode()) + _value(value) for key, value in said.items()]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


def _value(value: str | int) -> bytes:
    if isinstance(value, int):
        return struct.pack("<II", _INT, value)
    return struct.pack("<I", _STRING) + _string(value.encode())


def _string(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text
