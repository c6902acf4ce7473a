"""Prompts, fixtures and schemas: the data files that checks read; and any file that is given."""

from __future__ import annotations

import errno
import json
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from readiness.probe import Probe

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

PACKAGE = Path(__file__).parent
#: The name of the distribution, by which the installed version is looked up.
DISTRIBUTION = "llm-readiness"
# The C loader takes a tenth of the time; builds of PyYAML without libyaml lack it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


#: No file that is given needs deeper YAML.
MAX_NESTING = 20


def opened(path: Path) -> BufferedReader:
    """A regular file, opened: of a pipe or a device, reading might never end.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    # Before it is opened: a pipe would wait until somebody writes to it.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return path.open("rb")


def contents(path: Path, most: int) -> bytes:
    """The contents of a file that is given, up to so many bytes.

    Raises:
        OSError: It cannot be read, is no regular file, or is larger.
    """
    with opened(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"more than {most:,} bytes", str(path))
    return found


def plain_yaml(content: bytes) -> Any:
    """Load YAML without aliases, which may stand for endless text, and without deep nesting.

    Raises:
        ValueError: It is not such YAML.
    """
    depth = 0
    try:
        for event in yaml.parse(content, LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(f"*{event.anchor} is an alias: write it out")
            if depth > MAX_NESTING:
                raise ValueError("nested too deeply")
        return yaml.load(content, LOADER)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(f"not YAML: {error}".split())[:300]) from None


def home(kind: str) -> Path:
    """The folder of the prompts or fixtures, which a wheel has inside the package."""
    installed = PACKAGE / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


@cache
def prompts(name: str) -> Any:
    """Load a YAML file of prompts/. The result is cached and shared: do not change it."""
    return yaml.load((home("prompts") / name).read_text("utf-8"), LOADER)


@cache
def document(name: str) -> Any:
    """Load a JSON document of fixtures/. The result is cached and shared: do not change it."""
    return json.loads((home("fixtures") / name).read_text("utf-8"))


@cache
def fixture(name: str) -> Any:
    """Load a YAML file of fixtures/. The result is cached and shared: do not change it."""
    return yaml.load((home("fixtures") / name).read_text("utf-8"), LOADER)


def licenses() -> Any:
    """The licences and their terms, from fixtures/licenses.yaml."""
    return fixture("licenses.yaml")


def filled(template: str, slots: Mapping[str, str]) -> str:
    """The template with each `{slot}` replaced by its value."""
    return re.sub(r"\{(\w+)\}", lambda match: slots[match[1]], template)


@cache
def schema(name: str) -> Any:
    """Load a JSON Schema that ships with the package."""
    return json.loads((PACKAGE / "schemas" / f"{name}.json").read_text("utf-8"))


def violations(
    instance: Any, rules: Mapping[str, Any], *, formats: bool = False
) -> Iterator[ValidationError]:
    """Every violation of a JSON Schema by a document; `formats` checks `format` as well."""
    return _validator(json.dumps(rules), formats).iter_errors(instance)


def violation(
    instance: Any, rules: Mapping[str, Any], *, formats: bool = False
) -> ValidationError | None:
    """The most relevant violation of a JSON Schema, with its path; None where there is none."""
    from jsonschema.exceptions import best_match

    worst: ValidationError | None = best_match(violations(instance, rules, formats=formats))
    return worst


@cache
def _validator(canonical: str, formats: bool) -> Draft202012Validator:
    # Imported here: it takes 0.1 s, which a run without schemas need not spend.
    from jsonschema import Draft202012Validator

    checker = Draft202012Validator.FORMAT_CHECKER if formats else None
    return Draft202012Validator(json.loads(canonical), format_checker=checker)


def probes(source: str | Path) -> Sequence[Probe]:
    """Load the probes of a YAML file: a name in prompts/, or the absolute path of another file.

    Raises:
        ValueError: The file is not a list of probes; the message names the place.
    """
    loaded = yaml.load((home("prompts") / source).read_text("utf-8"), LOADER)
    if wrong := violation(loaded, schema("probes")):
        raise ValueError(f"{source}: {wrong.json_path}: {wrong.message}")
    return [Probe(**each) for each in loaded]
