"""JUnit, Markdown and OpenMetrics as their readers expect, and `readiness report`."""

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rich.console import Console

from readiness.cli.main import main
from readiness.evidence.run_folder import differences
from readiness.reporters.conclusions import deciding
from readiness.reporters.junit import junit
from readiness.reporters.openmetrics import metrics
from readiness.reporters.outcome import print_outcome, print_verdict
from readiness.reporters.page import page
from readiness.reporters.summary import summary
from readiness.reporters.terminal import print_matrix
from tests.example_records import check, dimension, failing, reason, record, run


def test_junit_has_a_case_for_each_check_with_its_figures() -> None:
    (suite,) = xml.fromstring(junit(record()))
    case = suite.find("testcase[@name='recall_at_turn_50']")
    assert case is not None
    assert {each.get("name"): each.get("value") for each in case.iter("property")} == {
        "dimension": "memory",
        "check": "memory.recall_at_turn_50",
        "metric": "pass rate",
        "verdict": "not ready",
        "gate": "required",
        "k": "99",
        "n": "100",
        "interval": "0.9455 0.9982",
        "at_least": "0.9534",
        "threshold": "1.0",
        "margin": "0.05",
        "score": "59",
    }


def test_junit_says_how_long_each_check_took() -> None:
    took = check("words.a", began="2026-11-22T12:00:07Z", seconds=1.25)
    (suite,) = xml.fromstring(junit(record(dimension("words", took, check("words.b")))))
    assert [case.get("time") for case in suite.iter("testcase")] == ["1.250", "0.000"]
    assert suite.get("time") == "331.000"


def test_junit_fails_what_gates_and_skips_what_does_not() -> None:
    (suite,) = xml.fromstring(junit(record()))
    endings = {case.get("name"): [each.tag for each in case][-1] for case in suite.iter("testcase")}
    assert endings == {
        "recall_at_turn_50": "failure",
        "keeps": "error",
        "doubtful": "error",
        "advised": "skipped",
        "lost": "error",
        "finds": "properties",
        "lacks": "skipped",
    }
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "1", "errors": "3", "skipped": "2"}


def test_junit_skips_what_is_inconclusive_where_that_is_to_pass() -> None:
    (suite,) = xml.fromstring(junit({**record(), "fail_on": "not-ready"}))
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "1", "errors": "0", "skipped": "5"}


def test_no_defect_in_too_few_trials_passes_with_a_property_and_is_said_once() -> None:
    seen = {**check("memory.keeps", verdict="inconclusive"), "no_defect": True}
    found = {**record(dimension("memory", seen)), "verdict": "inconclusive"}
    (suite,) = xml.fromstring(junit(found))
    case = suite.find("testcase[@name='keeps']")
    assert case is not None
    assert [each.tag for each in case] == ["properties"]
    assert case.find("properties/property[@name='no_defect']") is not None
    sent = found["requests"]["sent"]
    said = f"No defect found in {sent} requests (too few trials to call it ready)."
    assert said in page(found)
    assert said in summary(found)
    console = Console(width=160, record=True, file=StringIO())
    print_matrix(console, found)
    print_verdict(console, found)
    text = console.export_text()
    assert text.count(said) == 1
    assert "so few trials" not in text
    assert [line for line in text.splitlines() if "keeps" in line and "no defect" in line] != []


def test_what_a_smoke_run_leaves_open_is_told_apart_from_its_few_trials() -> None:
    clean = dimension("memory", {**check("memory.keeps", "inconclusive"), "no_defect": True})
    left_open = dimension("load", check("load.answers", "inconclusive"))
    found = {**record(clean, left_open), "verdict": "inconclusive"}
    assert deciding({**found, "deciding": ["memory", "load"]}) == ["load"]
    assert deciding({**found, "deciding": ["memory"]}) == ["memory"]


def test_junit_repeats_the_figures_where_a_viewer_shows_no_properties() -> None:
    (suite,) = xml.fromstring(junit(record()))
    messages = [each.get("message") for each in suite.iter("failure")]
    assert messages[0] == "not ready: 99 of 100 passed (94.5 % – 99.8 %), needs every trial"


def test_implausible_figures_are_marked_on_the_terminal_the_page_and_in_the_summary() -> None:
    at = {"scenario": "ticket", "clients": 32.0}
    figures = {"requests": 128.0, "throughput": 4.9, "Little's law is off by": 0.41}
    measures = [
        {"probe": "load.a@v1", "name": name, "value": value, "unit": "", "at": at}
        for name, value in figures.items()
    ]
    measures[-1] = {**measures[-1], "implausible": True}
    found = record(dimension("load", check("load.errors", measures=measures)))
    console = Console(width=160, record=True, file=StringIO())
    print_matrix(console, found)
    mark = "implausible: ticket, 32 clients: Little's law is off by 0.41"
    assert mark in console.export_text()
    print_outcome(console, found)
    assert mark in console.export_text()
    assert f"- {mark}" in summary(found)
    assert "implausible: Little&#39;s law is off by 0.41" in str(page(found))


def test_an_endpoint_that_could_not_be_tried_is_an_error_in_junit() -> None:
    (suite,) = xml.fromstring(junit(record(problem="nothing listens", dimensions=[])))
    assert [each.get("message") for each in suite.iter("error")] == ["nothing listens"]
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


def test_the_metrics_say_which_verdict_holds() -> None:
    families = text_string_to_metric_families(metrics(record()))
    samples = [each for family in families for each in family.samples]
    holding = {
        each.labels.get("check", "run"): each.labels[each.name]
        for each in samples
        if each.name in ("readiness_verdict", "readiness_check_verdict") and each.value == 1
    }
    assert holding["run"] == "not ready"
    assert holding["memory.keeps"] == "inconclusive"
    assert holding["long_context.finds"] == "ready"
    passed = {
        each.labels["check"]: each.value
        for each in samples
        if each.name == "readiness_check_passed"
    }
    assert passed["memory.recall_at_turn_50"] == 99


def test_the_summary_names_what_is_not_ready_the_worst_first() -> None:
    lines = summary(record()).split("\n")
    assert lines[0] == "## ✗ not ready: mini"
    assert (
        "| memory | ✗ not ready | 59 | recall_at_turn_50 99/100: said nothing | required |" in lines
    )
    rows = [line for line in lines if line.startswith(("| memory.", "| long_context."))]
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| memory.recall_at_turn_50", "✗ not ready", "99 / 100"],
        ["| memory.keeps", "? inconclusive", "100 / 100"],
        ["| memory.doubtful", "? inconclusive", "100 / 100"],
        ["| long_context.lacks", "– not assessed", "–"],
        ["| memory.advised", "✗ not ready (advisory)", "99 / 100"],
    ]


def test_a_summary_says_once_what_was_not_tried_and_where_no_defect_was_seen() -> None:
    why = "unsupported: no web interface: name it with --webui URL"
    lacking = [check(f"webui.{n}", "not assessed", reasons=[reason(why, 1)]) for n in "ab"]
    clean = check("api.a", "inconclusive", made=3, trials=3, passed=3, no_defect=True)
    webui = dimension("webui", *lacking, verdict="not assessed", score=None, gate="advisory")
    api = dimension("api", clean, verdict="inconclusive", score=89)
    lines = summary(record(webui, api, dimension("load", failing("load.a")))).split("\n")
    said = "no web interface: name it with --webui URL"
    assert f"| webui | – not assessed | – | {said} | advisory |" in lines
    assert "| api | · no defect | 89 | no defect in 3 trials | required |" in lines
    assert [line for line in lines if line.startswith(("| webui.", "| api."))] == []


def test_a_summary_of_what_is_ready_is_short() -> None:
    found = record(dimension("api", check("api.a")), verdict="ready", score=100)
    assert "| check |" not in summary(found)
    assert "Each of the 1 required checks is ready." in summary(found)


def command(monkeypatch: pytest.MonkeyPatch, *argv: object) -> int:
    monkeypatch.setattr("sys.argv", ["readiness", *map(str, argv)])
    return main()


def test_a_report_is_made_again_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path / "run")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "readiness.html").write_text("gone")
    (folder / "junit.xml").unlink()
    assert command(monkeypatch, "report", folder) == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_report_can_be_made_elsewhere_and_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path / "run")
    assert command(monkeypatch, "report", folder, "--to", tmp_path / "a/b", "--lang", "zh") == 0
    assert "就绪矩阵" in (tmp_path / "a/b/readiness.html").read_text("utf-8")
    assert list(differences(folder)) == []


@pytest.mark.parametrize("name", ["readiness.json", "evidence.jsonl"])
def test_a_report_does_not_cover_up_a_change(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    folder = run(tmp_path / "run")
    (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
    assert command(monkeypatch, "report", folder) == 2
    assert capsys.readouterr().err == f"{folder} is not as it was written: {name} was changed\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "has no readiness.json: name the folder of a run"),
        ("{", "is not JSON"),
        (json.dumps({**record(), "verdict": "splendid"}), "$.verdict: 'splendid' is not one of"),
    ],
)
def test_what_is_no_run_is_refused_with_the_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    why: str,
) -> None:
    if content is not None:
        (tmp_path / "readiness.json").write_text(content)
    assert command(monkeypatch, "report", tmp_path) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(("asked", "whole"), [({}, True), ({"asked": "Hi", "came": "no"}, False)])
def test_a_reason_is_shown_to_its_end_where_nothing_was_asked(
    asked: dict[str, str], whole: bool
) -> None:
    """What to write instead stands there."""
    why = f"nginx.conf:9: {'limit_req answers 503 ' * 7}; instead: limit_req_status 429;"
    trial = {"probe": "p.1", "outcome": "fail", "reason": why, "exchanges": [], **asked}
    failed = failing("deployment.a", reasons=[reason(why, 1)], not_passed=[trial])
    console = Console(width=80, record=True, file=StringIO())
    print_outcome(console, record(dimension("deployment", failed)))
    assert ("429;" in console.export_text()) is whole
