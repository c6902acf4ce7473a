"""A run's folder: its files, and their SHA-256 digests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from readiness.resources import schema, violation

RECORD, EVIDENCE, REVIEW = "readiness.json", "evidence.jsonl", "review.yaml"
#: The incomplete last line of evidence, set aside when an interrupted run is resumed.
TORN = "evidence.torn"
#: The requests to judges and their replies: a file for each calibration.
JUDGED = "judge*.jsonl"

#: What `readiness.json` holds, as its schema says.
Record = Mapping[str, Any]


class FolderError(ValueError):
    """A folder is not a run's, or was changed; the message says why."""


class DamagedRecordError(FolderError):
    """The record is no longer valid JSON, as the run wrote it."""


def read(folder: Path) -> Record:
    """Read the record of a run.

    Raises:
        FolderError: There is no record, or it does not match the schema.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FolderError(f"{folder} has no {RECORD}: name the folder of a run") from None
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is not JSON: {error}") from error
    if wrong := violation(record, schema("readiness")):
        raise FolderError(f"{path}: {wrong.json_path}: {wrong.message:.200}")
    valid: Record = record
    return valid


SUMS, ATTESTATION = "SHA256SUMS", "attestation.json"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def write(folder: Path) -> None:
    """Write the digests of all files in the folder."""
    lines = [f"{digest}  {name}\n" for name, digest in _present(folder).items()]
    (folder / SUMS).write_text("".join(lines), "utf-8")


def differences(folder: Path) -> Iterator[tuple[str, str]]:
    """The files that differ from the digests, each with a description of the change.

    Raises:
        FolderError: The digests are missing or unreadable.
    """
    listed, present = _listed(folder / SUMS), _present(folder)
    for name in sorted(listed.keys() | present.keys()):
        if name not in present:
            yield name, "is missing"
        elif name not in listed:
            yield name, "was added"
        elif listed[name] != present[name]:
            yield name, "was changed"


def refuse_changed(folder: Path, rewritten: Callable[[str], bool] = lambda name: False) -> None:
    """Refuse to replace the digests of changed files, which would hide the change.

    Files that the caller rewrites may differ, and so may the review, which people edit.

    Raises:
        FolderError: Another file was changed.
    """
    for name, change in differences(folder):
        if not (rewritten(name) or name == REVIEW):
            raise FolderError(f"{folder} is not as it was written: {name} {change}")


def _present(folder: Path) -> dict[str, str]:
    """The digest of every file but the digests and their attestation; a link has none."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: "a link" if path.is_symlink() else digest(path)
        for name, path in paths.items()
        if (path.is_symlink() or not path.is_dir()) and name not in (SUMS, ATTESTATION)
    }


def _listed(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{path} cannot be read: {error}") from error
    matches = [_LINE.fullmatch(line) for line in lines]
    if not all(matches):
        raise FolderError(f"{path} is not a list of digests")
    return {match[2]: match[1] for match in matches if match}


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
