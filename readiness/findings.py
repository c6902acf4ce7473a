"""Findings: what searches of earlier runs have shrunk to its smallest, to be tried again first."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What a search tries: JSON that this program has made up, and no word of an endpoint's.
Case = Mapping[str, Any]

SCHEMA = "readiness-findings/1"
MOST_KEPT = 10  # of one search, the newest first; each costs a request of every run


class Findings:
    """A file beside the runs, or nothing but memory where there is no file.

    Raises:
        LookupError: The file is none of ours; the message says which.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._waiting = self._read()

    def take(self, search: str) -> list[Case]:
        """Hand out what a search has found in earlier runs, once in each run."""
        return self._waiting.pop(search, [])

    def keep(self, search: str, case: Case) -> None:
        """Add what a search has found."""
        if self._path is None:
            return
        kept = self._read()  # Another run may have added to it meanwhile.
        others = [each for each in kept.get(search, []) if each != case]
        kept[search] = [case, *others][:MOST_KEPT]
        text = json.dumps({"schema": SCHEMA, "findings": kept}, ensure_ascii=False, indent=2)
        fresh = self._path.with_name(f".{self._path.name}-{os.getpid()}")
        fresh.write_text(f"{text}\n", "utf-8", "backslashreplace")
        fresh.replace(self._path)

    def _read(self) -> dict[str, list[Case]]:
        if self._path is None or not self._path.exists():
            return {}
        # Imported here, for they take a tenth of a second that a first run need not pay.
        from jsonschema import Draft202012Validator

        from readiness.resources import schema

        try:
            found = json.loads(self._path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise LookupError(f"{self._path} is no JSON: mend it or remove it") from error
        if not Draft202012Validator(schema("findings")).is_valid(found):
            raise LookupError(f"{self._path} is no list of findings: mend it or remove it")
        kept: dict[str, list[Case]] = found["findings"]
        return kept
