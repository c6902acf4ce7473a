"""The clauses that checks are evidence for: the file is valid, and claims no more than holds."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from readiness.policy.policy import load
from readiness.reporters import compliance
from readiness.reporters.page import page
from readiness.resources import PACKAGE, schema
from readiness.verdict.claim import Verdict
from tests.example_records import check, dimension, record
from tests.reporters.test_page import said

FILE = PACKAGE / "policy" / "controls.yaml"
#: The dimensions that the design names, whether they are here yet or not.
DIMENSIONS = {
    "license", "json_only", "tool_calling", "long_context", "memory", "low_resource", "refusal",
    "spanish", "api", "multilingual", "load", "stability", "deployment", "webui",
}  # fmt: skip


def test_the_file_is_as_its_schema_says() -> None:
    Draft202012Validator(schema("controls")).validate(yaml.safe_load(FILE.read_text("utf-8")))


def test_what_is_evidence_is_a_check_that_there_is_or_a_dimension() -> None:
    named = {each for clause in compliance.clauses() for each in clause.evidence}
    assert {each for each in named if "." in each} - load().checks == set()
    assert {each for each in named if "." not in each} - DIMENSIONS == set()


def test_no_clause_is_listed_twice() -> None:
    names = [(clause.source, clause.name) for clause in compliance.clauses()]
    assert len(names) == len(set(names))


def test_five_sources_are_mapped_each_with_its_edition() -> None:
    assert {clause.source: bool(clause.edition) for clause in compliance.clauses()} == {
        "NIST AI RMF": True,
        "EU AI Act": True,
        "ISO/IEC 42001": True,
        "OWASP Top 10 for LLM Applications": True,
        "GB/T 45654": True,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_claims_conformity(language: str) -> None:
    assert re.search(r"complian|certified|conforms", FILE.read_text("utf-8"), re.I) is None
    assert re.search(r"complian|certified|conforms|合规", page(record(), language), re.I) is None


def test_a_clause_counts_the_verdicts_of_its_checks_the_worst_first() -> None:
    found = record(
        dimension("refusal", check("refusal.a"), check("refusal.b", "not ready")),
        dimension("load", check("load.c")),
    )
    (safety,) = [each for each in compliance.coverage(found) if each.clause.name == "MEASURE 2.6"]
    assert safety.dimensions == {"refusal": 2}
    assert list(safety.verdicts.items()) == [(Verdict.NOT_READY, 1), (Verdict.READY, 1)]
    assert safety.absent == []


def test_what_is_relevant_but_not_in_the_run_is_named() -> None:
    found = record(dimension("load", check("load.c")))
    (annex,) = [each for each in compliance.coverage(found) if each.clause.name == "A.6.2.6"]
    assert annex.absent == ["stability", "deployment"]
    assert "stability: not in this run" in said(found)


def test_a_clause_of_one_check_is_not_covered_by_its_dimension() -> None:
    found = record(dimension("api", check("api.models_listed")))
    (leak,) = [each for each in compliance.coverage(found) if each.clause.name.startswith("LLM01")]
    assert (leak.dimensions, leak.absent) == ({}, ["api.special_tokens_escaped"])


def test_a_check_without_a_mapping_says_so() -> None:
    found = record(dimension("words", check("words.repeats")))
    assert compliance.unmapped(found) == ["words.repeats"]
    assert "Checks that are mapped to no clause words.repeats" in said(found)
    assert compliance.unmapped(record(dimension("api", check("api.a")))) == []


def test_clauses_that_no_check_is_evidence_for_are_shown_too() -> None:
    assert "Article 14 People can oversee the system. no check" in said(record())
