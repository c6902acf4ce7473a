"""What prose says of a licence: restrictions are heard, and near misses are not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.license.license_prose import (
    LicenseFacts,
    derivation,
    free_license,
    licensing,
    restriction,
)
from readiness.mutants.license.evidence import canonical
from tests.checks.license.family_cases import USAGE
from tests.checks.license.prose_cases import CLEAN, HEARD

LLAMA = "Use is subject to the Llama 3.1 Community License Agreement."


@pytest.mark.parametrize("said", HEARD)
def test_a_sentence_that_restricts_the_use_is_heard(said: str) -> None:
    assert restriction(said)


@pytest.mark.parametrize("said", CLEAN)
def test_a_sentence_that_restricts_nothing_is_passed_over(said: str) -> None:
    assert restriction(said) == ""


@given(st.lists(st.sampled_from(CLEAN), max_size=4), st.data())
def test_a_restriction_is_heard_wherever_it_stands(clean: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(clean)))
    rider = data.draw(st.sampled_from(HEARD))
    card = "\n\n".join([USAGE, *clean[:at], rider, *clean[at:]])
    assert restriction(card) == restriction(rider)


@given(st.lists(st.sampled_from(CLEAN), max_size=8))
def test_what_restricts_nothing_restricts_nothing_together(clean: list[str]) -> None:
    assert restriction("\n\n".join([USAGE, *clean])) == ""


@given(st.sampled_from([each for each in HEARD if re.fullmatch(r"[\w ,.]+", each)]), st.data())
def test_layout_and_case_change_nothing(said: str, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from(["> ", "- ", "* ", "1. ", "**Note**: ", "<p>", "### "]))
    shaped = data.draw(st.sampled_from([str.upper, str.lower, lambda each: f"**{each}**"]))
    wrapped = data.draw(st.booleans()) and not before.startswith("#")
    words = shaped(said).replace(" ", "\n", 1) if wrapped else shaped(said)
    assert restriction(f"{before}{words}")


def test_the_sentence_is_shown_as_it_stands_there() -> None:
    said = "Fine.\nUse of the *weights* is subject to the [Model License](./MODEL_LICENSE)."
    assert restriction(said) == (
        "Use of the *weights* is subject to the [Model License](MODEL_LICENSE)."
    )


@pytest.mark.parametrize("name", ["MIT", "BSD-3-Clause", "Apache-2.0"])
def test_a_notice_with_a_free_licence_in_full_restricts_nothing(name: str) -> None:
    assert restriction(f"Parts are by others.\n\n{canonical(name)}") == ""


def test_a_licence_that_other_sources_name_as_well_is_no_second_one() -> None:
    assert restriction(LLAMA) == LLAMA
    assert restriction(LLAMA, LicenseFacts(licenses=frozenset({"Llama-3.1"}))) == ""
    assert restriction(LLAMA, LicenseFacts(licenses=frozenset({"Llama-3.2"}))) == LLAMA


def test_a_licence_is_no_second_one_where_it_is_a_shade_of_one_that_is_named() -> None:
    said = "The weights are under the Qwen Research License."
    assert restriction(said, LicenseFacts(licenses=frozenset({"Qwen"}))) == said


def test_a_link_to_a_file_that_is_a_free_licence_word_by_word_names_no_other() -> None:
    said = "The Example Community License is [now this](MODEL_LICENSE)."
    assert restriction(said) == said
    assert restriction(said, LicenseFacts(files=frozenset({"MODEL_LICENSE"}))) == ""


def test_a_link_to_a_licence_elsewhere_is_not_the_file_beside_the_card() -> None:
    said = "It is under the [Llama3.1 license](https://models.example/base/LICENSE)."
    assert restriction(said, LicenseFacts(files=frozenset({"LICENSE"})))


FAMILY = "# Example-7B\n\nExample-7B-Chat and Example-72B are for research only.\n"


@pytest.mark.parametrize(
    ("model", "heard"),
    [
        ("Example-7B", False),
        ("Example-72B", True),
        ("org/Example-72B", True),
        ("Example-72B-AWQ", True),
        ("served-under-an-alias", True),
        ("", True),
    ],
)
def test_what_is_said_of_siblings_alone_is_not_said_of_the_model(model: str, heard: bool) -> None:
    models = (model,) if model else ()
    assert bool(restriction(FAMILY, LicenseFacts(models=models))) is heard


@pytest.mark.parametrize(
    ("said", "free", "any_licence"),
    [
        ("The weights are licensed under Apache 2.0.", True, True),
        ("License: MIT", True, True),
        ("模型权重依照 Apache-2.0 协议开源。", True, True),
        ("The code is licensed under the MIT License.", False, False),
        ("Weights are under the Example Community License.", False, True),
        ("The weights are under a modified MIT license.", False, True),
        ("A model of 7B parameters.", False, False),
    ],
)
def test_prose_tells_what_the_weights_are_under(said: str, free: bool, any_licence: bool) -> None:
    assert (bool(free_license(said)), bool(licensing(said))) == (free, any_licence)


@pytest.mark.parametrize(
    ("said", "derived"),
    [
        ("This is a fine-tuned version of Example-7B.", True),
        ("A merge of two models.", True),
        ("本模型由 Example-7B 微调而来。", True),
        ("Trained from scratch on 2T tokens.", False),
        ("We fine-tuned the learning rate.", False),
    ],
)
def test_prose_tells_of_another_model_below(said: str, derived: bool) -> None:
    assert bool(derivation(said)) is derived
