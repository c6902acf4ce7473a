"""`readiness selftest`: run the checklist against the reference endpoint and its mutants."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from readiness.cli.kill_table import MutantRow, kill_table, read_row
from readiness.mutants.catalog import FLAWLESS, find, mutants
from readiness.mutants.endpoint.server import serving
from readiness.mutants.flaw import Flaw
from readiness.mutants.license import evidence
from readiness.policy.policy import load

# A mutant that is silent for 200 s must be given up by the check that it is for, long before this.
_LONGEST_RUN = 1_800
_LAST_LINES = 15
# Some flaws are in the lock of the door.
_KEY = "sk-readiness-selftest"


def selftest(argv: Sequence[str]) -> int:
    """Print the kill table; 0 where each mutant falls as it must and all else stands."""
    options = _parser().parse_args(argv)
    try:
        flaws = _chosen(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with ThreadPoolExecutor(options.jobs) as pool:
        tried = pool.map(lambda flaw: try_mutant(flaw, options.profile), flaws)
        rows = list(track(tried, "mutants", len(flaws), console=Console(stderr=True)))
    return report(rows, Console())


def report(rows: Sequence[MutantRow], console: Console) -> int:
    """Print the table and the rows that are wrong, and return the exit status."""
    console.print(kill_table(rows))
    wrong = [row for row in rows if row.complaints]
    for row in wrong:
        console.print(f"{row.flaw.name}: {'; '.join(row.complaints)}", markup=False)
        if not row.dimensions:
            console.print(row.said, markup=False, highlight=False)
    console.print(f"{len(rows) - len(wrong)} of {len(rows)} are as they must be")
    return 1 if wrong else 0


def try_mutant(flaw: Flaw, profile: str) -> MutantRow:
    """Run the whole checklist against one mutant, in a folder and an environment of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="readiness-") as name,
        serving(flaw.name, key=_KEY) as url,
    ):
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        reports, shown = folder / "reports", folder / "license"
        shown.mkdir()
        record = evidence.write(shown)
        flaw.change_license_evidence(shown)
        options = ["--endpoint", url, "--profile", profile, "--reports", reports]
        # The reference endpoint says that it runs on the article's own card.
        metrics = f"{url.removesuffix('/v1')}/metrics"
        options += ["--hardware", "rtx-3060-12g", "--metrics", metrics]
        status, said = _run(folder, [*options, "--license-evidence", record])
        return read_row(flaw, status, reports / "latest" / "readiness.json", said)


def _run(folder: Path, options: Sequence[object]) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "--pyargs", "readiness", "-q"]
    command += ["-p", "no:cacheprovider", *map(str, options)]
    kept = {key: value for key, value in os.environ.items() if not _settles(key)}
    kept["OPENAI_API_KEY"] = _KEY
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_RUN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"given up after {_LONGEST_RUN} s"
    lines = ran.stdout.decode(errors="replace").splitlines()
    return ran.returncode, "\n".join(lines[-_LAST_LINES:])


def _settles(variable: str) -> bool:
    """Whether an environment variable would settle what is tried, or how."""
    return variable.startswith("OPENAI_") or variable == "PYTEST_ADDOPTS"


def _chosen(options: argparse.Namespace) -> list[Flaw]:
    if options.mutant:
        return [find(name) for name in options.mutant]
    return [FLAWLESS, *flaws_of(options.dimension, options.profile)]


def flaws_of(dimension: str, profile: str) -> list[Flaw]:
    """The flaws of a dimension, or of all, whose checks the profile tries.

    Raises:
        ValueError: There is none.
    """
    policy = load()
    own = [flaw for flaw in mutants() if dimension in ("", flaw.dimension)]
    if not own:
        raise ValueError(f"no mutant is for the dimension {dimension!r}")
    return [flaw for flaw in own if not policy.leaves_out(flaw.check, profile)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness selftest", description=__doc__)
    parser.add_argument(
        "--mutant", metavar="NAME", action="append", help="try only this; may be repeated"
    )
    parser.add_argument("--dimension", metavar="D", default="", help="try only the mutants of one")
    parser.add_argument("--profile", choices=["smoke", "ci", "full"], default="ci")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="how many at a time")
    return parser
