"""The review of a run: what no rule could settle, for a person to label."""

from __future__ import annotations

from dataclasses import asdict

import yaml

from readiness.run import Run

HEAD = """\
# Replies that no rule could settle. Read each in the evidence, label it pass or fail, and give this
# file to later runs with --review. A label holds for exactly this reply to this probe, and for
# nothing else: it cannot change what a rule has settled.
"""


def write(run: Run) -> None:
    """Write `review.yaml` where anything is to be settled, or was."""
    entries = [asdict(each) for each in run.settings.review.extended(run.results)]
    if entries:
        listed = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False)
        path = run.folder / "review.yaml"
        path.write_text(HEAD + listed, "utf-8", "backslashreplace")
