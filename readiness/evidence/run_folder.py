"""A run's folder: its files, and their SHA-256 sums."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from readiness.resources import schema, violation

RECORD, EVIDENCE, REVIEW = "readiness.json", "evidence.jsonl", "review.yaml"
#: The end of an evidence file that was being written when the run was ended.
TORN = "evidence.torn"
#: What judges were asked, and what they answered: a file for each time.
JUDGED = "judge*.jsonl"

#: What `readiness.json` holds, as its schema says.
Record = Mapping[str, Any]


class FolderError(ValueError):
    """A folder is not what it is taken for; the message says why."""


class DamagedRecordError(FolderError):
    """The record is no longer what a run has written."""


def read(folder: Path) -> Record:
    """Read the record of a run.

    Raises:
        FolderError: There is none, or it is not one.
    """
    path = folder / RECORD
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FolderError(f"{folder} has no {RECORD}: name the folder of a run") from None
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is not JSON: {error}") from error
    if wrong := violation(found, schema("readiness")):
        raise FolderError(f"{path}: {wrong.json_path}: {wrong.message:.200}")
    record: Record = found
    return record


SUMS, ATTESTATION = "SHA256SUMS", "attestation.json"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def write(folder: Path) -> None:
    """Write the digests of all files that are there now."""
    lines = [f"{digest}  {name}\n" for name, digest in _present(folder).items()]
    (folder / SUMS).write_text("".join(lines), "utf-8")


def differences(folder: Path) -> Iterator[tuple[str, str]]:
    """The files that are not as the digests say, and what became of each.

    Raises:
        FolderError: There are no digests, or they cannot be read.
    """
    listed, present = _listed(folder / SUMS), _present(folder)
    for name in sorted(listed.keys() | present.keys()):
        if name not in present:
            yield name, "is missing"
        elif name not in listed:
            yield name, "was added"
        elif listed[name] != present[name]:
            yield name, "was changed"


def refuse_changed(folder: Path, made_again: Callable[[str], bool] = lambda name: False) -> None:
    """New digests must not cover up that anything was changed which is not made again.

    Raises:
        FolderError: It was; labels that a person writes into the review are what that is for.
    """
    for name, how in differences(folder):
        if not (made_again(name) or name == REVIEW):
            raise FolderError(f"{folder} is not as it was written: {name} {how}")


def _present(folder: Path) -> dict[str, str]:
    """Every file but the digests themselves and what signs them; a link is no file of a run."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: "a link" if path.is_symlink() else digest(path)
        for name, path in found.items()
        if (path.is_symlink() or not path.is_dir()) and name not in (SUMS, ATTESTATION)
    }


def _listed(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{path} cannot be read: {error}") from error
    found = [_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise FolderError(f"{path} is not a list of digests")
    return {match[2]: match[1] for match in found if match}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
