"""Evidence of the licence, gathered from folders, GGUF files, model cards and records."""

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
from readiness.checks.license.license_prose import derivation
from readiness.checks.license.license_terms import Standing, terms
from readiness.policy.yaml_reader import PolicyError, PolicyYamlReader
from readiness.resources import fixture, schema, violation

_HEAD = re.compile(r"\s*---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
#: A card or a header says one of these where the licence has a name of its own.
ELSEWHERE = ("other", "unknown")


def read_card(text: str, source: str, digest: str) -> LicenseEvidence:
    """What a model card says; one without YAML at its head says nothing."""
    found = _HEAD.match(text.replace("\r\n", "\n"))
    if not found:
        return LicenseEvidence(other_documents=(LicenseDocument(source, text, digest),))
    try:
        said = PolicyYamlReader(source).read(found[1])
    except PolicyError as error:
        return LicenseEvidence(unreadable=(str(error),))
    if not isinstance(said, dict):
        return LicenseEvidence(unreadable=(f"{source}: the YAML at its head is no mapping",))
    names = tuple(_texts(said.get("model_name")))
    prose = "\n\n".join([text[found.end() :], *_asked(said)])
    return LicenseEvidence(
        names,
        _named(
            _texts(said.get("license")),
            "".join(_texts(said.get("license_name"))[:1]),
            _texts(said.get("license_link")),
            source,
        ),
        other_documents=(LicenseDocument(source, prose, digest),),
        parents=_bases(said, text[found.end() :]),
    )


def _bases(said: dict[str, Any], prose: str) -> tuple[str, ...] | None:
    """The models that a card names as its model's base; None where only its prose tells of one."""
    named = tuple(_texts(said.get("base_model")))
    return None if not named and derivation(prose) else named


def _named(usual: list[str], own: str, links: list[str], source: str) -> tuple[LicenseLabel, ...]:
    """The licences that a card or a header names, by an id, a name of its own, and a link."""
    # Of several, a card does not say that one may choose.
    first = " AND ".join(own if each.lower() in ELSEWHERE and own else each for each in usual)
    first = first or own
    labels = [LicenseLabel(source, first)] if first else []
    if own and terms(own).names != terms(first).names:
        labels.append(LicenseLabel(f"{source} (license_name)", own))
    strange = [each for each in links if _leads_elsewhere(each, first)]
    return (*labels, *(LicenseLabel(f"{source} (license_link)", each) for each in strange))


def _leads_elsewhere(link: str, name: str) -> bool:
    """Whether a link leads to another text than the licence of that name, or one with none."""
    file = set(_LETTERS.findall(link.rstrip("/").rpartition("/")[2].casefold())) - _COMMON
    maker = "".join(re.findall(r"^[a-z]+", name.casefold()))
    own = len(maker) >= SHORTEST_NAME and maker in link.casefold()
    if own and terms(name).standing is not Standing.FREE:
        return False
    return bool(file) and not file & set(fixture("licenses_prose.yaml")["free"])


def _asked(said: dict[str, Any]) -> Iterator[str]:
    """What a card asks of whoever would have the weights, and its tags: a sentence each."""
    for key, value in said.items():
        if key == "tags" or str(key).startswith("extra_gated"):
            yield from _leaves(value)


def _leaves(value: Any) -> Iterator[str]:
    """The texts in a value, and the names of its fields."""
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
    """The texts of a value that may be one, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]


NOTHING = LicenseEvidence()
WANTED = (
    "name a model's folder, a GGUF file, a card (README.md), a licence's text or a record (.yaml)"
)
RECIPES = ("mergekit_config.yml", "mergekit_config.yaml")
LARGEST = 2**20  # bytes
DEEPEST = 2  # folders
QUANTIZATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip
# The names of what states terms, of what restricts the use or may do so in passing, and of cards.
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
# What is no text for people: license.py is code, and license.svg a badge.
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
_PRINTED = (
    *(".pdf", ".doc", ".docx", ".odt", ".rtf", ".htm", ".html"),
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff"),
)
_LETTERS = re.compile(r"[a-z0-9]+")
#: Words of a link to a licence that tell nothing of which one it is.
_COMMON = frozenset(
    {"license", "licence", "copying", "txt", "md", "rst", "html", *map(str, range(10))}
)
#: A shorter word may stand in any address by chance.
SHORTEST_NAME = 4  # letters


class LicenseEvidenceError(ValueError):
    """What is wrong with the evidence that the user names, and what would do."""


def gather(paths: tuple[Path, ...]) -> LicenseEvidence:
    """All that there is to show of one model's licence.

    Raises:
        LicenseEvidenceError: There is no such file, or a record says something else than it may.
    """
    return reduce(add, map(_gather, paths), NOTHING)


def _gather(path: Path) -> LicenseEvidence:
    if path.is_dir():
        files = list(_files(path))
        found = reduce(add, (read_file(each, _below(path, each)) for each in files), NOTHING)
        where = (
            f"{path}: none of its {len(files)} files tells of a licence"
            if files
            else f"{path}: an empty folder"
        )
    elif path.is_file():
        if path.suffix.lower() in (".yaml", ".yml") and path.name not in RECIPES:
            return read_record(path)
        found, where = read_file(path, path.name), f"{path}: no evidence of a licence"
    else:
        raise LicenseEvidenceError(f"{path}: no such file or folder")
    if found == NOTHING:
        raise LicenseEvidenceError(f"{where}: {WANTED}")
    return found


def _below(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder))


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder, those below it included, in the order of their names."""
    for here, folders, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        seen = (each for each in folders if not each.startswith("."))
        folders[:] = sorted(seen) if depth < DEEPEST - 1 else []
        yield from (Path(here, name) for name in sorted(names))


def read_file(path: Path, source: str) -> LicenseEvidence:
    """What one file has to show; nothing where it is none of those that tell of a licence."""
    name, kind = unicodedata.normalize("NFKC", path.name).casefold(), path.suffix.lower()
    if kind == ".gguf":
        return _of_gguf(path, source)
    if name in ("config.json", "adapter_config.json"):
        return _of_text(path, source, _config)
    if name in RECIPES:
        return _of_text(path, source, _merge)
    if kind in _CODE:
        return NOTHING
    if _CARD.search(name) and not _TERMS.search(name):
        return _of_text(path, source, read_card)
    # A folder LICENSES has texts that are named by the licence alone.
    told = _TERMS.search(source.casefold()) or _POLICY.search(name) or _NOTICE.search(name)
    return _of_text(path, source, _document) if told else NOTHING


def _of_text(
    path: Path, source: str, read: Callable[[str, str, str], LicenseEvidence]
) -> LicenseEvidence:
    if path.stat().st_size > LARGEST:
        return LicenseEvidence(unreadable=(f"{source}: more than {LARGEST:,} bytes",))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    text = _decoded(data)
    if path.suffix.lower() in _PRINTED or "\0" in text:
        why = f"{source}: no plain text: a person has to read it"
        return LicenseEvidence(unreadable=(why,), files={source: digest})
    return read(text, source, digest) + LicenseEvidence(files={source: digest})


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # As copyright signs were once written.


def _document(text: str, source: str, digest: str) -> LicenseEvidence:
    name = Path(source).name.casefold()
    beside = _POLICY.search(name) or _NOTICE.search(name)
    found = LicenseDocument(source, text, digest, terms=bool(_TERMS.search(name) or not beside))
    policies = (source,) if _POLICY.search(name) else ()
    return LicenseEvidence(
        license_documents=(found,),
        other_documents=() if found.terms else (found,),
        policies=policies,
    )


def _merge(text: str, source: str, _digest: str) -> LicenseEvidence:
    """What a recipe of mergekit merges."""
    try:
        said = PolicyYamlReader(source).read(text)
    except PolicyError as error:
        return LicenseEvidence(unreadable=(str(error),))
    return LicenseEvidence(parents=tuple(dict.fromkeys(_merged(said))))


def _merged(value: Any) -> Iterator[str]:
    """The models that a recipe names, wherever they stand in it."""
    if isinstance(value, dict):
        for key in ("model", "base_model"):
            yield from _texts(value.get(key))
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _merged(each)


def _config(text: str, source: str, _digest: str) -> LicenseEvidence:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return LicenseEvidence(unreadable=(f"{source}: no JSON",))
    if not isinstance(said, dict):
        return LicenseEvidence(unreadable=(f"{source}: no JSON object",))
    parent = _word(said.get("base_model_name_or_path"))
    name = _word(said.get("_name_or_path"))
    # What a folder calls itself in another's work place tells nothing of the weights.
    names = (name,) if name and not name.startswith((".", "/")) else ()
    return LicenseEvidence(names=names, parents=(parent,) if parent else None)


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
        labels=_named(usual, "".join(own), link, source),
        parents=_parents(header),
        files={source: digest},
        quantization=QUANTIZATIONS.get(int(kind), f"file type {kind}") if kind is not None else "",
        bytes=path.stat().st_size,
    )


def _parents(header: Any) -> tuple[str, ...] | None:
    """The models that a header names as its own model's base; None where it is silent."""
    count = header.get("general.base_model.count")
    if not isinstance(count, int):
        return None
    names = []
    for number in range(min(count, 100)):
        at = f"general.base_model.{number}"
        url, maker, name = (
            _word(header.get(f"{at}.{key}")) for key in ("repo_url", "organization", "name")
        )
        # The card of the same model names its base as the address ends: organisation/name.
        named = "/".join(filter(None, [maker, name]))
        names.append("/".join(url.rstrip("/").split("/")[-2:]) if url else named)
    return tuple(names)


def _word(value: Value | Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def read_record(path: Path) -> LicenseEvidence:
    """What a record says, with the files that it names.

    Raises:
        LicenseEvidenceError: It is not such a record, or a file is not the one that it speaks of.
    """
    try:
        said = PolicyYamlReader(str(path)).read(path.read_text("utf-8-sig"))
    except (PolicyError, UnicodeDecodeError) as error:
        raise LicenseEvidenceError(f"{path}: {error}") from error
    if wrong := violation(said, schema("license")):
        raise LicenseEvidenceError(f"{path}: {wrong.json_path}: {wrong.message:.200}")
    folder = path.parent
    ancestors = said.get("ancestors", {})
    parents = said.get("base_models", tuple(ancestors) or None)
    own = LicenseEvidence(
        names=(said["model"],),
        labels=tuple(
            LicenseLabel(each["source"], each["license"]) for each in said.get("says", ())
        ),
        reviewed_digests=frozenset(_read(folder, each) for each in said.get("read", ())),
        parents=tuple(parents) if parents is not None else None,
        ancestors={name: gather((_within(folder, where),)) for name, where in ancestors.items()},
        statements=tuple(_statement(folder, each) for each in said.get("statements", ())),
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest()},
    )
    return own + gather(tuple(_within(folder, each) for each in said.get("evidence", ())))


def _within(folder: Path, where: str) -> Path:
    """A place beside the record. A record does not lead back to itself."""
    path = (folder / where).resolve()
    if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
        raise LicenseEvidenceError(f"{where}: name something below the folder of the record")
    return path


def _read(folder: Path, said: dict[str, Any]) -> str:
    digest = _digest(folder, said["file"])
    if digest != said["sha256"]:
        raise LicenseEvidenceError(
            f"{said['file']}: its SHA-256 is {digest or 'none'}, "
            f"and {said['sha256']:.12}... is what {said['by']} has read"
        )
    return digest


def _statement(folder: Path, said: dict[str, Any]) -> VendorStatement:
    day = said["date"]
    try:
        read = day if isinstance(day, date) else date.fromisoformat(day)
    except ValueError as error:
        raise LicenseEvidenceError(f"{said['url']}: {day!r:.40} is no date") from error
    return VendorStatement(said["url"], read, _digest(folder, said["file"]) == said["sha256"])


def _digest(folder: Path, name: str) -> str:
    path = _within(folder, name)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
