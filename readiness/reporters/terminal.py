"""Terminal output: the plan, and the matrix of a run."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console, JustifyMethod
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from readiness.evidence.printable import escape_unprintable, escape_unprintable_json
from readiness.evidence.run_folder import TORN, Record
from readiness.policy.plan import PlannedCheck, duration, pairs_tried
from readiness.policy.policy import Prices
from readiness.reporters import conclusions
from readiness.reporters.baseline_table import print_comparison
from readiness.reporters.charts import StepRow, implausible, load_steps, seconds
from readiness.reporters.conclusions import NO_DEFECT, SHAPES
from readiness.reporters.translations import Translations
from readiness.runner.run import Run
from readiness.runner.sender import MAX_LIMITED_IN_A_ROW, MAX_UNANSWERED_IN_A_ROW
from readiness.verdict.claim import Gate, Verdict

MIN_WIDTH = 40  # characters
WIDTHS = {"passed": 7, "shows": 6, "95 % interval": 13, "needs": 5, "verdict": 16}
MIN_NAME_WIDTH = 12
#: A dimension with more checks groups those that need no remark.
MAX_CHECKS = 20
MAX_NAMED = 3  # checks in a note that several share
CAVEATS = {"license": "read by a program: this is not legal advice"}
# Distinguishable with colour blindness.
STYLES = {
    Verdict.READY: "blue",
    Verdict.NOT_READY: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_ASSESSED: "dim",
}


def console() -> Console:
    """The console of a command, as wide as the terminal."""
    width = max(MIN_WIDTH, shutil.get_terminal_size().columns)
    return Console(width=width, highlight=False, markup=False)


def print_plan(
    console: Console,
    planned: Sequence[PlannedCheck],
    concurrency: int,
    prices: Prices | None,
) -> None:
    """Print what would be sent."""
    _print_title(console, "plan: nothing was sent")
    table = _table(console.width, "check", "trials", "prompt tokens", "reply tokens")
    for each in planned:
        table.add_row(each.check.id, *(f"{figure:,}" for figure in _planned(each)))
    totals = [sum(column) for column in zip(*map(_planned, planned), strict=True)]
    table.add_row("all", *(f"{total:,}" for total in totals))
    console.print(table)
    if pairs := _pairs_planned(planned):
        console.print(f"pairs of request forms: {pairs}")
    console.print(
        f"it ends early after {MAX_UNANSWERED_IN_A_ROW} requests in a row without any answer, "
        f"or {MAX_LIMITED_IN_A_ROW} that are rate limited"
    )
    console.print(_estimate(planned, prices, concurrency))
    console.print(f"at 40 tokens/s a stream and {concurrency} in flight")


def print_beginning(
    console: Console, run: Run, planned: Sequence[PlannedCheck], concurrency: int
) -> None:
    """Print what is going to be tried, at what cost, and where it is written."""
    target, policy = escape_unprintable_json(run.identity), run.settings.policy
    server = f", {target['server']}" if target.get("server") else ""
    tried = f"{target['model']} at {run.settings.address.url}{server}"
    console.print(Text(run.settings.secrets.redact(tried)))
    settings = f"policy {policy.name}, profile {run.settings.profile}, seed {run.settings.seed}"
    takes = f"{settings}: {_estimate(planned, policy.prices, concurrency)}"
    console.print(Text(escape_unprintable(takes)))
    console.print(Text(escape_unprintable(f"written to {run.folder}")), soft_wrap=True)


def _estimate(planned: Sequence[PlannedCheck], prices: Prices | None, concurrency: int) -> str:
    """The trials, the tokens, the time and, where prices are known, the money."""
    trials, prompt, reply = (sum(column) for column in zip(*map(_planned, planned), strict=True))
    money = f", {prices.cost(prompt, reply):,.2f} {prices.currency}" if prices else ""
    takes = duration(planned, concurrency)
    most = f", mostly {takes.bound}" if takes.bound and takes.seconds > 60 else ""
    tokens = f"{_rounded(prompt)} + {_rounded(reply)} tokens"
    minutes = max(1.0, takes.seconds / 60)
    return f"{trials:,} trials, about {tokens}, {minutes:.0f} min{most}{money}"


def _rounded(tokens: int) -> str:
    return f"{tokens / 1e6:.1f} M" if tokens >= 100_000 else f"{tokens / 1e3:.0f} K"


def _pairs_planned(planned: Sequence[PlannedCheck]) -> str:
    """How many pairs of levels each dimension is going to try."""
    dimensions = dict.fromkeys(each.check.dimension for each in planned)
    found = {
        name: pairs_tried(each for each in planned if each.check.dimension == name)
        for name in dimensions
    }
    shares = (
        f"{name} {each.covered} of {each.possible}" for name, each in found.items() if each.possible
    )
    return ", ".join(shares)


def _planned(planned: PlannedCheck) -> tuple[int, int, int]:
    return len(planned.probes), planned.prompt_tokens, planned.completion_tokens


def print_matrix(console: Console, found: Record) -> None:
    """Print the whole matrix of a record, with notes."""
    record = escape_unprintable_json(found)
    print_heading(console, record)
    if checks := conclusions.checks(record):
        console.print(table(record, console.width))
        if steps := load_steps(checks):
            console.print(_load(steps, console.width))
        marks = [f"implausible: {each}" for each in implausible(checks)]
        for note in [*marks, *notes(record), *waived(record)]:
            console.print(Text(f"· {note}"))
    if "baseline" in record:
        print_comparison(console, record)


def print_heading(console: Console, record: Record) -> None:
    """Print what was tried, and what else is known of it."""
    _print_title(console, f"readiness of {record['target']['model'] or 'an unknown model'}")
    profile, policy = record["profile"], record["harness"]["policy"]
    console.print(Text(f"{record['target']['endpoint']}, profile {profile}, policy {policy}"))
    if said := conclusions.same_build(record, Translations("en")):
        console.print(Text(said))
    if taken := record.get("resumed"):
        console.print(Text(_resumed(taken)))
    if record["problem"]:
        console.print(Text(f"cannot be tried: {record['problem']}"))


def _print_title(console: Console, title: str) -> None:
    console.print(Rule(Text(title), characters="=", style="none"))


def _resumed(taken: Record) -> str:
    lost = taken["torn_bytes"]
    torn = f"; {lost} bytes of an incomplete line were moved to {TORN}" if lost else ""
    counts = f"{taken['exchanges']} exchanges and {taken['trials']} trials"
    return f"resumed: {counts} were taken over{torn}"


def table(record: Record, width: int) -> Table:
    """The matrix, a line for each dimension and one for each of its checks.

    Args:
        record: The record.
        width: The width in characters; where it is too small, names of checks are truncated.
    """
    table = _table(width, "check", "passed", "shows", "95 % interval", "needs", "verdict")
    for dimension in record["dimensions"]:
        table.add_row(*_dimension(dimension))
        few = len(dimension["checks"]) <= MAX_CHECKS
        plain = [each for each in dimension["checks"] if not few and _plain(each)]
        shown = [each for each in dimension["checks"] if each not in plain]
        for check in sorted(shown, key=lambda each: -Verdict(each["verdict"]).severity):
            table.add_row(*_check(check))
        for found in dict.fromkeys((each["verdict"], each["gate"]) for each in plain):
            alike = [each for each in plain if (each["verdict"], each["gate"]) == found]
            table.add_row(*_several(alike), "", "", "", verdict_of(alike[0]))
    return table


def _plain(check: Record) -> bool:
    """Whether a check needs no remark beyond its verdict."""
    return check["verdict"] == Verdict.NOT_ASSESSED or (
        check["passed"] == check["trials"] and not check["doubts"]
    )


def _table(width: int, first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    widths = {each: WIDTHS.get(each, len(each)) for each in others}
    taken = sum(widths.values()) + len(widths)
    # Where a line is too long, the check's name is truncated, never a figure.
    table.add_column(first, no_wrap=True, max_width=max(MIN_NAME_WIDTH, width - taken))
    for each, least in widths.items():
        side: JustifyMethod = "left" if each == "verdict" else "right"
        table.add_column(each, justify=side, no_wrap=True, min_width=least)
    return table


def notes(record: Record) -> Iterator[str]:
    """Notes that explain the figures of the matrix."""
    checks = conclusions.checks(record)
    yield from _dimension_notes(record)
    for check in checks:
        yield from _check_notes(check)
    if quick := [each for each in checks if "decided_by" in each]:
        made, planned = (sum(each[name] for each in quick) for name in ("made", "trials"))
        yield (
            f"{_names(quick)}: by a sequential test, with {made} of {planned} trials; between the "
            "required rate less the margin and slightly above it, either decision is possible"
        )
    if pairs := conclusions.pairs(record):
        yield Translations("en")("pairs_tried", pairs=pairs)
    if untried := conclusions.untried(record):
        yield f"not tried: {', '.join(untried)}"
    yield from _undecided(checks)
    for check in checks:
        if check["times"]:
            yield f"{check['id']}: {'; '.join(map(_took, check['times']))}"
    if any(each["gate"] == Gate.ADVISORY for each in checks):
        yield "a verdict in parentheses is advisory: it does not gate"


def _dimension_notes(record: Record) -> Iterator[str]:
    for each in record["dimensions"]:
        if each["id"] in CAVEATS and each["checks"]:
            yield f"{each['id']}: {CAVEATS[each['id']]}"
        if each["missing"] and each["checks"]:
            names = ", ".join(name.partition(".")[2] for name in each["missing"])
            yield f"{each['id']}: no result of {names}"


def _check_notes(check: Record) -> Iterator[str]:
    name, trials = check["id"], check["made"]
    if pair := check.get("worst_pair"):
        yield f"{name}: {conclusions.gathered(pair, Translations('en'))}"
    if together := conclusions.together(check, Translations("en")):
        yield f"{name}: {together}"
    for how, count in conclusions.settled(check).items():
        yield f"{name}: {count} of {trials} trials {how}"
    if count := conclusions.reasoned(check):
        told = f"{count} of {trials} trials complied with in the reasoning, which some clients show"
        yield f"{name}: {told}"


def _undecided(checks: Sequence[Record]) -> Iterator[str]:
    """Why checks are inconclusive or not assessed, grouped by reason."""
    alike: dict[str, list[Record]] = {}
    for check in checks:
        if note := conclusions.lacking(check, Translations("en")):
            alike.setdefault(note, []).append(check)
    return (f"{_names(found)}: {note}" for note, found in alike.items())


def _load(steps: Sequence[StepRow], width: int) -> Table:
    """The steps of a load test, a line for each."""
    times = "1st token", "p95 s", "the end", "p95 s "
    table = _table(width, "load", "requests", "errors", "per s", *times)
    for step in steps:
        table.add_row(step.name, *step.figures)
    return table


def _took(times: Record) -> str:
    at = "".join(f", {name} {value}" for name, value in times["at"].items())
    median, high = seconds(times["median"]), seconds(times["high"])
    if times["trials"] == 1:
        return f"{times['name']}{at}: {median}"
    return f"{times['name']}{at}: median {median}, {times['tail']} {high}"


def verdict(record: Record) -> Text:
    """The verdict of the run, with its score and what decided it."""
    found = Verdict(record["verdict"])
    scores = conclusions.scores(record)
    deciding = conclusions.deciding(record)
    if record.get("baseline", {"verdict": Verdict.READY})["verdict"] != Verdict.READY:
        deciding.append("the baseline")
    why = f"   because of {', '.join(deciding)}" if deciding and not record["problem"] else ""
    waived = f"   {len(record['waivers'])} waived" if record["waivers"] else ""
    if names := conclusions.unguarded(record):
        waived += f", nothing is required of {', '.join(names)} any more"
    if conclusions.no_defect(record):
        why = f"   {Translations('en')('why_no_defect', **record['requests'])}"
    score = f"score {record['score']} of 100 (mean {sum(scores) / max(1, len(scores)):.0f})"
    return Text(f"{SHAPES[found]} {found.upper()}   {score}{why}{waived}", STYLES[found])


def waived(record: Record) -> Iterator[str]:
    """The waivers, and whether each is still needed."""
    said = conclusions.waivers(record, Translations("en"))
    for each in record["waivers"]:
        ready = each["verdict"] == Verdict.READY
        yield f"{said[each['check']]}{'; it is ready: remove the waiver' if ready else ''}"


def _dimension(dimension: Record) -> tuple[Text | str, ...]:
    score = "" if dimension["score"] is None else f"score {dimension['score']}"
    return Text(dimension["id"], "bold"), "", "", score, "", verdict_of(dimension)


def _names(checks: Sequence[Record]) -> str:
    """The names of a few checks, or the number of checks by dimension."""
    if len(checks) <= MAX_NAMED:
        return ", ".join(each["id"] for each in checks)
    counts = Counter(each["id"].partition(".")[0] for each in checks)
    return "; ".join(f"{count} of {dimension}" for dimension, count in counts.items())


def _several(checks: Sequence[Record]) -> tuple[str, str]:
    passed, made = (sum(each[name] for each in checks) for name in ("passed", "made"))
    assessed = checks[0]["verdict"] != Verdict.NOT_ASSESSED
    return f"  {len(checks)} more", f"{passed}/{made}" if assessed else ""


def _check(check: Record) -> tuple[Text | str, ...]:
    name = f"  {check['id'].partition('.')[2]}"
    if check["verdict"] == Verdict.NOT_ASSESSED:
        return name, "", "", "", "", verdict_of(check)
    return (
        name,
        f"{check['passed']}/{check['made']}",
        f"≥{check['at_least']:.1%}",
        f"{check['low'] * 100:.1f}–{check['high']:.1%}",
        "all" if check["required"] == 1 else f"{check['required']:.0%}",
        verdict_of(check),
    )


def verdict_of(of: Record) -> Text:
    """The verdict of a check or a dimension, in parentheses where it is advisory."""
    found = Verdict(of["verdict"])
    said, style = f"{SHAPES[found]} {found}", STYLES[found]
    if conclusions.found_no_defect(of):
        said, style = NO_DEFECT, ""
    return Text(said if of["gate"] == Gate.REQUIRED else f"({said})", style)
