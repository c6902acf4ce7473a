"""All reports of a run: the record, and what is made from it and can be made from it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from readiness.evidence import run_folder
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import RECORD, Record
from readiness.reporters import allure, badge, comment, junit, metrics, page, summary
from readiness.reporters.allure_report import REPORT

Maker = Callable[[Record], str]

MAKERS: Mapping[str, Maker] = {
    "readiness.html": page.page,
    "summary.md": summary.summary,
    "metrics.txt": metrics.metrics,
    "junit.xml": junit.junit,
    "badge.json": badge.badge,
}
BESIDE_A_BASELINE: Mapping[str, Maker] = {"comment.md": comment.comment}


def write_run(record: Record, secrets: Secrets, folder: Path) -> Record:
    """Write the record of a run and all surfaces, and let `latest` point to it.

    Returns:
        The record as it was written: without secrets.
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
    """Write every surface of a run, from its record and its evidence alone, into a folder."""
    makers: dict[str, Maker] = {**_makers(record), "readiness.html": _page(language)}
    for name, make in makers.items():
        (folder / name).write_text(make(record), "utf-8")
    allure.write(record, run, folder)


def derived(record: Record, name: str) -> bool:
    """Whether a file of a run can be made again."""
    return name in _makers(record) or name.partition("/")[0] in (allure.FOLDER, REPORT)


def _makers(record: Record) -> Mapping[str, Maker]:
    return {**MAKERS, **BESIDE_A_BASELINE} if "baseline" in record else MAKERS


def _page(language: str) -> Maker:
    return partial(page.page, language=language)
