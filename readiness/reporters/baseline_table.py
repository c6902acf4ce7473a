"""A run beside its baseline: what became worse, what is not shown to be as good, and the items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.baseline.identity import Drift
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.statistics.paired import fewest_pairs
from readiness.statistics.proportions import wilson
from readiness.verdict.claim import Gate

MOST_NAMED = 5
MOST_ITEMS = 10


class Change(StrEnum):
    """What the comparison shows of a check, by the name of its translations."""

    WORSE = "worse"
    NOT_SHOWN = "not_shown"
    NO_WORSE = "no_worse"


SAID = {Change.WORSE: "✗ worse", Change.NOT_SHOWN: "? not shown", Change.NO_WORSE: "✓ no worse"}
STYLES = {Change.WORSE: "bold red", Change.NOT_SHOWN: "yellow", Change.NO_WORSE: "blue"}


def compared(record: Record) -> dict[str, Record]:
    """The checks that were compared, by id; none where there is no baseline."""
    return {each["id"]: each for each in record.get("baseline", {"checks": []})["checks"]}


def change(check: Record) -> Change:
    """What the comparison shows of a check."""
    if check["regressed"]:
        return Change.WORSE
    return Change.NO_WORSE if check["shown"] else Change.NOT_SHOWN


def regressed(record: Record) -> list[Record]:
    """The checks that have become worse."""
    return [each for each in compared(record).values() if each["regressed"]]


def notable(record: Record) -> list[Record]:
    """The checks of which there is something to say, what chance explains least first."""
    told = [each for each in compared(record).values() if _notable(each)]
    return sorted(told, key=lambda each: (not each["regressed"], each["chance"]))


def _notable(check: Record) -> bool:
    due = check["non_inferiority"] == Gate.REQUIRED and check["gates"]
    changed = check["lost"] or check["gained"] or check["slower"]
    return bool(changed or (due and not check["shown"]))


def rate(check: Record, beside: Record) -> float:
    """The baseline's own rate: of the same trials, what is neither lost nor gained is alike."""
    lost = (beside["lost"] - beside["gained"]) / beside["pairs"]
    before: float = check["passed"] / check["made"] + lost
    return min(max(before, 0.0), 1.0)


def chances(record: Record) -> dict[str, str]:
    """How likely such losses are if nothing has changed, by check; no chance excuses a rule."""
    rules = {each["id"] for each in conclusions.checks(record) if each["required"] == 1}
    return {
        each["id"]: "–" if each["lost"] and each["id"] in rules else f"{each['chance']:.2g}"
        for each in compared(record).values()
    }


def notes(record: Record) -> Iterator[str]:
    """What the figures do not say by themselves."""
    baseline = record["baseline"]
    yield from (f"drift: {Drift(**each)}" for each in baseline["drift"])
    if baseline["drift"] and baseline["identity"] == Gate.REQUIRED:
        yield "the policy requires that the endpoint says the same of itself"
    for each in baseline["checks"]:
        if each["slower"]:
            told = f"{each['pace']:.2f} times as long (median of {each['timed']} trials)"
            yield f"slower: {each['id']} takes {told}"
    if baseline["concurrency"] != record["concurrency"]:
        flights = f"{baseline['concurrency']} then, {record['concurrency']} now"
        yield f"times are not compared: trials in flight were {flights}"
    if unpaired := baseline["unpaired"]:
        rest = unpaired[MOST_NAMED:]
        more = f" and {len(rest)} more" if rest else ""
        yield f"the baseline has not tried {', '.join(unpaired[:MOST_NAMED])}{more}"
    yield f"agreement: {baseline['agree']} of {baseline['pairs']} trials came out alike"
    if noise := baseline.get("noise"):
        low, high = wilson(noise["differ"], noise["trials"])
        yield (
            f"noise: {noise['differ']} of {noise['trials']} came out otherwise when the baseline "
            f"was asked again ({low:.1%} to {high:.1%})"
        )
    yield from _margins(baseline)


def _margins(baseline: Record) -> Iterator[str]:
    for margin in sorted({each["margin"] for each in baseline["checks"]}):
        alike = [each for each in baseline["checks"] if each["margin"] == margin]
        shown = sum(each["shown"] for each in alike)
        takes = fewest_pairs(margin, baseline["alpha"])
        yield (
            f"no worse by {margin:.0%}: {shown} of {len(alike)} checks show it "
            f"(it takes {takes} trials that agree)"
        )


def lost_items(record: Record) -> list[tuple[str, Record]]:
    """The first few trials that were lost by checks that have become worse, with their checks."""
    found = [(each["id"], item) for each in regressed(record) for item in each["items"]]
    return found[:MOST_ITEMS]


def left_out(record: Record) -> int:
    """How many more there are."""
    lost: int = sum(each["lost"] for each in regressed(record))
    return max(0, lost - MOST_ITEMS)


def why(item: Record) -> str:
    """Why a trial that was lost did not pass."""
    return str(item["reason"] or item["outcome"])


def replies(item: Record) -> tuple[str, str]:
    """What came before in a trial that was lost, and what came now."""
    before = _reply(item["baseline_exchanges"], item["baseline_reply"])
    return before, _reply(item["exchanges"], item["reply"])


def _reply(exchanges: Sequence[int], text: str) -> str:
    return f"(exchange {exchanges[-1]}) {text}" if exchanges else "(nothing was sent)"


def print_comparison(console: Console, record: Record) -> None:
    """Print the table, what it does not say by itself, and the items."""
    before = record["baseline"]
    told = f"{before['model']}, {before['started']}, {before['run_verdict']}"
    console.print(Text(f"beside the baseline {before['run']} ({told})"))
    if shown := notable(record):
        console.print(table(record, shown))
    for note in notes(record):
        console.print(Text(f"· {note}"))
    for check, item in lost_items(record):
        then, now = replies(item)
        told = f"lost {check} {item['probe']}: {why(item)}"
        for line in (told, f"  before {then}", f"  now    {now}"):
            console.print(Text(line), soft_wrap=True)
    if more := left_out(record):
        console.print(Text(f"and {more} more: the record lists them"))


def table(record: Record, shown: Sequence[Record]) -> Table:
    """A line for each check of which there is something to say, and one for all the others."""
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("check", max_width=34, no_wrap=True)
    for title in ("lost", "gained", "chance", "change"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("beside the baseline", no_wrap=True)
    chance = chances(record)
    for each in shown:
        counts = (f"{each[name]}/{each['pairs']}" for name in ("lost", "gained"))
        figures = (*counts, chance[each["id"]], f"≥{each['at_least']:+.1%}")
        made.add_row(each["id"], *figures, _change(each))
    others = [each for each in compared(record).values() if each not in shown]
    if others:
        trials = sum(each["pairs"] for each in others)
        made.add_row(f"{len(others)} more", f"0/{trials}", f"0/{trials}", "", "", "")
    return made


def _change(check: Record) -> Text:
    found = change(check)
    said = SAID[found]
    return Text(said if check["gates"] else f"({said})", STYLES[found])
