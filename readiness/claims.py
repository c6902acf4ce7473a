"""`readiness audit`: hold claims of speed and memory against what their machines could do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.plausibility import audit
from readiness.resources import LOADER, home


def main(argv: Sequence[str]) -> int:
    """Print what is wrong with each claim; nothing is decided by it."""
    parser = argparse.ArgumentParser(prog="readiness audit", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="claims in YAML (the article's own)")
    file = parser.parse_args(argv).file or home("fixtures") / "claims.yaml"
    table = Table("claim", "arithmetic")
    for name, wrong in audit(yaml.load(file.read_text("utf-8"), LOADER)):
        table.add_row(Text(name), Text(wrong or "consistent"))
    Console().print(table)
    return 0
