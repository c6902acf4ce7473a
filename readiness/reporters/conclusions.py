"""What follows from a record: which checks gate, why the verdict is what it is, what is lacking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from readiness.evidence.run_folder import Record
from readiness.reporters.translations import Translations
from readiness.score import UNSETTLED, Outcome
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.labels import how_settled

MOST_NAMED = 4
#: A word and a shape carry a verdict; colours only help.
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
    """The checks of a dimension as people should read them."""
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
    """What was let through, by check, and who answers for it."""
    return {each["check"]: words("waived", **each) for each in record["waivers"]}


def settled(check: Record) -> Counter[str]:
    """How many trials of a check no rule could settle, by how they were."""
    return Counter(how_settled(each["by"]) for each in check.get("settled", ()))


def reasoned(check: Record) -> int:
    """In how many trials of a check the reasoning has what the reply should not."""
    return len(check.get("met_in_reasoning", ()))


def why(record: Record, words: Translations) -> list[str]:
    """Why the verdict is what it is."""
    if record["problem"]:
        return [words("why_problem", problem=record["problem"])]
    waived = [each["check"] for each in record["waivers"]]
    found = [each for each in gating(record) if each["id"] not in waived]
    said = []
    for verdict in (Verdict.NOT_READY, Verdict.INCONCLUSIVE, Verdict.NOT_ASSESSED):
        names = [each["id"] for each in found if each["verdict"] == verdict]
        said += _named(words, f"why_{verdict}", names, all=len(found))
    required = [each for each in record["dimensions"] if each["gate"] == Gate.REQUIRED]
    missing = [name for each in required if each["checks"] for name in each["missing"]]
    said += _named(words, "why_missing", missing)
    bare = [each["id"] for each in required if each["verdict"] == Verdict.NOT_ASSESSED]
    said += _named(words, "why_unassessed", bare)
    beside = record.get("baseline", {"verdict": Verdict.READY})
    if beside["verdict"] != Verdict.READY:
        lost = [each["id"] for each in beside["checks"] if each["regressed"]]
        said += _named(words, "why_worse", lost) or [words("why_beside")]
    if not (found or waived):
        return [words("why_none")]
    said = said or [words("why_all", count=len(found))]
    said += _named(words, "why_waived", waived)
    return said + [
        words("why_settled", check=each["id"], count=count, trials=each["trials"], how=how)
        for each in found
        for how, count in settled(each).items()
    ]


def _named(words: Translations, name: str, names: Sequence[str], **figures: int) -> list[str]:
    if not names:
        return []
    listed = words("comma").join(names[:MOST_NAMED])
    if more := len(names[MOST_NAMED:]):
        listed = words("others", names=listed, count=more)
    return [words(name, count=len(names), names=listed, **figures)]


def remarks(check: Record, words: Translations) -> Iterator[str]:
    """What a check's figures do not say by themselves."""
    for doubt in check["doubts"]:
        yield words("doubtful", doubt=doubt)
    for how, count in settled(check).items():
        yield words("settled", how=how, count=count)
    if count := reasoned(check):
        yield words("reasoned", count=count)
    told = {"", *check["doubts"], *(each["example"] for each in check["reasons"])}
    if (said := lacking(check, words)) not in told:
        yield said


def lacking(check: Record, words: Translations) -> str:
    """What an inconclusive check, or one that is not assessed, lacks; "" of any other."""
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
    # Not even more of them would show it, or these would if they stood alone.
    return words("too_few" if check["more_needed"] is None else "too_few_alone")


def deviations(record: Record, words: Translations) -> Iterator[tuple[str, str]]:
    """What was planned and not done, or not as planned: a name, and what there is to say."""
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
