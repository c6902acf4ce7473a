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
#: Others are written in digits: at most twenty runs of a build are counted.
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
#: A verdict is shown by a word and a shape, not by colour alone.
SHAPES = {
    Verdict.READY: "✓",
    Verdict.NOT_READY: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_ASSESSED: "–",
}

#: A check of which every trial passed, too few by plan to show that it is ready.
NO_DEFECT = "· no defect"


def checks(record: Record) -> list[Record]:
    """Every check, in the order of its dimensions."""
    return [check for dimension in record["dimensions"] for check in dimension["checks"]]


def worst_first(dimension: Record) -> list[Record]:
    """The checks of a dimension: most severe verdict first, then lowest score."""
    order = [(-Verdict(each["verdict"]).severity, each["score"]) for each in dimension["checks"]]
    ranked = sorted(zip(order, range(len(order)), strict=True))
    return [dimension["checks"][place] for _, place in ranked]


def bill(record: Record) -> str:
    """What the run cost; "" where no prices are known."""
    if not (cost := record.get("bill")):
        return ""
    spent = f"{record['tokens']['prompt']:,} + {record['tokens']['completion']:,} tokens"
    return f"bill: {cost['amount']:,.4f} {cost['currency']} for {spent}"


def untried(record: Record) -> list[str]:
    """The dimensions of which no check was tried."""
    return [each["id"] for each in record["dimensions"] if each["missing"] and not each["checks"]]


def counted(dimension: Record, words: Translations) -> str:
    """How many checks of a dimension have each verdict."""
    clean = [each for each in dimension["checks"] if found_no_defect(each)]
    found = Counter(Verdict(each["verdict"]) for each in dimension["checks"] if each not in clean)
    if not clean and [*found] == [Verdict.READY]:
        return words(
            "all_ready",
            count=found[Verdict.READY],
            trials=sum(each["made"] for each in dimension["checks"]),
        )
    counts = [(words("no_defect"), len(clean))] if clean else []
    ranked = sorted(found, key=lambda each: each.severity)
    counts += [(words(each), found[each]) for each in ranked]
    return words("comma").join(
        words("counted", count=count, verdict=verdict) for verdict, count in counts
    )


def finding(dimension: Record, words: Translations) -> str:
    """What was found in a dimension, in a line: what its worst check says, or that all is ready."""
    if not dimension["checks"]:
        return words("not_tried")
    if dimension["verdict"] == Verdict.READY:
        return counted(dimension, words)
    if found_no_defect(dimension):
        made = sum(each["made"] for each in dimension["checks"] if "no_defect" in each)
        return words("no_defect_in", trials=made)
    gating = [each for each in worst_first(dimension) if gates(dimension, each)]
    worst = (gating or worst_first(dimension))[0]
    reasons = (words.reason(each["reason"]) for each in worst["reasons"])
    why = lacking(worst, words) or next(reasons, "")
    if why and worst["verdict"] == Verdict.NOT_ASSESSED:
        return why.removeprefix(words("unsupported"))
    name = worst["id"].partition(".")[2]
    counts = f" {worst['passed']}/{worst['made']}" if worst["made"] else ""
    return f"{name}{counts}: {why}" if why else f"{name}{counts}"


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


def deciding(record: Record) -> list[str]:
    """The dimensions that decide the verdict: not those that too few trials alone leave open."""
    clean = {each["id"] for each in record["dimensions"] if found_no_defect(each)}
    told = [each for each in record["deciding"] if each not in clean]
    return told or [*record["deciding"]]


def scores(record: Record) -> list[int]:
    """The scores of the required dimensions that were assessed."""
    required = [each for each in record["dimensions"] if each["gate"] == Gate.REQUIRED]
    return [each["score"] for each in required if each["score"] is not None]


def no_defect(record: Record) -> bool:
    """Whether a run that can show defects only has found none, whatever was not assessed."""
    found = [each for each in gating(record) if each["verdict"] != Verdict.NOT_ASSESSED]
    return bool(found) and all("no_defect" in each for each in found)


def found_no_defect(of: Record) -> bool:
    """Whether a check or a dimension of which defects only can be shown has shown none."""
    return no_defect({"dimensions": [of]}) if "checks" in of else "no_defect" in of


def shown_verdict(dimension: Record) -> str:
    """The verdict of a dimension, or that a run that can show defects only has found none."""
    gate = "" if dimension["gate"] == Gate.REQUIRED else f" ({dimension['gate']})"
    found = "no defect" if found_no_defect(dimension) else dimension["verdict"]
    return f"{found}{gate}"


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
    sentences = [words("why_no_defect", **record["requests"])] if no_defect(record) else []
    told = [each for each in found if "no_defect" not in each]
    for verdict in (Verdict.NOT_READY, Verdict.INCONCLUSIVE, Verdict.NOT_ASSESSED):
        names = [each["id"] for each in told if each["verdict"] == verdict]
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
    if not sentences:
        sentences = [words("why_all", count=len(found))]
    elif record["verdict"] == Verdict.READY:
        ready = sum(each["verdict"] == Verdict.READY for each in found)
        sentences = [words("why_ready", count=ready, all=len(found)), *sentences]
    sentences += _named(words, "why_waived", waived)
    sentences += _named(words, "why_unguarded", unguarded(record))
    sentences += filter(None, [same_build(record, words)])
    return sentences + [
        words("why_settled", check=each["id"], count=count, trials=each["made"], how=how)
        for each in found
        for how, count in settled(each).items()
    ]


def unguarded(record: Record) -> list[str]:
    """The required dimensions of which waivers leave no required check that was assessed."""
    waived = {each["check"] for each in record["waivers"]}
    held = {
        row["id"]: [check["id"] for check in row["checks"] if _holds(row, check)]
        for row in record["dimensions"]
    }
    return [name for name, checks in held.items() if checks and waived.issuperset(checks)]


def _holds(dimension: Record, check: Record) -> bool:
    return gates(dimension, check) and check["verdict"] != Verdict.NOT_ASSESSED


def same_build(record: Record, words: Translations) -> str:
    """Which run of its build this is, and what the others were; "" where none were found."""
    runs = record.get("same_build", ())
    if not runs:
        return ""
    counts = Counter(Verdict(each["verdict"]) for each in runs)
    said = words("comma").join(
        f"{counts[each]} {words(each)}" for each in reversed(Verdict) if counts[each]
    )
    number = len(runs) + 1
    place = _ordinal(number) if words.language == "en" else number
    told = [words("same_build", number=place, counts=said)]
    told += [words("other_build")] if counts[Verdict.NOT_READY] else []
    return " ".join(told)


def _ordinal(number: int) -> str:
    return ORDINALS[number - 1] if number <= len(ORDINALS) else f"{number}th"


def _named(words: Translations, name: str, names: Sequence[str], **figures: int) -> list[str]:
    if not names:
        return []
    listed = words("comma").join(names[:MAX_NAMED])
    if more := len(names[MAX_NAMED:]):
        listed = words("others", names=listed, count=more)
    return [words(name, count=len(names), names=listed, **figures)]


def remarks(check: Record, words: Translations) -> Iterator[str]:
    """Remarks that explain a check's figures."""
    # Doubts keep what passed from ready: elsewhere they explain nothing.
    doubts = check["doubts"] if check["verdict"] == Verdict.INCONCLUSIVE else ()
    for doubt in doubts:
        yield words("doubtful", doubt=words.reason(doubt))
    if pair := check.get("worst_pair"):
        yield gathered(pair, words)
    if pooled := together(check, words):
        yield pooled
    for how, count in settled(check).items():
        yield words("settled", how=how, count=count)
    if count := reasoned(check):
        yield words("reasoned", count=count)
    told = [*check["doubts"], *(each["example"] for each in check["reasons"])]
    known = {"", *map(words.reason, told)}
    if (reason := lacking(check, words)) not in known:
        yield reason


def together(check: Record, words: Translations) -> str:
    """What the trials of several runs show of a rate; "" where none were pooled."""
    pooled = check.get("together")
    if not pooled or check["required"] == 1 or not pooled["trials"]:
        return ""
    return words("together", **{**pooled, "verdict": words(pooled["verdict"])})


def pairs(record: Record) -> str:
    """How many pairs of levels of a request's form each dimension tried; "" where none has any."""
    found = ((each["id"], each["pairs"]) for each in record["dimensions"] if "pairs" in each)
    return ", ".join(f"{name} {each['covered']}/{each['possible']}" for name, each in found)


def gathered(pair: Record, words: Translations) -> str:
    """Where the failures of a check gather, as a sentence."""
    said = [f"{each['label']} ({each['value']})" for each in pair["labels"]]
    counts = {name: count for name, count in pair.items() if name not in ("labels", "chance")}
    return words("gathered", labels=words("and").join(said), **counts)


def lacking(check: Record, words: Translations) -> str:
    """Why a check is inconclusive or not assessed; "" for any other."""
    if check["verdict"] == Verdict.NOT_ASSESSED:
        return words.reason(check["reasons"][0]["example"]) if check["reasons"] else ""
    if check["verdict"] != Verdict.INCONCLUSIVE:
        return ""
    if check["doubts"]:
        return words.reason(check["doubts"][0])
    if "decided_by" in check:
        return words("no_decision")
    if check["reasons"] and check["outcomes"].get(Outcome.UNDETERMINED, 0) == check["made"]:
        return words.reason(check["reasons"][0]["example"])
    if check["defects_only"]:
        return "" if "no_defect" in check else words("defects_only")
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
