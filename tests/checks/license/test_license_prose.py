"""Reading of prose: restrictions are detected, and near misses are not."""

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
from tests.checks.license.prose_cases import CLEAN, RESTRICTING

LLAMA = "Use is subject to the Llama 3.1 Community License Agreement."


@pytest.mark.parametrize("said", RESTRICTING)
def test_a_restricting_sentence_is_detected(said: str) -> None:
    assert restriction(said)


@pytest.mark.parametrize("said", CLEAN)
def test_a_sentence_that_restricts_nothing_is_not_reported(said: str) -> None:
    assert restriction(said) == ""


@given(st.lists(st.sampled_from(CLEAN), max_size=4), st.data())
def test_a_restriction_is_detected_anywhere_in_a_card(
    clean: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(clean)))
    rider = data.draw(st.sampled_from(RESTRICTING))
    card = "\n\n".join([USAGE, *clean[:at], rider, *clean[at:]])
    assert restriction(card) == restriction(rider)


@given(st.lists(st.sampled_from(CLEAN), max_size=8))
def test_sentences_that_restrict_nothing_restrict_nothing_together(clean: list[str]) -> None:
    assert restriction("\n\n".join([USAGE, *clean])) == ""


@given(
    st.sampled_from([each for each in RESTRICTING if re.fullmatch(r"[\w ,.]+", each)]), st.data()
)
def test_layout_and_case_do_not_matter(said: str, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from(["> ", "- ", "* ", "1. ", "**Note**: ", "<p>", "### "]))
    shaped = data.draw(st.sampled_from([str.upper, str.lower, lambda each: f"**{each}**"]))
    wrapped = data.draw(st.booleans()) and not before.startswith("#")
    words = shaped(said).replace(" ", "\n", 1) if wrapped else shaped(said)
    assert restriction(f"{before}{words}")


def test_the_sentence_is_quoted_verbatim() -> None:
    said = "Fine.\nUse of the *weights* is subject to the [Model License](./MODEL_LICENSE)."
    assert restriction(said) == (
        "Use of the *weights* is subject to the [Model License](MODEL_LICENSE)."
    )


@pytest.mark.parametrize("name", ["MIT", "BSD-3-Clause", "Apache-2.0"])
def test_a_notice_with_a_free_licence_in_full_restricts_nothing(name: str) -> None:
    assert restriction(f"Parts are by others.\n\n{canonical(name)}") == ""


def test_a_licence_named_by_other_sources_is_not_another_one() -> None:
    assert restriction(LLAMA) == LLAMA
    assert restriction(LLAMA, LicenseFacts(licenses=frozenset({"Llama-3.1"}))) == ""
    assert restriction(LLAMA, LicenseFacts(licenses=frozenset({"Llama-3.2"}))) == LLAMA


def test_a_variant_of_a_named_licence_is_another_licence() -> None:
    said = "The weights are under the Qwen Research License."
    assert restriction(said, LicenseFacts(licenses=frozenset({"Qwen"}))) == said


def test_a_link_to_a_verbatim_free_licence_names_no_other() -> None:
    said = "The Example Community License is [now this](MODEL_LICENSE)."
    assert restriction(said) == said
    assert restriction(said, LicenseFacts(files=frozenset({"MODEL_LICENSE"}))) == ""


def test_a_link_to_another_repository_is_not_the_file_next_to_the_card() -> None:
    said = "It is under the [Llama3.1 license](https://models.example/base/LICENSE)."
    assert restriction(said, LicenseFacts(files=frozenset({"LICENSE"})))


FAMILY = "# Example-7B\n\nExample-7B-Chat and Example-72B are for research only.\n"


@pytest.mark.parametrize(
    ("model", "detected"),
    [
        ("Example-7B", False),
        ("Example-72B", True),
        ("org/Example-72B", True),
        ("Example-72B-AWQ", True),
        ("served-under-an-alias", True),
        ("", True),
    ],
)
def test_a_sentence_about_other_models_only_does_not_restrict_this_one(
    model: str, detected: bool
) -> None:
    models = (model,) if model else ()
    assert bool(restriction(FAMILY, LicenseFacts(models=models))) is detected


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
def test_prose_may_state_the_licence_of_the_weights(
    said: str, free: bool, any_licence: bool
) -> None:
    assert (bool(free_license(said)), bool(licensing(said))) == (free, any_licence)


@pytest.mark.parametrize(
    ("said", "derived"),
    [
        ("This is a fine-tuned version of Example-7B.", True),
        ("A merge of two models.", True),
        ("本模型由 Example-7B 微调而来。", True),
        ("Training starts from the checkpoint of Example-70B.", True),
        ("Built upon Example-13B weights.", True),
        ("基于 Example-7B 增量预训练。", True),
        ("Built on top of an open library.", False),
        ("You can start from these weights.", False),
        ("We started from random weights.", False),
        ("可以基于本模型继续训练。", False),
        ("Trained from scratch on 2T tokens.", False),
        ("We fine-tuned the learning rate.", False),
    ],
)
def test_prose_may_state_a_base_model(said: str, derived: bool) -> None:
    assert bool(derivation(said)) is derived
