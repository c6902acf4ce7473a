"""Prompts, fixtures, policies and schemas: the data that checks are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from readiness.probe import Probe

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


def probes(source: str | Path) -> Sequence[Probe]:
    """Load the probes of a YAML file: a name in prompts/, or an absolute path of your own.

    Raises:
        ValueError: The file does not hold a list of probes; the message says where.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    found = yaml.load((home("prompts") / source).read_text("utf-8"), LOADER)
    if violation := best_match(Draft202012Validator(schema("probes")).iter_errors(found)):
        raise ValueError(f"{source}: {violation.json_path}: {violation.message}")
    return [Probe(**each) for each in found]
