"""`review.yaml`: the undetermined replies of a run, to be labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import yaml

from readiness.evidence.run_folder import REVIEW, write_whole
from readiness.verdict.labels import ReviewEntry

HEAD = """\
# Replies that no rule could score. Read each in the evidence, label it pass or fail, and give this
# file to later runs with --review. A label applies to exactly this reply to this probe, and cannot
# change the score of a rule. An entry with `by` was labelled by a judge: remove `by` when you
# correct it.
"""


def write(folder: Path, entries: Sequence[ReviewEntry]) -> None:
    """Write `review.yaml` where there are entries."""
    if entries:
        listed = yaml.safe_dump(list(map(_plain, entries)), allow_unicode=True, sort_keys=False)
        write_whole(folder / REVIEW, HEAD + listed)


def _plain(entry: ReviewEntry) -> dict[str, str | None]:
    """The fields of an entry, without an empty `by`."""
    return {name: value for name, value in asdict(entry).items() if value or name != "by"}
