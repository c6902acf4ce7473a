"""Secrets: what must stand in no file and on no screen."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote

from readiness.clean import clean

MARK = "[redacted]"
# Shorter ones, such as the `none` that keyless servers are given, would blot out innocent text.
SHORTEST = 6


class Secrets:
    """Replaces secrets in text that is about to be written or printed."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values if len(value) >= SHORTEST for form in _forms(value)}
        self._forms = sorted(forms, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """The text with every secret replaced, also where it stands escaped or encoded."""
        for form in self._forms:
            text = text.replace(form, MARK)
        return text

    def printable(self, text: str) -> str:
        """What an endpoint said, fit to be shown: on one line, without escapes and secrets."""
        return clean(self.redact(text))

    def redact_bytes(self, data: bytes) -> bytes:
        """The bytes with every secret replaced."""
        for form in self._forms:
            data = data.replace(form.encode(), MARK.encode())
        return data


def _forms(value: str) -> Iterable[str]:
    yield value
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="")
    yield base64.b64encode(value.encode()).decode().rstrip("=")
