"""A review by itself: who settled a reply, which entries it goes on with, which file it is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from readiness.score import PASSED, Measure, Outcome, Score
from readiness.verdict.labels import Review, ReviewEntry, how_settled, load
from readiness.verdict.result import Trial
from tests.verdict.test_result import result

UNSURE = Score(Outcome.UNDETERMINED, "who knows?")
ENTRY = ReviewEntry("a.b", "p", "0123456789abcdef", "who knows?", "pass")


def test_a_label_is_a_persons_or_a_judges() -> None:
    by_judge = replace(ENTRY, by="judge m\x1b[1")
    assert [ENTRY.settled_by, by_judge.settled_by] == ["review", r"judge m\x1b[1"]
    assert [how_settled(each) for each in ("review", "judge m")] == [
        "settled by review",
        "settled by a judge (m)",
    ]


@pytest.mark.parametrize(("label", "outcome"), [("pass", Outcome.PASS), ("fail", Outcome.FAIL)])
def test_a_settled_score_keeps_its_measures_and_says_who_settled_it(
    label: str, outcome: Outcome
) -> None:
    measures = (Measure("time", 1.0, "s"),)
    review = Review([replace(ENTRY, label=label, by="judge m")])
    why = f"settled by a judge (m): {label}, who knows?"
    found = review.settle("a.b", "p", ENTRY.said, replace(UNSURE, measures=measures))
    assert found == Score(outcome, why, measures, settled_by="judge m")


def test_an_entry_without_a_label_settles_nothing_and_is_asked_anew() -> None:
    review = Review([replace(ENTRY, label=None)])
    assert review.settle("a.b", "p", ENTRY.said, UNSURE) is UNSURE
    assert review.extended([]) == []


def test_a_reply_that_is_empty_is_settled_by_no_label() -> None:
    assert Review([replace(ENTRY, said="")]).settle("a.b", "p", "", UNSURE) is UNSURE


def test_a_review_goes_on_with_its_labels_and_one_entry_for_each_reply_without() -> None:
    found = result(*[UNSURE] * 4, PASSED)
    said = ["x", "x", "y", "", "z"]
    trials = [
        Trial("n.0", at, each.score, reply_digest=digest)
        for at, (each, digest) in enumerate(zip(found.trials, said, strict=True))
    ]
    check = "test_result.answers"
    assert Review([ENTRY]).extended([replace(found, trials=trials)]) == [
        ENTRY,
        ReviewEntry(check, "n.0", "x", "who knows?"),
        ReviewEntry(check, "n.0", "y", "who knows?"),
    ]


#: The only check that a judge may label.
CHECK = "refusal.harmful_request_refused"


def written(path: Path, *entries: str) -> Path:
    made = path / "review.yaml"
    made.write_text("".join(f"- {{check: {CHECK}, reason: c, {each}}}\n" for each in entries))
    return made


def test_a_file_is_read_with_its_digest(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "probe: p, said: '0123456789abcdef', label: pass, by: judge m",
        "probe: q, said: '0123456789abcdef', label: null",
    )
    found = load(path)
    assert found.entries == [
        ReviewEntry(CHECK, "p", "0123456789abcdef", "c", "pass", "judge m"),
        ReviewEntry(CHECK, "q", "0123456789abcdef", "c"),
    ]
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(None) == Review()


def test_a_reply_with_two_entries_is_refused_by_name(tmp_path: Path) -> None:
    one, other = (f"probe: {each}, said: '0123456789abcdef', label: pass" for each in "pq")
    with pytest.raises(ValueError, match="two entries for q with the reply 0123456789abcdef"):
        load(written(tmp_path, one, other, other))


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "not YAML"), ("[{check: a}]", r"\$\[0\]: 'probe' is a required property")],
)
def test_a_file_that_is_no_review_is_refused_with_the_place(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "review.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"^{path}: {why}"):
        load(path)
