"""A run's folder: its files, and their SHA-256 digests."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from readiness.resources import contents, opened, schema, violation

MAX_RECORD = 2**28  # bytes
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
        record = json.loads(contents(path, MAX_RECORD))
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
#: Is in the folder of a run until all of its files are written.
UNFINISHED = "UNFINISHED"
_FRESH = ".{}.fresh"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def write(folder: Path) -> None:
    """Write the digests of all files in the folder."""
    lines = [f"{digest}  {name}\n" for name, digest in _present(folder).items()]
    write_whole(folder / SUMS, "".join(lines))


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, in UTF-8; lone surrogates as escape sequences.

    Raises:
        OSError: It cannot be written: what was there is there still.
    """
    fresh = path.with_name(_FRESH.format(path.name))
    try:
        fresh.unlink(missing_ok=True)
        fresh.write_text(text, "utf-8", "backslashreplace")
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def begin(folder: Path) -> None:
    """Mark a run as unfinished: until it ends, its folder is not as the digests say."""
    (folder / SUMS).unlink(missing_ok=True)
    write_whole(folder / UNFINISHED, f"To go on: --resume {folder}\n")


def end(folder: Path) -> None:
    """Write the digests of a run whose files are all written."""
    for left in folder.rglob(_FRESH.format("*")):
        left.unlink()  # Of a run that was killed while it wrote.
    (folder / UNFINISHED).unlink(missing_ok=True)
    write(folder)


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


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold a run's folder against other processes that would write to it.

    Raises:
        FolderError: Another process holds it.
    """
    held = os.open(folder, os.O_RDONLY)
    try:
        _lock(held, folder)
        yield
    finally:
        os.close(held)


def _lock(held: int, folder: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FolderError(f"{folder} is being written by another process") from error


def _present(folder: Path) -> dict[str, str]:
    """The digest of every file but the digests and their attestation; a link or pipe has none."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: digest(path) if path.is_file() and not path.is_symlink() else "no file"
        for name, path in paths.items()
        if (path.is_symlink() or not path.is_dir()) and name not in (SUMS, ATTESTATION)
    }


def _listed(path: Path) -> dict[str, str]:
    try:
        lines = contents(path, MAX_RECORD).decode().splitlines()
    except FileNotFoundError:
        raise FolderError(
            f"{path.parent} has no {SUMS}: name the folder of a finished run"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{path} cannot be read: {error}") from error
    matches = [_LINE.fullmatch(line) for line in lines]
    if not all(matches):
        raise FolderError(f"{path} is not a list of digests")
    return {match[2]: match[1] for match in matches if match}


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
