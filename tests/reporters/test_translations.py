"""Reports in Chinese: what is required, and why trials did not pass."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from readiness.check import Check
from readiness.cli.built_in import built_in_checks
from readiness.reporters.compliance import clauses
from readiness.reporters.translations import Translations, _texts
from readiness.resources import PACKAGE

WORDS = Translations("zh")
REASONS = _texts("reasons_zh.yaml")
CHINESE = re.compile("[\u4e00-\u9fff]")
#: Clauses that the standard itself only numbers.
NUMBERS = re.compile(r"(MEASURE|GOVERN|MANAGE|A)[ .][\d.]+")


def test_every_built_in_requirement_is_said_in_chinese() -> None:
    known = {each.id for each in built_in_checks()}
    assert _texts("requirements_zh.yaml").keys() == known


@pytest.mark.parametrize("check", built_in_checks(), ids=lambda check: check.id)
def test_a_requirement_is_as_strict_in_chinese(check: Check) -> None:
    said = WORDS.requirement({"id": check.id, "requirement": check.requirement})
    gates = re.search("必须|不得|绝不能", said) is not None
    assert gates is ("MUST" in check.requirement)
    assert ("应" in re.sub("应答|适应", "", said)) or gates


def test_a_requirement_of_a_users_own_is_shown_as_it_is() -> None:
    own = {"id": "words.repeats", "requirement": "It MUST repeat."}
    assert WORDS.requirement(own) == "It MUST repeat."
    assert Translations("en").requirement({**own, "id": "api.seed_accepted"}) == "It MUST repeat."


def test_every_text_of_the_controls_is_said_in_chinese() -> None:
    texts = {
        text
        for each in clauses()
        for text in (each.name, each.edition, each.about, each.gap)
        if not NUMBERS.fullmatch(text)
    }
    assert len(texts) > 80
    assert {each for each in texts if not CHINESE.search(WORDS.control(each))} == set()
    named = {each.source for each in clauses()}
    assert _texts("controls_zh.yaml").keys() - named == texts
    assert Translations("en").control("Quotas and bills.") == "Quotas and bills."


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("cut off: finish_reason is length", "被截断：finish_reason 为 length"),
        (
            "cut off (2 different), as in: cut off: finish_reason is length",
            "被截断（2 种不同），例如：被截断：finish_reason 为 length",
        ),
        (
            "miss: expected 'KD-73950' 7 turns back, got 'so, and",
            "遗漏：应为 7 轮前所说的 'KD-73950'，实得 'so, and",
        ),
        (
            "unsupported: no licence evidence: name it with --license-evidence PATH",
            "不支持：没有许可证证据：请用 --license-evidence PATH 指明",
        ),
        (
            "a fence around the JSON: '```json\\n{}```'; would pass without the fence",
            "JSON 外面包了代码围栏：'```json\\n{}```'; 去掉围栏即可通过",
        ),
        # What nobody has put into Chinese is kept, and so is what came from the endpoint.
        ("a thing of its own: x, got 'a: no end, b'", "a thing of its own: x, 实得 'a: no end, b'"),
        ("expected '{0}{x}', got {y}", "应为 '{0}{x}'，实得 {y}"),
        ("x" * 500 + ", got 'no'", "x" * 500 + ", got 'no'"),
        ("", ""),
    ],
)
def test_a_reason_is_said_in_chinese_as_far_as_it_is_known(reason: str, said: str) -> None:
    assert WORDS.reason(reason) == said
    assert Translations("en").reason(reason) == reason


def test_every_phrase_of_a_reason_is_one_that_the_source_has() -> None:
    """What is worded otherwise would be shown in English."""
    files = [each for each in PACKAGE.rglob("*.py") if "mutants" not in each.parts]
    source = "".join(each.read_text("utf-8") for each in files)
    lost = [
        phrase
        for phrase in REASONS
        if not all(part in source for part in re.split(r"\{\}|^expected ", phrase))
    ]
    assert lost == []


def test_a_phrase_has_as_many_figures_in_chinese() -> None:
    counts = [
        (phrase.count("{}"), sum(name is not None for _, name, _, _ in Formatter().parse(text)))
        for phrase, text in REASONS.items()
    ]
    assert [of for of in counts if of[0] != of[1]] == []
    assert [text for text in REASONS.values() if "None" in text.format(*"123456")] == []


def test_a_remark_after_an_excerpt_that_was_cut_is_translated() -> None:
    reason = 'a fence around the JSON: \'{"tags": ["cast-iron p; would pass without the fence'
    assert Translations("zh").reason(reason).endswith("; 去掉围栏即可通过")
