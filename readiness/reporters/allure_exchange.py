"""Exchanges of the evidence, as Allure shows them: request beside response."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from readiness.evidence.printable import cleaned
from readiness.evidence.run_folder import FolderError, Record

HTTP_EXCHANGE = "application/vnd.allure.http+json"
MOST_PASSING = 2  # Exchanges of trials that passed, of each check.
LONGEST = 64 * 2**10  # Characters of a body; the evidence has all of it.
#: How a line of evidence begins. Most are told apart by it, and never read as JSON.
_HEAD = re.compile(rb'\{"prev": "[0-9a-f]{64}", "kind": "(exchange|trial)", (?:"seq": (\d+), )?')


class Source:
    """The exchanges and trials of an evidence file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[int, int] = {}
        self._trials: dict[str, list[Record]] = {}
        place = 0
        with path.open("rb") as lines:
            for line in lines:
                self._note(line, place)
                place += len(line)

    def _note(self, line: bytes, place: int) -> None:
        head = _HEAD.match(line)
        if head and head[1] == b"exchange":
            self._places[int(head[2])] = place
        elif head:
            trial = json.loads(line)
            self._trials.setdefault(trial["check"], []).append(trial)

    def trials(self, check: str) -> Sequence[Record]:
        """The trials of a check."""
        return self._trials.get(check, [])

    def passing(self, check: str) -> list[int]:
        """The numbers of a few exchanges of trials that passed."""
        passed = [each for each in self.trials(check) if each["outcome"] == "pass"]
        return [seq for trial in passed for seq in trial["exchanges"]][:MOST_PASSING]

    def read(self, seq: int) -> Record:
        """An exchange by its number.

        Raises:
            FolderError: There is none of that number.
        """
        if seq not in self._places:
            raise FolderError(f"{self._path} has no exchange {seq}, which the record names")
        with self._path.open("rb") as file:
            file.seek(self._places[seq])
            found: Record = json.loads(file.readline())
        return found


def exchange(found: Record, endpoint: str) -> str:
    """An exchange in Allure's format; its texts are clean but for their line breaks."""
    sent = int(found["sent"] * 1000)
    request = cleaned({"method": found["method"], "url": f"{endpoint}{found['path']}"})
    asked = _body(json.dumps(found["request"], ensure_ascii=False))
    said: dict[str, Any] = {"schemaVersion": 1, "request": {**request, "body": asked}}
    said |= {"start": sent, "stop": sent + found["end"] // 1_000_000}
    if found["status"] is not None:
        headers = [{"name": name, "value": value} for name, value in found["headers"].items()]
        response = cleaned({"status": found["status"], "headers": headers})
        body = found.get("body", found.get("body_base64", ""))
        said["response"] = {**response, "body": _body(body)}
    if found["fault"]:
        said["error"] = cleaned({"name": found["fault"], "message": found["detail"]})
    return json.dumps(said)


def _body(text: str) -> dict[str, Any]:
    lines = (cleaned(line) for line in text[:LONGEST].split("\n"))
    body = {"contentType": "application/json", "encoding": "utf8", "value": "\n".join(lines)}
    if len(text) <= LONGEST:
        return body
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {**body, "truncated": True, "size": len(text), "sha256": digest}
