from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.scoring.strict_json import MOST_DIGITS, NotJson, differences, strict

LETTERS = st.text("abcXYZ中文éñ.!", min_size=1).filter(str.strip)
SPACES = st.text(" \t\r\n", max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES: st.SearchStrategy[Any] = st.none() | st.booleans() | TEXTS | NUMBERS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)
DOCUMENTS = st.lists(VALUES, max_size=4) | st.dictionaries(TEXTS, VALUES, max_size=4)


@given(DOCUMENTS, SPACES, SPACES, st.booleans(), st.sampled_from([None, 0, 4]))
def test_any_document_in_white_space_is_read_as_what_it_is(
    value: Any, before: str, after: str, escaped: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assert strict(before + text + after) == value


@given(DOCUMENTS.filter(lambda value: "</think>" not in json.dumps(value)), LETTERS)
def test_letters_before_or_after_a_document_are_no_json(value: Any, letters: str) -> None:
    text = json.dumps(value)
    with pytest.raises(NotJson, match="text before the JSON: "):
        strict(letters + text)
    with pytest.raises(NotJson, match="text after the JSON: "):
        strict(text + letters)


@given(st.text())
def test_any_text_is_read_or_refused_for_a_reason(text: str) -> None:
    try:
        read = [strict(text)]
    except NotJson as error:
        read = [str(error)]
    assert read != [""]


@given(DOCUMENTS.filter(bool), st.data())
def test_no_part_of_a_document_is_a_document(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(NotJson):
        strict(text[:cut])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty text: ''"),
        (" \n", "empty text: ' \\n'"),
        ("<think>hm</think>{}", "reasoning leaks into the text: '<think>hm</think>{}'"),
        ("hm {1}</think>{}", "reasoning leaks into the text: 'hm {1}</think>{}'"),
        ("{}</think>", "reasoning leaks into the text: '{}</think>'"),
        ("\ufeff{}", "a byte order mark before the JSON: '\\ufeff{}'"),
        ("```json\n{}\n```", "a fence around the JSON: '```json\\n{}\\n```'"),
        ("Sure: {}", "text before the JSON: 'Sure: {}'"),
        ("\xa0{}", "text before the JSON: '\\xa0{}'"),
        ("{'a': 1}", "no JSON: expecting property name enclosed in double quotes at character 1: "
         '"{\'a\': 1}"'),
        ('{"a": 1', "no JSON: expecting ',' delimiter at character 7: '{\"a\": 1'"),
        ("{} // done", "text after the JSON: '// done'"),
        ("{}\n{}", "text after the JSON: '{}'"),
        ('{"a": 1, "b": 2, "a": 3}', "duplicate key 'a'"),
        ('{"b": {"c": 0, "a": 1, "\\u0061": 1}}', "duplicate key 'a'"),
        ("[NaN]", "NaN is no JSON number"),
        ("[-Infinity]", "-Infinity is no JSON number"),
        ("[1e999]", "number out of range: 1e999"),
        (f"[{'9' * (MOST_DIGITS + 1)}]", "number out of range: " + "9" * 120),
        ('["a\\ud83d"]', "a lone surrogate: '[\"a\\ud83d\"]'"),
        (f'["{"a" * 30}\\ud83d{"b" * 30}"]', f"a lone surrogate: '{'a' * 20}\\ud83d{'b' * 20}'"),
        (f'["{"a" * 30}" {"b" * 30}',
         f"no JSON: expecting ',' delimiter at character 34: '{'a' * 18}\" {'b' * 30}'"),
        ('["a\nb"]', "no JSON: invalid control character at character 3: '[\"a\\nb\"]'"),
        ("[" * 101 + "]" * 101, "nested too deeply: '" + "[" * 101 + "]" * 18),
        ("[" * 100_000, "nested too deeply: '" + "[" * 119),
    ],
)  # fmt: skip
def test_what_is_no_json_says_what_came(text: str, reason: str) -> None:
    with pytest.raises(NotJson) as raised:
        strict(text)
    assert str(raised.value) == reason


def test_a_trailing_comma_is_no_json() -> None:
    # Its words differ by the version of Python.
    with pytest.raises(NotJson, match=r"^no JSON: .*: '{\"a\": 1,}'$"):
        strict('{"a": 1,}')


def test_reasoning_that_is_a_value_is_no_leak() -> None:
    assert strict('{"tag": "<think>no</think>"}') == {"tag": "<think>no</think>"}


@given(DOCUMENTS)
def test_a_value_differs_from_itself_nowhere(value: Any) -> None:
    assert list(differences(value, json.loads(json.dumps(value)))) == []


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, ["$.a[1]: expected 2, got 3"]),
        ({"a": [1, 2]}, {"a": [1]}, ["$.a: expected [1, 2], got [1]"]),
        ({"a": 1}, {}, ["$.a: expected 1, got nothing"]),
        ({"a": True}, {"a": 1}, ["$.a: expected True, got 1"]),
        ({"a": None}, {"a": "null"}, ["$.a: expected None, got 'null'"]),
        ({"a": "7"}, {"a": 7}, ["$.a: expected '7', got 7"]),
        ({"a": "e\u0301"}, {"a": "é"}, []),
        ({"a": 6.02e23}, {"a": 602000000000000000000000}, []),
        ({"a": 1.0}, {"a": 1}, []),
        ({"a": 0}, {"a": -0.0}, []),
        ({"a": 1e23}, {"a": 10**23}, []),
        ({"a": 72.5}, {"a": 72.5000000000001}, ["$.a: expected 72.5, got 72.5000000000001"]),
        (
            {"a": 5_000_000_000_000},
            {"a": 5_000_000_000_001},
            ["$.a: expected 5000000000000, got 5000000000001"],
        ),
        ({"a": 1}, {"a": False}, ["$.a: expected 1, got False"]),
        ({"a": 10**20}, {"a": "1e20"}, ["$.a: expected 100000000000000000000, got '1e20'"]),
        ({"a": {}}, {"a": 5}, ["$.a: expected {}, got 5"]),
        ({"a": 5}, {"a": {}}, ["$.a: expected 5, got {}"]),
        ({}, {"a": 1}, ["$.a: expected nothing, got 1"]),
        ({"a": {}}, {"a": {"b": None}}, ["$.a.b: expected nothing, got None"]),
        ([{}], [{"b": []}], ["$[0].b: expected nothing, got []"]),
    ],
)
def test_differences_are_named_by_path(expected: Any, found: Any, said: list[str]) -> None:
    assert [f"{each.path}: {each}" for each in differences(expected, found)] == said


def test_what_the_schema_declares_and_the_value_leaves_out_is_free() -> None:
    schema: dict[str, Any] = {"properties": {"list": {"items": {"properties": {"note": {}}}}}}
    noted, more = {"list": [{"note": "x"}]}, {"list": [{"name": "x"}]}
    found = [
        [each.path for each in differences({"list": [{}]}, came, schema)] for came in (noted, more)
    ]
    assert found == [[], ["$.list[0].name"]]
    assert list(differences({}, noted, schema)) == []


@given(st.integers(), st.integers(1, 9))
@example(2**53, 1)
@example(1617176400000, 1)
def test_whole_numbers_are_the_same_only_to_the_last_digit(number: int, more: int) -> None:
    written = [str(number), str(number + more), f"{number}.0", f"{number + more}.00"]
    found = [strict(f"[{each}]") for each in written]
    same = [not any(differences([number], each)) for each in found]
    assert same == [True, False, True, False]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_the_same_with_an_exponent_and_without(number: float) -> None:
    written = [repr(number), f"{number:e}", f"{Decimal(repr(number)):f}", f"{number:.17e}"]
    digits = [Decimal(each) == Decimal(repr(number)) for each in written]
    same = [not any(differences(number, strict(f"[{each}]")[0])) for each in written]
    assert [said for said, meant in zip(same, digits, strict=True) if meant and not said] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[9007199254740993]", 2**53 + 1),
        ("[9007199254740993.0]", 2**53 + 1),
        ("[90071992547409930e-1]", 2**53 + 1),
        ("[1e23]", 1e23),
        (f"[{10 ** (MOST_DIGITS - 1)}]", 10 ** (MOST_DIGITS - 1)),
        ("[-0]", 0),
        ("[-0.0]", 0),
        ("[1e-400]", 0),
        ("[1e-99999999999999999999]", 0),
        ("[9007199254740993.5]", 9007199254740993.5),
    ],
)
def test_a_number_is_read_to_its_last_digit(text: str, value: float) -> None:
    assert strict(text) == [value]
