"""A model card: the YAML at its head says under which licence a model stands, and made of what."""

from __future__ import annotations

import re
from typing import Any

from readiness.checks.license.license_evidence import Dossier, Label, Text
from readiness.policy.yaml_reader import PolicyError, Reader

_HEAD = re.compile(r"\s*---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
#: A card or a header says one of these where the licence has a name of its own.
ELSEWHERE = ("other", "unknown")


def read_card(text: str, source: str, digest: str) -> Dossier:
    """What a model card says; one without YAML at its head says nothing."""
    found = _HEAD.match(text.replace("\r\n", "\n"))
    if not found:
        return Dossier(prose=(Text(source, text, digest),))
    try:
        said = Reader(source).read(found[1])
    except PolicyError as error:
        return Dossier(unreadable=(str(error),))
    if not isinstance(said, dict):
        return Dossier(unreadable=(f"{source}: the YAML at its head is no mapping",))
    licenses = [_own(said, each) for each in _texts(said.get("license"))]
    parents = tuple(_texts(said.get("base_model")))
    names = tuple(_texts(said.get("model_name")))
    # Of several, a card does not say that one may choose.
    labels = (Label(source, " AND ".join(licenses)),) if licenses else ()
    return Dossier(names, labels, prose=(Text(source, text, digest),), parents=parents)


def _own(said: dict[str, Any], usual: str) -> str:
    """The licence, by the name that the card gives it where it is none of the usual."""
    names = _texts(said.get("license_name"))
    return names[0] if usual.lower() in ELSEWHERE and names else usual


def _texts(value: Any) -> list[str]:
    """The texts of a value that may be one, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]
