"""Probes of the dimension `webui`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from readiness.probe import Probe
from readiness.resources import prompts

PROMPTS: Any = prompts("webui.yaml")


def probes(name: str, cases: Iterable[Mapping[str, Any]] = ({},)) -> Sequence[Probe]:
    """One probe for each case; a case has a name where there are several."""
    return [_probe(name, case) for case in cases]


def _probe(name: str, case: Mapping[str, Any]) -> Probe:
    label = str(case.get("name", ""))
    place = f".{label.replace(' ', '-')}" if label else ""
    labels = {"case": label} if label else {}
    return Probe(f"webui.{name}{place}@v1", [], {"case": case}, budget=0, labels=labels)


def single(name: str, tokens: int = 0) -> Sequence[Probe]:
    """The one probe of a check that is tried in one way."""
    return [Probe(f"webui.{name}@v1", [], {}, budget=0, tokens=tokens)]
