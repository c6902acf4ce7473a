"""Text of a model cannot run, send requests, forge a row or break a page in any report."""

import csv
import json
import re
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from readiness.reporters import allure
from readiness.reporters.junit import junit
from readiness.reporters.openmetrics import metrics
from readiness.reporters.page import page
from readiness.reporters.summary import summary
from tests.example_records import Json, folder, record, with_texts
from tests.reporters.test_page import Reader

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)><a href='javascript:alert(1)'>x</a>",
    "</style></title></script><style>@import 'http://evil/'</style>",
    "&lt;b&gt; &amp; {{ 7*7 }} {% raw %} {0} {name!r} %s",
    "![p](http://evil/p.png) [l](javascript:1) `x` **b** | c |\n| forged | ✓ ready |\n# h\n",
    "<!-- --> ]]> <![CDATA[ <failure/> ]]>",
    "http://evil/ www.evil.example @everyone #1 $x$ a@b.example",
    '=HYPERLINK("http://evil/","x")',
    "+1", "-1", "@SUM(A1)", "\t=1+1", "a,b\n=1+1\r\n",
    '" } 1\nreadiness_ready 1\n# EOF\n\\',
    "\x1b[2J\x1b]0;title\x07\x9b31m",
    "\u202eydaer\u202c \u2066x\u2069",
    "ze\u200bro\u200d\ufeffwidth\u00ad",
    "\ud83d lone \udc00 surrogates \x00 nul \x85 \u2028 \u2029 \ufffe",
    "key\n[run]\nverdict=ready\\\n",
    "a" * 5000,
]  # fmt: skip
texts = st.sampled_from(HOSTILE) | st.text(st.characters(codec=None), min_size=1)
PLAIN = with_texts(record(), lambda text: "plain")


def printable(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def hostile(text: str) -> Json:
    return with_texts(record(), lambda _: text)


def skeleton(html: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(found)) for tag, found in Reader(html).elements]


@settings(max_examples=40, deadline=None)
@given(texts)
def test_the_page_has_the_same_elements_whatever_is_said(text: str) -> None:
    html = page(hostile(text))
    assert skeleton(html) == skeleton(page(PLAIN))
    assert printable(html)
    assert [each for each in Reader(html).values("href") if ":" in each] == []


@settings(deadline=None)
@given(texts)
def test_junit_has_the_same_cases_whatever_is_said(text: str) -> None:
    def shape(found: Json) -> list[tuple[str, list[str]]]:
        root = xml.fromstring(junit(found).encode())
        return [(each.tag, sorted(each.keys())) for each in root.iter()]

    assert shape(hostile(text)) == shape(PLAIN)
    assert printable(junit(hostile(text)))


@settings(deadline=None)
@given(texts)
def test_the_metrics_have_the_same_samples_whatever_is_said(text: str) -> None:
    def samples(found: Json) -> list[tuple[str, float]]:
        families = text_string_to_metric_families(metrics(found))
        return [(each.name, each.value) for family in families for each in family.samples]

    several = with_texts(record(), numbered(text))
    assert samples(several) == samples(with_texts(record(), numbered("plain")))


def numbered(text: str) -> Any:
    numbers = iter(range(1000))
    return lambda _: f"{text}{next(numbers)}"


@settings(deadline=None)
@given(texts)
def test_the_summary_has_the_same_rows_whatever_is_said(text: str) -> None:
    def rows(found: Json) -> list[tuple[int, list[str]]]:
        lines = summary(found).split("\n")
        return [(line.count("|"), re.findall(r"</?\w+>", line)) for line in lines]

    assert rows(hostile(text)) == rows(PLAIN)
    assert printable(summary(hostile(text)))
    ours = re.sub(r"</?(?:code|br|details|summary)>", "", summary(hostile(text)))
    assert not re.search(r"[<>\[\]*]|!\[|\w://|www\.", ours)


@settings(deadline=None, max_examples=50)
@given(texts)
def test_allure_gets_printable_text_and_no_formula(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        into = Path(name)
        found = hostile(text)
        folder(into, found, text)
        allure.write(found, into, into)
        results = into / "allure-results"
        told = {path.name: path.read_text("utf-8") for path in results.iterdir()}
        said = [texts_of(json.loads(each)) for name, each in told.items() if is_json(name)]
        assert [each for all_of_it in said for each in all_of_it if not printable(each)] == []
        cells = [
            cell
            for path in results.glob("*.csv")
            for row in csv.reader(path.read_text("utf-8").splitlines())
            for cell in row
        ]
        assert [cell for cell in cells if re.match(r"\s*[=+@-]", cell)] == []


def is_json(name: str) -> bool:
    return name.endswith((".json", ".httpexchange"))


def texts_of(value: Any) -> list[str]:
    """All texts of a JSON value, names included."""
    match value:
        case str():
            return [value]
        case dict():
            return [each for pair in value.items() for part in pair for each in texts_of(part)]
        case list():
            return [each for part in value for each in texts_of(part)]
        case _:
            return []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_reason_cannot_break_the_environment(tmp_path: Path, text: str) -> None:
    found = hostile(text)
    folder(tmp_path, found)
    allure.write(found, tmp_path, tmp_path)
    lines = (tmp_path / "allure-results/environment.properties").read_text("ascii").splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "model", "endpoint", "verdict", "score", "started", "finished", "profile", "seed",
        "version", "policy", "policy_sha256", "prompts_sha256", "openai_sdk",
    ]  # fmt: skip
