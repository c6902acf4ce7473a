from __future__ import annotations

import json
from collections import Counter

import pytest
from jsonschema import Draft202012Validator

from readiness.check import Generator
from readiness.checks.json_only.probe_families import PROMPTS
from readiness.checks.json_only.probes import (
    PROSE,
    bad_formats,
    instruction_probes,
    poems,
    stated_value_probes,
    with_object,
    with_schema,
)
from readiness.checks.json_only.scoring import is_json
from readiness.mutants.endpoint.conversation import text_of
from readiness.probe import Probe
from tests.replies import reply

GENERATORS = [instruction_probes, stated_value_probes, with_object, with_schema, poems, bad_formats]


def counted(probes: list[Probe]) -> list[Probe]:
    return [probe for probe in probes if not probe.control]


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize("trials", [1, 5, 10, 37, 300])
def test_a_generator_makes_as_many_different_probes_as_asked(
    generate: Generator, trials: int
) -> None:
    probes = counted(list(generate(3, trials)))
    said = {json.dumps([probe.messages, probe.parameters]) for probe in probes}
    assert (len(probes), len(said), len({probe.id for probe in probes})) == (trials,) * 3


@pytest.mark.parametrize("generate", GENERATORS)
def test_probes_follow_from_the_seed_alone(generate: Generator) -> None:
    assert generate(5, 20) == generate(5, 20)
    first, other = (
        {json.dumps([p.messages, p.parameters]) for p in counted(list(generate(s, 20)))}
        for s in (5, 6)
    )
    # The article's own words are in every list.
    assert len(first & other) <= 1


def test_a_probe_is_the_same_whatever_the_number_of_trials() -> None:
    long = {probe.id: probe for probe in instruction_probes(5, 300)}
    assert [probe for probe in instruction_probes(5, 100) if probe != long[probe.id]] == []


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_hundred_probes_keep_the_proportions(seed: int) -> None:
    probes = counted(instruction_probes(seed, 100))
    families = Counter(probe.family for probe in probes)
    expected = dict(zip("123456789", (12, 15, 15, 13, 10, 5, 15, 5, 5), strict=True))
    assert families == {**{f"F{n}": share for n, share in expected.items()}, "F10": 5}
    phrasings = Counter(probe.expect["phrasing"] for probe in probes)
    assert (min(phrasings.values()) >= 18, len(phrasings)) == (True, 5)
    # Of three ways to reply two are streams.
    assert 62 <= sum("stream" in probe.parameters for probe in probes) <= 70


def language(probe: Probe) -> str:
    """The language of the user's own words, by where they stand in the YAML file."""
    said = text_of(probe.messages[-1]).split("\n")[0]
    by_words = [
        name
        for name in ("zh", "en", "es", "ja")
        if said in PROMPTS["tasks"][name]
        or any(said.startswith(words.partition("{")[0][:6]) for words in PROMPTS["wordings"][name])
    ]
    return (by_words or ["zh"])[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_third_is_chinese_and_a_third_english(seed: int) -> None:
    languages = Counter(language(probe) for probe in counted(instruction_probes(seed, 100)))
    assert (abs(languages["zh"] - 36) <= 5, abs(languages["en"] - 36) <= 5) == (True, True)
    assert min(languages["es"], languages["ja"]) >= 8


@pytest.mark.parametrize("trials", range(10, 30))
def test_ten_trials_have_every_family(trials: int) -> None:
    assert len({probe.family for probe in counted(instruction_probes(1, trials))}) == 10


def test_every_quarter_of_the_list_has_its_share_of_each_large_family() -> None:
    probes = counted(instruction_probes(1, 100))
    quarters = [Counter(probe.family for probe in probes[at : at + 25]) for at in (0, 25, 50, 75)]
    assert min(quarter[f] for quarter in quarters for f in ("F1", "F2", "F3", "F4", "F7")) >= 2


@pytest.mark.parametrize("seed", [0, 7])
def test_the_articles_own_words_come_verbatim(seed: int) -> None:
    first = next(probe for probe in instruction_probes(seed, 10) if probe.family == "F1")
    assert [message["content"] for message in first.messages] == [
        "只返回纯JSON，不要任何其他文字",
        "返回JSON，字段：name,age,city",
    ]


@pytest.mark.parametrize(
    ("text", "untold", "told"),
    [
        ('{"name": "张三", "age": 25, "city": "北京"}', True, True),
        ('{"name": "张三", "age": "25", "city": "北京"}', True, False),
        ('{"name": "", "age": "", "city": ""}', True, False),
        ('{"name": null, "age": null, "city": null}', True, False),
        ('{"name": "张三", "age": 25}', False, False),
        ('{"name": "张三", "age": 25, "city": "北京", "job": "木匠"}', False, False),
        ('{"name": "张三", "age": [25], "city": "北京"}', False, False),
        ('[{"name": "张三", "age": 25, "city": "北京"}]', False, False),
    ],
)
def test_a_type_that_was_not_told_is_free(text: str, untold: bool, told: bool) -> None:
    first = [probe for probe in instruction_probes(0, 100) if probe.family == "F1"]
    by_types = {
        probe.expect["phrasing"] in PROSE: is_json(reply(text), probe.expect["schema"]).passed
        for probe in first
    }
    assert by_types == {True: untold, False: told}


def test_a_question_in_between_may_be_answered_at_some_length() -> None:
    turns = [probe for probe in instruction_probes(0, 100) if probe.family == "F9"]
    assert {(probe.budget, probe.small_budget) for probe in turns} == {(1024, 640)}


def test_every_value_is_of_its_schema() -> None:
    turns = [
        turn
        for probe in [*instruction_probes(2, 200), *stated_value_probes(2, 100)]
        for turn in [probe.expect, *probe.expect["then"]]
        if "value" in turn
    ]
    wrong = [
        turn
        for turn in turns
        if not Draft202012Validator({**turn["schema"], "required": []}).is_valid(turn["value"])
    ]
    assert (wrong, len(turns) > 250) == ([], True)


def test_long_probes_have_forty_to_sixty_records_and_room_for_them() -> None:
    long = [probe for probe in instruction_probes(2, 100) if probe.family == "F6"]
    counts = [len(probe.expect["value"]["records"]) for probe in long]
    assert (min(counts) >= 40, max(counts) <= 60, {probe.budget for probe in long}) == (
        True,
        True,
        {4096},
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_strange_text_stands_in_two_records_or_more_of_a_run(seed: int) -> None:
    made = [probe for probe in stated_value_probes(seed, 50) if probe.family == "F3"]
    counts = Counter(of for probe in made for of in probe.expect["value"].values())
    assert {counts[text] for text in PROMPTS["strange_texts"]} <= {2, 3}


def test_some_records_have_all_fields_that_there_are() -> None:
    made = [probe for probe in instruction_probes(2, 100) if probe.family == "F2"]
    widths = Counter(len(probe.expect["schema"]["required"]) for probe in made)
    assert sum(of for width, of in widths.items() if width > len(PROMPTS["plain"])) == 3


def test_each_kind_of_value_that_is_easily_damaged_comes_as_often_in_a_format() -> None:
    made = [*with_object(6, 10), *with_schema(6, 20)]
    counts = Counter(probe.labels["value"] for probe in made)
    delicate = {"marks": 5, "negative": 5, "large": 5, "beyond": 6, "falsy": 5}
    assert counts == {**delicate, "usual": 4}
    stated = {
        kind: [p.expect["value"] for p in made if p.labels["value"] == kind] for kind in counts
    }
    texts = [each["handling"] for each in stated["marks"]]
    assert [text for text in texts if len(text) <= 40 or not {*"’“«—"} <= {*text}] == []
    assert min(each["units_shipped"] for each in stated["large"]) >= 100_000
    assert min(each["ledger_no"] for each in stated["beyond"]) > 2**53
    assert max(each["balance_due"] for each in stated["negative"]) < 0


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_each_kind_of_rarer_schemas_comes_once_in_twenty_trials(seed: int) -> None:
    made = [of.expect["schema"] for of in with_schema(seed, 20) if ".T2." in of.id]
    assert len(made) == 4
    assert all(kind["schema"] in made for kind in PROMPTS["tier2"])
