"""Evidence of the licence, gathered from folders, GGUF files, model cards and records."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from readiness.checks.license.gguf_header import Value, read_header
from readiness.checks.license.license_evidence import (
    LicenseDocument,
    LicenseEvidence,
    LicenseLabel,
    VendorStatement,
)
from readiness.policy.yaml_reader import PolicyError, PolicyYamlReader
from readiness.resources import schema, violation

_HEAD = re.compile(r"\s*---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
#: A card or a header says one of these where the licence has a name of its own.
ELSEWHERE = ("other", "unknown")


def read_card(text: str, source: str, digest: str) -> LicenseEvidence:
    """What a model card says; one without YAML at its head says nothing."""
    found = _HEAD.match(text.replace("\r\n", "\n"))
    if not found:
        return LicenseEvidence(other_documents=(LicenseDocument(source, text, digest),))
    try:
        said = PolicyYamlReader(source).read(found[1])
    except PolicyError as error:
        return LicenseEvidence(unreadable=(str(error),))
    if not isinstance(said, dict):
        return LicenseEvidence(unreadable=(f"{source}: the YAML at its head is no mapping",))
    licenses = [_own(said, each) for each in _texts(said.get("license"))]
    parents = tuple(_texts(said.get("base_model")))
    names = tuple(_texts(said.get("model_name")))
    # Of several, a card does not say that one may choose.
    labels = (LicenseLabel(source, " AND ".join(licenses)),) if licenses else ()
    return LicenseEvidence(
        names, labels, other_documents=(LicenseDocument(source, text, digest),), parents=parents
    )


def _own(said: dict[str, Any], usual: str) -> str:
    """The licence, by the name that the card gives it where it is none of the usual."""
    names = _texts(said.get("license_name"))
    return names[0] if usual.lower() in ELSEWHERE and names else usual


def _texts(value: Any) -> list[str]:
    """The texts of a value that may be one, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]


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


class LicenseEvidenceError(ValueError):
    """What is wrong with the evidence that the user names, and what would do."""


def gather(paths: tuple[Path, ...]) -> LicenseEvidence:
    """All that there is to show of one model's licence.

    Raises:
        EvidenceError: There is no such file, or a record that says something else than it may.
    """
    return reduce(add, map(_gather, paths), LicenseEvidence())


def _gather(path: Path) -> LicenseEvidence:
    if path.is_dir():
        read = (read_file(each, str(each.relative_to(path))) for each in _files(path))
        return reduce(add, read, LicenseEvidence())
    if not path.is_file():
        raise LicenseEvidenceError(f"{path}: no such file or folder")
    if path.suffix.lower() in (".yaml", ".yml"):
        return read_record(path)
    found = read_file(path, path.name)
    if found == LicenseEvidence():
        raise LicenseEvidenceError(
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


def read_file(path: Path, source: str) -> LicenseEvidence:
    """What one file has to show; nothing where it is none of those that tell of a licence."""
    name, kind = path.name, path.suffix.lower()
    if kind == ".gguf":
        return _of_gguf(path, source)
    if _CARD.fullmatch(name):
        return _of_text(path, source, read_card)
    if name in ("config.json", "adapter_config.json"):
        return _of_text(path, source, _config)
    if not (_TERMS.match(name) or _POLICY.search(name) or _NOTICE.match(name)):
        return LicenseEvidence()
    if kind in _PRINTED:
        return LicenseEvidence(unreadable=(f"{source}: no plain text: a person has to read it",))
    if kind not in _PROSE and not path.stem.isupper():
        return LicenseEvidence()  # As license.py is none.
    return _of_text(path, source, _document)


def _of_text(
    path: Path, source: str, read: Callable[[str, str, str], LicenseEvidence]
) -> LicenseEvidence:
    if path.stat().st_size > LARGEST:
        return LicenseEvidence(unreadable=(f"{source}: more than {LARGEST:,} bytes",))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return read(_decoded(data), source, digest) + LicenseEvidence(files={source: digest})


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # As copyright signs were once written.


def _document(text: str, source: str, digest: str) -> LicenseEvidence:
    name = Path(source).name
    found = LicenseDocument(
        source, text, digest, terms=bool(_TERMS.match(name)) and not _POLICY.search(name)
    )
    policies = (source,) if _POLICY.search(name) else ()
    return LicenseEvidence(
        license_documents=(found,),
        other_documents=() if found.terms else (found,),
        policies=policies,
    )


def _config(text: str, source: str, _digest: str) -> LicenseEvidence:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return LicenseEvidence(unreadable=(f"{source}: no JSON",))
    if not isinstance(said, dict):
        return LicenseEvidence(unreadable=(f"{source}: no JSON object",))
    parent = _word(said.get("base_model_name_or_path"))
    name = _word(said.get("_name_or_path"))
    # What a folder calls itself in another's work place tells nothing of the weights.
    names = (name,) if name and not name.startswith((".", "/")) else ()
    return LicenseEvidence(names=names, parents=(parent,) if parent else None)


def _of_gguf(path: Path, source: str) -> LicenseEvidence:
    try:
        header = read_header(path)
    except ValueError as error:
        return LicenseEvidence(unreadable=(f"{source}: {error}",))
    said = [_word(header.get(f"general.{key}")) for key in ("license", "license.name")]
    usual, own = said
    named = own if usual in ("", *ELSEWHERE) and own else usual
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode()).hexdigest()
    kind = header.get("general.file_type")
    return LicenseEvidence(
        names=tuple(filter(None, [_word(header.get("general.name"))])),
        labels=(LicenseLabel(source, named),) if named else (),
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


def read_record(path: Path) -> LicenseEvidence:
    """What a record says, with the files that it names.

    Raises:
        EvidenceError: It is not such a record, or a file is not the one that it speaks of.
    """
    try:
        said = PolicyYamlReader(str(path)).read(path.read_text("utf-8-sig"))
    except (PolicyError, UnicodeDecodeError) as error:
        raise LicenseEvidenceError(f"{path}: {error}") from error
    if wrong := violation(said, schema("license")):
        raise LicenseEvidenceError(f"{path}: {wrong.json_path}: {wrong.message:.200}")
    folder = path.parent
    parents = said.get("base_models")
    own = LicenseEvidence(
        names=(said["model"],),
        labels=tuple(
            LicenseLabel(each["source"], each["license"]) for each in said.get("says", ())
        ),
        reviewed_digests=frozenset(_read(folder, each) for each in said.get("read", ())),
        parents=tuple(parents) if parents is not None else None,
        ancestors={
            name: gather((_within(folder, where),))
            for name, where in said.get("ancestors", {}).items()
        },
        statements=tuple(_statement(folder, each) for each in said.get("statements", ())),
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest()},
    )
    return own + gather(tuple(_within(folder, each) for each in said.get("evidence", ())))


def _within(folder: Path, where: str) -> Path:
    """A place beside the record. A record does not lead back to itself."""
    path = (folder / where).resolve()
    if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
        raise LicenseEvidenceError(f"{where}: name something below the folder of the record")
    return path


def _read(folder: Path, said: dict[str, Any]) -> str:
    digest = _digest(folder, said["file"])
    if digest != said["sha256"]:
        raise LicenseEvidenceError(
            f"{said['file']}: its SHA-256 is {digest or 'none'}, "
            f"and {said['sha256']:.12}... is what {said['by']} has read"
        )
    return digest


def _statement(folder: Path, said: dict[str, Any]) -> VendorStatement:
    day = said["date"]
    try:
        read = day if isinstance(day, date) else date.fromisoformat(day)
    except ValueError as error:
        raise LicenseEvidenceError(f"{said['url']}: {day!r:.40} is no date") from error
    return VendorStatement(said["url"], read, _digest(folder, said["file"]) == said["sha256"])


def _digest(folder: Path, name: str) -> str:
    path = _within(folder, name)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
