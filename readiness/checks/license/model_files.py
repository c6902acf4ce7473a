"""Evidence of a licence, gathered from a model's folder, a GGUF file, a card or a record."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from readiness.checks.license.gguf_header import Value, read_header
from readiness.checks.license.license_evidence import Dossier, Label, Text
from readiness.checks.license.model_card import ELSEWHERE, read_card

LARGEST = 2**20  # bytes
DEEPEST = 2  # folders
QUANTIZATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip
# The names of what states terms, of what restricts the use, and of what may name a licence.
_TERMS = re.compile(r"(?:licen[cs]e|copying)", re.IGNORECASE)
_POLICY = re.compile(r"use[_ -]?policy|usage|acceptable", re.IGNORECASE)
_NOTICE = re.compile(r"notice", re.IGNORECASE)
_CARD = re.compile(r"(?:readme|model_?card)\.md", re.IGNORECASE)
_PROSE = ("", ".md", ".txt", ".rst")
_PRINTED = (".pdf", ".doc", ".docx", ".odt", ".rtf", ".htm", ".html")


class EvidenceError(ValueError):
    """What is wrong with the evidence that the user names, and what would do."""


def gather(paths: tuple[Path, ...]) -> Dossier:
    """All that there is to show of one model's licence.

    Raises:
        EvidenceError: There is no such file, or a record that says something else than it may.
    """
    return reduce(add, map(_gather, paths), Dossier())


def _gather(path: Path) -> Dossier:
    if path.is_dir():
        read = (read_file(each, str(each.relative_to(path))) for each in _files(path))
        return reduce(add, read, Dossier())
    if not path.is_file():
        raise EvidenceError(f"{path}: no such file or folder")
    if path.suffix.lower() in (".yaml", ".yml"):
        from readiness.checks.license.gather import read_record

        return read_record(path)
    found = read_file(path, path.name)
    if found == Dossier():
        raise EvidenceError(
            f"{path}: no evidence of a licence: name a model's folder, a GGUF file, a card "
            "(README.md), a licence's text or a record (.yaml)"
        )
    return found


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder, those below it included, in the order of their names."""
    for here, folders, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(folders) if depth < DEEPEST - 1 else []
        yield from (Path(here, name) for name in sorted(names))


def read_file(path: Path, source: str) -> Dossier:
    """What one file has to show; nothing where it is none of those that tell of a licence."""
    name, kind = path.name, path.suffix.lower()
    if kind == ".gguf":
        return _of_gguf(path, source)
    if _CARD.fullmatch(name):
        return _of_text(path, source, read_card)
    if name in ("config.json", "adapter_config.json"):
        return _of_text(path, source, _config)
    if not (_TERMS.match(name) or _POLICY.search(name) or _NOTICE.match(name)):
        return Dossier()
    if kind in _PRINTED:
        return Dossier(unreadable=(f"{source}: no plain text: a person has to read it",))
    if kind not in _PROSE and not path.stem.isupper():
        return Dossier()  # As license.py is none.
    return _of_text(path, source, _document)


def _of_text(path: Path, source: str, read: Callable[[str, str, str], Dossier]) -> Dossier:
    if path.stat().st_size > LARGEST:
        return Dossier(unreadable=(f"{source}: more than {LARGEST:,} bytes",))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return read(_decoded(data), source, digest) + Dossier(files={source: digest})


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # As copyright signs were once written.


def _document(text: str, source: str, digest: str) -> Dossier:
    name = Path(source).name
    found = Text(source, text, digest, terms=bool(_TERMS.match(name)) and not _POLICY.search(name))
    policies = (source,) if _POLICY.search(name) else ()
    return Dossier(texts=(found,), prose=() if found.terms else (found,), policies=policies)


def _config(text: str, source: str, _digest: str) -> Dossier:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return Dossier(unreadable=(f"{source}: no JSON",))
    if not isinstance(said, dict):
        return Dossier(unreadable=(f"{source}: no JSON object",))
    parent = _word(said.get("base_model_name_or_path"))
    name = _word(said.get("_name_or_path"))
    # What a folder calls itself in another's work place tells nothing of the weights.
    names = (name,) if name and not name.startswith((".", "/")) else ()
    return Dossier(names=names, parents=(parent,) if parent else None)


def _of_gguf(path: Path, source: str) -> Dossier:
    try:
        header = read_header(path)
    except ValueError as error:
        return Dossier(unreadable=(f"{source}: {error}",))
    said = [_word(header.get(f"general.{key}")) for key in ("license", "license.name")]
    usual, own = said
    named = own if usual in ("", *ELSEWHERE) and own else usual
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode()).hexdigest()
    kind = header.get("general.file_type")
    return Dossier(
        names=tuple(filter(None, [_word(header.get("general.name"))])),
        labels=(Label(source, named),) if named else (),
        parents=_parents(header),
        files={source: digest},
        quantization=QUANTIZATIONS.get(int(kind), f"file type {kind}") if kind is not None else "",
        bytes=path.stat().st_size,
    )


def _parents(header: Any) -> tuple[str, ...] | None:
    """The models that a header names as its own model's base; None where it is silent."""
    count = header.get("general.base_model.count")
    if not isinstance(count, int):
        return None
    names = []
    for number in range(min(count, 100)):
        at = f"general.base_model.{number}"
        url, maker, name = (
            _word(header.get(f"{at}.{key}")) for key in ("repo_url", "organization", "name")
        )
        # The card of the same model names its base as the address ends: organisation/name.
        named = "/".join(filter(None, [maker, name]))
        names.append("/".join(url.rstrip("/").split("/")[-2:]) if url else named)
    return tuple(names)


def _word(value: Value | Any) -> str:
    return value.strip() if isinstance(value, str) else ""
