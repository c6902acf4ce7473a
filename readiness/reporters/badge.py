"""`badge.json`: the badge of a run, as a shields.io endpoint."""

from __future__ import annotations

import json

from readiness.evidence.run_folder import Record
from readiness.verdict.claim import Verdict

COLOURS = {
    Verdict.READY: "blue",
    Verdict.NOT_READY: "red",
    Verdict.INCONCLUSIVE: "yellow",
}


def badge(record: Record) -> str:
    """The badge of a record, with its date, since a badge may be shown long after the run."""
    waived, day = ", waivers" if record["waivers"] else "", record["started"][:10]
    made = {
        "schemaVersion": 1,
        "label": "readiness",
        "message": f"{record['verdict']}{waived} · {record['profile']} · {day}",
        "color": COLOURS[Verdict(record["verdict"])],
    }
    return f"{json.dumps(made, ensure_ascii=False)}\n"
