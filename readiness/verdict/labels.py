"""A review: labels that a person or a judge gave to undetermined replies."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from readiness.evidence.printable import escape_unprintable
from readiness.resources import contents, plain_yaml, schema, violation
from readiness.score import Outcome, Score, scored
from readiness.verdict.result import Result

MAX_FILE = 4 * 2**20  # bytes
LABELS = {"pass": Outcome.PASS, "fail": Outcome.FAIL}
#: Who gave a label: the prefix of a judge's model, and the word for a person.
JUDGE, REVIEW = "judge ", "review"


@dataclass(frozen=True)
class ReviewEntry:
    """A reply that no rule could score.

    Args:
        check: The id of the check.
        probe: The id of the probe.
        said: The digest of the endpoint's replies in the trial.
        reason: Why it is undetermined, with the beginning of the reply.
        label: "pass" or "fail"; None where it has no label yet.
        by: "judge" and its model; None where a person gave the label.
    """

    check: str
    probe: str
    said: str
    reason: str
    label: str | None = None
    by: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What a label applies to: a check, a probe and a reply."""
        return self.check, self.probe, self.said

    @property
    def settled_by(self) -> str:
        """Who gave the label: "review", or "judge" and its model."""
        return escape_unprintable(self.by or REVIEW)


def how_settled(by: str) -> str:
    """The sentence that says who settled a trial."""
    return f"settled by a judge ({by.removeprefix(JUDGE)})" if by != REVIEW else "settled by review"


@dataclass(frozen=True)
class Review:
    """The labels of a review file, and the file's digest."""

    entries: Sequence[ReviewEntry] = field(default=())
    digest: str = ""

    @cached_property
    def labelled(self) -> dict[tuple[str, str, str], ReviewEntry]:
        """The labelled entries, by key."""
        return {each.key: each for each in self.entries if each.label}

    def settle(self, check: str, probe: str, said: str, score: Score) -> Score:
        """The score of an undetermined reply by its label; any other score is returned as it is."""
        entry = self.labelled.get((check, probe, said)) if said else None
        if not entry or not entry.label or score.outcome is not Outcome.UNDETERMINED:
            return score
        by = entry.settled_by
        labelled = scored(LABELS[entry.label], how_settled(by), f"{entry.label}, {score.reason}")
        return replace(labelled, measures=score.measures, settled_by=by)

    def extended(self, results: Iterable[Result]) -> list[ReviewEntry]:
        """The labelled entries, and those of results that still need a label."""
        unlabelled = [
            ReviewEntry(result.check.id, trial.probe, trial.reply_digest, trial.score.reason)
            for result in results
            for trial in result.trials
            if trial.reply_digest and trial.score.outcome is Outcome.UNDETERMINED
        ]
        # Trials with the same reply need one label.
        return [*self.labelled.values(), *dict.fromkeys(unlabelled)]


def load(path: Path | None) -> Review:
    """Load a review; an empty one where no path is given.

    Raises:
        ValueError: The file is not a review; the message names the place and the error.
        OSError: The file cannot be read.
    """
    if path is None:
        return Review()
    content = contents(path, MAX_FILE)
    entries = _checked(path, content)
    for (_, probe, said), count in Counter(each.key for each in entries).items():
        if count > 1:
            raise ValueError(f"{path}: two entries for {probe} with the reply {said}")
    return Review(entries, hashlib.sha256(content).hexdigest())


def _checked(path: Path, content: bytes) -> list[ReviewEntry]:
    try:
        found = plain_yaml(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if wrong := violation(found, schema("review")):
        raise ValueError(f"{path}: {wrong.json_path}: {wrong.message:.200}")
    return [ReviewEntry(**each) for each in found]
