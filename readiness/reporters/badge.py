"""The badge of a run: `badge.json`, in the form of a shields.io endpoint."""

from __future__ import annotations

import json

from readiness.runner.run import Run
from readiness.verdict.claim import Verdict

COLOURS = {
    Verdict.READY: "blue",
    Verdict.NOT_READY: "red",
    Verdict.INCONCLUSIVE: "yellow",
}


def write(run: Run) -> None:
    """Write the badge. It has a date: a badge goes on being shown when nobody runs anything."""
    waived = ", waivers" if run.settings.waivers else ""
    badge = {
        "schemaVersion": 1,
        "label": "readiness",
        "message": f"{run.verdict}{waived} · {run.settings.profile} · {run.started:%Y-%m-%d}",
        "color": COLOURS[run.verdict],
    }
    (run.folder / "badge.json").write_text(f"{json.dumps(badge, ensure_ascii=False)}\n", "utf-8")
