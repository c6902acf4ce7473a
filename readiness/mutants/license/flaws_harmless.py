"""Harmless ways to state a licence: layout, spelling, and what may be left out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

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


def _bytes(change: Callable[[str], bytes]) -> Callable[[Path], None]:
    """Write the text of the licence in another way."""

    def shows(folder: Path) -> None:
        (folder / LICENSE).write_bytes(change(apache()))

    return shows


def _card(text: str) -> Callable[[Path], None]:
    def shows(folder: Path) -> None:
        (folder / CARD).write_bytes(text.encode())

    return shows


def _beside(name: str, text: str) -> Callable[[Path], None]:
    """Put a file beside the licence, and name it in the record."""

    def shows(folder: Path) -> None:
        (folder / name).write_text(text, "utf-8")
        said = (folder / RECORD).read_text("utf-8")
        (folder / RECORD).write_text(said.replace("]", f", {name!r}]"), "utf-8")

    return shows


def _prose(*said: str) -> Callable[[Path], None]:
    return _card(card(license=SAID) + "\n\n".join(["", *said, ""]))


def _mit(folder: Path) -> None:
    """Another free licence, without its title and with two lines of copyright."""
    text = canonical("MIT").partition("Permission")[2]
    holders = "Copyright (c) 2024 Example GmbH\nCopyright © 2025 Beispiel & Söhne"
    whole = f"{holders}. All rights reserved.\n\nPermission{text}"
    (folder / LICENSE).write_text(whole, "utf-8")
    (folder / CARD).write_text(card(license="mit"), "utf-8")
    (folder / WEIGHTS).write_bytes(header({"general.license": "MIT"}))


FLAWS = [
    Flaw(
        "license_crlf",
        "Windows ends lines so, and marks UTF-8",
        change_license_evidence=_bytes(
            lambda text: ("\ufeff" + text).replace("\n", "\r\n").encode()
        ),
    ),
    Flaw(
        "license_upper_case",
        "capitals say the same",
        change_license_evidence=_bytes(lambda text: text.upper().encode()),
    ),
    Flaw(
        "license_utf_16",
        "another encoding",
        change_license_evidence=_bytes(lambda text: text.encode("utf-16")),
    ),
    Flaw(
        "license_one_line",
        "a text may be wrapped anywhere, or nowhere",
        change_license_evidence=_bytes(lambda text: " ".join(text.split()).encode()),
    ),
    Flaw(
        "license_narrow",
        "a text may be wrapped anywhere",
        change_license_evidence=_bytes(
            lambda text: "\n".join(textwrap.wrap(text, 60, break_on_hyphens=False)).encode()
        ),
    ),
    Flaw(
        "license_without_appendix",
        "the appendix is no part of the terms",
        change_license_evidence=_bytes(lambda text: text.partition("APPENDIX")[0].encode()),
    ),
    Flaw(
        "license_in_markdown",
        "marks of layout are no words",
        change_license_evidence=_bytes(
            lambda text: f"# Apache License\n\n```\n{text}```\n".encode()
        ),
    ),
    Flaw(
        "license_curly_quotes",
        "typographic quotation marks",
        change_license_evidence=_bytes(
            lambda text: text.replace('("', "(“").replace('")', "”)").encode()
        ),
    ),
    Flaw("license_mit", "another licence without conditions", change_license_evidence=_mit),
    Flaw(
        "license_spelt_out",
        "a card may spell the name as people do",
        change_license_evidence=_card(card(license="Apache License 2.0")),
    ),
    Flaw(
        "license_in_a_list",
        "a card may have a list of one",
        change_license_evidence=_card(card(license="[apache-2.0]")),
    ),
    Flaw(
        "license_card_crlf",
        "Windows ends a card's lines so, and marks UTF-8",
        change_license_evidence=_card("\ufeff" + card(license="apache-2.0").replace("\n", "\r\n")),
    ),
    Flaw(
        "license_by_its_own_name",
        "a card may name it beside `other`",
        change_license_evidence=_card(card(license="other", license_name="apache-2.0")),
    ),
    Flaw(
        "license_commercial_permitted",
        "a card may say what its licence permits",
        change_license_evidence=_prose(
            "MIT and Apache-2.0 permit commercial use.",
            "Free for research and commercial use.",
            "There is no non-commercial restriction.",
        ),
    ),
    Flaw(
        "license_commercial_permitted_abroad",
        "a card may say so in any language",
        change_license_evidence=_prose(
            "本模型支持商用，无需登记。",
            "商用利用が可能です。",
            "Se permite el uso comercial sin restricciones.",
        ),
    ),
    Flaw(
        "license_talk_of_licences",
        "licences are what a model may be good at",
        change_license_evidence=_prose(
            "It reads license plates, and drafts a license agreement.",
            "It beats commercial models.",
        ),
    ),
    Flaw(
        "license_hosted_service",
        "a hosted service has terms of its own",
        change_license_evidence=_prose(
            "The hosted API is subject to the terms of service of the platform."
        ),
    ),
    Flaw(
        "license_table_of_contents",
        "a heading names no licence",
        change_license_evidence=_prose(
            "- [License Agreement](#license)",
            "## License Agreement",
            "See the [LICENSE](LICENSE) file.",
        ),
    ),
    Flaw(
        "license_text_twice",
        "a second file may have the same text",
        change_license_evidence=_beside("MODEL_LICENSE", apache()),
    ),
    Flaw(
        "license_notice_with_texts",
        "a notice has the licences of what it is made with",
        change_license_evidence=_beside(
            "NOTICE", "Parts are by others.\n\n" + canonical("BSD-3-Clause")
        ),
    ),
    Flaw(
        "license_name_and_link",
        "a card may name the same licence three times",
        change_license_evidence=_card(
            card(
                license=SAID,
                license_name="Apache License 2.0",
                license_link="https://www.apache.org/licenses/LICENSE-2.0",
            )
        ),
    ),
    Flaw(
        "license_privacy_on_the_hub",
        "a form on a hub may be but polite",
        change_license_evidence=_card(
            card(license=SAID, extra_gated_description="How we treat personal data is on our page.")
        ),
    ),
    Flaw(
        "license_in_another_field_too",
        "a field of the card may name the same licence once more",
        change_license_evidence=_card(card(license=SAID, weights_license=SAID)),
    ),
    Flaw(
        "license_another_document",
        "a document of any name may say how the model is used",
        change_license_evidence=_beside(
            "INFO.md", "# Questions\n\nMay I sell what I build? Yes, with no fee and no form.\n"
        ),
    ),
    Flaw(
        "license_words_of_engineers",
        "a card may use the words of riders for what a program does",
        change_license_evidence=_prose(
            "You may look at the logs while the server starts.",
            "Only the last two layers were trained.",
            "The session token expires after one hour.",
            "Support for Python 3.8 ended with version 1.2.",
            "Do not connect two servers to the same port.",
        ),
    ),
    Flaw(
        "license_words_of_engineers_abroad",
        "a card may do so in any language",
        change_license_evidence=_prose(
            "会话有效期为一小时。",
            "须在 GPU 上运行。",
            "トークンは一時間有効です。",
            "세션은 한 시간 동안 유지됩니다.",
            "Bitte nicht zweimal auf demselben Port starten.",
            "La session expire au bout d'une heure.",
            "No lo ejecute dos veces en el mismo puerto.",
            "Não rode dois servidores na mesma porta.",
        ),
    ),
    Flaw(
        "license_bar_of_languages",
        "a card may link to its translations",
        change_license_evidence=_prose(
            "[English](README.md) | [Русский](README_RU.md) | [العربية](README_AR.md)"
        ),
    ),
    Flaw(
        "license_link_to_documentation",
        "a card may link to what is no terms",
        change_license_evidence=_prose(
            "See the documentation at https://maker.example/docs for all flags.",
            "The LICENSE file is in the root of the repository.",
        ),
    ),
    Flaw(
        "license_section",
        "a section may say the licence and where its text is",
        change_license_evidence=_prose(
            "## License",
            "The code and the weights are released under the Apache License 2.0.",
            "See [LICENSE](LICENSE) for the full text.",
        ),
    ),
    Flaw(
        "license_list_of_files",
        "a list of files is no document",
        change_license_evidence=_beside(
            "TREE_ALL.txt",
            "├── LICENSE\n├── README.md\n├── config.json\n├── MODEL LICENSE.txt\n└── m.gguf\n",
        ),
    ),
    Flaw(
        "license_in_the_configuration_too",
        "a configuration may name the same licence once more",
        change_license_evidence=_beside(
            "config.json", '{"license": "apache-2.0", "hidden_size": 64}'
        ),
    ),
    Flaw(
        "license_of_code_and_weights",
        "a card may say the licence of the code first, and that the weights share it",
        change_license_evidence=_prose(
            "The code is licensed under Apache-2.0, and so are the weights.",
            "The model and the code are released under Apache-2.0.",
        ),
    ),
    Flaw(
        "license_files_of_code_and_weights",
        "the code may have another free licence, in a file of its own",
        change_license_evidence=_beside("LICENSE-CODE", canonical("MIT")),
    ),
    Flaw(
        "license_links",
        "links may have sentences, and a card a list of its sections",
        change_license_evidence=_prose(
            "- [Quickstart](#quickstart)",
            "## Quickstart",
            "[Paper](https://maker.example/p) | [Blog](https://maker.example/b) · [Demo](https://maker.example/d)",
            "[Read the technical report on our training](https://maker.example/report)",
        ),
    ),
    Flaw(
        "license_comment_in_code",
        "comments and samples in code may have brackets",
        change_license_evidence=_prose(
            "```python\n# The model (7B) is loaded once [and cached].\nmodel = load('m')\n```"
        ),
    ),
    Flaw(
        "license_table_of_features",
        "a table may say no of features",
        change_license_evidence=_prose("| | 1B | 7B |\n|---|---|---|\n| Tool calls | ❌ | ✅ |"),
    ),
    Flaw(
        "license_description_of_the_model",
        "configurations may describe the model, and hold templates",
        change_license_evidence=_beside(
            "tokenizer_config.json",
            '{"license": "apache-2.0", "description": "A dense model with 7B parameters.", '
            '"chat_template": "Only members may ask. {{ messages }}"}',
        ),
    ),
    Flaw(
        "license_deletes_a_cache",
        "what is technical may be deleted, published and paid for",
        change_license_evidence=_prose(
            "Delete the cache before you upgrade the library.",
            "The results were published in our technical report.",
            "If you have any questions, please open an issue or contact us at help@maker.example.",
        ),
    ),
    Flaw(
        "license_choice",
        "a reader may choose between two licences",
        change_license_evidence=_prose(
            "The weights are under Apache-2.0 or, at your option, the GPL-3.0."
        ),
    ),
    Flaw(
        "license_covenant",
        "standard sentences of a code of conduct and of contributions bind no user",
        change_license_evidence=_beside(
            "CODE_OF_CONDUCT.md",
            "Publishing others' private information, such as a physical or electronic address, "
            "without explicit permission\n\nBy contributing to Example, you agree that your "
            "contributions will be licensed under Apache 2.0.\n",
        ),
    ),
    Flaw(
        "license_template_of_cards",
        "the template of a hub's cards says nothing of rights",
        change_license_evidence=_prose(
            "Users (both direct and downstream) should be made aware of the risks, biases and "
            "limitations of the model. More information needed for further recommendations.",
            "Use the code below to get started with the model.",
        ),
    ),
    Flaw(
        "license_code_of_conduct",
        "how a project is run binds no user of the weights",
        change_license_evidence=_beside(
            "CODE_OF_CONDUCT.md",
            "Participants must not insult others. Maintainers may ban members who do.\n",
        ),
    ),
]
