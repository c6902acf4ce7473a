"""readiness.html: its content, and that it is one file without outside requests."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from jsonschema import Draft202012Validator

from readiness.reporters import baseline_table, charts, conclusions
from readiness.reporters.page import command, page
from readiness.reporters.translations import LANGUAGES, Translations, _catalogue
from readiness.resources import PACKAGE, schema
from readiness.verdict.claim import Gate, Verdict
from tests.example_records import Json, check, dimension, failing, measure, reason, record


class Reader(HTMLParser):
    """What a page is made of: elements with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        return [found[attribute] or "" for _, found in self.elements if attribute in found]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def said(found: Json, language: str = "en") -> str:
    return Reader(page(found, language)).text


def test_the_records_of_these_tests_are_records() -> None:
    Draft202012Validator(schema("readiness")).validate(record())


def test_the_verdict_comes_first_and_a_sentence_says_why() -> None:
    text = said(record())
    assert "not ready Readiness of mini 1 of 5 required checks not ready" in text
    assert "Tried until 2026-11-22T12:30:00Z, profile ci, policy article: 2 sent" in text
    assert "1 of 5 required checks not ready: memory.recall_at_turn_50." in text
    assert "2 of 5 required checks inconclusive: memory.keeps, memory.doubtful." in text
    assert "Required checks without a result (1): memory.lost." in text


def test_a_ready_run_says_how_many_are_ready_before_what_was_not_assessed() -> None:
    lacking = check("api.b", "not assessed", reasons=[reason("unsupported: no key was given", 1)])
    ready = record(dimension("api", check("api.a"), lacking), verdict="ready", score=100)
    begins = "Readiness of mini 1 of 2 required checks are ready, and none failed. 1 of 2"
    assert begins in said(ready)


def test_what_was_not_assessed_says_what_to_give_and_no_count_of_trials() -> None:
    why = "unsupported: no licence evidence: name it with --license-evidence PATH"
    lacking = check("license.a", "not assessed", passed=0, reasons=[reason(why, 1)])
    row = dimension("license", lacking, verdict="not assessed", score=None)
    told = said(record(row))
    assert "permit commercial use. no licence evidence: name it with --license-evidence" in told
    assert "a 0/100" not in told


def test_a_dimension_without_a_defect_in_too_few_trials_says_so_and_is_not_inconclusive() -> None:
    clean = check("memory.keeps", "inconclusive", trials=3, made=3, passed=3, no_defect=True)
    lacking = check("memory.lost", "not assessed", reasons=[reason("unsupported: no tools", 1)])
    row = dimension("memory", clean, lacking, verdict="inconclusive", score=89)
    told = said(record(row, dimension("api", failing("api.a"))))
    assert "memory no defect 89 At turn 50, facts of any earlier turn are recalled." in told
    assert "recalled. no defect in 3 trials" in told
    assert "no defect memory 1 no defect, 1 not assessed" in told
    assert "inconclusive memory" not in told


def test_a_run_that_is_ready_says_so() -> None:
    ready = record(dimension("api", check("api.a"), check("api.b")), verdict="ready", score=100)
    assert conclusions.why(ready, Translations("en")) == ["Each of the 2 required checks is ready."]


def test_a_required_dimension_without_results_is_reported() -> None:
    empty = dimension("api", verdict="not assessed", missing=["api.a"])
    found = record(empty, dimension("memory", check("memory.a")), verdict="inconclusive")
    assert conclusions.why(found, Translations("en")) == [
        "Required dimensions without any assessed check: api."
    ]
    assert conclusions.why(record(empty), Translations("en")) == ["No required check has a result."]


def test_an_endpoint_that_could_not_be_tried_says_why() -> None:
    found = record(problem="nothing listens", dimensions=[], verdict="inconclusive", score=0)
    assert "The endpoint could not be tried: nothing listens." in said(found)


def test_a_row_has_its_figures() -> None:
    text = said(record())
    assert "99 / 100 99 % 94.5 % – 99.8 % ≥ 95.3 %" in text
    assert "1 × said nothing" in text
    assert "7 more trials, all passed, would show it" in text
    assert "in doubt: control item c: no" in text


def test_the_overview_says_of_each_dimension_what_must_hold_and_what_was_found() -> None:
    untried = dimension("spanish", verdict="not assessed", missing=["spanish.a"])
    ready = dimension("api", check("api.a"), check("api.b"))
    text = said(record(dimension("memory", failing("memory.keeps")), ready, untried))
    needs = "At turn 50, facts of any earlier turn are recalled."
    assert f"memory not ready 59 {needs} keeps 99/100: said nothing" in text
    protocol = "The protocol is as existing SDKs need it."
    assert f"api ready 100 {protocol} all 2 ready, 200 trials" in text
    assert "Tasks given in Spanish alone are done, in Spanish. not tried" in text


def test_a_failed_trial_is_shown_as_what_was_asked_and_what_came() -> None:
    lost = {"probe": "p.1", "outcome": "fail", "reason": "no call", "exchanges": [4, 7]}
    talk = {"asked": "Book a table", "came": "<b>Sure!</b>"}
    silent = {**lost, "probe": "p.2", "asked": "Hello", "came": ""}
    found = failing("memory.keeps", not_passed=[{**lost, **talk}, silent, {**lost, "probe": "p.3"}])
    text = said(record(dimension("memory", found)))
    assert "p.1: no call (exchange 7) Asked: Book a table Came: <b>Sure!</b>" in text
    assert "p.2: no call (exchange 7) Asked: Hello Came: nothing" in text
    assert "p.3" not in text


def test_the_worst_rows_come_first() -> None:
    ids = [check["id"] for check in conclusions.worst_first(record()["dimensions"][0])]
    assert ids == [
        "memory.recall_at_turn_50",
        "memory.advised",
        "memory.keeps",
        "memory.doubtful",
    ]


def test_what_was_not_assessed_and_what_deviated_is_listed() -> None:
    listed = list(conclusions.deviations(record(), Translations("en")))
    assert listed == [
        ("memory.lost", "no result"),
        ("long_context.lacks", "unsupported: no tools"),
        ("long_context.lacks", "10 of 100 trials skipped"),
        ("Endpoint", "the endpoint does not support tools: tools are not supported"),
        (
            "Requests",
            "1 requests were retried, after a stated rate limit or a refused connection",
        ),
    ]


def test_a_baseline_is_named_with_what_was_lost_and_how_likely_that_is() -> None:
    text = said(record())
    assert "Worse than the baseline (1): memory.recall_at_turn_50." in text
    assert "298 of 300 trials had the same outcome." in text
    assert "Repeated on the baseline itself, 3 of 100 trials changed their outcome." in text
    assert "server was mini/0, and is mini/1" in text
    assert "Not tried by the baseline: long_context.finds" in text
    # A broken rule is no matter of chance, and comes first.
    assert (
        "memory.recall_at_turn_50 1 / 100 0 / 100 – ≥ -2.6% worse "
        "p.1: said nothing (exchange 1; the baseline's 7) "
        "memory.doubtful 0 / 100 1 / 100 1 ≥ -2.6% not shown to be as good; 1.50 times as long"
    ) in text
    assert "memory.keeps 0 / 100" not in text


def test_a_run_without_a_baseline_says_nothing_of_one() -> None:
    assert "baseline" not in said(record(dimension("api", check("api.a"))))


def test_the_bar_shows_what_the_baseline_showed() -> None:
    found, alike = failing("api.a"), {"pairs": 100, "lost": 4, "gained": 1}
    assert baseline_table.rate(found, alike) == pytest.approx(1.0)  # 99 of 100; 3 fewer than before
    at = charts.bar(found, {**alike, "lost": 0, "gained": 9})
    assert at.begins == 0.9
    assert at.before == pytest.approx(0.0)
    assert charts.bar(found).before is None


def test_the_page_is_one_file_without_script_that_asks_for_nothing() -> None:
    html = Reader(page(record()))
    tags = {tag for tag, _ in html.elements}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "form", "base"})
    assert set(html.values("href")) == {
        "evidence.jsonl",
        "readiness.json",
        "#ready",
        "#not-ready",
        "#inconclusive",
        "#not-assessed",
        "#long_context",
        "#memory",
    }
    assert html.values("src") + html.values("style") + html.values("srcset") == []
    assert [name for _, found in html.elements for name in found if name.startswith("on")] == []


def test_the_policy_of_the_page_admits_its_own_style_and_nothing_else() -> None:
    html = page(record())
    (css,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    (policy,) = [each for each in Reader(html).values("content") if "default-src" in each]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in css
    assert "@import" not in css


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_its_languages(language: str) -> None:
    html = page(record(), language)
    assert f'<html lang="{language}">' in html
    assert ("就绪矩阵" in html) == (language == "zh")


def test_every_word_has_the_same_figures_in_every_language() -> None:
    fields = [
        {name: sorted(re.findall(r"\{(\w+)", text)) for name, text in words.items()}
        for words in _catalogue().values()
    ]
    assert fields[0] == fields[1]


def test_every_word_is_used() -> None:
    sources = [*(PACKAGE / "reporters").rglob("*.py"), *(PACKAGE / "reporters").rglob("*.html")]
    source = "".join(each.read_text("utf-8") for each in sources)
    composed = {*Verdict, *Gate}
    unused = [
        name
        for name in _catalogue()["en"]
        if f'"{name}"' not in source
        and name.removeprefix("why_") not in composed
        and not (PACKAGE / "checks" / name.removeprefix("holds_")).is_dir()
    ]
    assert unused == []


def test_every_dimension_says_what_it_means_that_it_is_ready() -> None:
    said = {name.removeprefix("holds_") for name in _catalogue()["en"] if name.startswith("holds_")}
    assert said == {each.name for each in (PACKAGE / "checks").iterdir() if each.name[0] != "_"}


def test_the_command_to_reproduce_is_quoted_for_a_shell() -> None:
    found = record()
    found["target"]["model"] = "a b; rm -rf $HOME"
    assert command(found) == (
        "readiness run http://127.0.0.1:8000/v1 --model 'a b; rm -rf $HOME' "
        "--profile ci --seed 0 --concurrency 8"
    )


def test_a_large_run_stays_small() -> None:
    checks = [failing(f"api.check_number_{n}") for n in range(160)]
    assert len(page(record(dimension("api", *checks))).encode()) < 250_000


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(1.0, "100 %"), (0.9999, "99.9 %"), (0.9705, "97 %"), (0.5, "50 %"), (0.0, "0 %")],
)
def test_a_rate_below_one_never_reads_as_all(rate: float, shown: str) -> None:
    assert charts.percent(rate) == shown


def test_a_bar_begins_where_all_of_it_is_seen() -> None:
    bar = charts.bar(failing("a.b", required=0.92))
    assert bar.begins == 0.8
    assert bar.value == pytest.approx((0.99 - 0.8) / 0.2)
    assert bar.needed == pytest.approx(0.6)
    assert bar.allowed == pytest.approx((0.87 - 0.8) / 0.2)


def test_a_grid_counts_what_was_found_at_each_place() -> None:
    found = [measure("found", value, length=8192, depth=0.5) for value in (1, 0, 1)]
    at = charts.grid(check("a.b", measures=[*found, measure("found", 1, length=16384, depth=1)]))
    assert at is not None
    assert at.depths == [0.5, 1.0]
    assert at.rows == [(16384.0, [None, (1, 1)]), (8192.0, [(2, 3), None])]
    assert charts.grid(check("a.b")) is None


@pytest.mark.parametrize(
    ("found", "of", "level"), [(0, 3, 0), (1, 3, 1), (2, 3, 2), (3, 3, 4), (99, 100, 3)]
)
def test_the_highest_level_is_all_and_the_lowest_nothing(found: int, of: int, level: int) -> None:
    assert charts.level(found, of) == level


@pytest.mark.parametrize(
    ("n", "top"), [(5, ("greatest", 5.0)), (20, ("p95", 19.0)), (100, ("p99", 99.0))]
)
def test_a_percentile_is_named_only_where_so_many_figures_can_tell(
    n: int, top: tuple[str, float]
) -> None:
    (spread,) = charts.spreads(
        check("a.b", measures=[measure("time", value, "s") for value in range(1, n + 1)])
    )
    assert spread.top == top


def test_slices_are_in_the_order_of_their_numbers_and_shown_where_not_all_passed() -> None:
    parts = {name: {"trials": 2, "passed": 1} for name in ("11-20", "6-10", "1-5")}
    (at,) = charts.slices(failing("a.b", slices={"distance": parts, "one": {"x": parts["1-5"]}}))
    assert at.parts == [("1-5", 1, 2), ("6-10", 1, 2), ("11-20", 1, 2)]
    assert charts.slices(check("a.b", slices={"distance": parts})) == []
    untried = check("a.b", "not assessed", passed=0, slices={"distance": parts})
    assert charts.slices(untried) == []
