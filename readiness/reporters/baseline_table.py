"""The comparison with the baseline: regressions, checks not shown non-inferior, lost trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.baseline.identity import Drift
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.runner.record import MAX_REPLY
from readiness.statistics.paired import fewest_pairs
from readiness.statistics.proportions import wilson
from readiness.verdict.claim import Gate

MAX_NAMED = 5
MAX_ITEMS = 10


class Change(StrEnum):
    """The conclusion about a check; the values name translations."""

    WORSE = "worse"
    NOT_SHOWN = "not_shown"
    NO_WORSE = "no_worse"


LABELS = {Change.WORSE: "✗ worse", Change.NOT_SHOWN: "? not shown", Change.NO_WORSE: "✓ no worse"}
STYLES = {Change.WORSE: "bold red", Change.NOT_SHOWN: "yellow", Change.NO_WORSE: "blue"}


def compared(record: Record) -> dict[str, Record]:
    """The compared checks by id; empty without a baseline."""
    return {each["id"]: each for each in record.get("baseline", {"checks": []})["checks"]}


def change(check: Record) -> Change:
    """The conclusion about a check."""
    if check["regressed"]:
        return Change.WORSE
    return Change.NO_WORSE if check["shown"] else Change.NOT_SHOWN


def regressed(record: Record) -> list[Record]:
    """The checks that have become worse."""
    return [each for each in compared(record).values() if each["regressed"]]


def notable(record: Record) -> list[Record]:
    """The checks with changes, or not shown non-inferior: regressions first, then by p-value."""
    changed = [each for each in compared(record).values() if _notable(each)]
    return sorted(changed, key=lambda each: (not each["regressed"], each["chance"]))


def _notable(check: Record) -> bool:
    required = check["non_inferiority"] == Gate.REQUIRED and check["gates"]
    changed = check["lost"] or check["gained"] or check["slower"]
    return bool(changed or (required and not check["shown"]))


def rate(check: Record, comparison: Record) -> float | None:
    """The baseline's pass rate on the same trials, from the lost and gained ones; None without."""
    if not comparison["pairs"]:
        return None
    lost = (comparison["lost"] - comparison["gained"]) / comparison["pairs"]
    before: float = check["passed"] / check["made"] + lost
    return min(max(before, 0.0), 1.0)


def chances(record: Record) -> dict[str, str]:
    """The p-value of each check's losses as text; "–" for a violated zero-defect rule."""
    rules = {each["id"] for each in conclusions.checks(record) if each["required"] == 1}
    return {
        each["id"]: "–" if each["regressed"] and each["id"] in rules else f"{each['chance']:.2g}"
        for each in compared(record).values()
    }


def notes(record: Record) -> Iterator[str]:
    """Notes that explain the figures."""
    baseline = record["baseline"]
    yield from (f"drift: {Drift(**each)}" for each in baseline["drift"])
    if baseline["drift"] and baseline["identity"] == Gate.REQUIRED:
        yield "the policy requires the endpoint to report the same identity"
    if pace := baseline.get("pace"):
        yield f"times: {pace:.2f} times the baseline's (median of the checks)"
    for each in baseline["checks"]:
        if each["slower"]:
            text = f"{each['pace']:.2f} times as long (median of {each['timed']} trials)"
            yield f"slower: {each['id']} takes {text}"
    if baseline["concurrency"] != record["concurrency"]:
        flights = f"{baseline['concurrency']} then, {record['concurrency']} now"
        yield f"times are not compared: trials in flight were {flights}"
    if unpaired := baseline["unpaired"]:
        rest = unpaired[MAX_NAMED:]
        more = f" and {len(rest)} more" if rest else ""
        yield f"the baseline has not tried {', '.join(unpaired[:MAX_NAMED])}{more}"
    yield f"agreement: {baseline['agree']} of {baseline['pairs']} trials had the same outcome"
    if noise := baseline.get("noise"):
        low, high = wilson(noise["differ"], noise["trials"])
        yield (
            f"noise: {noise['differ']} of {noise['trials']} trials changed their outcome when the "
            f"baseline repeated them ({low:.1%} to {high:.1%})"
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
    """The first lost trials of regressed checks, with the ids of the checks."""
    found = [(each["id"], item) for each in regressed(record) for item in each["items"]]
    return found[:MAX_ITEMS]


def left_out(record: Record) -> int:
    """The number of lost trials that are not listed."""
    lost: int = sum(each["lost"] for each in regressed(record))
    return max(0, lost - MAX_ITEMS)


def why(item: Record) -> str:
    """Why a lost trial did not pass."""
    return str(item["reason"] or item["outcome"])


def replies(item: Record) -> tuple[str, str]:
    """The replies of the baseline and of the candidate in a lost trial."""
    before = _reply(item["baseline_exchanges"], item["baseline_reply"])
    return before, _reply(item["exchanges"], item["reply"])


def _reply(exchanges: Sequence[int], text: str) -> str:
    cut = "…" if len(text) == MAX_REPLY else ""
    return f"(exchange {exchanges[-1]}) {text}{cut}" if exchanges else "(nothing was sent)"


def print_comparison(console: Console, record: Record) -> None:
    """Print the table, the notes and the lost trials."""
    before = record["baseline"]
    text = f"{before['model']}, {before['started']}, {before['run_verdict']}"
    console.print(Text(f"compared with the baseline {before['run']} ({text})"))
    if shown := notable(record):
        console.print(table(record, shown))
    for note in notes(record):
        console.print(Text(f"· {note}"))
    for check, item in lost_items(record):
        then, now = replies(item)
        text = f"lost {check} {item['probe']}: {why(item)}"
        for line in (text, f"  before {then}", f"  now    {now}"):
            console.print(Text(line), soft_wrap=True)
    if more := left_out(record):
        console.print(Text(f"and {more} more: the record lists them"))


def table(record: Record, shown: Sequence[Record]) -> Table:
    """A line for each notable check, and one for all others."""
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("check", max_width=34, no_wrap=True)
    for title in ("lost", "gained", "chance", "change"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("conclusion", no_wrap=True)
    p_values = chances(record)
    for each in shown:
        counts = (f"{each[name]}/{each['pairs']}" for name in ("lost", "gained"))
        figures = (*counts, p_values[each["id"]], f"≥{each['at_least']:+.1%}")
        made.add_row(each["id"], *figures, _change(each))
    others = [each for each in compared(record).values() if each not in shown]
    if others:
        trials = sum(each["pairs"] for each in others)
        made.add_row(f"{len(others)} more", f"0/{trials}", f"0/{trials}", "", "", "")
    return made


def _change(check: Record) -> Text:
    found = change(check)
    label = LABELS[found]
    return Text(label if check["gates"] else f"({label})", STYLES[found])
