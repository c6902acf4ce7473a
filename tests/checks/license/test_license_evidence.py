"""Reading of evidence: GGUF headers and model cards, compared with the established libraries."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from gguf import GGUFReader, GGUFWriter
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.checks.license.gather import LicenseEvidenceError, gather, read_card
from readiness.checks.license.gguf_header import read_header
from readiness.checks.license.license_terms import LicensePermission, terms
from readiness.checks.license.license_text import canonical_texts, compare
from readiness.checks.license.scoring import score_base_models
from readiness.mutants.license.evidence import apache, canonical, card, header
from readiness.score import PASSED

RECORD = "schema: readiness-license/1\nmodel: m\n"
METADATA: dict[str, str | int] = {
    "general.license": "apache-2.0",
    "general.name": "Müller 7B",
    "general.base_model.count": 1,
    "general.base_model.0.repo_url": "https://models.example/a/b",
    "general.file_type": 15,
}


def test_a_header_is_read_as_by_the_library(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(header(METADATA))
    fields = GGUFReader(path).fields
    theirs = {key: field.contents() for key, field in fields.items() if key.startswith("general")}
    assert read_header(path) == theirs == METADATA


def test_a_header_written_by_the_library_is_read(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.add_license("mit")
    writer.add_token_list(["<s>", "a"] * 1000)
    writer.add_token_scores([0.5] * 2000)
    writer.add_float32("general.own", 1.5)
    writer.add_bool("general.sure", True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert read_header(tmp_path / "m.gguf") == {
        "general.architecture": "llama",
        "general.license": "mit",
        "general.own": 1.5,
        "general.sure": True,
    }


def test_a_header_states_base_models_and_quantization(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(header(METADATA))
    found = gather((tmp_path / "m.gguf",))
    assert (found.base_models, found.quantization) == (("a/b",), "Q4_K_M")


@given(st.binary(max_size=64), st.integers(0, 200))
def test_invalid_headers_are_rejected_without_a_crash(noise: bytes, cut: int) -> None:
    whole = header({"general.license": "mit"})
    with TemporaryDirectory() as folder:
        path = Path(folder, "m.gguf")
        path.write_bytes(whole[:cut] + noise)
        try:
            found = read_header(path)
        except ValueError:
            return
    assert [key for key in found if not key.startswith("general.")] == []


@pytest.mark.parametrize(
    "text",
    [
        card(license="mit"),
        card(license="[mit, apache-2.0]"),
        card(license="other", license_name="x"),
        card(license="mit", base_model="a/b"),
        card(license="mit", base_model="[a/b, c/d]"),
    ],
)
def test_a_card_is_read_as_by_huggingface_hub(text: str) -> None:
    data: Any = ModelCard(text).data
    theirs = data.to_dict()
    ours = read_card(text, "README.md", "")
    licenses = theirs["license"] if isinstance(theirs["license"], list) else [theirs["license"]]
    named = [theirs.get("license_name")] if licenses == ["other"] else licenses
    assert [each.license for each in ours.labels] == [" AND ".join(named)]
    bases = theirs.get("base_model", [])
    assert ours.base_models == tuple([bases] if isinstance(bases, str) else bases)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.yaml", "schema: readiness-license/1\n", "'model' is a required property"),
        ("m.yaml", "a: *b\n", "*b is an alias"),
        ("m.yaml", "schema: readiness-license/1\nmodel: m\nevidence: [../x]\n", "below the folder"),
        ("m.yaml", "schema: readiness-license/1\nmodel: m\nevidence: [.]\n", "below the folder"),
        ("m.py", "hello", "no licence evidence"),
    ],
)
def test_invalid_evidence_is_a_usage_error(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LicenseEvidenceError) as raised:
        gather((tmp_path / name,))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "an empty folder"),
        (["a.png", "b.jpg"], "none of its 2 files is licence evidence"),
        (["model.safetensors", "tokenizer.json"], "none of its 2 files is licence evidence"),
    ],
)
def test_a_folder_without_evidence_is_a_usage_error(
    files: list[str], said: str, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).write_bytes(b"\x89PNG")
    with pytest.raises(LicenseEvidenceError) as raised:
        gather((tmp_path,))
    assert str(raised.value) == (
        f"{tmp_path}: {said}: name a model's folder, a GGUF file, a card (README.md), a licence's "
        "text or a record (.yaml)"
    )


def test_an_ancestor_without_evidence_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "r.yaml").write_text(f"{RECORD}ancestors: {{example/base: base}}\n")
    with pytest.raises(LicenseEvidenceError, match="base: an empty folder"):
        gather((tmp_path / "r.yaml",))


@pytest.mark.parametrize(
    "record",
    [
        "ancestors: {example/base: base}\n",
        "ancestors: {example/base: base}\nbase_models: [base]\n",
        "ancestors: {Base: base}\nbase_models: [example/base]\n",
        "ancestors: {EXAMPLE/Base: base}\nbase_models: [example/base]\n",
    ],
)
def test_an_ancestor_that_the_record_lists_has_evidence(record: str, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    for folder in (tmp_path, tmp_path / "base"):
        (folder / "LICENSE").write_text(apache())
        (folder / "README.md").write_text(card(license="apache-2.0"))
    (tmp_path / "r.yaml").write_text(f"{RECORD}evidence: [LICENSE, README.md]\n{record}")
    assert score_base_models(gather((tmp_path / "r.yaml",)), ()) == PASSED


def test_a_record_may_list_ancestors_of_ancestors_in_one_place(tmp_path: Path) -> None:
    for name, base in (("base", "example/root"), ("root", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "LICENSE").write_text(apache())
        said = {"base_model": base} if base else {}
        (tmp_path / name / "README.md").write_text(card(license="apache-2.0", **said))
    listed = "base_models: [example/base]\nancestors: {example/base: base, example/root: root}\n"
    (tmp_path / "r.yaml").write_text(RECORD + listed)
    assert score_base_models(gather((tmp_path / "r.yaml",)), ()) == PASSED


def test_models_of_two_organisations_with_one_name_are_different(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "README.md").write_text(card(license="apache-2.0"))
    listed = "base_models: [one/base]\nancestors: {two/base: base}\n"
    (tmp_path / "r.yaml").write_text(RECORD + listed)
    assert (
        "one/base: no evidence for it"
        in score_base_models(gather((tmp_path / "r.yaml",)), ()).reason
    )


WORDS = [
    "licence",
    "LICENSE",
    "Model",
    "agreement",
    "terms",
    "EULA",
    "v1.0",
    "weights",
    "最终",
    "许可",
]


@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    st.sampled_from([" ", "-", "_", "."]),
    st.sampled_from(["", ".md", ".txt", ".MD", ".model", ".pdf", ".docx"]),
)
def test_a_file_named_like_terms_is_never_skipped(parts: list[str], joint: str, kind: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{joint.join(parts)}{kind}")
        path.write_text("The licensor grants you a licence under this document.\n")
        (Path(folder) / "config.json").write_text("{}")
        found = gather((Path(folder),))
    term_words = set(parts) - {"Model", "v1.0", "weights", "最终"}
    assert len([each for each in found.license_documents if each.terms]) + len(
        found.unreadable
    ) == bool(term_words or kind in (".pdf", ".docx"))


TREES = [
    "LICENSE\nREADME.md\nconfig.json\nmodel-00001-of-00002.safetensors\ntokenizer.json\n",
    ".\n├── LICENSE\n├── README.md\n├── docs\n│   └── usage notes.md\n└── config.json\n",
    (
        "-rw-r--r-- 1 root root 11358 Nov 29 20:01 LICENSE\n"
        "-rw-r--r-- 1 root root  1204 Nov 29 20:01 README.md\n"
        "-rw-r--r-- 1 root root   650 Nov 29 20:01 MODEL LICENSE.txt\n"
        "drwxr-xr-x 2 root root  4096 Nov 29 20:01 docs\n"
        "-rw-r--r-- 1 root root   650 Nov 29 20:01 config.json\n"
    ),
    "11358 LICENSE\n1204 README.md\n650 示例/许可协议.md\n4,2K\tdocs/\n650 config.json\n",
    "".join(f"{at:064x}  part {at}/weights.bin\n" for at in range(6)),
]


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("rider", ["Not for sale without our consent.", "仅老师可用。", ""])
def test_of_a_list_of_files_only_what_is_no_file_is_prose(
    tree: str, rider: str, tmp_path: Path
) -> None:
    (tmp_path / "LICENSE").write_text(apache())
    (tmp_path / "TREE_ALL.txt").write_text(tree + rider)
    said = [each.text for each in gather((tmp_path,)).other_documents]
    assert said == ([rider] if rider else [])


@pytest.mark.parametrize(
    ("name", "unread"),
    [
        ("AUP.pdf", True),
        ("Conditions of Sale.docx", True),
        ("notes.rtf", True),
        ("Technical_Report.pdf", False),
        ("2401.01234.pdf", False),
        ("assets/overview.pdf", False),
    ],
)
def test_a_document_that_is_no_text_is_read_by_a_person_unless_it_is_a_paper(
    name: str, unread: bool, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"%PDF-1.7\n\0")
    (tmp_path / "LICENSE").write_text(apache())
    assert bool(gather((tmp_path,)).unread) is unread
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    read = f"read: [{{file: {name!r}, sha256: {digest}, by: legal, date: 2026-11-01}}]\n"
    (tmp_path / "r.yaml").write_text(f"{RECORD}evidence: [LICENSE, {name!r}]\n{read}")
    if unread:
        assert gather((tmp_path / "r.yaml",)).unread == []


@pytest.mark.parametrize(
    ("said", "labels", "prose"),
    [
        ({"license": "mit"}, ["mit"], []),
        ({"license": {"name": "deepseek"}}, ["name", "deepseek"], []),
        ({"model_license": "llama3.1"}, ["llama3.1"], []),
        ({"usage_terms": "ask first"}, [], ["# Terms\n\nusage terms: ask first"]),
        ({"hidden_size": 64, "use_cache": True}, [], []),
    ],
)
def test_a_configuration_may_speak_of_a_licence(
    said: dict[str, Any], labels: list[str], prose: list[str], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(said))
    (tmp_path / "LICENSE").write_text(apache())
    found = gather((tmp_path,))
    assert [each.license for each in found.labels] == labels
    assert [each.text for each in found.other_documents] == prose


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"license": "mit"}, ["mit"]),
        ({"license": "mit", "license_name": "deepseek"}, ["mit", "deepseek"]),
        ({"license": "mit", "license_name": "MIT License"}, ["mit"]),
        ({"license": "other", "license_name": "deepseek"}, ["deepseek"]),
        ({"license_name": "deepseek"}, ["deepseek"]),
        ({"license": "other", "license_link": "LICENSE"}, ["other"]),
        ({"license": "mit", "license_link": "LICENSE-MODEL"}, ["mit", "LICENSE-MODEL"]),
        ({"license": "mit", "license_link": "https://x.example/a/LICENSE.txt"}, ["mit"]),
        ({"license": "apache-2.0", "license_link": "LICENSE-MIT"}, ["apache-2.0"]),
        ({"license": "mit", "license_link": "TERMS.pdf"}, ["mit", "TERMS.pdf"]),
        ({"license": "gemma", "license_link": "https://x.example/gemma/terms"}, ["gemma"]),
    ],
)
def test_a_card_may_name_a_licence_in_three_fields(said: dict[str, str], named: list[str]) -> None:
    found = read_card(card(**said), "README.md", "")
    assert [each.license for each in found.labels] == named


def test_a_reviewed_text_must_have_the_recorded_digest(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("of our own")
    read = f"read: [{{file: LICENSE, sha256: {'a' * 64}, by: legal, date: 2026-11-01}}]\n"
    (tmp_path / "r.yaml").write_text(f"schema: readiness-license/1\nmodel: m\n{read}")
    with pytest.raises(
        LicenseEvidenceError, match=r"and aaaaaaaaaaaa\.\.\. is what legal has read"
    ):
        gather((tmp_path / "r.yaml",))


@given(st.data())
def test_a_word_added_anywhere_is_detected(data: st.DataObject) -> None:
    words = canonical(data.draw(st.sampled_from(["MIT", "BSD-3-Clause"]))).split()
    at = data.draw(st.integers(0, len(words)))
    rider = data.draw(st.sampled_from(["not", "noncommercial", "only", "禁止", "research use"]))
    changed = " ".join([*words[:at], rider, *words[at:]])
    assert not compare(changed).exact


def under(line: str) -> str:
    """The text of MIT with this copyright line."""
    return f"MIT License\n\nCopyright (c) {line}\n\n" + canonical("MIT").partition("\n\n")[2]


@pytest.mark.parametrize(
    "holder",
    [
        "2026 Microsoft Research",
        "2023 Allen Institute for AI",
        "2025 The Example Authors and contributors",
        "2022 The HuggingFace Inc. team",
        "2024 Example GmbH & Co. KG",
        "2025 Fundación Ejemplo",
        "2026 北京示例科技有限公司",
    ],
)
def test_a_copyright_holder_may_have_any_name(holder: str) -> None:
    assert compare(under(holder)).exact


@pytest.mark.parametrize(
    "rider",
    [
        "solely academic",
        "trial copy",
        "NC edition",
        "for teaching",
        "never in products",
        "students and teachers",
        "sale forbidden",
        "hosted services excluded",
        "ask first",
        "contact sales first",
        "solo investigación",
        "expires 2027",
        "仅限研究",
        "授权使用",
        "不得商用",
    ],
)
def test_a_copyright_line_with_a_rider_is_no_notice(rider: str) -> None:
    assert not compare(under(f"2026 Acme, {rider}")).exact


@settings(max_examples=25)
@given(st.data())
def test_layout_does_not_matter(data: st.DataObject) -> None:
    words = apache().split()
    spaces = data.draw(st.lists(st.sampled_from([" ", "\n", "\r\n", "\t", " \n> "]), min_size=8))
    text = "".join(word + spaces[at % len(spaces)] for at, word in enumerate(words))
    assert compare(text).exact


def test_every_canonical_text_matches_itself() -> None:
    for text in canonical_texts():
        assert compare(canonical(text.license)).license == text.license
    assert [each.license for each in canonical_texts()] == [
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "MIT",
    ]


@pytest.mark.parametrize(
    ("said", "permission", "conditions"),
    [
        ("Apache 2.0", LicensePermission.FREE, set()),
        ("unlicense", LicensePermission.FREE, set()),
        ("mit AND cc-by-nc-4.0", LicensePermission.FORBIDDEN, set()),
        ("llama3.1 OR MIT", LicensePermission.FREE, set()),
        (
            "GPL-2.0-or-later WITH Classpath-exception-2.0",
            LicensePermission.CONDITIONAL,
            {"copyleft"},
        ),
        ("tongyi-qianwen", LicensePermission.CONDITIONAL, {"qwen-mau-100m"}),
        ("unknown", LicensePermission.UNKNOWN, set()),
        ("apache-2.0 AND", LicensePermission.UNKNOWN, set()),
        ("", LicensePermission.UNKNOWN, set()),
    ],
)
def test_a_name_has_its_terms(
    said: str, permission: LicensePermission, conditions: set[str]
) -> None:
    found = terms(said)
    assert (found.permission, set(found.conditions)) == (permission, conditions)
