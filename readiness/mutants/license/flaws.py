"""Flaws of licence evidence: hidden, wrong or missing statements in a model's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.license.evidence import (
    CARD,
    LICENSE,
    RECORD,
    SAID,
    WEIGHTS,
    apache,
    canonical,
    card,
    header,
)
from readiness.verdict.claim import Verdict

_UNSURE = Verdict.INCONCLUSIVE
_TEXT = "license.verbatim_license_text"
_PERMITS = "license.commercial_use_permitted"
_AGREES = "license.consistent_license_name"
_BASES = "license.base_models_permitted"
_FREE = "license.no_extra_restrictions"
_OWN_TERMS = "The licensor grants you a licence under the terms of this document.\n"
_LLAMA = "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n\nBy using the materials you agree to be bound.\n"

_FILES = "LICENSE\nREADME.md\nconfig.json\nmodel.safetensors\ntokenizer.json\n"

Shows = Callable[[Path], None]


def _text(change: Callable[[str], str]) -> Shows:
    """Change the text of the licence."""
    return lambda folder: _write(folder / LICENSE, change(apache()))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _named(name: str, text: str) -> Shows:
    """Put the model under another licence, in every source."""

    def shows(folder: Path) -> None:
        _write(folder / LICENSE, text)
        _write(folder / CARD, card(license=name))
        (folder / WEIGHTS).write_bytes(header({"general.license": name}))

    return shows


def _record(addition: str) -> Shows:
    """Add to the record."""
    return lambda folder: _write(folder / RECORD, (folder / RECORD).read_text("utf-8") + addition)


def _beside(name: str, content: str | bytes) -> Shows:
    """Put a file beside the licence, and name it in the record."""

    def shows(folder: Path) -> None:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        said = (folder / RECORD).read_text("utf-8")
        _write(folder / RECORD, said.replace("]", f", {name!r}]"))

    return shows


def _card(prose: str = "", **said: str) -> Shows:
    """Make the card name the licence as the other sources do, with more prose."""
    return lambda folder: _write(folder / CARD, f"{card(license=SAID, **said)}\n{prose}\n")


def _mit(folder: Path) -> None:
    """Put the model under MIT in every source, with a condition behind the text."""
    rider = "Our only change: above 100 million users the product has to show the name."
    _named("mit", f"{canonical('MIT')}\n{rider}\n")(folder)


def _header(**said: str) -> Shows:
    """Make the weights' header state this licence."""
    keys = {f"general.{key.replace('__', '.')}": value for key, value in said.items()}
    return lambda folder: _write_bytes(folder / WEIGHTS, header(keys))


def _renamed(name: str) -> Shows:
    """Give the file of the licence another name."""

    def shows(folder: Path) -> None:
        (folder / LICENSE).rename(folder / name)
        said = (folder / RECORD).read_text("utf-8")
        _write(folder / RECORD, said.replace(f"[{LICENSE},", f"[{name},"))

    return shows


def _another(folder: Path) -> None:
    for name in (CARD, RECORD):
        said = (folder / name).read_text("utf-8")
        # The file that has the reference model's weights keeps its name.
        _write(folder / name, said.replace(f": {MODEL}\n", ": another\n"))


FLAWS = [
    Flaw(
        "license_rider_at_the_end",
        "a sentence after the appendix forbids commercial use",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(lambda text: f"{text}\nNo commercial use.\n"),
    ),
    Flaw(
        "license_rider_at_the_start",
        "a sentence before the licence limits it to one tenant",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: f"Not to be offered to more than one tenant.\n\n{text}"
        ),
    ),
    Flaw(
        "license_rider_in_chinese",
        "a line in another script forbids commercial use",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(lambda text: f"{text}\n禁止商业使用。\n"),
    ),
    Flaw(
        "license_rider_in_the_copyright",
        "the line of copyright goes on",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: text.replace("reference model", "model, for research only")
        ),
    ),
    Flaw(
        "license_word_changed",
        "what is granted can be revoked",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(lambda text: text.replace("irrevocable", "revocable")),
    ),
    Flaw(
        "license_clause_left_out",
        "the grant of patents is missing",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: text.partition("3. Grant")[0] + "4. Red" + text.partition("4. Red")[2]
        ),
    ),
    Flaw(
        "license_not_commercial",
        "every source forbids commercial use",
        _PERMITS,
        change_license_evidence=_named(
            "cc-by-nc-4.0", "Attribution-NonCommercial 4.0 International\n"
        ),
    ),
    Flaw(
        "license_with_conditions",
        "every source names a licence with conditions that nobody has accepted",
        _PERMITS,
        expected_verdict=_UNSURE,
        change_license_evidence=_named("llama3.1", _LLAMA),
    ),
    Flaw(
        "license_header_disagrees",
        "the header of the weights names another licence than card and text",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_header(license="mit"),
    ),
    Flaw(
        "license_over_a_base",
        "a card that says Apache, of a model that was made from one of which nothing is shown",
        _BASES,
        expected_verdict=_UNSURE,
        change_license_evidence=lambda folder: _write(
            folder / CARD, card(license="apache-2.0", base_model="example/llama-8b")
        ),
    ),
    Flaw(
        "license_with_a_use_policy",
        "a use policy stands beside the licence",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "USE_POLICY.md", "You agree not to use the model for any of the following.\n"
        ),
    ),
    Flaw(
        "license_statement_unfounded",
        "a statement of the vendor, of which no copy was kept",
        "license.recent_vendor_statement",
        change_license_evidence=_record(
            "statements:\n  - {url: 'https://vendor.example/license', date: 2026-11-01, "
            f"file: page.html, sha256: {'a' * 64}}}\n"
        ),
    ),
    Flaw(
        "license_of_another_model",
        "evidence of another model than the endpoint serves",
        "license.evidence_matches_model",
        expected_verdict=_UNSURE,
        change_license_evidence=_another,
    ),
    Flaw(
        "license_model_license",
        "a licence of the weights in MODEL_LICENSE, beside that of the code",
        _PERMITS,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("MODEL_LICENSE", _OWN_TERMS),
    ),
    Flaw(
        "license_terms_of_its_own",
        "terms in EULA.txt, beside the licence",
        _PERMITS,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("EULA.txt", _OWN_TERMS),
    ),
    Flaw(
        "license_terms_in_chinese",
        "terms in a file with a Chinese name",
        _PERMITS,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("使用协议.txt", "模型的使用须遵守本协议。\n"),
    ),
    Flaw(
        "license_as_pdf",
        "a second licence that no program reads",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("Community License.pdf", b"%PDF-1.7\n"),
    ),
    Flaw(
        "license_named_twice",
        "a card with an id, and another name of the licence",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(license_name="mit"),
    ),
    Flaw(
        "license_header_named_twice",
        "a header with an id, and another name of the licence",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_header(license="apache-2.0", license__name="mit"),
    ),
    Flaw(
        "license_mit_with_a_condition",
        "the text of MIT, with a condition of its own at the end",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_mit,
    ),
    Flaw(
        "license_negated",
        "one word that turns the grant round",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: text.replace("hereby grants", "hereby never grants")
        ),
    ),
    Flaw(
        "license_research_only_in_prose",
        "a card whose prose keeps the weights to research",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "The weights are made available exclusively for academic research."
        ),
    ),
    Flaw(
        "license_commercial_on_request",
        "a card whose prose has a paid licence for firms",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "A commercial licence is required for use in a product: write to us."
        ),
    ),
    Flaw(
        "license_model_license_in_prose",
        "a card whose prose puts the weights under another licence",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "Use of the weights is subject to the Example Model License."
        ),
    ),
    Flaw(
        "license_registration_in_chinese",
        "a card whose prose asks for registration, in Chinese",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("权重对学术研究开放，登记后可免费商用。"),
    ),
    Flaw(
        "license_contract_in_japanese",
        "a card whose prose asks for a contract, in Japanese",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("商用利用には別途契約が必要です。"),
    ),
    Flaw(
        "license_non_commercial_in_spanish",
        "a card whose prose forbids commercial use, in Spanish",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("No se permite el uso comercial de los pesos."),
    ),
    Flaw(
        "license_limit_of_users",
        "a card whose prose limits the number of users",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "Products with more than 100 million monthly active users need consent."
        ),
    ),
    Flaw(
        "license_limit_of_fields",
        "a card whose prose forbids fields of use",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("The model may not be used for medical advice."),
    ),
    Flaw(
        "license_gated",
        "a card whose hub page asks for assent to other terms",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(extra_gated_prompt="You agree to the terms of the maker."),
    ),
    Flaw(
        "license_rider_in_a_translation",
        "a translation of the card that says more than the card",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("README_CN.md", "# 模型\n\n未经书面授权，不得商用。\n"),
    ),
    Flaw(
        "license_base_in_prose",
        "a card that names its base in prose alone",
        _BASES,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("This is a fine-tuned version of Example-8B."),
    ),
    Flaw(
        "license_merge",
        "a recipe of models of which nothing is shown",
        _BASES,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "mergekit_config.yml", "models: [{model: example/a}, {model: example/b}]\n"
        ),
    ),
    Flaw(
        "license_in_another_field",
        "a field of the card names another licence of the weights",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(weights_license="mit"),
    ),
    Flaw(
        "license_rider_in_another_document",
        "a document of no telling name asks companies for a fee",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "INFO.md", "Companies pay a yearly fee for what they build on the weights.\n"
        ),
    ),
    Flaw(
        "license_for_residents",
        "a card that names who may look at the weights",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("Residents of the county may look at the weights."),
    ),
    Flaw(
        "license_that_expires",
        "a card whose weights expire",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("The weights expire on the last day of the year."),
    ),
    Flaw(
        "license_for_teachers_in_chinese",
        "a card for teachers alone, in Chinese",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("仅老师可用。"),
    ),
    Flaw(
        "license_of_property_in_chinese",
        "a card whose weights stay property, in Chinese",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("权重仍属于公司财产。"),
    ),
    Flaw(
        "license_of_property_in_german",
        "a card whose weights stay property, in German",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("Die Gewichte bleiben Eigentum der Firma."),
    ),
    Flaw(
        "license_for_members_in_korean",
        "a card for members, in Korean",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("회원 전용입니다."),
    ),
    Flaw(
        "license_to_return_in_french",
        "a card that asks for deletion, in French",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("À la fin du semestre, effacez votre copie."),
    ),
    Flaw(
        "license_in_polish",
        "a card with a sentence in a language that is not read",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "Wagi wolno uruchamiać tylko członkom naszego stowarzyszenia."
        ),
    ),
    Flaw(
        "license_in_russian",
        "a card with a sentence in a script that is not read",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("Веса можно запускать только членам нашего общества."),
    ),
    Flaw(
        "license_terms_elsewhere",
        "a card that points to terms that were not given",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("See https://maker.example/terms-of-use for the weights."),
    ),
    Flaw(
        "license_of_code_alone",
        "a card that says the licence of the code, and where that of the weights is",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "The code is under Apache-2.0; for the weights see their own page."
        ),
    ),
    Flaw(
        "license_of_code_and_silence",
        "a card that says the licence of the code, and nothing of the weights",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("The code is licensed under Apache-2.0."),
    ),
    Flaw(
        "license_file_of_the_code",
        "the only text of a licence is that of the code, by its name",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_renamed("LICENSE-CODE"),
    ),
    Flaw(
        "license_rider_in_a_link",
        "a card whose rider is the text of a link",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "[Merchants have to come and see us first](https://maker.example/visit)"
        ),
    ),
    Flaw(
        "license_rider_in_an_anchor",
        "a card whose rider is the text of a link within the card",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("[You may look but not deploy](#model)"),
    ),
    Flaw(
        "license_rider_in_code",
        "a card whose rider stands in a block of code, with brackets",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "```text\nThe weights (all sizes) may be run by members only [of the club].\n```"
        ),
    ),
    Flaw(
        "license_table_of_uses",
        "a card whose table says no of businesses",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("| Use | OK |\n|---|---|\n| Hobby | ✅ |\n| Business | ❌ |"),
    ),
    Flaw(
        "license_rider_in_a_description",
        "a configuration whose description has a rider",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "config.json", '{"hidden_size": 64, "description": "For members of the club only."}'
        ),
    ),
    Flaw(
        "license_in_the_tokenizer",
        "the configuration of the tokenizer names another licence",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("tokenizer_config.json", '{"license": "mit"}'),
    ),
    Flaw(
        "license_in_generation_settings",
        "a field within a field of the settings for generation names another licence",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "generation_config.json", '{"top_k": 20, "about": {"license": "bsd-3-clause"}}'
        ),
    ),
    Flaw(
        "license_description_of_the_card",
        "a rider in the description of a card's metadata",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(description="Merchants have to come and see us first."),
    ),
    Flaw(
        "license_to_delete",
        "a card that asks for deletion, beside a technical word",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("Please delete after evaluation."),
    ),
    Flaw(
        "license_of_benchmarks",
        "a card that keeps the publication of figures to the maker's consent",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("Publishing benchmark numbers needs our okay."),
    ),
    Flaw(
        "license_of_hosting",
        "a card that has whoever runs a server ask first",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "Clouds with GPUs must talk to us before a server is started."
        ),
    ),
    Flaw(
        "license_choice_with_a_rider",
        "a choice of two licences, and a rider behind it",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card(
            "Under Apache-2.0 or, at your option, the MIT License, but for members only."
        ),
    ),
    Flaw(
        "license_covenant_with_a_rider",
        "a code of conduct with a sentence on the weights",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "CODE_OF_CONDUCT.md",
            "Publishing others' private information, such as a physical or electronic address, "
            "without explicit permission\n\nThe weights may be run by members only.\n",
        ),
    ),
    Flaw(
        "license_of_the_scripts",
        "a card whose licence covers the scripts",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("The LICENSE file covers the scripts."),
    ),
    Flaw(
        "license_that_ended",
        "a card whose grant ended with an earlier release",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("The Apache grant ended with version 1.2."),
    ),
    Flaw(
        "license_section_with_more",
        "a section on the licence that says more than its name",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_card("## License\n\nThe harbour office knows the rest."),
    ),
    Flaw(
        "license_policy_as_pdf",
        "a policy of no telling name that no program reads",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("AUP.pdf", b"%PDF-1.7\n"),
    ),
    Flaw(
        "license_rider_in_a_list_of_files",
        "a list of files whose last line is a rider",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside(
            "TREE_ALL.txt", f"{_FILES}Not to be sold without our consent.\n"
        ),
    ),
    Flaw(
        "license_in_the_configuration",
        "a configuration that names another licence",
        _AGREES,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("config.json", '{"model_license": "mit"}'),
    ),
    Flaw(
        "license_terms_in_the_configuration",
        "a configuration with terms of its own",
        _FREE,
        expected_verdict=_UNSURE,
        change_license_evidence=_beside("config.json", '{"usage_terms": "call the maker first"}'),
    ),
]
