"""`readiness report`: make the surfaces of a run again, from its record and its evidence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from readiness.evidence import run_folder
from readiness.evidence.run_folder import FolderError
from readiness.reporters import allure_report, surfaces
from readiness.reporters.words import LANGUAGES


def report(argv: Sequence[str]) -> int:
    """Make the surfaces of a run; 2 where there is no run, or it is signed."""
    options = _parser().parse_args(argv)
    try:
        _write(options)
    except FolderError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _write(options: argparse.Namespace) -> None:
    run, to = options.run, options.to
    record = run_folder.read(run)
    if to:
        to.mkdir(parents=True, exist_ok=True)
    elif (run / run_folder.ATTESTATION).exists():
        raise FolderError(f"{run} is signed as it is: name another folder with --to DIR")
    else:
        run_folder.refuse_changed(run, surfaces.derived)
    folder = to or run
    surfaces.write(record, run, folder, options.lang)
    print(folder / "readiness.html")
    if options.allure:
        print(_allure(folder))
    if not to:
        run_folder.write(run)


def _allure(folder: Path) -> Path | FolderError:
    """Allure's page, or why there is none: it is a view, and all that counts is there without."""
    try:
        return allure_report.write(folder)
    except FolderError as error:
        return error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness report", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--to", type=Path, metavar="DIR", help="write there, and not to the run")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="of the page (en)")
    parser.add_argument("--allure", action="store_true", help="have Allure 3 make its page too")
    return parser
