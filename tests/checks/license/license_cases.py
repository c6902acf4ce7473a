"""Cases of licence evidence: the folder, the expected verdict, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from readiness.mutants.license.evidence import apache, canonical, card, header
from readiness.verdict.claim import Verdict

READY, NOT, UNSURE = Verdict.READY, Verdict.NOT_READY, Verdict.INCONCLUSIVE
APACHE, MIT, BSD = "apache-2.0", "mit", "bsd-3-clause"


@dataclass(frozen=True)
class Case:
    """A folder and its expected verdict.

    Args:
        given: A description of the folder.
        verdict: The dimension's verdict.
        why: A part of the printed reason; "" if there is none.
        files: The folder's files.
        accepts: The conditions that the policy accepts.
    """

    given: str
    verdict: Verdict
    why: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    accepts: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """The case as a row of the documentation."""
        return f"| {self.given} | {self.verdict} | {self.why} |"

    def write(self, folder: Path) -> Path:
        """Write the folder, and return the path that a user would name: its record, if any."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        record = folder / "record.yaml"
        return record if record.exists() else folder


def with_card(text: str, **said: str) -> dict[str, str | bytes]:
    return {"LICENSE": text, "README.md": card(**said)}


def with_prose(said: str) -> dict[str, str | bytes]:
    return {"LICENSE": apache(), "README.md": f"{card(license=APACHE)}{said}\n"}


def of_gguf(said: str, **more: str | int) -> bytes:
    keys = {f"general.{key.replace('__', '.')}": value for key, value in more.items()}
    return header({"general.license": said, **keys})


LLAMA = "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nBy using the Llama Materials you agree.\n"
QWEN = "Qwen LICENSE AGREEMENT\nBy clicking to agree you are bound.\n"
RECORD = "schema: readiness-license/1\nmodel: m\n"
DERIVED = {"license": APACHE, "base_model": "example/base"}
LLAMA_AGREED = ("llama-mau-700m", "llama-naming", "acceptable-use")
DATA_CARD = "---\nlicense: cc-by-nc-4.0\ntask_categories: [text-generation]\n---\n# Questions\n"
NOT_ACCEPTED = "conditions that the policy does not accept"

CASES = [
    Case("Apache-2.0, filled in, with its card", READY, "", with_card(apache(), license=APACHE)),
    Case("MIT with its card", READY, "", with_card(canonical("MIT"), license=MIT)),
    Case(
        "BSD-3-Clause with its card", READY, "", with_card(canonical("BSD-3-Clause"), license=BSD)
    ),
    Case(
        "Apache-2.0, a card, and a GGUF header that agrees",
        READY,
        "",
        {**with_card(apache(), license=APACHE), "m.gguf": of_gguf("apache-2.0")},
    ),
    Case(
        "a card that allows MIT or Apache-2.0, with the text of one",
        READY,
        "",
        with_card(canonical("MIT"), license="MIT OR Apache-2.0"),
    ),
    Case(
        "Apache-2.0 and a NOTICE",
        READY,
        "",
        {**with_card(apache(), license=APACHE), "NOTICE": "Made by the makers.\n"},
    ),
    Case(
        "a rider of three words after the appendix",
        UNSURE,
        "LICENSE is Apache-2.0, but adds 'no commercial use'",
        with_card(f"{apache()}\nNo commercial use.\n", license=APACHE),
    ),
    Case(
        "a rider in Chinese",
        UNSURE,
        "LICENSE is Apache-2.0, but adds '仅 限 研 究'",
        with_card(f"{apache()}\n仅限研究\n", license=APACHE),
    ),
    Case(
        "MIT with a clause of naming at its end",
        UNSURE,
        "adds 'you shall display the name of the model'",
        with_card(f"{canonical('MIT')}\nYou shall display the name of the model.", license=MIT),
    ),
    Case(
        "MIT that no longer lets one sell copies",
        UNSURE,
        "LICENSE is MIT, but lacks 'and or sell'",
        with_card(canonical("MIT").replace(", and/or sell", ""), license=MIT),
    ),
    Case(
        "BSD-3-Clause whose holder is a sentence",
        UNSURE,
        "LICENSE is BSD-3-Clause, but adds 'acme for research only'",
        with_card(
            canonical("BSD-3-Clause").replace(
                "2026 the authors of the reference model", "Acme for research only"
            ),
            license=BSD,
        ),
    ),
    Case(
        "a card alone: apache-2.0",
        UNSURE,
        "no licence text, only a name",
        {"README.md": card(license=APACHE)},
    ),
    Case(
        "a text alone: Apache-2.0",
        UNSURE,
        "the base models of the model are unknown: a model card or a record states them",
        {"LICENSE": apache()},
    ),
    Case("neither a text nor a name", NOT, "nothing is permitted", {"config.json": "{}"}),
    Case(
        "a licence as PDF",
        UNSURE,
        "LICENSE.pdf: no plain text: a person must read it",
        {"LICENSE.pdf": b"%PDF-1.7"},
    ),
    Case(
        "a card of cc-by-nc-4.0",
        NOT,
        "CC-BY-NC-4.0: no commercial use",
        {"README.md": card(license="cc-by-nc-4.0")},
    ),
    Case(
        "a card of qwen-research",
        NOT,
        "Qwen-Research: research only",
        {"README.md": card(license="other", license_name="qwen-research")},
    ),
    Case(
        "a card of a name that says non-commercial",
        NOT,
        "'acme-non-commercial-1.0' says noncommercial",
        {"README.md": card(license="other", license_name="acme-non-commercial-1.0")},
    ),
    Case(
        "a card of `other`, and no name",
        UNSURE,
        "README.md: 'other' is no known licence",
        with_card(apache(), license="other"),
    ),
    Case(
        "a card with two licences in a list, one of them Llama 3.1",
        UNSURE,
        NOT_ACCEPTED,
        {"README.md": card(license="[mit, llama3.1]")},
    ),
    Case("Llama 3.1, text and card", UNSURE, NOT_ACCEPTED, with_card(LLAMA, license="llama3.1")),
    Case(
        "Llama 3.1, its conditions accepted, its text read by nobody",
        UNSURE,
        "LICENSE is Llama-3.1, whose text is not known verbatim: a person must read it",
        with_card(LLAMA, license="llama3.1"),
        LLAMA_AGREED,
    ),
    Case(
        "Llama 3.1, its conditions accepted, its text read by a person",
        READY,
        "",
        {
            **with_card(LLAMA, license="llama3.1"),
            "record.yaml": f"{RECORD}evidence: [LICENSE, README.md]\nread:\n  - file: LICENSE\n    "
            "sha256: a8e35f8f39bcf9a6a336d7d064511691d6cc44c3602c0d0dbbd4ed9f4f2fa4dd\n    "
            "by: legal\n    date: 2026-11-01\n",
        },
        LLAMA_AGREED,
    ),
    Case(
        "Qwen's own licence",
        UNSURE,
        NOT_ACCEPTED,
        with_card(QWEN, license="other", license_name="qwen"),
    ),
    Case("Gemma", UNSURE, NOT_ACCEPTED, {"README.md": card(license="gemma")}),
    Case("OpenRAIL", UNSURE, NOT_ACCEPTED, {"README.md": card(license="openrail")}),
    Case(
        "DeepSeek",
        UNSURE,
        NOT_ACCEPTED,
        {"README.md": card(license="other", license_name="deepseek")},
    ),
    Case("GPL-3.0 by a card", UNSURE, NOT_ACCEPTED, {"README.md": card(license="gpl-3.0")}),
    Case(
        "a card of MIT beside the text of Llama 3.1",
        UNSURE,
        "the sources disagree: README.md says MIT, LICENSE is Llama-3.1",
        with_card(LLAMA, license=MIT),
    ),
    Case(
        "a GGUF header of cc-by-nc beside Apache-2.0",
        UNSURE,
        "CC-BY-NC-4.0: no commercial use, and the sources disagree",
        {**with_card(apache(), license=APACHE), "m.gguf": of_gguf("cc-by-nc-4.0")},
    ),
    Case(
        "a card of MIT over a base that nothing is shown of",
        UNSURE,
        "the model is derived from example/llama-8b: no evidence for it",
        with_card(canonical("MIT"), license=MIT, base_model="example/llama-8b"),
    ),
    Case(
        "an adapter whose base only its configuration names",
        UNSURE,
        "the model is derived from example/base: no evidence for it",
        {
            **with_card(apache(), license=APACHE),
            "adapter_config.json": '{"base_model_name_or_path": "example/base"}',
        },
    ),
    Case(
        "a GGUF header that names a base which the card leaves out",
        UNSURE,
        "the model is derived from example/base: no evidence for it",
        {
            **with_card(apache(), license=APACHE),
            "m.gguf": of_gguf(
                APACHE,
                base_model__count=1,
                base_model__0__repo_url="https://models.example/example/base",
            ),
        },
    ),
    Case(
        "a base whose own text and card are shown",
        READY,
        "",
        {
            **with_card(apache(), **DERIVED),
            "base/LICENSE": apache(),
            "base/README.md": card(license=APACHE),
            "record.yaml": f"{RECORD}evidence: [LICENSE, README.md]\n"
            "ancestors: {example/base: base}\n",
        },
    ),
    Case(
        "a base that forbids commercial use",
        NOT,
        "example/base: CC-BY-NC-4.0: no commercial use",
        {
            **with_card(apache(), **DERIVED),
            "base/README.md": card(license="cc-by-nc-4.0"),
            "record.yaml": f"{RECORD}evidence: [LICENSE, README.md]\n"
            "ancestors: {example/base: base}\n",
        },
    ),
    Case(
        "Apache-2.0 with a use policy beside it",
        UNSURE,
        "USE_POLICY.md restricts use: a person must read it and accept acceptable-use",
        {**with_card(apache(), license=APACHE), "USE_POLICY.md": "Do not.\n"},
    ),
    Case(
        "a card of apache-2.0 whose prose says: for research purposes only",
        UNSURE,
        "README.md says 'For research purposes only.'",
        {
            "LICENSE": apache(),
            "README.md": f"{card(license=APACHE)}For research purposes only.\n",
        },
    ),
    Case(
        "a NOTICE that forbids commercial use",
        UNSURE,
        "NOTICE says 'Commercial use is NOT allowed.'",
        {**with_card(apache(), license=APACHE), "NOTICE": "Commercial use is NOT allowed.\n"},
    ),
    Case(
        "a card that names its licence twice",
        UNSURE,
        "license is given twice, first in line 1",
        {"LICENSE": apache(), "README.md": "---\nlicense: mit\nlicense: apache-2.0\n---\n"},
    ),
    Case(
        "a card of apache-2.0 that says who may look at it",
        UNSURE,
        "a sentence that a person must read: 'Residents of Bavaria only.'",
        with_prose("Residents of Bavaria only."),
    ),
    Case(
        "a card that says the same of layers",
        READY,
        "",
        with_prose("Only the last two layers were trained."),
    ),
    Case(
        "a card whose weights expire",
        UNSURE,
        "The weights expire on the last day of 2027.",
        with_prose("The weights expire on the last day of 2027."),
    ),
    Case(
        "a card whose session tokens expire",
        READY,
        "",
        with_prose("The session token expires after one hour."),
    ),
    Case(
        "a card with a sentence in Russian",
        UNSURE,
        "Веса можно запускать только членам нашего общества.",
        with_prose("Веса можно запускать только членам нашего общества."),
    ),
    Case(
        "a card that points to terms elsewhere",
        UNSURE,
        "terms-of-use",
        with_prose("See https://maker.example/terms-of-use for the weights."),
    ),
    Case(
        "a card whose licence covers the scripts",
        UNSURE,
        "The LICENSE file covers the scripts.",
        with_prose("The LICENSE file covers the scripts."),
    ),
    Case(
        "a card that needs both Apache-2.0 and Llama 3.1",
        UNSURE,
        "conditions that the policy does not accept",
        with_card(apache(), license="apache-2.0 AND llama3.1"),
    ),
    Case(
        "a card of `other` with a link alone",
        UNSURE,
        "'other' is no known licence",
        with_card(apache(), license="other", license_link="https://maker.example/terms"),
    ),
    Case(
        "Apache-2.0 with a policy of no telling name as PDF",
        UNSURE,
        "AUP.pdf: no plain text: a person must read it",
        {**with_card(apache(), license=APACHE), "AUP.pdf": b"%PDF-1.7"},
    ),
    Case(
        "Apache-2.0 with a paper as PDF",
        READY,
        "",
        {**with_card(apache(), license=APACHE), "Technical_Report.pdf": b"%PDF-1.7"},
    ),
    Case(
        "Apache-2.0 with an agreement under a Chinese name",
        UNSURE,
        "社区协议.md: no known licence text",
        {**with_card(apache(), license=APACHE), "社区协议.md": "# 协议\n"},
    ),
    Case(
        "a configuration that names another licence",
        UNSURE,
        "config.json (license) says MIT",
        {**with_card(apache(), license=APACHE), "config.json": '{"license": "mit"}'},
    ),
    Case(
        "a list of files that were collected",
        READY,
        "",
        {
            **with_card(apache(), license=APACHE),
            "TREE_ALL.txt": "LICENSE\na.md\nb.json\nc/\nd.py\n",
        },
    ),
    Case(
        "a base whose own base nothing is shown of",
        UNSURE,
        "example/base is derived from example/root: no evidence for it",
        {
            **with_card(apache(), **DERIVED),
            "base/LICENSE": apache(),
            "base/README.md": card(license=APACHE, base_model="example/root"),
            "record.yaml": f"{RECORD}evidence: [LICENSE, README.md]\n"
            "ancestors: {example/base: base}\n",
        },
    ),
    Case(
        "a card of a data set under another licence, below the weights",
        READY,
        "",
        {**with_card(apache(), license=APACHE), "data/README.md": DATA_CARD},
    ),
    Case(
        "the same card, with weights beside it",
        UNSURE,
        "the sources disagree",
        {
            **with_card(apache(), license=APACHE),
            "data/README.md": DATA_CARD,
            "data/m.safetensors": b"",
        },
    ),
    Case(
        "a licence text that is of the code by its name, alone",
        UNSURE,
        "no licence text, only a name",
        {"LICENSE-CODE": apache(), "README.md": card(license=APACHE)},
    ),
    Case(
        "a card that says the licence of the code, and nothing of the weights",
        UNSURE,
        "states the licence of code alone",
        with_prose("The code is licensed under Apache-2.0."),
    ),
]
