"""The reports of a run: written when it ends, and again by `readiness report`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.text import Text

from readiness.evidence import run_folder
from readiness.evidence.log import GENESIS, EvidenceIntegrityError, entries, sha256
from readiness.evidence.run_folder import EVIDENCE, SUMS, FolderError, Record
from readiness.reporters import allure_report, review, surfaces
from readiness.reporters.annotations import commands
from readiness.reporters.outcome import print_outcome, print_verdict
from readiness.reporters.terminal import console, print_matrix
from readiness.reporters.translations import LANGUAGES
from readiness.runner.record import record
from readiness.runner.run import Run


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended, whose reports are to be written.

    Args:
        run: The run.
        record: Its record, with secrets redacted.
        baseline: The run against its baseline endpoint, if it has one.
    """

    run: Run
    record: Record
    baseline: EndedRun | None = None

    @classmethod
    def of(cls, run: Run) -> Self:
        """A run, once its evidence is closed."""
        beside = cls.of(run.baseline_run) if run.baseline_run else None
        return cls(run, surfaces.redacted(record(run), run.settings.secrets), beside)

    def write(self) -> Iterator[str]:
        """Write all reports; yields what could not be written, as warnings."""
        if self.baseline:
            yield from self.baseline.write()
        run, folder = self.run, self.run.folder
        if run.evidence.restored:
            yield f"warning: {folder} was gone while the run went on, and was made again"
        try:
            with run_folder.locked(folder):
                review.write(folder, run.settings.review.extended(run.results))
                surfaces.write_run(self.record, folder)
        except (OSError, FolderError) as error:
            yield f"warning: not all reports are written: {error}"
            yield f"warning: once they can be, write them with --resume {folder}"
            return
        try:
            surfaces.point_latest(folder)
        except OSError as error:
            yield f"warning: {folder.parent / 'latest'} is left as it was: {error.strerror}"


def show(
    screen: Console,
    record: Record,
    run: Path,
    folder: Path,
    *,
    verbose: bool,
    ending: Iterable[str] = (),
) -> None:
    """Print how a run ended; its verdict comes last.

    Args:
        screen: The terminal.
        record: The record.
        run: The folder of the run.
        folder: That of its reports.
        verbose: Whether the whole matrix is printed, with notes.
        ending: What is said above the verdict, made once the matrix is printed.
    """
    (print_matrix if verbose else print_outcome)(screen, record)
    said = [*ending]
    for line in [*_paths(record, run, folder), *said]:
        screen.print(Text(line), soft_wrap=True)
    print_verdict(screen, record)


def _paths(record: Record, run: Path, folder: Path) -> list[str]:
    """The paths of the reports, and annotations for GitHub."""
    annotated = os.environ.get("GITHUB_ACTIONS") == "true"
    return [
        f"record: {run / run_folder.RECORD}",
        f"page: {folder / surfaces.PAGE}",
        f"trials: readiness show {shlex.quote(str(run))} [CHECK]",
        *(commands(record) if annotated else ()),
    ]


def stopped(run: Run, why: str) -> Iterator[str]:
    """Why a run sent nothing more before its end, and the command to go on with."""
    program = Path(sys.argv[0]).name
    command = ["python -m pytest"] if program == "__main__.py" else [program]
    resume = [] if run.settings.resume else ["--resume", str(run.folder)]
    command += [shlex.join([*sys.argv[1:], *resume])]
    for line in (f"stopped: {why}", f"go on with: {' '.join(command)}"):
        yield run.settings.secrets.printable(line)


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
    show(console(), record, run, folder, verbose=options.verbose)
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
    parser.add_argument("-v", "--verbose", action="store_true", help="print the whole matrix")
    parser.add_argument("--allure", action="store_true", help="write Allure 3's page too")
    return parser
