"""The review of a run: what no rule could settle, to be labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import yaml

from readiness.evidence.run_folder import REVIEW
from readiness.verdict.labels import ReviewEntry

HEAD = """\
# Replies that no rule could settle. Read each in the evidence, label it pass or fail, and give this
# file to later runs with --review. A label holds for exactly this reply to this probe, and for
# nothing else: it cannot change what a rule has settled. What has a `by` was labelled by a judge:
# whoever corrects that takes the `by` away.
"""


def write(folder: Path, entries: Sequence[ReviewEntry]) -> None:
    """Write `review.yaml` where anything is to be settled, or was."""
    if entries:
        listed = yaml.safe_dump(list(map(_plain, entries)), allow_unicode=True, sort_keys=False)
        (folder / REVIEW).write_text(HEAD + listed, "utf-8", "backslashreplace")


def _plain(entry: ReviewEntry) -> dict[str, str | None]:
    """An entry as it is written: that a person gave its label needs no words."""
    return {name: value for name, value in asdict(entry).items() if value or name != "by"}
