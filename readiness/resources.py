"""Prompts, fixtures and schemas: the data files that checks read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
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
