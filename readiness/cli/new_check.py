"""`readiness new-check`: write a file with a check of your own, which runs as it is."""

from __future__ import annotations

import argparse
import keyword
import sys
from collections.abc import Sequence
from pathlib import Path

USAGE = 2
TEMPLATE = Path(__file__).with_name("new_check.txt")


def new_check(argv: Sequence[str]) -> int:
    """Write the file; 2 where the name cannot be used, or the file is there."""
    given = _parser().parse_args(argv).name
    name = given.removesuffix(".py").removeprefix("check_").replace("-", "_")
    if not name.isidentifier() or keyword.iskeyword(name):
        print(f"{given}: give a name of letters, digits and _, as in tone", file=sys.stderr)
        return USAGE
    path = Path(f"check_{name}.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.read_text("utf-8").replace("NAME", name))
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return USAGE
    print(f"{path} is written: change what it sends and scores; readiness run URL {path} tries it")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness new-check", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="of the check's dimension, as in tone")
    return parser
