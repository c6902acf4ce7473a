"""`readiness audit`: the article's own claims, and which of them cannot be true as stated."""

from __future__ import annotations

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.plausibility import audit
from readiness.resources import LOADER, home


def main() -> int:
    """Print each claim, and what is wrong with it; nothing is decided by it."""
    claims = yaml.load((home("fixtures") / "claims.yaml").read_text("utf-8"), LOADER)
    table = Table("claim", "arithmetic")
    for name, wrong in audit(claims):
        table.add_row(Text(name), Text(wrong or "consistent"))
    Console().print(table)
    return 0
