"""Allure results: one per check, from the record and the evidence only."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from readiness.evidence.run_folder import FolderError
from readiness.reporters import allure
from readiness.reporters.allure import MAX_BODY, EvidenceIndex, exchange
from tests.example_records import Json, check, dimension, failing, folder, record, run

NAME = "memory.recall_at_turn_50"


def results(path: Path) -> dict[str, Json]:
    told = [json.loads(each.read_text("utf-8")) for each in path.rglob("*-result.json")]
    return {each["fullName"]: each for each in told}


def test_each_check_has_a_result_with_its_requirement_and_place(tmp_path: Path) -> None:
    found = results(run(tmp_path / "run"))
    assert len(found) == 6
    result = found[NAME]
    assert result["status"] == "failed"
    assert result["description"] == f"The endpoint MUST do {NAME}."
    labels = [(each["name"], each["value"]) for each in result["labels"]]
    assert labels[:5] == [
        ("epic", "readiness"),
        ("suite", "memory: not ready"),
        ("feature", "memory"),
        ("story", "recall_at_turn_50"),
        ("severity", "critical"),
    ]
    assert ("nist_ai_rmf", "MEASURE 2.5") in labels
    assert ("iso_iec_42001", "A.6.2.4") in labels
    assert [each["url"] for each in result["links"]] == [
        f"../readiness.html#{NAME}",
        "../readiness.json",
    ]


def test_the_status_is_the_verdict(tmp_path: Path) -> None:
    found = results(run(tmp_path / "run"))
    assert {name: each["status"] for name, each in found.items()} == {
        NAME: "failed",
        "memory.keeps": "broken",
        "memory.doubtful": "broken",
        "memory.advised": "failed",
        "long_context.finds": "passed",
        "long_context.lacks": "skipped",
    }
    messages = {name: each["statusDetails"]["message"] for name, each in found.items()}
    assert messages[NAME] == "not ready: 99 of 100 passed (94.5 % – 99.8 %), needs every trial"
    assert messages["memory.advised"].startswith("advisory, not ready: ")


def test_advice_says_so_in_its_name(tmp_path: Path) -> None:
    names = {each["fullName"]: each["name"] for each in results(run(tmp_path / "run")).values()}
    assert names["memory.advised"] == "memory.advised (advisory)"
    assert names[NAME] == NAME


def test_the_suite_of_a_dimension_has_its_verdict(tmp_path: Path) -> None:
    clean = check("words.a", verdict="inconclusive", no_defect=True)
    found = record(
        dimension("words", clean, verdict="inconclusive"),
        dimension("api", check("api.a"), gate="advisory"),
    )
    told = results(run(tmp_path / "run", found))
    suites = {name: each["labels"][1]["value"] for name, each in told.items()}
    assert suites == {"words.a": "words: no defect", "api.a": "api: ready (advisory)"}


def test_a_check_lasts_from_its_first_request_to_its_last_reply(tmp_path: Path) -> None:
    took = check("words.a", began="2026-11-22T12:00:07Z", seconds=1.25)
    found = results(run(tmp_path / "run", record(dimension("words", took, check("words.b")))))
    assert found["words.a"]["stop"] - found["words.a"]["start"] == 1250
    assert found["words.a"]["start"] % 60_000 == 7_000
    assert found["words.b"]["stop"] == found["words.b"]["start"]


def test_the_history_continues_with_another_model(tmp_path: Path) -> None:
    other = record(seed=7)
    other["target"] |= {"model": "other", "endpoint": "https://other.example/v1"}
    ids = [
        {name: (each["historyId"], each["testCaseId"]) for name, each in results(path).items()}
        for path in (run(tmp_path / "a"), run(tmp_path / "b", other))
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == 6


def test_what_a_result_says_of_no_person_or_machine(tmp_path: Path) -> None:
    result = results(run(tmp_path / "run"))[NAME]
    assert result["parameters"] == []
    assert {each["name"] for each in result["labels"]}.isdisjoint({"host", "thread"})


def test_failing_exchanges_are_attached_and_a_few_that_passed(tmp_path: Path) -> None:
    path = run(tmp_path / "run")
    attached = results(path)[NAME]["attachments"]
    assert [each["name"] for each in attached] == [
        "trials",
        "exchange 1, not passed",
        "exchange 0, passed",
    ]
    shown = json.loads((path / "allure-results" / attached[1]["source"]).read_text("utf-8"))
    assert shown == {
        "schemaVersion": 1,
        "start": 1500,
        "stop": 1507,
        "request": {
            "method": "POST",
            "url": "http://127.0.0.1:8000/v1/chat/completions",
            "body": {"contentType": "application/json", "encoding": "utf8", "value": '{"m": []}'},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "server", "value": "nothing"}],
            "body": {
                "contentType": "application/json",
                "encoding": "utf8",
                "value": '{"said": "nothing"}',
            },
        },
    }
    table = (path / "allure-results" / attached[0]["source"]).read_text("utf-8")
    assert list(csv.reader(table.splitlines())) == [
        ["probe", "outcome", "reason", "exchanges"],
        ["p.1", "pass", "", "0"],
        ["p.1", "fail", "nothing", "1"],
    ]


def test_a_long_body_is_truncated_and_has_its_digest() -> None:
    found: Json = {
        "method": "POST", "path": "/x", "request": None, "status": 200, "headers": {},
        "body": "a" * (MAX_BODY + 1), "fault": "connection lost", "detail": "cut", "sent": 1.0,
        "end": 0,
    }  # fmt: skip
    said = json.loads(exchange(found, "http://h"))
    body: dict[str, Any] = said["response"]["body"]
    assert (len(body["value"]), body["truncated"], body["size"]) == (MAX_BODY, True, MAX_BODY + 1)
    assert len(body["sha256"]) == 64
    assert said["error"] == {"name": "connection lost", "message": "cut"}


def test_lines_of_a_body_stay_lines_and_nothing_else_unprintable_does() -> None:
    found: Json = {
        "method": "GET", "path": "/x", "request": None, "status": 200, "headers": {},
        "body": "a\nb\x1b\x00\ud83d\u202e", "fault": None, "detail": "", "sent": 1.0, "end": 0,
    }  # fmt: skip
    said = json.loads(exchange(found, "http://h"))
    assert said["response"]["body"]["value"] == "a\nb\\x1b\\x00\\ud83d\\u202e"


def test_a_missing_exchange_is_an_error(tmp_path: Path) -> None:
    source = EvidenceIndex(folder(tmp_path, record()) / "evidence.jsonl")
    with pytest.raises(FolderError, match="has no exchange 7, which the record names"):
        source.read(7)


def test_categories_and_executor_say_that_allure_is_no_score(tmp_path: Path) -> None:
    into = run(tmp_path / "run") / "allure-results"
    names = [each["name"] for each in json.loads((into / "categories.json").read_text())]
    assert names == ["Advice not followed", "Requirement not met", "Inconclusive", "Not assessed"]
    executor = json.loads((into / "executor.json").read_text())
    assert executor["reportName"].endswith("the verdict and the score are in readiness.html")


def test_results_are_the_same_when_made_again(tmp_path: Path) -> None:
    found = record(dimension("memory", failing(NAME), check("memory.b")))
    path = run(tmp_path / "run", found)
    before = {each.name: each.read_bytes() for each in (path / "allure-results").iterdir()}
    allure.write(found, path, path)
    assert {each.name: each.read_bytes() for each in (path / "allure-results").iterdir()} == before


def test_results_of_before_are_gone_from_a_run_and_from_no_other_folder(tmp_path: Path) -> None:
    """A run that was resumed, or labelled, attaches other exchanges."""
    source, other = run(tmp_path / "run"), tmp_path / "other"
    before = [each / "allure-results/1-attachment.csv" for each in (source, other)]
    for each in before:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text("n\n1\n")
        allure.write(record(), source, each.parents[1])
    assert [each.exists() for each in before] == [False, True]
