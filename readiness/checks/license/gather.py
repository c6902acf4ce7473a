"""Gathering of licence evidence from folders, GGUF files, model cards and records."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
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
    VendorStatement,
)
from readiness.checks.license.license_prose import derivation, free_license
from readiness.checks.license.license_terms import LicensePermission, terms
from readiness.policy.yaml_reader import PolicyError, PolicyYamlReader
from readiness.resources import fixture, schema, violation

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
        return LicenseEvidence(unreadable=(str(error),))
    if not isinstance(metadata, dict):
        return LicenseEvidence(unreadable=(f"{source}: its YAML metadata is no mapping",))
    body = text.replace("\r\n", "\n")[found.end() :]
    labels = _card_labels(metadata, source)
    prose = "\n\n".join([body, *_metadata_prose(metadata, labels), *_COMMENT.findall(found[1])])
    return LicenseEvidence(
        tuple(_texts(metadata.get("model_name"))),
        labels,
        other_documents=(LicenseDocument(source, prose, digest),),
        base_models=_base_models(metadata, body),
    )


def _card_labels(metadata: dict[str, Any], source: str) -> tuple[LicenseLabel, ...]:
    """The licences that a card's metadata names, in the usual fields and in others."""
    usual = _labels(
        _texts(metadata.get("license")),
        "".join(_texts(metadata.get("license_name"))[:1]),
        _texts(metadata.get("license_link")),
        source,
    )
    return usual + _field_labels(_license_fields(metadata), source)


def _metadata_prose(metadata: dict[str, Any], labels: tuple[LicenseLabel, ...]) -> Iterator[str]:
    """What a card's metadata says in words: its gate, its tags, and fields that are no label."""
    yield from _gating_texts(metadata)
    labelled = {each.license for each in labels}
    for key, value in _license_fields(metadata):
        if value not in labelled:
            yield f"{key.replace('_', ' ')}: {value}"


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


def _gating_texts(metadata: dict[str, Any]) -> Iterator[str]:
    """The texts of a card's access gate and its tags, a sentence each."""
    for key, value in metadata.items():
        if key == "tags" or str(key).startswith("extra_gated"):
            yield from _leaves(value)


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
MAX_FILE = 2**20  # bytes
MIN_LIST = 5  # lines
MAX_LISTED = 1.5  # words a line
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
        if documents >= MAX_DOCUMENTS or len(Path(source).parts) > MAX_DEPTH:
            why = f"{source}: too many or too deep files: a person must read it and what follows"
            return found + LicenseEvidence(unreadable=(why,))
        read = read_file(each, source)
        documents += len(read.license_documents) + len(read.other_documents)
        found += read
    return found


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
    if kind in _CODE and not (kind in _DATA and _TERMS.search(name)):
        return NOTHING
    if _CARD.search(name) and not _TERMS.search(name):
        return _of_text(path, source, read_card)
    # A folder LICENSES has texts whose names are only the licence's.
    is_evidence = _TERMS.search(source.casefold()) or _POLICY.search(name) or _NOTICE.search(name)
    if is_evidence:
        return _of_text(path, source, _document)
    is_document = kind in _PROSE and not name.startswith(".") and not _NO_PROSE.search(name)
    return _of_text(path, source, _prose) if is_document and _is_text(path) else NOTHING


def _is_text(path: Path) -> bool:
    """Whether a file starts as text, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(4096)
    return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" not in head


def _of_text(
    path: Path, source: str, read: Callable[[str, str, str], LicenseEvidence]
) -> LicenseEvidence:
    if path.stat().st_size > MAX_FILE:
        return LicenseEvidence(unreadable=(f"{source}: more than {MAX_FILE:,} bytes",))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    text = _decoded(data)
    if "\0" in text or (path.suffix.lower() in _NOT_PLAIN_TEXT and read is not _prose):
        why = f"{source}: no plain text: a person must read it"
        return LicenseEvidence(unreadable=(why,), file_digests={source: digest})
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
    lines = [each.split() for each in text.splitlines() if each.strip()]
    is_list = len(lines) >= MIN_LIST and sum(map(len, lines)) <= MAX_LISTED * len(lines)
    if is_list and text.isascii():
        return NOTHING  # A vocabulary or a list of files.
    found = LicenseDocument(source, text, digest, terms=False)
    return LicenseEvidence(other_documents=(found,))


def _merge(text: str, source: str, _digest: str) -> LicenseEvidence:
    """The models that a mergekit configuration merges."""
    try:
        config = PolicyYamlReader(source).read(text)
    except PolicyError as error:
        return LicenseEvidence(unreadable=(str(error),))
    return LicenseEvidence(base_models=tuple(dict.fromkeys(_merged(config))))


def _merged(value: Any) -> Iterator[str]:
    """The models that a configuration names, at any depth."""
    if isinstance(value, dict):
        for key in ("model", "base_model"):
            yield from _texts(value.get(key))
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _merged(each)


def _config(text: str, source: str, _digest: str) -> LicenseEvidence:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return LicenseEvidence(unreadable=(f"{source}: no JSON",))
    if not isinstance(config, dict):
        return LicenseEvidence(unreadable=(f"{source}: no JSON object",))
    base = _word(config.get("base_model_name_or_path"))
    name = _word(config.get("_name_or_path"))
    # A path on the vendor's machine does not name the weights.
    origins = (name,) if name and not name.startswith((".", "/")) else ()
    said = [(key, _word(config.get(key))) for key in ("license", "_license")]
    labels = tuple(LicenseLabel(f"{source} ({key})", each) for key, each in said if each)
    return LicenseEvidence(labels=labels, base_models=(base,) if base else None, origins=origins)


def _of_gguf(path: Path, source: str) -> LicenseEvidence:
    try:
        header = read_header(path)
    except ValueError as error:
        return LicenseEvidence(unreadable=(f"{source}: {error}",))
    usual, own, link = (
        list(filter(None, [_word(header.get(f"general.{key}"))]))
        for key in ("license", "license.name", "license.link")
    )
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode()).hexdigest()
    kind = header.get("general.file_type")
    return LicenseEvidence(
        names=tuple(filter(None, [_word(header.get("general.name"))])),
        labels=_labels(usual, "".join(own), link, source),
        base_models=_header_base_models(header),
        file_digests={source: digest},
        quantization=QUANTIZATIONS.get(int(kind), f"file type {kind}") if kind is not None else "",
        weight_bytes=path.stat().st_size,
    )


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
        record = PolicyYamlReader(str(path)).read(path.read_text("utf-8-sig"))
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
        file_digests={path.name: hashlib.sha256(path.read_bytes()).hexdigest()},
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
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
