"""All reports of a run: the record, and the files derived from it, which can be written again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from readiness.evidence import run_folder
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import RECORD, Record
from readiness.reporters import allure, badge, comment, junit, openmetrics, page, summary
from readiness.reporters.allure_report import REPORT

Maker = Callable[[Record], str]

MAKERS: Mapping[str, Maker] = {
    "readiness.html": page.page,
    "summary.md": summary.summary,
    "metrics.txt": openmetrics.metrics,
    "junit.xml": junit.junit,
    "badge.json": badge.badge,
}
BASELINE_MAKERS: Mapping[str, Maker] = {"comment.md": comment.comment}


def write_run(record: Record, secrets: Secrets, folder: Path) -> Record:
    """Write the record of a run and all reports, and point `latest` to it.

    Returns:
        The record as written, with secrets redacted.
    """
    text = secrets.redact(json.dumps(record, ensure_ascii=False, indent=2))
    (folder / RECORD).write_text(f"{text}\n", "utf-8", "backslashreplace")
    written: Record = json.loads(text)
    write(written, folder, folder)
    run_folder.write(folder)
    fresh = folder.parent / f".latest-{folder.name}"
    fresh.symlink_to(folder.name, target_is_directory=True)
    fresh.replace(folder.parent / "latest")
    return written


def write(record: Record, run: Path, folder: Path, language: str = "en") -> None:
    """Write every report of a run to a folder, from its record and its evidence."""
    makers: dict[str, Maker] = {**_makers(record), "readiness.html": _page(language)}
    for name, make in makers.items():
        (folder / name).write_text(make(record), "utf-8")
    allure.write(record, run, folder)


def derived(record: Record, name: str) -> bool:
    """Whether a file of a run is derived from the record and can be written again."""
    return name in _makers(record) or name.partition("/")[0] in (allure.FOLDER, REPORT)


def _makers(record: Record) -> Mapping[str, Maker]:
    return {**MAKERS, **BASELINE_MAKERS} if "baseline" in record else MAKERS


def _page(language: str) -> Maker:
    return partial(page.page, language=language)
