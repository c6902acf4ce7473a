"""Allure: a result for each check. It is a view for people who drill down, and never the gate."""

from __future__ import annotations

import csv
import io
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from readiness.evidence.printable import cleaned
from readiness.evidence.run_folder import EVIDENCE, Record
from readiness.reporters import compliance, standing
from readiness.reporters.allure_exchange import HTTP_EXCHANGE, Source, exchange
from readiness.reporters.figures import interval, needs
from readiness.reporters.words import Words
from readiness.verdict.claim import Gate, Verdict

FOLDER = "allure-results"
MOST_FAILING = 20  # Exchanges that are attached to a check; the evidence has them all.
STATUS = {
    Verdict.READY: "passed",
    Verdict.NOT_READY: "failed",
    Verdict.INCONCLUSIVE: "broken",
    Verdict.NOT_ASSESSED: "skipped",
}
SEVERITY = {Gate.REQUIRED: "critical", Gate.ADVISORY: "minor", Gate.OFF: "trivial"}
#: The first that matches names the category.
CATEGORIES = [
    {"name": "Advice not followed", "messageRegex": "advisory.*"},
    {"name": "Requirement not met", "matchedStatuses": ["failed"]},
    {"name": "Inconclusive", "matchedStatuses": ["broken"]},
    {"name": "Not assessed", "matchedStatuses": ["skipped"]},
]


def write(record: Record, run: Path, folder: Path) -> None:
    """Write the results of a run, with exchanges of its evidence, into a folder of their own."""
    into = folder / FOLDER
    into.mkdir(exist_ok=True)
    said = cleaned(record)
    source = Source(run / EVIDENCE)
    waived = standing.waivers(said, Words("en"))
    for dimension in said["dimensions"]:
        for check in dimension["checks"]:
            result = _result(said, dimension, check, waived.get(check["id"], ""))
            for name, kind, text in _attachments(said, check, source):
                file = f"{_id(said, check['id'], name)}-attachment{_ENDING[kind]}"
                (into / file).write_text(text, "utf-8")
                result["attachments"].append({"name": name, "source": file, "type": kind})
            _write(into / f"{result['uuid']}-result.json", result)
    _write(into / "categories.json", CATEGORIES)
    _write(into / "executor.json", _executor(said))
    (into / "environment.properties").write_text("".join(_environment(said)), "ascii")


_ENDING = {HTTP_EXCHANGE: ".httpexchange", "text/csv": ".csv"}


def _result(record: Record, dimension: Record, check: Record, waived: str) -> dict[str, Any]:
    # Checks run together: none has a time of its own.
    ended = _milliseconds(record["finished"])
    return {
        "uuid": _id(record, check["id"]),
        # Of the check alone, so that a history goes on when the model is another.
        "historyId": sha256(check["id"].encode()).hexdigest(),
        "testCaseId": sha256(check["id"].encode()).hexdigest(),
        "fullName": check["id"],
        "name": check["id"],
        "description": "\n\n".join(filter(None, [check["requirement"], waived])),
        "status": STATUS[Verdict(check["verdict"])],
        "statusDetails": _details(dimension, check),
        "stage": "finished",
        "start": ended,
        "stop": ended,
        "labels": list(_labels(check)),
        "links": [
            {"type": "link", "name": "matrix", "url": f"../readiness.html#{check['id']}"},
            {"type": "link", "name": "record", "url": "../readiness.json"},
        ],
        "attachments": [],
        "parameters": [],
    }


def _details(dimension: Record, check: Record) -> dict[str, str]:
    counts = f"{check['passed']} of {check['made']} passed"
    shown = f"{check['verdict']}: {counts} ({interval(check)}), needs {needs(check)}"
    advisory = "" if standing.gates(dimension, check) else "advisory, "
    reasons = [f"{each['count']} × {each['reason']}" for each in check["reasons"]]
    return {
        "message": f"{advisory}{shown}",
        "trace": "\n".join([*standing.remarks(check, Words("en")), *reasons]),
    }


def _labels(check: Record) -> Iterator[dict[str, str]]:
    dimension, _, name = check["id"].partition(".")
    labels = {
        "epic": "readiness",
        "feature": dimension,
        "story": name,
        "severity": SEVERITY[Gate(check["gate"])],
        "framework": "readiness",
    }
    yield from ({"name": name, "value": value} for name, value in labels.items())
    for clause in compliance.of(check["id"]):
        source = "_".join(clause.source.lower().replace("/", " ").split())
        yield {"name": source, "value": clause.name}


def _attachments(record: Record, check: Record, source: Source) -> Iterator[tuple[str, str, str]]:
    """The name, type and text of what is attached to a check."""
    yield "trials", "text/csv", _table(source.trials(check["id"]))
    failing = [(each, "not passed") for trial in check["not_passed"] for each in trial["exchanges"]]
    passing = [(each, "passed") for each in source.passing(check["id"])]
    for seq, kind in [*failing[:MOST_FAILING], *passing]:
        text = exchange(source.read(seq), record["target"]["endpoint"])
        yield f"exchange {seq}, {kind}", HTTP_EXCHANGE, text


def _table(trials: Iterable[Record]) -> str:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["probe", "outcome", "reason", "exchanges"])
    for trial in cleaned(list(trials)):
        exchanges = " ".join(map(str, trial["exchanges"]))
        cells = [trial["probe"], trial["outcome"], trial["reason"], exchanges]
        rows.writerow([_cell(each) for each in cells])
    return table.getvalue()


def _cell(text: str) -> str:
    # A spreadsheet takes a cell that begins like this for a formula.
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


def _environment(record: Record) -> Iterator[str]:
    said = {
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
    return (f"{name}={json.dumps(str(value))[1:-1]}\n" for name, value in said.items())


def _executor(record: Record) -> dict[str, str]:
    return {
        "name": "readiness",
        "type": "readiness",
        "buildName": f"{record['target']['model']} {record['started']}",
        "reportName": "Evidence by check: the verdict and the score are in readiness.html",
    }


def _id(record: Record, *names: str) -> str:
    """The same whenever it is made again from the same run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\0".join([record["evidence"]["head"], *names])))


def _milliseconds(utc: str) -> int:
    return int(datetime.fromisoformat(utc).timestamp() * 1000)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), "ascii")


def copy(run: Path, to: Path) -> None:
    """Put the results of a run beside what is there."""
    shutil.copytree(run / FOLDER, to, dirs_exist_ok=True)
