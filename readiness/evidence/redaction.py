"""Secrets: what must stand in no file and on no screen."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from readiness.evidence.printable import escape_unprintable
from readiness.reply import REASONING_FIELDS

MARK = "[redacted]"
# Shorter ones, such as the `none` that keyless servers are given, would blot out innocent text.
SHORTEST = 6
#: The fields whose text a stream sends in pieces: a message's, its parts', and a tool call's.
PIECEMEAL = ("content", "text", "refusal", "name", "arguments", *REASONING_FIELDS)
PIECES = re.compile(
    rf'"(?P<field>{"|".join(PIECEMEAL)})"\s*:\s*"(?P<text>(?:[^"\\]|\\.)*)"'.encode()
)


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
        return escape_unprintable(self.redact(text))

    def redact_bytes(self, data: bytes) -> bytes:
        """The bytes with every secret replaced, also where a stream has cut it into pieces."""
        for form in self._forms:
            data = data.replace(form.encode(), MARK.encode())
        return self._whole_again(data) if self._forms and b"data:" in data else data

    def _whole_again(self, data: bytes) -> bytes:
        """The bytes of a stream with those pieces replaced that are a secret when put together."""
        pieces: dict[bytes, list[re.Match[bytes]]] = {}
        for piece in PIECES.finditer(data):
            pieces.setdefault(piece["field"], []).append(piece)
        told = {each for found in pieces.values() for each in self._telling(found)}
        for start, end in sorted(told, reverse=True):
            data = data[:start] + MARK.encode() + data[end:]
        return data

    def _telling(self, pieces: Sequence[re.Match[bytes]]) -> Iterator[tuple[int, int]]:
        """Where the pieces are that hold part of a secret."""
        text = b"".join(piece["text"] for piece in pieces)
        for form in map(str.encode, self._forms):
            at = text.find(form)
            while at >= 0:
                begun = 0
                for piece in pieces:
                    ended = begun + len(piece["text"])
                    if begun < at + len(form) and at < ended:
                        yield piece.span("text")
                    begun = ended
                at = text.find(form, at + 1)


def _forms(value: str) -> Iterable[str]:
    yield value
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="")
    yield base64.b64encode(value.encode()).decode().rstrip("=")
