"""A review: what was made of the replies that no rule could settle, by a person or a judge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from readiness.evidence.printable import escape_unprintable
from readiness.resources import LOADER, schema, violation
from readiness.score import Outcome, Score, scored
from readiness.verdict.result import Result

LABELS = {"pass": Outcome.PASS, "fail": Outcome.FAIL}
#: What stands before the model of a judge, and for a person who gave a label.
JUDGE, REVIEW = "judge ", "review"


@dataclass(frozen=True)
class ReviewEntry:
    """A reply that no rule could settle.

    Args:
        check: The id of the check.
        probe: The id of the probe.
        said: The digest of all that the endpoint said in the trial.
        reason: What is known of it, with the beginning of the reply.
        label: "pass" or "fail", as was settled; None where nobody has yet.
        by: "judge" and its model, where no person gave the label.
    """

    check: str
    probe: str
    said: str
    reason: str
    label: str | None = None
    by: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What a label holds for: a check, a probe and a reply."""
        return self.check, self.probe, self.said

    @property
    def settled_by(self) -> str:
        """Who gave the label: "review", or "judge" and its model."""
        return escape_unprintable(self.by or REVIEW)


def how_settled(by: str) -> str:
    """How a trial was settled, for people, from who gave the label."""
    return f"settled by a judge ({by.removeprefix(JUDGE)})" if by != REVIEW else "settled by review"


@dataclass(frozen=True)
class Review:
    """What was settled, and the digest of the file that says so."""

    entries: Sequence[ReviewEntry] = field(default=())
    digest: str = ""

    @cached_property
    def labelled(self) -> dict[tuple[str, str, str], ReviewEntry]:
        """What has a label, by what that holds for."""
        return {each.key: each for each in self.entries if each.label}

    def settle(self, check: str, probe: str, said: str, score: Score) -> Score:
        """The score that a label has given a reply which no rule could settle."""
        found = self.labelled.get((check, probe, said)) if said else None
        if not found or not found.label or score.outcome is not Outcome.UNDETERMINED:
            return score
        by = found.settled_by
        labelled = scored(LABELS[found.label], how_settled(by), f"{found.label}, {score.reason}")
        return replace(labelled, measures=score.measures, settled_by=by)

    def extended(self, results: Iterable[Result]) -> list[ReviewEntry]:
        """All that was settled before, and what is still to be settled."""
        open_ = [
            ReviewEntry(result.check.id, trial.probe, trial.reply_digest, trial.score.reason)
            for result in results
            for trial in result.trials
            if trial.reply_digest and trial.score.outcome is Outcome.UNDETERMINED
        ]
        # Who has given no label yet is asked once.
        return [*self.labelled.values(), *dict.fromkeys(open_)]


def load(path: Path | None) -> Review:
    """Load a review; an empty one where there is no file.

    Raises:
        ValueError: The file is no review; the message says what is wrong, and where.
        OSError: It cannot be read.
    """
    if path is None:
        return Review()
    content = path.read_bytes()
    entries = _checked(path, content)
    keys = [each.key for each in entries]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{path}: two entries for {twice[1]} with the reply {twice[2]}")
    return Review(entries, hashlib.sha256(content).hexdigest())


def _checked(path: Path, content: bytes) -> list[ReviewEntry]:
    try:
        found: Any = yaml.load(content, LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    if wrong := violation(found, schema("review")):
        raise ValueError(f"{path}: {wrong.json_path}: {wrong.message}")
    return [ReviewEntry(**each) for each in found]
