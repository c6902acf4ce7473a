"""A run beside its baseline, on a terminal: what became worse, item by item."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.baseline.comparison import CheckComparison, RunComparison
from readiness.evidence.redaction import Secrets
from readiness.reporters.lost_items import left_out, lost_items
from readiness.statistics.paired import fewest_pairs
from readiness.statistics.proportions import wilson
from readiness.verdict.claim import Gate

MOST_NAMED = 5
WORSE, OPEN, KEPT = "✗ worse", "? not shown", "✓ no worse"
STYLES = {WORSE: "bold red", OPEN: "yellow", KEPT: "blue"}


def print_comparison(console: Console, found: RunComparison, secrets: Secrets) -> None:
    """Print what became worse, what is not shown to be as good, and the items."""
    before = found.baseline
    told = (
        f"{before.evidence_header['model']}, {before.evidence_header['started']}, {before.verdict}"
    )
    title = f"beside the baseline {before.evidence.parent.name} ({told})"
    console.print(Text(secrets.printable(title)))
    if shown := [each for each in found.checks if notable(found, each)]:
        console.print(table(found, shown))
    for note in notes(found):
        console.print(Text(f"· {secrets.printable(note)}"))
    for item in lost_items(found, secrets):
        told = f"lost {item.check} {item.pair.trial.probe}: {item.why}"
        for line in (told, f"  before {item.before}", f"  now    {item.now}"):
            console.print(Text(line), soft_wrap=True)
    if more := left_out(found):
        console.print(Text(f"and {more} more: the record lists them"))


def table(found: RunComparison, shown: list[CheckComparison]) -> Table:
    """A line for each check of which there is something to say, and one for all the others."""
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("check", max_width=34, no_wrap=True)
    for title in ("lost", "gained", "chance", "change"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("beside the baseline", no_wrap=True)
    for each in sorted(shown, key=lambda each: found.adjusted_p_values[each.id]):
        said = word(found, each)
        style = STYLES[said]
        figures = f"{len(each.lost)}/{len(each.pairs)}", f"{len(each.gained)}/{len(each.pairs)}"
        change = f"≥{each.at_least:+.1%}"
        shown_as = Text(said if each.gates else f"({said})", style)
        made.add_row(each.id, *figures, chance(found, each), change, shown_as)
    others = [each for each in found.checks if each.pairs and each not in shown]
    if others:
        trials = sum(len(each.pairs) for each in others)
        made.add_row(f"{len(others)} more", f"0/{trials}", f"0/{trials}", "", "", "")
    return made


def chance(found: RunComparison, each: CheckComparison) -> str:
    """How likely such losses are if nothing has changed; a rule is not a matter of chance."""
    return "–" if each.broken else f"{found.adjusted_p_values[each.id]:.2g}"


def word(found: RunComparison, each: CheckComparison) -> str:
    """What the comparison shows of a check."""
    if each in found.regressed:
        return WORSE
    return KEPT if each.non_inferior else OPEN


def notes(found: RunComparison) -> Iterator[str]:
    """What the figures do not say by themselves."""
    yield from (f"drift: {each}" for each in found.drift)
    if found.drift and found.identity is Gate.REQUIRED:
        yield "the policy requires that the endpoint says the same of itself"
    for each in found.slower:
        trials = len(each.ratios)
        yield f"slower: {each.id} takes {each.pace:.2f} times as long (median of {trials} trials)"
    if found.baseline.concurrency != found.now.concurrency:
        flights = f"{found.baseline.concurrency} then, {found.now.concurrency} now"
        yield f"times are not compared: trials in flight were {flights}"
    if found.unpaired:
        rest = found.unpaired[MOST_NAMED:]
        more = f" and {len(rest)} more" if rest else ""
        yield f"the baseline has not tried {', '.join(found.unpaired[:MOST_NAMED])}{more}"
    yield f"agreement: {found.agree} of {found.pairs} trials came out alike"
    differ, trials = found.baseline.repeat_disagreement
    if trials:
        low, high = wilson(differ, trials)
        yield (
            f"noise: {differ} of {trials} came out otherwise when the baseline was asked again "
            f"({low:.1%} to {high:.1%})"
        )
    yield from _margins(found)


def _margins(found: RunComparison) -> Iterator[str]:
    for margin in sorted({each.upgrade.margin for each in found.checks}):
        alike = [each for each in found.checks if each.upgrade.margin == margin and each.pairs]
        shown = sum(each.non_inferior for each in alike)
        takes = fewest_pairs(margin, found.alpha)
        yield (
            f"no worse by {margin:.0%}: {shown} of {len(alike)} checks show it "
            f"(it takes {takes} trials that agree)"
        )


def notable(found: RunComparison, each: CheckComparison) -> bool:
    """Whether there is something to say of a check."""
    required = (
        each.upgrade.non_inferiority is Gate.REQUIRED and each.gates and not each.non_inferior
    )
    return bool(each.pairs) and bool(each.lost or each.gained or each in found.slower or required)
