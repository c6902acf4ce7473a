"""`readiness selftest`: run the checklist against the reference endpoint and its mutants."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.progress import track

from readiness.cli.built_in import dimensions
from readiness.cli.kill_table import MutantRow, kill_table, read_row
from readiness.mutants.catalog import ANY_DIMENSION, FLAWLESS, find, folder_of, mutants
from readiness.mutants.deployment import files
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.server import WEBUI, serving
from readiness.mutants.flaw import Flaw
from readiness.mutants.license import evidence
from readiness.mutants.webui.interface import Interface
from readiness.policy.policy import load

# The check of a mutant that is silent for 200 s must time out long before this.
_RUN_TIMEOUT = 1_800  # seconds
_LAST_LINES = 15
# Some flaws are in authentication.
_KEY = "sk-readiness-selftest"
# An administrator makes new accounts and deletes them; another user asks for files.
WEBUI_ACCOUNTS = {
    "WEBUI_EMAIL": "admin@example.com",
    "WEBUI_PASSWORD": "admin-password",
    "WEBUI_SECOND_EMAIL": "second@example.com",
    "WEBUI_SECOND_PASSWORD": "second-password",
}
#: What is beside the endpoint, and the dimensions that look at it.
BESIDE = {
    "change_license_evidence": ("license",),
    "change_deployment": ("deployment",),
    "webui": ("deployment", "webui"),
}
#: The dimensions that take their time with any endpoint: four fifths of a whole run.
TIMED = frozenset(("load", "stability", "low_resource"))


def selftest(argv: Sequence[str]) -> int:
    """Print the mutation test table; 0 where each mutant is detected, and only as expected."""
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
    """Print the table and the rows that deviate, and return the exit status."""
    console.print(kill_table(rows))
    wrong = [row for row in rows if row.problems]
    for row in wrong:
        console.print(f"{row.flaw.name}: {'; '.join(row.problems)}", markup=False)
        console.print(row.output, markup=False, highlight=False)
    console.print(f"{len(rows) - len(wrong)} of {len(rows)} are as expected")
    return 1 if wrong else 0


def dimensions_of(flaw: Flaw) -> Sequence[str]:
    """The dimensions to try; none named for all.

    Where the endpoint is as the reference is, those that look at what is beside it. Where a flaw is
    in what an endpoint says, all that take no time of their own. That of the flaw's own check is
    always among them: larger weights, shown as evidence of a licence, are seen by `low_resource`.
    """
    about = {"name", "about", "check", "expected_verdict", "elsewhere"}
    hooks = {each.name for each in fields(Flaw) if each.name not in about}
    changed = {name for name in hooks if getattr(flaw, name) is not getattr(FLAWLESS, name)}
    if changed and BESIDE.keys() >= changed:
        looking = chain.from_iterable(BESIDE[name] for name in changed)
        return sorted({*looking, flaw.dimension} - {""})
    if flaw is FLAWLESS or folder_of(flaw) in {*TIMED, ANY_DIMENSION}:
        return ()
    beside = {*chain.from_iterable(BESIDE.values())}
    return sorted(({*dimensions()} - TIMED - beside) | {flaw.dimension} - {""})


def try_mutant(flaw: Flaw, profile: str) -> MutantRow:
    """Run the checklist against one mutant, in a folder and an environment of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="readiness-") as name,
        serving(flaw.name, key=_KEY) as url,
    ):
        folder = Path(name)
        reports, evidence_folder, deployment = (
            folder / each for each in ("reports", "license", "deployment")
        )
        evidence_folder.mkdir()
        record = evidence.write(evidence_folder)
        flaw.change_license_evidence(evidence_folder)
        deployment.mkdir()
        flaw.change_deployment(files.write(deployment))
        options = ["--profile", profile, "--reports", reports]
        options += ["--seed", "0"]  # The same mutant, tried again, sees the same.
        # The reference endpoint reports the hardware of the checklist article.
        metrics = f"{url.removesuffix('/v1')}/metrics"
        options += ["--hardware", "rtx-3060-12g", "--metrics", metrics]
        if flaw.change_model_list is not FLAWLESS.change_model_list:
            options += ["--model", MODEL]  # Some lists name none.
        if flaw is FLAWLESS or flaw.webui is not Interface:
            options += ["--webui", f"{url.removesuffix('/v1')}{WEBUI}", "--webui-admin"]
        options += ["--license-evidence", record, "--deployment", deployment]
        tried = dimensions_of(flaw)
        status, output = _run(folder, [url, *tried, *options])
        return read_row(flaw, status, reports / "latest" / "readiness.json", output, tried)


def _run(folder: Path, options: Sequence[object]) -> tuple[int, str]:
    command = [sys.executable, "-m", "readiness.cli.main", "run", "-q", *map(str, options)]
    # They would change what is tried, or how.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")}
    kept |= {"OPENAI_API_KEY": _KEY, **WEBUI_ACCOUNTS}
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_RUN_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"stopped after {_RUN_TIMEOUT} s"
    lines = ran.stdout.decode(errors="replace").splitlines()
    return ran.returncode, "\n".join(lines[-_LAST_LINES:])


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
