"""`readiness audit`: which claims of the checklist article are implausible, by arithmetic."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.checks.low_resource import plausibility
from readiness.resources import fixture


def audit(arguments: Sequence[str]) -> int:
    """Print each claim with what is implausible about it; the exit status is always 0."""
    argparse.ArgumentParser(prog="readiness audit", description=__doc__).parse_args(arguments)
    table = Table("claim", "arithmetic")
    for name, wrong in plausibility.audit(fixture("claims.yaml")):
        table.add_row(Text(name), Text(wrong or "consistent"))
    Console().print(table)
    return 0
