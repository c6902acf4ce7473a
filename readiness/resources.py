"""Prompts, fixtures, policies and schemas: the data that checks are made of."""

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
#: What this program is called where its version is asked for.
DISTRIBUTION = "llm-readiness"
# The C loader takes a tenth of the time; a build of PyYAML without it has the other alone.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def home(kind: str) -> Path:
    """The folder of the prompts or fixtures: a wheel has it inside the package."""
    installed = PACKAGE / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


@cache
def prompts(name: str) -> Any:
    """Load a YAML file of prompts/; what it gives is shared, and to be left as it is."""
    return yaml.load((home("prompts") / name).read_text("utf-8"), LOADER)


@cache
def document(name: str) -> Any:
    """Load a JSON document of fixtures/; what it gives is shared, and to be left as it is."""
    return json.loads((home("fixtures") / name).read_text("utf-8"))


@cache
def fixture(name: str) -> Any:
    """Load a YAML file of fixtures/; what it gives is shared, as above."""
    return yaml.load((home("fixtures") / name).read_text("utf-8"), LOADER)


def licenses() -> Any:
    """What is known of licences."""
    return fixture("licenses.yaml")


def filled(template: str, slots: Mapping[str, str]) -> str:
    """A template with its places filled."""
    return re.sub(r"\{(\w+)\}", lambda found: slots[found[1]], template)


@cache
def schema(name: str) -> Any:
    """Load a JSON Schema that ships with the package."""
    return json.loads((PACKAGE / "schemas" / f"{name}.json").read_text("utf-8"))


def violations(
    found: Any, rules: Mapping[str, Any], *, formats: bool = False
) -> Iterator[ValidationError]:
    """Where a document violates a JSON Schema, and how; its formats are checked where asked."""
    return _validator(json.dumps(rules), formats).iter_errors(found)


def violation(
    found: Any, rules: Mapping[str, Any], *, formats: bool = False
) -> ValidationError | None:
    """The violation of a JSON Schema that tells most, with its path; None where there is none."""
    from jsonschema.exceptions import best_match

    worst: ValidationError | None = best_match(violations(found, rules, formats=formats))
    return worst


@cache
def _validator(canonical: str, formats: bool) -> Draft202012Validator:
    # Imported here, for it takes a tenth of a second that a run without schemas need not pay.
    from jsonschema import Draft202012Validator

    checker = Draft202012Validator.FORMAT_CHECKER if formats else None
    return Draft202012Validator(json.loads(canonical), format_checker=checker)


def probes(source: str | Path) -> Sequence[Probe]:
    """Load the probes of a YAML file: a name in prompts/, or an absolute path of your own.

    Raises:
        ValueError: The file does not hold a list of probes; the message says where.
    """
    found = yaml.load((home("prompts") / source).read_text("utf-8"), LOADER)
    if wrong := violation(found, schema("probes")):
        raise ValueError(f"{source}: {wrong.json_path}: {wrong.message}")
    return [Probe(**each) for each in found]
