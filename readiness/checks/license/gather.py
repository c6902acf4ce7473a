"""A record: what a person says of a model's licence, and where it can be looked up."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

from readiness.checks.license.license_evidence import Dossier, Label, Statement
from readiness.checks.license.model_files import EvidenceError, gather
from readiness.policy.yaml_reader import PolicyError, Reader
from readiness.resources import schema


def read_record(path: Path) -> Dossier:
    """What a record says, with the files that it names.

    Raises:
        EvidenceError: It is not such a record, or a file is not the one that it speaks of.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    try:
        said = Reader(str(path)).read(path.read_text("utf-8-sig"))
    except (PolicyError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: {error}") from error
    validator = Draft202012Validator(schema("license"))
    if violation := best_match(validator.iter_errors(said)):
        raise EvidenceError(f"{path}: {violation.json_path}: {violation.message:.200}")
    folder = path.parent
    parents = said.get("base_models")
    own = Dossier(
        names=(said["model"],),
        labels=tuple(Label(each["source"], each["license"]) for each in said.get("says", ())),
        read=frozenset(_read(folder, each) for each in said.get("read", ())),
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
        raise EvidenceError(f"{where}: name something below the folder of the record")
    return path


def _read(folder: Path, said: dict[str, Any]) -> str:
    digest = _digest(folder, said["file"])
    if digest != said["sha256"]:
        raise EvidenceError(
            f"{said['file']}: its SHA-256 is {digest or 'none'}, "
            f"and {said['sha256']:.12}... is what {said['by']} has read"
        )
    return digest


def _statement(folder: Path, said: dict[str, Any]) -> Statement:
    day = said["date"]
    try:
        read = day if isinstance(day, date) else date.fromisoformat(day)
    except ValueError as error:
        raise EvidenceError(f"{said['url']}: {day!r:.40} is no date") from error
    return Statement(said["url"], read, _digest(folder, said["file"]) == said["sha256"])


def _digest(folder: Path, name: str) -> str:
    path = _within(folder, name)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
