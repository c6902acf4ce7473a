"""`readiness run`: try an endpoint from any folder, as `pytest readiness --endpoint URL` does."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from readiness import checks
from readiness.cli.built_in import built_in_checks, dimensions
from readiness.cli.options import EMBEDDED, OPTIONS, PREFIX, near

PLUGIN = "readiness.cli.plugin"


def run(argv: Sequence[str]) -> int:
    """Try an endpoint; the exit status is that of the run."""
    parser = _parser()
    given, unknown = parser.parse_known_intermixed_args(argv)
    # The endpoint may stand in a file, in the environment, or where pytest has it.
    if given.url and (given.endpoint or _names_checks(given.url)):
        given.url, given.checks = None, [given.url, *given.checks]
    given.url = given.url or given.endpoint
    if unknown:
        remedy = near(unknown[0]) or ": see --help"
        print(f"{unknown[0]} is unknown{remedy}", file=sys.stderr)
        return pytest.ExitCode.USAGE_ERROR
    # Other plugins of the environment, and the folder's settings of pytest, are for its own tests.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    # So are its conftests, which would read the key.
    alone = [
        "--noconftest",
        "-c",
        os.devnull,
        "--rootdir",
        str(Path.cwd()),
        "-p",
        PLUGIN,
        "-p",
        "no:cacheprovider",
        "-o",
        "console_output_style=classic",
    ]
    shown = ["--no-header", *["-q"] * given.quiet, *["-v"] * given.verbose]
    try:
        status = int(pytest.main([*alone, *shown, *_options(given), *_checks(given.checks)]))
    except LookupError as error:
        print(error, file=sys.stderr)
        return pytest.ExitCode.USAGE_ERROR
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        remedy = "name a dimension, the id of a check, or a file check_*.py or its folder"
        print(f"no check in {', '.join(given.checks)}: {remedy}", file=sys.stderr)
    return status


def _names_checks(word: str) -> bool:
    """Whether a word names a dimension, a check, or a file or folder, and so no endpoint."""
    dimension = word.partition(".")[0]
    known = {each.id for each in built_in_checks([dimension])} if dimension in dimensions() else ()
    return word in known or word in dimensions() or (word != EMBEDDED and Path(word).exists())


def _options(given: argparse.Namespace) -> Iterator[str]:
    for option in OPTIONS:
        value = given.url if option.name == "endpoint" else getattr(given, option.dest)
        if value is True:
            yield f"{PREFIX}{option.name}"
        elif value is not None:
            values = value if option.repeated else [value]
            yield from (f"{PREFIX}{option.name}={each}" for each in values)


def _checks(named: Sequence[str]) -> Iterator[str]:
    """What pytest is to collect: paths as they are, ids of checks and dimensions by module.

    A folder may have a dimension's name, as `deployment` may; `./deployment` is the folder.
    """
    yield "--pyargs"
    for name in named or ["readiness"]:
        dimension, _, check = name.partition(".")
        own = Path(name.partition("::")[0]).exists() and name not in dimensions()
        if own or name == "readiness":
            yield name
        elif dimension in dimensions():
            yield _place(dimension, name) if check else f"{checks.__name__}.{dimension}"
        else:
            raise LookupError(f"{name} is no dimension, check or file{near(name, dimensions())}")


def _place(dimension: str, check: str) -> str:
    """The module of a built-in check, and its name in it.

    Raises:
        LookupError: There is no such check.
    """
    known = {each.id: each.attempt for each in built_in_checks([dimension])}
    if check not in known:
        raise LookupError(f"{check} is no check{near(check, known)}")
    return f"{known[check].__module__}::{known[check].__name__}"


def _parser() -> argparse.ArgumentParser:
    about = "Try an endpoint, as `pytest readiness --endpoint URL` does, from any folder."
    parser = argparse.ArgumentParser(prog="readiness run", description=about, allow_abbrev=False)
    parser.epilog = (
        "Options may stand in [tool.readiness] of pyproject.toml, or in readiness.toml, too: "
        "max-minutes = 30. The key comes from OPENAI_API_KEY alone."
    )
    parser.add_argument("url", nargs="?", metavar="URL", help=OPTIONS[0].about)
    parser.add_argument(
        "checks",
        nargs="*",
        metavar="CHECK",
        help="a dimension, the id of a check, or a file or folder of your own (all built-in ones)",
    )
    parser.add_argument("-q", "--quiet", action="count", default=0, help="print less")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="print more")
    for option in OPTIONS:
        parser.add_argument(f"--{option.name}", dest=option.dest, **option.declaration)
    return parser
