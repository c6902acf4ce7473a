"""Gathering of licence evidence from folders, GGUF files, model cards and records."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from readiness.checks.license.gguf_header import Value, read_header
from readiness.checks.license.license_evidence import (
    LicenseDocument,
    LicenseEvidence,
    LicenseLabel,
    UnreadableFile,
    VendorStatement,
)
from readiness.checks.license.license_prose import derivation, free_license
from readiness.checks.license.license_terms import LicensePermission, terms
from readiness.policy.yaml_reader import PolicyError, PolicyYamlReader
from readiness.resources import contents, fixture, opened, schema, violation

_HEAD = re.compile(r"\s*---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
#: The values of a card or header for a licence whose name is in another field.
ELSEWHERE = ("other", "unknown")
_LICENSE_FIELDS = ("license", "license_name", "license_link")
#: Fields of a card's metadata that speak of a licence.
_LICENSE_FIELD = re.compile(
    r"licen[cs]|terms|us(?:e|age)[ _-]*(?:restrict|polic|limit)|conditions|restrictions|commercial",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:^|\s)#\s*(\S.*)$", re.MULTILINE)


def read_card(text: str, source: str, digest: str) -> LicenseEvidence:
    """The evidence in a model card; without YAML metadata its text is prose only."""
    found = _HEAD.match(text.replace("\r\n", "\n"))
    if not found:
        return LicenseEvidence(other_documents=(LicenseDocument(source, text, digest),))
    try:
        metadata = PolicyYamlReader(source).read(found[1])
    except PolicyError as error:
        return _unreadable(str(error))
    if not isinstance(metadata, dict):
        return _unreadable(f"{source}: its YAML metadata is no mapping")
    body = text.replace("\r\n", "\n")[found.end() :]
    labels = _card_labels(metadata, source)
    said = [*_metadata_prose(metadata), *_other_prose(metadata), *_COMMENT.findall(found[1])]
    prose = "\n\n".join([body, *said, _terms_section(_license_fields(metadata), labels)])
    return LicenseEvidence(
        tuple(_texts(metadata.get("model_name"))),
        labels,
        other_documents=(LicenseDocument(source, prose, digest),),
        base_models=_base_models(metadata, body),
    )


def _unreadable(why: str, digest: str = "") -> LicenseEvidence:
    """Evidence of nothing but a file that cannot be read."""
    return LicenseEvidence(unreadable=(UnreadableFile(why, digest),))


def _card_labels(metadata: dict[str, Any], source: str) -> tuple[LicenseLabel, ...]:
    """The licences that a card's metadata names, in the usual fields and in others."""
    usual = _labels(
        _texts(metadata.get("license")),
        "".join(_texts(metadata.get("license_name"))[:1]),
        _texts(metadata.get("license_link")),
        source,
    )
    return usual + _field_labels(_license_fields(metadata), source)


def _terms_section(said: list[tuple[str, str]], labels: tuple[LicenseLabel, ...]) -> str:
    """What fields on a licence say that is no label of one, as a section; "" if nothing."""
    labelled = {each.license for each in labels}
    rest = [f"{key.replace('_', ' ')}: {each}" for key, each in said if each not in labelled]
    return "\n\n".join(["# Terms", *rest]) if rest else ""


def _license_fields(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """The values of further fields that speak of a licence, each with its field."""
    return [
        (str(key), each)
        for key, value in metadata.items()
        if key not in _LICENSE_FIELDS and not str(key).startswith("extra_gated")
        if _LICENSE_FIELD.search(str(key))
        for each in _leaves(("no", "yes")[value] if isinstance(value, bool) else value)
    ]


def _field_labels(said: list[tuple[str, str]], source: str) -> tuple[LicenseLabel, ...]:
    """The licences in further fields; a sentence that names a free one is prose only."""
    return tuple(
        LicenseLabel(f"{source} ({key})", value)
        for key, value in said
        if "licen" in key.casefold()
        if _is_label(value)
    )


def _is_label(value: str) -> bool:
    """Whether a field's value is a licence's name or link, and no sentence on a free licence."""
    if value.startswith("http"):
        return _leads_elsewhere(value, "")
    is_free = terms(value).permission is LicensePermission.FREE
    return is_free or not free_license(f"License: {value}")


def _base_models(metadata: dict[str, Any], prose: str) -> tuple[str, ...] | None:
    """The base models that a card names; None if only its prose mentions one."""
    named = tuple(_texts(metadata.get("base_model")))
    return None if not named and derivation(prose) else named


def _labels(usual: list[str], own: str, links: list[str], source: str) -> tuple[LicenseLabel, ...]:
    """The licences that a card or a header names, by id, by name and by link."""
    # A card with several licences does not say that one may choose.
    first = " AND ".join(own if each.lower() in ELSEWHERE and own else each for each in usual)
    first = first or own
    labels = [LicenseLabel(source, first)] if first else []
    if own and terms(own).names != terms(first).names:
        labels.append(LicenseLabel(f"{source} (license_name)", own))
    unmatched = [each for each in links if _leads_elsewhere(each, first)]
    return (*labels, *(LicenseLabel(f"{source} (license_link)", each) for each in unmatched))


def _leads_elsewhere(link: str, name: str) -> bool:
    """Whether a link leads to a text that is not the named licence."""
    file = set(_LETTERS.findall(link.rstrip("/").rpartition("/")[2].casefold())) - _COMMON
    maker = "".join(re.findall(r"^[a-z]+", name.casefold()))
    own = len(maker) >= MIN_NAME and maker in link.casefold()
    if own and terms(name).permission is not LicensePermission.FREE:
        return False
    return bool(file) and not file & set(fixture("licenses_prose.yaml")["free"])


def _metadata_prose(metadata: dict[str, Any]) -> Iterator[str]:
    """The texts of a card's access gate and its tags, a sentence each."""
    for key, value in metadata.items():
        if key == "tags" or str(key).startswith("extra_gated"):
            yield from _leaves(value)


def _other_prose(metadata: dict[str, Any]) -> Iterator[str]:
    """The sentences in further fields of a card's metadata, as in `description`."""
    for key, value in metadata.items():
        known = key in ("tags", *_LICENSE_FIELDS) or str(key).startswith("extra_gated")
        if not known and not _LICENSE_FIELD.search(str(key)):
            yield from _sentences_in(value, str(key))


def _leaves(value: Any) -> Iterator[str]:
    """The strings in a value, and the names of its fields."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str):
        yield value


def _texts(value: Any) -> list[str]:
    """The strings of a value that is one string or a list."""
    values = value if isinstance(value, list) else [value]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]


NOTHING = LicenseEvidence()
ACCEPTED_PATHS = (
    "name a model's folder, a GGUF file, a card (README.md), a licence's text or a record (.yaml)"
)
MERGE_CONFIGS = ("mergekit_config.yml", "mergekit_config.yaml")
CONFIGS = ("config.json", "generation_config.json", "adapter_config.json")
MIN_WORDS = 3  # of a value that is a sentence
MIN_SIGNS = 4  # likewise, in Han, kana and Hangul
#: Fields whose values are templates, tokens or samples.
_TEMPLATE = re.compile(
    r"template|prompt|token|example|sample|widget|regex|pattern|model-index|datasets|vocab|path",
    re.I,
)
#: Settings of a program, whose licence is not that of the weights.
_MANIFEST = re.compile(
    r"^(?:package|package-lock|composer|cargo|pyproject|setup|tsconfig|environment|conda|docker|compose"
    r"|mkdocs|codecov|readthedocs|action|vercel|renovate|tokenizer\.json|vocab)"
)
#: Fields that only the card of a data set, or only that of a model has.
_OF_DATA = re.compile(
    r"^(?:dataset_info|task_categories|size_categories|annotations_creators|source_datasets):", re.M
)
_OF_MODEL = re.compile(r"^(?:base_model|library_name|pipeline_tag|model_name|model-index):", re.M)
_WEIGHTS = (".gguf", ".safetensors", ".bin", ".pt", ".pth")
_WEIGHT_FILES = ("config.json", *_WEIGHTS)
_SETTINGS = (".json", ".yaml", ".yml")
MAX_FILE = 2**20  # bytes
MAX_DIGESTED = 2**28  # bytes, of a document of which only the digest is taken
MIN_LIST = 5  # lines
MAX_ENTRY = 300  # characters
MAX_PROSE = 0.2  # of the lines of a list
MAX_DEPTH = 6  # folders
MAX_DOCUMENTS = 200  # text documents of one folder
QUANTIZATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip
# The names of licence texts, of use policies, of notices, and of model cards.
_TERMS = re.compile(
    r"licen[cs]|lizenz|copying|(?<![a-z])(?:terms|eula|tos|rail)(?![a-z])|agreement|addendum"
    r"|许可|許可|授权|授權|协议|協議|条款|條款|ライセンス|規約|許諾|라이선스"
)
_POLICY = re.compile(
    r"us(?:e|age)[ _-]*(?:policy|restrict)|acceptable|prohibited|restrictions"
    r"|使用政策|使用规范|使用限制"
)
_NOTICE = re.compile(r"notice|usage|disclaimer|legal|copyright|声明|聲明|免责|免責")
_CARD = re.compile(r"readme|model[ _-]*card|(?<![a-z])card(?![a-z])|模型卡|说明|說明")
# Suffixes of text documents, and names of files with such a suffix that are code or data.
_PROSE = ("", ".md", ".mdx", ".markdown", ".txt", ".text", ".rst", ".adoc", ".html", ".htm")
_NO_PROSE = re.compile(
    r"vocab|merges|requirements|constraints|cmakelists|makefile|dockerfile|tokens|tokenizer|robots"
)
_DATA = (".json", ".yaml", ".yml", ".toml")
# Suffixes of files that are no prose: license.py is code, and license.svg a badge.
_CODE = (
    *(
        ".py",
        ".pyi",
        ".ipynb",
        ".js",
        ".ts",
        ".sh",
        ".bat",
        ".c",
        ".cc",
        ".cpp",
        ".cu",
        ".h",
        ".hpp",
    ),
    *(".rs", ".go", ".java", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".lock"),
    *(".svg", ".css", ".csv"),
)
_NOT_PLAIN_TEXT = (
    *(".pdf", ".doc", ".docx", ".odt", ".rtf", ".htm", ".html"),
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff"),
)
# Suffixes of documents that no program reads here, and the names of those that are no terms.
_OFFICE = (".pdf", ".doc", ".docx", ".odt", ".rtf")
_PAPER = re.compile(
    r"report|paper|arxiv|slides|poster|fig|plot|chart|curve|loss|supplement|\d{4}\.\d{4,5}"
    r"|(?:^|/)(?:assets|images|imgs?)/"
)
#: An entry of a list of files: a path or a name with a suffix, after a tree's lines, a mode, a
#: size, a digest or a date.
_ENTRY = re.compile(
    r"[-dl][rwx-]{9}\S*\s+\d+(?:\s+\S+){2}\s+[\d.,]+[kmg]?\s+\S+\s+\S+\s+[\d:]+\s.{1,120}"
    r"|[\s│├└─|`+*-]*(?:[\d.,:-]+[kmgtib]*\s+|[0-9a-f]{32,}\s+)*"
    r"(?:[!-~]+|\S[^.!?。！？]{0,60}\.\w{1,12}|[^.!?。！？]{0,60}/)(?:\s+[\d.,]+\s*[kmgtib]*)?\s*",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[a-z0-9]+")
#: Words of a licence link that do not identify the licence.
_COMMON = frozenset(
    {"license", "licence", "copying", "txt", "md", "rst", "html", *map(str, range(10))}
)
#: A shorter word may occur in any address by chance.
MIN_NAME = 4  # letters


class LicenseEvidenceError(ValueError):
    """The evidence that the user names cannot be used; the message says why and what to do."""


def gather(paths: tuple[Path, ...]) -> LicenseEvidence:
    """Gather the licence evidence of one model.

    Raises:
        LicenseEvidenceError: A path does not exist or has no evidence, or a record is invalid.
    """
    return reduce(add, map(_gather_path, paths), NOTHING)


def _gather_path(path: Path) -> LicenseEvidence:
    if path.is_dir():
        files = list(_files(path))
        found = _read_files(path, files)
        where = (
            f"{path}: none of its {len(files)} files is licence evidence"
            if files
            else f"{path}: an empty folder"
        )
    elif path.is_file():
        if path.suffix.lower() in (".yaml", ".yml") and path.name not in MERGE_CONFIGS:
            return read_record(path)
        found, where = read_file(path, path.name), f"{path}: no licence evidence"
    else:
        raise LicenseEvidenceError(f"{path}: no such file or folder")
    if found == NOTHING:
        raise LicenseEvidenceError(f"{where}: {ACCEPTED_PATHS}")
    return found


def _read_files(folder: Path, files: list[Path]) -> LicenseEvidence:
    """The evidence in the files of a folder, and which documents are too deep or too many."""
    found, documents = NOTHING, 0
    for each in files:
        source = _relative(folder, each)
        if not _is_inside(folder, each):
            found += _unreadable(f"{source}: no regular file of the folder")
            continue
        if documents >= MAX_DOCUMENTS or len(Path(source).parts) > MAX_DEPTH:
            why = f"{source}: too many or too deep files: a person must read it and what follows"
            return found + _unreadable(why)
        read = read_file(each, source)
        documents += len(read.license_documents) + len(read.other_documents)
        found += read
    return found


def _is_inside(folder: Path, path: Path) -> bool:
    """Whether a path is a regular file of the folder, and no link that leads out of it.

    Weights, of which only a header is read, may be elsewhere, and so may be what a cache of Hugging
    Face keeps: its folders of a revision have links to the folder `blobs` beside `snapshots`.
    """
    try:
        real, home = path.resolve(strict=True), folder.resolve()
    except (OSError, RuntimeError):
        return False
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
    inside = real.is_relative_to(home) or real.is_relative_to(blobs)
    return real.is_file() and (inside or path.name.endswith(_WEIGHTS))


def _relative(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder))


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder and its subfolders, sorted by name."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        # One level more than is read, so that what is too deep is known.
        folders[:] = folders if len(Path(here).relative_to(folder).parts) < MAX_DEPTH else []
        yield from (Path(here, name) for name in sorted(names))


def read_file(path: Path, source: str) -> LicenseEvidence:
    """The evidence in one file; NOTHING if it is neither licence evidence nor a text document."""
    name, kind = unicodedata.normalize("NFKC", path.name).casefold(), path.suffix.lower()
    if kind == ".gguf":
        return _of_gguf(path, source)
    if name in MERGE_CONFIGS:
        return _of_text(path, source, _merge)
    if name in CONFIGS:
        return _of_text(path, source, _config)
    if kind in _SETTINGS and not _TERMS.search(name):
        return _of_settings(path, source)
    if kind in _CODE and not (kind in _DATA and _TERMS.search(name)):
        return NOTHING
    if _CARD.search(name) and not _TERMS.search(name):
        card = _of_text(path, source, read_card)
        return replace(card, labels=()) if _is_of_data(path, source) else card
    # A folder LICENSES has texts whose names are only the licence's.
    is_evidence = _TERMS.search(source.casefold()) or _POLICY.search(name) or _NOTICE.search(name)
    if is_evidence:
        return _of_text(path, source, _document)
    if kind in _OFFICE and not _PAPER.search(source.casefold()):
        return _unread_document(path, source)
    is_document = kind in _PROSE and not name.startswith(".") and not _NO_PROSE.search(name)
    return _of_text(path, source, _prose) if is_document and _is_text(path) else NOTHING


def _is_of_data(path: Path, source: str) -> bool:
    """Whether a card is of a data set below the folder of the weights, by its metadata."""
    with opened(path) as file:
        text = file.read(MAX_FILE).decode("utf-8", "replace")
    head = _HEAD.match(text.replace("\r\n", "\n"))
    if len(Path(source).parts) == 1 or not head:
        return False
    of_weights = any(each.name.endswith(_WEIGHT_FILES) for each in path.parent.iterdir())
    return bool(_OF_DATA.search(head[1])) and not (_OF_MODEL.search(head[1]) or of_weights)


def _of_settings(path: Path, source: str) -> LicenseEvidence:
    """What JSON or YAML beside the weights says of a licence; NOTHING if it says nothing."""
    near = len(Path(source).parts) == 1 and not _MANIFEST.search(path.name.casefold())
    if not near or path.stat().st_size > MAX_FILE:
        return NOTHING  # Data, or of a program and not of weights.
    try:
        found = _of_text(path, source, _settings)
    except RecursionError:
        return _unreadable(f"{source}: too deep")
    return found if (found.labels or found.other_documents or found.unreadable) else NOTHING


def _settings(text: str, source: str, digest: str) -> LicenseEvidence:
    """The fields on a licence of a JSON or YAML document, and the prose of a configuration."""
    try:
        value = (
            json.loads(text) if source.endswith(".json") else PolicyYamlReader(source).read(text)
        )
    except (ValueError, PolicyError):
        speaks = _LICENSE_FIELD.search(text) and "config" in source.casefold()
        return _unreadable(f"{source}: cannot be parsed") if speaks else NOTHING
    return _fields(value, source, digest) if isinstance(value, dict) else NOTHING


def _fields(config: dict[str, Any], source: str, digest: str) -> LicenseEvidence:
    """What the fields of a configuration say of a licence, and their prose."""
    said = list(_said(config))
    labels = _field_labels(said, source)
    prose = [_terms_section(said, labels)]
    if "config" in source.casefold() or "index" in source.casefold():
        prose += _sentences_in(config)
    text = "\n\n".join(filter(None, prose))
    found = (LicenseDocument(source, text, digest, terms=False),) if text else ()
    return LicenseEvidence(labels=labels, other_documents=found)


def _sentences_in(value: Any, key: str = "") -> Iterator[str]:
    """The values of a configuration that are sentences, and no templates or samples."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _sentences_in(each, str(name))
    elif isinstance(value, list):
        for each in value:
            yield from _sentences_in(each, key)
    elif isinstance(value, str) and not _TEMPLATE.search(key) and _is_sentence(value):
        yield value


def _is_sentence(value: str) -> bool:
    """Whether a value has words with spaces between, or as many signs, and no markup."""
    words = len(re.findall(r"[^\W\d_]{2,}", value))
    signs = len(re.findall("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]", value))
    return (words >= MIN_WORDS and " " in value.strip()) or signs >= MIN_SIGNS


def _unread_document(path: Path, source: str) -> LicenseEvidence:
    """A document that no program reads, by its digest."""
    try:
        digest = hashlib.sha256(contents(path, MAX_DIGESTED)).hexdigest()
    except OSError as error:
        return _unreadable(f"{source}: {error.strerror}")
    why = f"{source}: no plain text: a person must read it"
    return _unreadable(why, digest) + LicenseEvidence(file_digests={source: digest})


def _is_text(path: Path) -> bool:
    """Whether a file starts as text, by its first bytes."""
    with opened(path) as file:
        head = file.read(4096)
    return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" not in head


def _of_text(
    path: Path, source: str, read: Callable[[str, str, str], LicenseEvidence]
) -> LicenseEvidence:
    if path.stat().st_size > MAX_FILE:
        return _unreadable(f"{source}: more than {MAX_FILE:,} bytes")
    data = contents(path, MAX_FILE)
    digest = hashlib.sha256(data).hexdigest()
    text = _decoded(data)
    if "\0" in text or (path.suffix.lower() in _NOT_PLAIN_TEXT and read is not _prose):
        why = f"{source}: no plain text: a person must read it"
        return _unreadable(why, digest) + LicenseEvidence(file_digests={source: digest})
    return read(text, source, digest) + LicenseEvidence(file_digests={source: digest})


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # As in old files with a copyright sign.


def _document(text: str, source: str, digest: str) -> LicenseEvidence:
    name = Path(source).name.casefold()
    is_other = _POLICY.search(name) or _NOTICE.search(name)
    found = LicenseDocument(source, text, digest, terms=bool(_TERMS.search(name) or not is_other))
    use_policies = (source,) if _POLICY.search(name) else ()
    return LicenseEvidence(
        license_documents=(found,),
        other_documents=() if found.terms else (found,),
        use_policies=use_policies,
    )


def _prose(text: str, source: str, digest: str) -> LicenseEvidence:
    """A text document of any other name, whose prose may restrict the use."""
    lines = [each for each in text.splitlines() if each.strip()]
    prose = [each for each in lines if len(each) > MAX_ENTRY or not _ENTRY.fullmatch(each)]
    # Of a vocabulary or a list of files, what is no entry.
    is_list = len(lines) >= MIN_LIST and len(prose) <= MAX_PROSE * len(lines)
    if is_list and not prose:
        return NOTHING
    said = "\n\n".join(prose) if is_list else text
    found = LicenseDocument(source, said, digest, terms=False)
    return LicenseEvidence(other_documents=(found,))


def _merge(text: str, source: str, _digest: str) -> LicenseEvidence:
    """The models that a mergekit configuration merges."""
    try:
        config = PolicyYamlReader(source).read(text)
    except PolicyError as error:
        return _unreadable(str(error))
    return LicenseEvidence(base_models=tuple(dict.fromkeys(_merged(config))))


def _merged(value: Any) -> Iterator[str]:
    """The models that a configuration names, at any depth."""
    if isinstance(value, dict):
        for key in ("model", "base_model"):
            yield from _texts(value.get(key))
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _merged(each)


def _config(text: str, source: str, digest: str) -> LicenseEvidence:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return _unreadable(f"{source}: no JSON")
    if not isinstance(config, dict):
        return _unreadable(f"{source}: no JSON object")
    base = _word(config.get("base_model_name_or_path"))
    name = _word(config.get("_name_or_path"))
    # A path on the vendor's machine does not name the weights.
    origins = (name,) if name and not name.startswith((".", "/")) else ()
    return _fields(config, source, digest) + LicenseEvidence(
        base_models=(base,) if base else None,
        origins=origins,
    )


def _said(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What the fields of a configuration say of a licence, at any depth, each with its field."""
    for key, value in config.items():
        if _LICENSE_FIELD.search(str(key)):
            yield from ((str(key), each) for each in _leaves(value))
        elif isinstance(value, dict):
            yield from _said(value)


def _of_gguf(path: Path, source: str) -> LicenseEvidence:
    try:
        header = read_header(path)
    except ValueError as error:
        return _unreadable(f"{source}: {error}")
    usual, own, link = (
        list(filter(None, [_word(header.get(f"general.{key}"))]))
        for key in ("license", "license.name", "license.link")
    )
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode()).hexdigest()
    return LicenseEvidence(
        names=tuple(filter(None, [_word(header.get("general.name"))])),
        labels=_labels(usual, "".join(own), link, source),
        base_models=_header_base_models(header),
        file_digests={source: digest},
        quantization=_quantization(header.get("general.file_type")),
        weight_bytes=path.stat().st_size,
    )


def _quantization(kind: Value | None) -> str:
    if kind is None:
        return ""
    known = QUANTIZATIONS.get(kind, "") if type(kind) is int else ""
    return known or f"file type {kind!r:.40}"


def _header_base_models(header: Any) -> tuple[str, ...] | None:
    """The base models that a header names; None if it names none."""
    count = header.get("general.base_model.count")
    if not isinstance(count, int):
        return None
    names = []
    for number in range(min(count, 100)):
        at = f"general.base_model.{number}"
        url, maker, name = (
            _word(header.get(f"{at}.{key}")) for key in ("repo_url", "organization", "name")
        )
        # Cards name a base model as its URL ends: organisation/name.
        named = "/".join(filter(None, [maker, name]))
        names.append("/".join(url.rstrip("/").split("/")[-2:]) if url else named)
    return tuple(names)


def _word(value: Value | Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def read_record(path: Path) -> LicenseEvidence:
    """The evidence in a record, with the files that it names.

    Raises:
        LicenseEvidenceError: The record is invalid, or a file's digest is not the recorded one.
    """
    try:
        content = contents(path, MAX_FILE)
        record = PolicyYamlReader(str(path)).read(content.decode("utf-8-sig"))
    except (PolicyError, UnicodeDecodeError) as error:
        raise LicenseEvidenceError(f"{path}: {error}") from error
    if wrong := violation(record, schema("license")):
        raise LicenseEvidenceError(f"{path}: {wrong.json_path}: {wrong.message:.200}")
    folder = path.parent
    ancestors = record.get("ancestors", {})
    base_models = record.get("base_models", tuple(ancestors) or None)
    own = LicenseEvidence(
        names=(record["model"],),
        labels=tuple(
            LicenseLabel(each["source"], each["license"]) for each in record.get("says", ())
        ),
        reviewed_digests=frozenset(
            _reviewed_digest(folder, each) for each in record.get("read", ())
        ),
        base_models=tuple(base_models) if base_models is not None else None,
        ancestors={name: gather((_within(folder, where),)) for name, where in ancestors.items()},
        statements=tuple(_statement(folder, each) for each in record.get("statements", ())),
        file_digests={path.name: hashlib.sha256(content).hexdigest()},
    )
    return own + gather(tuple(_within(folder, each) for each in record.get("evidence", ())))


def _within(folder: Path, where: str) -> Path:
    """A path below the record's folder, but not that folder, which has the record itself."""
    path = (folder / where).resolve()
    if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
        raise LicenseEvidenceError(f"{where}: name something below the folder of the record")
    return path


def _reviewed_digest(folder: Path, review: dict[str, Any]) -> str:
    digest = _digest(folder, review["file"])
    if digest != review["sha256"]:
        raise LicenseEvidenceError(
            f"{review['file']}: its SHA-256 is {digest or 'none'}, "
            f"and {review['sha256']:.12}... is what {review['by']} has read"
        )
    return digest


def _statement(folder: Path, statement: dict[str, Any]) -> VendorStatement:
    day = statement["date"]
    try:
        read = day if isinstance(day, date) else date.fromisoformat(day)
    except ValueError as error:
        raise LicenseEvidenceError(f"{statement['url']}: {day!r:.40} is no date") from error
    return VendorStatement(
        statement["url"], read, _digest(folder, statement["file"]) == statement["sha256"]
    )


def _digest(folder: Path, name: str) -> str:
    path = _within(folder, name)
    return hashlib.sha256(contents(path, MAX_DIGESTED)).hexdigest() if path.is_file() else ""
