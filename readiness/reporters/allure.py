"""Allure results: one test per check, with its trials and exchanges as attachments."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from readiness.evidence.log import REPEAT
from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import EVIDENCE, FolderError, Record, write_whole
from readiness.reporters import compliance, conclusions
from readiness.reporters.charts import shown
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Gate, Verdict

HTTP_EXCHANGE = "application/vnd.allure.http+json"
MAX_PASSING = 2  # Exchanges of passed trials that are attached to a check.
MAX_BODY = 64 * 2**10  # Characters of a body; the evidence has all of it.
#: The beginning of a line of evidence, which classifies most lines without parsing their JSON.
_HEAD = re.compile(rb'\{"prev": "[0-9a-f]{64}", "kind": "(exchange|trial)", (?:"seq": (\d+), )?')


class EvidenceIndex:
    """The exchanges and trials of an evidence file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offsets: dict[int, int] = {}
        self._trials: dict[str, list[Record]] = {}
        offset = 0
        with path.open("rb") as lines:
            for line in lines:
                self._note(line, offset)
                offset += len(line)

    def _note(self, line: bytes, offset: int) -> None:
        head = _HEAD.match(line)
        if head and head[1] == b"exchange":
            self._offsets[int(head[2])] = offset
        elif head:
            trial = json.loads(line)
            if trial.get(REPEAT):
                return
            self._trials.setdefault(trial["check"], []).append(trial)

    def trials(self, check: str) -> Sequence[Record]:
        """The trials of a check."""
        return self._trials.get(check, [])

    def passing(self, check: str) -> list[int]:
        """The numbers of the first exchanges of passed trials."""
        passed = [each for each in self.trials(check) if each["outcome"] == "pass"]
        return [seq for trial in passed for seq in trial["exchanges"]][:MAX_PASSING]

    def read(self, seq: int) -> Record:
        """An exchange by its number.

        Raises:
            FolderError: There is no exchange of that number.
        """
        if seq not in self._offsets:
            raise FolderError(f"{self._path} has no exchange {seq}, which the record names")
        with self._path.open("rb") as file:
            file.seek(self._offsets[seq])
            found: Record = json.loads(file.readline())
        return found


def exchange(found: Record, endpoint: str) -> str:
    """An exchange in Allure's format, with all texts escaped except line breaks."""
    sent = int(found["sent"] * 1000)
    request = escape_unprintable_json(
        {"method": found["method"], "url": f"{endpoint}{found['path']}"}
    )
    asked = _body(json.dumps(found["request"], ensure_ascii=False))
    document: dict[str, Any] = {"schemaVersion": 1, "request": {**request, "body": asked}}
    document |= {"start": sent, "stop": sent + found["end"] // 1_000_000}
    if found["status"] is not None:
        headers = [{"name": name, "value": value} for name, value in found["headers"].items()]
        response = escape_unprintable_json({"status": found["status"], "headers": headers})
        body = found.get("body", found.get("body_base64", ""))
        document["response"] = {**response, "body": _body(body)}
    if found["fault"]:
        document["error"] = escape_unprintable_json(
            {"name": found["fault"], "message": found["detail"]}
        )
    return json.dumps(document)


def _body(text: str) -> dict[str, Any]:
    lines = (escape_unprintable_json(line) for line in text[:MAX_BODY].split("\n"))
    body = {"contentType": "application/json", "encoding": "utf8", "value": "\n".join(lines)}
    if len(text) <= MAX_BODY:
        return body
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {**body, "truncated": True, "size": len(text), "sha256": digest}


FOLDER = "allure-results"
MAX_FAILING = 20  # Exchanges that are attached to a check; the evidence has them all.
STATUS = {
    Verdict.READY: "passed",
    Verdict.NOT_READY: "failed",
    Verdict.INCONCLUSIVE: "broken",
    Verdict.NOT_ASSESSED: "skipped",
}
SEVERITY = {Gate.REQUIRED: "critical", Gate.ADVISORY: "minor", Gate.OFF: "trivial"}
#: The first match determines the category.
CATEGORIES = [
    {"name": "Advice not followed", "messageRegex": "advisory.*"},
    {"name": "Requirement not met", "matchedStatuses": ["failed"]},
    {"name": "Inconclusive", "matchedStatuses": ["broken"]},
    {"name": "Not assessed", "matchedStatuses": ["skipped"]},
]


def write(record: Record, run: Path, folder: Path) -> None:
    """Write the results of a run, with exchanges from its evidence, to a subfolder."""
    into = folder / FOLDER
    if folder == run:  # What was written before the run was resumed, or labelled, may be more.
        shutil.rmtree(into, ignore_errors=True)
    into.mkdir(exist_ok=True)
    document = escape_unprintable_json(record)
    source = EvidenceIndex(run / EVIDENCE)
    waived = conclusions.waivers(document, Translations("en"))
    for dimension in document["dimensions"]:
        for check in dimension["checks"]:
            result = _result(document, dimension, check, waived.get(check["id"], ""))
            for name, kind, text in _attachments(document, check, source):
                file = f"{_id(document, check['id'], name)}-attachment{_ENDING[kind]}"
                write_whole(into / file, text)
                result["attachments"].append({"name": name, "source": file, "type": kind})
            _write(into / f"{result['uuid']}-result.json", result)
    _write(into / "categories.json", CATEGORIES)
    _write(into / "executor.json", _executor(document))
    write_whole(into / "environment.properties", "".join(_environment(document)))


_ENDING = {HTTP_EXCHANGE: ".httpexchange", "text/csv": ".csv"}


def _result(record: Record, dimension: Record, check: Record, waived: str) -> dict[str, Any]:
    # Checks run concurrently: their durations overlap. One that sent nothing has none.
    began = _milliseconds(check.get("began", record["finished"]))
    advisory = "" if conclusions.gates(dimension, check) else " (advisory)"
    return {
        "uuid": _id(record, check["id"]),
        # Depends on the check only, so that the history continues with another model.
        "historyId": sha256(check["id"].encode()).hexdigest(),
        "testCaseId": sha256(check["id"].encode()).hexdigest(),
        "fullName": check["id"],
        "name": f"{check['id']}{advisory}",
        "description": "\n\n".join(filter(None, [check["requirement"], waived])),
        "status": "passed" if "no_defect" in check else STATUS[Verdict(check["verdict"])],
        "statusDetails": _details(dimension, check),
        "stage": "finished",
        "start": began,
        "stop": began + round(1000 * check.get("seconds", 0)),
        "labels": list(_labels(dimension, check)),
        "links": [
            {"type": "link", "name": "matrix", "url": f"../readiness.html#{check['id']}"},
            {"type": "link", "name": "record", "url": "../readiness.json"},
        ],
        "attachments": [],
        "parameters": [],
    }


def _details(dimension: Record, check: Record) -> dict[str, str]:
    advisory = "" if conclusions.gates(dimension, check) else "advisory, "
    reasons = [f"{each['count']} × {each['reason']}" for each in check["reasons"]]
    return {
        "message": f"{advisory}{shown(check)}",
        "trace": "\n".join([*conclusions.remarks(check, Translations("en")), *reasons]),
    }


def _labels(dimension: Record, check: Record) -> Iterator[dict[str, str]]:
    name = check["id"].partition(".")[2]
    labels = {
        "epic": "readiness",
        "suite": f"{dimension['id']}: {conclusions.shown_verdict(dimension)}",
        "feature": dimension["id"],
        "story": name,
        "severity": SEVERITY[Gate(check["gate"])],
        "framework": "readiness",
    }
    yield from ({"name": name, "value": value} for name, value in labels.items())
    for clause in compliance.clauses_for(check["id"]):
        source = "_".join(clause.source.lower().replace("/", " ").split())
        yield {"name": source, "value": clause.name}


def _attachments(
    record: Record, check: Record, source: EvidenceIndex
) -> Iterator[tuple[str, str, str]]:
    """The attachments of a check: name, type and text."""
    yield "trials", "text/csv", _table(source.trials(check["id"]))
    failing = [(each, "not passed") for trial in check["not_passed"] for each in trial["exchanges"]]
    passing = [(each, "passed") for each in source.passing(check["id"])]
    for seq, kind in [*failing[:MAX_FAILING], *passing]:
        text = exchange(source.read(seq), record["target"]["endpoint"])
        yield f"exchange {seq}, {kind}", HTTP_EXCHANGE, text


def _table(trials: Iterable[Record]) -> str:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["probe", "outcome", "reason", "exchanges"])
    for trial in escape_unprintable_json(list(trials)):
        exchanges = " ".join(map(str, trial["exchanges"]))
        cells = [trial["probe"], trial["outcome"], trial["reason"], exchanges]
        rows.writerow([_cell(each) for each in cells])
    return table.getvalue()


def _cell(text: str) -> str:
    # A spreadsheet interprets a cell that begins like this as a formula.
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


def _environment(record: Record) -> Iterator[str]:
    document = {
        "model": record["target"]["model"],
        "endpoint": record["target"]["endpoint"],
        "verdict": record["verdict"],
        "score": record["score"],
        "started": record["started"],
        "finished": record["finished"],
        "profile": record["profile"],
        "seed": record["seed"],
        **record["harness"],
    }
    # JSON's escapes are those of a properties file.
    return (f"{name}={json.dumps(str(value))[1:-1]}\n" for name, value in document.items())


def _executor(record: Record) -> dict[str, str]:
    return {
        "name": "readiness",
        "type": "readiness",
        "buildName": f"{record['target']['model']} {record['started']}",
        "reportName": "Evidence by check: the verdict and the score are in readiness.html",
    }


def _id(record: Record, *names: str) -> str:
    """A stable id, the same each time it is computed from the same run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\0".join([record["evidence"]["head"], *names])))


def _milliseconds(utc: str) -> int:
    return int(datetime.fromisoformat(utc).timestamp() * 1000)


def _write(path: Path, value: object) -> None:
    write_whole(path, json.dumps(value))


def copy(run: Path, to: Path) -> None:
    """Copy the results of a run to a folder, which may have others."""
    shutil.copytree(run / FOLDER, to, dirs_exist_ok=True)
