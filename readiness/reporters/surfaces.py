"""All reports of a run: the record, and the files derived from it, which can be written again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from readiness.evidence import run_folder
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import RECORD, Record
from readiness.reporters import allure, badge, comment, junit, openmetrics, page, summary
from readiness.reporters.allure_report import REPORT

Maker = Callable[[Record], str]

PAGE = "readiness.html"
MAKERS: Mapping[str, Maker] = {
    PAGE: page.page,
    "summary.md": summary.summary,
    "metrics.txt": openmetrics.metrics,
    "junit.xml": junit.junit,
    "badge.json": badge.badge,
}
BASELINE_MAKERS: Mapping[str, Maker] = {"comment.md": comment.comment}


def redacted(record: Record, secrets: Secrets) -> Record:
    """A record with secrets redacted."""
    found: Record = json.loads(secrets.redact(json.dumps(record, ensure_ascii=False)))
    return found


def write_run(record: Record, folder: Path) -> None:
    """Write the record of a run and all reports; each file whole or not at all.

    Raises:
        OSError: One cannot be written.
    """
    text = json.dumps(record, ensure_ascii=False, indent=2)
    run_folder.write_whole(folder / RECORD, f"{text}\n")
    write(record, folder, folder)
    run_folder.end(folder)


def point_latest(folder: Path) -> None:
    """Point `latest` to a run.

    Raises:
        OSError: There is something else of that name, or it cannot be written.
    """
    fresh = folder.parent / f".latest-{folder.name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name, target_is_directory=True)
    try:
        fresh.replace(folder.parent / "latest")
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def write(record: Record, run: Path, folder: Path, language: str = "en") -> None:
    """Write every report of a run to a folder, from its record and its evidence."""
    for name, make in _makers(record).items():
        run_folder.write_whole(folder / name, make(record))
    if language != "en":
        write_page(record, folder, language)
    allure.write(record, run, folder)


def write_page(record: Record, folder: Path, language: str) -> None:
    """Write the page in a language."""
    run_folder.write_whole(folder / PAGE, page.page(record, language=language))


def derived(record: Record, name: str) -> bool:
    """Whether a file of a run is derived from the record and can be written again."""
    return name in _makers(record) or name.partition("/")[0] in (allure.FOLDER, REPORT)


def _makers(record: Record) -> Mapping[str, Maker]:
    return {**MAKERS, **BASELINE_MAKERS} if "baseline" in record else MAKERS
