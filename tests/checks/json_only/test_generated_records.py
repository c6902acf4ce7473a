"""Invented records: any fields and data, stated so that a perfect reader gets them right."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from readiness.checks.json_only import checks
from readiness.checks.json_only.generated_records import BUDGET, cases, probe, searches, told
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only import flaws, flaws_harmless
from readiness.mutants.json_only.reader import answer
from readiness.score import PASSED
from readiness.search import FindingsStore, GeneratedCase
from tests.reference_in_process import fresh, probes_of, scores, tried

RECORDS = checks.property_based_json
OTHERS = [
    checks.prompted_json,
    checks.values_preserved,
    checks.json_object_mode,
    checks.json_schema_mode,
]
ANY = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def names(schema: Any) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from names(part)
    yield from names(schema["items"]) if "items" in schema else ()


@ANY
@given(cases())
def test_a_perfect_reader_gets_any_record_right(case: GeneratedCase) -> None:
    said = answer({"messages": probe(case).messages})
    assert said is not None
    assert json.loads(said.content or "") == case["value"]


@ANY
@given(cases())
def test_a_record_is_of_its_schema_and_fits_the_budget(case: GeneratedCase) -> None:
    assert Draft202012Validator(case["schema"]).is_valid(case["value"])
    # A token has a byte at the least.
    assert len(json.dumps(case["value"], ensure_ascii=False).encode()) < BUDGET
    assert json.loads(json.dumps(case)) == case


@ANY
@given(cases())
def test_names_cannot_be_taken_for_anything_else_and_are_composed(case: GeneratedCase) -> None:
    found = list(names(case["schema"]))
    assert [name for name in found if not name or set(name) & set(" .:：(（|⏎⇥\n")] == []
    assert [name for name in found if unicodedata.normalize("NFC", name) != name] == []
    assert 1 <= len(case["value"]) <= 8


def test_each_search_has_a_seed_of_its_own() -> None:
    seeds = {each.expect["seed"] for seed in (0, 1) for each in searches(seed, 10)}
    assert len(seeds) == 20
    assert searches(3, 10)[:2] == searches(3, 2)


@pytest.mark.parametrize("flaw", flaws_harmless.FLAWS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_holds_for_any_record(flaw: Flaw) -> None:
    assert scores(RECORDS, searches(4, 1), flaw) == [PASSED]


@pytest.mark.parametrize("flaw", flaws.INVENTED_FLAWS, ids=lambda flaw: flaw.name)
def test_a_rare_flaw_is_found_by_a_search_and_by_nothing_else(flaw: Flaw) -> None:
    found = scores(RECORDS, searches(4, 3), flaw)
    assert [score.reason for score in found if " — [" in score.reason] != []
    others = [score for each in OTHERS for score in scores(each, probes_of(each, 4, 20), flaw)]
    assert {score.passed for score in others} == {True}


def test_what_is_found_is_shown_as_it_was_told_and_comes_first_in_the_next_run(
    tmp_path: Path,
) -> None:
    path, flaw = tmp_path / "findings.json", flaws.INVENTED_FLAWS[0]
    first = tried({RECORDS: searches(0, 1)}, fresh(findings=FindingsStore(path)), flaw)
    again = tried({RECORDS: searches(9, 1)}, fresh(findings=FindingsStore(path)), flaw)
    shown = f" (and 3 of 3 times more) — {told(FindingsStore(path).take(RECORDS.id)[0])}"
    assert (first, again[RECORDS.id][0].reason[-len(shown) :]) == (again, shown)
