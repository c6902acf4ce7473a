"""A refusal: what is sent instead of a reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """An HTTP response that takes the place of the rightful one."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float = 0.0
