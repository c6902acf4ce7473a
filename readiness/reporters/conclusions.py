"""Conclusions from a record: which checks gate, why the verdict is what it is, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from readiness.evidence.run_folder import Record
from readiness.reporters.translations import Translations
from readiness.score import UNSETTLED, Outcome
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.labels import how_settled

MAX_NAMED = 4
#: A verdict is shown by a word and a shape, not by colour alone.
SHAPES = {
    Verdict.READY: "✓",
    Verdict.NOT_READY: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_ASSESSED: "–",
}


def checks(record: Record) -> list[Record]:
    """Every check, in the order of its dimensions."""
    return [check for dimension in record["dimensions"] for check in dimension["checks"]]


def worst_first(dimension: Record) -> list[Record]:
    """The checks of a dimension: most severe verdict first, then lowest score."""
    order = [(-Verdict(each["verdict"]).severity, each["score"]) for each in dimension["checks"]]
    ranked = sorted(zip(order, range(len(order)), strict=True))
    return [dimension["checks"][place] for _, place in ranked]


def gates(dimension: Record, check: Record) -> bool:
    """Whether a check counts towards the verdict of the run."""
    return bool(dimension["gate"] == check["gate"] == Gate.REQUIRED)


def gating(record: Record) -> list[Record]:
    """The checks that count towards the verdict of the run."""
    return [
        check
        for dimension in record["dimensions"]
        for check in dimension["checks"]
        if gates(dimension, check)
    ]


def waivers(record: Record, words: Translations) -> dict[str, str]:
    """The texts of the waivers, by check."""
    return {each["check"]: words("waived", **each) for each in record["waivers"]}


def settled(check: Record) -> Counter[str]:
    """The number of trials that were labelled, by who labelled them."""
    return Counter(how_settled(each["by"]) for each in check.get("settled", ()))


def reasoned(check: Record) -> int:
    """The number of trials whose reasoning contains what the reply must not."""
    return len(check.get("met_in_reasoning", ()))


def why(record: Record, words: Translations) -> list[str]:
    """The sentences that explain the verdict."""
    if record["problem"]:
        return [words("why_problem", problem=record["problem"])]
    waived = [each["check"] for each in record["waivers"]]
    found = [each for each in gating(record) if each["id"] not in waived]
    sentences = []
    for verdict in (Verdict.NOT_READY, Verdict.INCONCLUSIVE, Verdict.NOT_ASSESSED):
        names = [each["id"] for each in found if each["verdict"] == verdict]
        sentences += _named(words, f"why_{verdict}", names, all=len(found))
    required = [each for each in record["dimensions"] if each["gate"] == Gate.REQUIRED]
    missing = [name for each in required if each["checks"] for name in each["missing"]]
    sentences += _named(words, "why_missing", missing)
    unassessed = [each["id"] for each in required if each["verdict"] == Verdict.NOT_ASSESSED]
    sentences += _named(words, "why_unassessed", unassessed)
    comparison = record.get("baseline", {"verdict": Verdict.READY})
    if comparison["verdict"] != Verdict.READY:
        lost = [each["id"] for each in comparison["checks"] if each["regressed"]]
        sentences += _named(words, "why_worse", lost) or [words("why_beside")]
    if not (found or waived):
        return [words("why_none")]
    sentences = sentences or [words("why_all", count=len(found))]
    sentences += _named(words, "why_waived", waived)
    return sentences + [
        words("why_settled", check=each["id"], count=count, trials=each["trials"], how=how)
        for each in found
        for how, count in settled(each).items()
    ]


def _named(words: Translations, name: str, names: Sequence[str], **figures: int) -> list[str]:
    if not names:
        return []
    listed = words("comma").join(names[:MAX_NAMED])
    if more := len(names[MAX_NAMED:]):
        listed = words("others", names=listed, count=more)
    return [words(name, count=len(names), names=listed, **figures)]


def remarks(check: Record, words: Translations) -> Iterator[str]:
    """Remarks that explain a check's figures."""
    for doubt in check["doubts"]:
        yield words("doubtful", doubt=doubt)
    for how, count in settled(check).items():
        yield words("settled", how=how, count=count)
    if count := reasoned(check):
        yield words("reasoned", count=count)
    known = {"", *check["doubts"], *(each["example"] for each in check["reasons"])}
    if (reason := lacking(check, words)) not in known:
        yield reason


def lacking(check: Record, words: Translations) -> str:
    """Why a check is inconclusive or not assessed; "" for any other."""
    if check["verdict"] == Verdict.NOT_ASSESSED:
        return str(check["reasons"][0]["example"]) if check["reasons"] else ""
    if check["verdict"] != Verdict.INCONCLUSIVE:
        return ""
    if check["doubts"]:
        return str(check["doubts"][0])
    if "decided_by" in check:
        return words("no_decision")
    if check["outcomes"].get(Outcome.UNDETERMINED) == check["trials"]:
        return str(check["reasons"][0]["example"])
    if check["defects_only"]:
        return words("defects_only")
    if check["more_needed"]:
        return words("more_trials", count=check["more_needed"])
    # Either more trials would not help, or these would suffice if they were independent.
    return words("too_few" if check["more_needed"] is None else "too_few_alone")


def deviations(record: Record, words: Translations) -> Iterator[tuple[str, str]]:
    """The deviations from the plan: a name and a text for each."""
    yield from waivers(record, words).items()
    for dimension in record["dimensions"]:
        yield from ((name, words("no_result")) for name in dimension["missing"])
    for check in checks(record):
        if check["verdict"] == Verdict.NOT_ASSESSED:
            yield check["id"], lacking(check, words)
        for outcome in sorted(UNSETTLED & check["outcomes"].keys()):
            counts = {"count": check["outcomes"][outcome], "trials": check["trials"]}
            yield check["id"], words("unsettled", outcome=outcome, **counts)
    for feature, said in record["target"].get("lacking", {}).items():
        yield words("endpoint"), words("absent", feature=feature, words=said)
    if count := record["requests"]["retried"]:
        yield words("requests"), words("retried", count=count)
