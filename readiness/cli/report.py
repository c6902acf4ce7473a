"""The reports of a run: written when it ends, and again by `readiness report`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from readiness.evidence import run_folder
from readiness.evidence.log import GENESIS, EvidenceIntegrityError, entries, sha256
from readiness.evidence.run_folder import EVIDENCE, SUMS, FolderError, Record
from readiness.reporters import allure_report, review, surfaces
from readiness.reporters.annotations import commands
from readiness.reporters.terminal import MIN_WIDTH, print_matrix
from readiness.reporters.translations import LANGUAGES
from readiness.runner.record import record
from readiness.runner.run import Run


def write(run: Run) -> Record:
    """Write all reports of a finished run, after those of its baseline endpoint, if it has one."""
    if run.baseline_run:
        write(run.baseline_run)
    review.write(run.folder, run.settings.review.extended(run.results))
    return surfaces.write_run(record(run), run.settings.secrets, run.folder)


def show(console: Console, record: Record, run: Path, folder: Path) -> None:
    """Print the matrix, the paths of the reports, and annotations for GitHub."""
    print_matrix(console, record)
    lines = [f"record: {run / run_folder.RECORD}", f"page: {folder / 'readiness.html'}"]
    if os.environ.get("GITHUB_ACTIONS") == "true":
        lines += commands(record)
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def report(argv: Sequence[str]) -> int:
    """Write the reports of a run again; 2 where there is no run, or it is signed."""
    options = _parser().parse_args(argv)
    try:
        _write_again(options)
    except FolderError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _write_again(options: argparse.Namespace) -> None:
    run, to = options.run, options.to
    record = run_folder.read(run)
    if to:
        to.mkdir(parents=True, exist_ok=True)
    elif (run / run_folder.ATTESTATION).exists():
        raise FolderError(f"{run} is signed as it is: name another folder with --to DIR")
    else:
        _refuse_changed(run, record)
    folder = to or run
    surfaces.write(record, run, folder, options.lang)
    width = max(MIN_WIDTH, shutil.get_terminal_size().columns)
    show(Console(width=width, highlight=False, markup=False), record, run, folder)
    if options.allure:
        print(_allure(folder))
    if not to:
        run_folder.write(run)


def _refuse_changed(run: Path, record: Record) -> None:
    """Refuse a run that was changed, because new digests would hide the change.

    Without digests, the end of the evidence must match the record.

    Raises:
        FolderError: A file was changed that is not written again.
    """
    if (run / SUMS).exists():
        run_folder.refuse_changed(run, lambda name: surfaces.derived(record, name))
    elif _head(run / EVIDENCE) != record["evidence"]["head"]:
        raise FolderError(f"{run / EVIDENCE} does not end where the record says")


def _head(evidence: Path) -> str:
    """The digest of the last line of intact evidence."""
    head = GENESIS
    try:
        for _, line in entries(evidence):
            head = sha256(line[:-1])
    except (EvidenceIntegrityError, OSError) as error:
        raise FolderError(f"{evidence} is not intact: {error}") from error
    return head


def _allure(folder: Path) -> Path | FolderError:
    """Allure's page, or the error: the page is optional, so that its failure is not fatal."""
    try:
        return allure_report.write(folder)
    except FolderError as error:
        return error


def _parser() -> argparse.ArgumentParser:
    about = "Write the reports of a run again, from its record and its evidence."
    parser = argparse.ArgumentParser(prog="readiness report", description=about)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--to", type=Path, metavar="DIR", help="write there instead of to the run")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="of the page (en)")
    parser.add_argument("--allure", action="store_true", help="write Allure 3's page too")
    return parser
