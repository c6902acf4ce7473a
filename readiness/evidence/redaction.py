"""Redaction: replaces secrets before anything is written or printed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from readiness.evidence.printable import escape_unprintable
from readiness.reply import REASONING_FIELDS

MARK = "[redacted]"
# Shorter values, such as the `none` that servers without keys are given, occur in ordinary text.
MIN_SECRET_LENGTH = 6
#: The fields whose text a stream sends in fragments: a message's, its parts', and a tool call's.
FRAGMENTED_FIELDS = ("content", "text", "refusal", "name", "arguments", *REASONING_FIELDS)
FRAGMENT = re.compile(
    rf'"(?P<field>{"|".join(FRAGMENTED_FIELDS)})"\s*:\s*"(?P<text>(?:[^"\\]|\\.)*)"'.encode()
)


class Secrets:
    """Replaces secrets in text that is about to be written or printed."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {
            form for value in values if len(value) >= MIN_SECRET_LENGTH for form in _forms(value)
        }
        self._forms = sorted(forms, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """The text with every secret replaced, also in its escaped and encoded forms."""
        for form in self._forms:
            text = text.replace(form, MARK)
        return text

    def printable(self, text: str) -> str:
        """Text of an endpoint, safe to show: on one line, without escapes and secrets."""
        return escape_unprintable(self.redact(text))

    def redact_bytes(self, data: bytes) -> bytes:
        """The bytes with every secret replaced, also where a stream has split it into fragments."""
        for form in self._forms:
            data = data.replace(form.encode(), MARK.encode())
        return self._redact_fragments(data) if self._forms and b"data:" in data else data

    def _redact_fragments(self, data: bytes) -> bytes:
        """The bytes of a stream, with the fragments replaced that contain part of a secret."""
        fragments: dict[bytes, list[re.Match[bytes]]] = {}
        for fragment in FRAGMENT.finditer(data):
            fragments.setdefault(fragment["field"], []).append(fragment)
        spans = {each for found in fragments.values() for each in self._secret_spans(found)}
        for start, end in sorted(spans, reverse=True):
            data = data[:start] + MARK.encode() + data[end:]
        return data

    def _secret_spans(self, fragments: Sequence[re.Match[bytes]]) -> Iterator[tuple[int, int]]:
        """The spans of the fragments that contain part of a secret."""
        text = b"".join(fragment["text"] for fragment in fragments)
        for form in map(str.encode, self._forms):
            at = text.find(form)
            while at >= 0:
                start = 0
                for fragment in fragments:
                    end = start + len(fragment["text"])
                    if start < at + len(form) and at < end:
                        yield fragment.span("text")
                    start = end
                at = text.find(form, at + 1)


def _forms(value: str) -> Iterable[str]:
    yield value
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="")
    yield base64.b64encode(value.encode()).decode().rstrip("=")
