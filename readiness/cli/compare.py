"""`readiness compare`: two or more finished runs as one matrix, with the tests of their changes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from readiness.baseline.changes import Changes, changes
from readiness.baseline.finished_run import FinishedRun, FinishedRunError, read_finished_run
from readiness.check import Check
from readiness.cli.built_in import built_in_checks
from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.run_folder import FolderError
from readiness.policy import plan
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import load
from readiness.policy.policy_file import built_in as built_in_policies
from readiness.reporters.runs_table import RunColumn, markdown, print_runs, runs_page
from readiness.reporters.terminal import console
from readiness.reporters.translations import LANGUAGES

USAGE, UNSOUND = 2, 11
PAGE, MARKDOWN = "compare.html", "compare.md"


def compare(argv: Sequence[str]) -> int:
    """Print the matrix; 2 where a run cannot be read, 11 where its evidence is not intact."""
    options = _parser().parse_args(argv)
    try:
        runs = _columns(options.runs)
        if options.to:
            options.to.mkdir(parents=True, exist_ok=True)
            (options.to / PAGE).write_text(runs_page(runs, options.lang), "utf-8")
            (options.to / MARKDOWN).write_text(markdown(runs), "utf-8")
    except EvidenceIntegrityError as error:
        return _error(error, UNSOUND)
    except (FinishedRunError, FolderError, OSError) as error:
        return _error(error, USAGE)
    print_runs(console(), runs, all_rows=options.all)
    print(f"page: {options.to / PAGE}" if options.to else "--to DIR writes a page and Markdown")
    return 0


def _error(error: Exception, status: int) -> int:
    print(escape_unprintable(str(error)), file=sys.stderr)
    return status


def _columns(paths: Sequence[Path]) -> list[RunColumn]:
    """The runs, each with its changes since the first.

    Raises:
        FolderError: There is only one, or one is no run.
    """
    if len(paths) < 2:
        raise FolderError("name two runs or more: readiness show RUN prints one")
    for each in paths:
        if not each.exists():
            raise FolderError(f"{each}: there is none: name the folder of a run")
    finished = [read_finished_run(each) for each in paths]
    folders = [each.evidence.parent for each in finished]
    records = [run_folder.read(each) for each in folders]
    since = [None, *(_changes(finished[0], each) for each in finished[1:])]
    named = zip(folders, records, since, strict=True)
    return [RunColumn.of(folder.name, record, changed) for folder, record, changed in named]


def _changes(first: FinishedRun, second: FinishedRun) -> dict[str, Changes]:
    """The changes between two runs; trials of one document or conversation count as a cluster.

    What trials share does not stand in the evidence: the probes of checks that have changed are
    generated again.
    """
    found = changes(first, second, (), {})
    changed = {name for name, each in found.items() if each.lost or each.gained}
    controls: set[tuple[str, int]] = set()
    shared: dict[tuple[str, int], str] = {}
    for planned in _planned(first, [each for each in built_in_checks() if each.id in changed]):
        for number, probe in enumerate(planned.probes):
            place = planned.check.id, number
            controls |= {place} if probe.control else set()
            shared |= {place: probe.cluster} if probe.cluster else {}
    return changes(first, second, controls, shared) if controls or shared else found


def _planned(run: FinishedRun, checks: Sequence[Check]) -> list[PlannedCheck]:
    """The plan of some checks of a run, as far as it can be made again to the same probes."""
    header = run.evidence_header
    name = header["harness"]["policy"]
    rules = load(Path(name if name in built_in_policies() else "article"))
    planned = plan.plan(checks, rules, header["profile"], header["seed"])
    return [each for each in planned if each.probes_digest == header["items"][each.check.id]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness compare", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--to", type=Path, metavar="DIR", help=f"write {PAGE} and {MARKDOWN} there")
    parser.add_argument(
        "--all", action="store_true", help="print every check, not what differs alone"
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="of the page (en)")
    return parser
