"""The folder of a run, read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORD, EVIDENCE, REVIEW = "readiness.json", "evidence.jsonl", "review.yaml"
#: What judges were asked, and what they answered: a file for each time.
JUDGED = "judge*.jsonl"

#: What `readiness.json` holds, as its schema says.
Record = Mapping[str, Any]


class FolderError(ValueError):
    """A folder is not what it is taken for; the message says why."""


def read(folder: Path) -> Record:
    """Read the record of a run.

    Raises:
        FolderError: There is none, or it is not one.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    from readiness.resources import schema

    path = folder / RECORD
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FolderError(f"{folder} has no {RECORD}: name the folder of a run") from None
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path} is not JSON: {error}") from error
    if violation := best_match(Draft202012Validator(schema("readiness")).iter_errors(found)):
        raise FolderError(f"{path}: {violation.json_path}: {violation.message:.200}")
    record: Record = found
    return record
