"""Evidence: every exchange and trial, appended as it ends, each line sealed by the next."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from readiness.exchange import Exchange
from readiness.redaction import Secrets
from readiness.score import Score

#: What the first line's `prev` holds, which has no line before it.
GENESIS = "0" * 64

#: A request of more characters of JSON is kept compressed, and once: a document of 128K tokens has
#: half a million, and in ASCII up to six times as many bytes.
LARGE = 64 * 2**10


class Unsound(Exception):
    """Evidence does not hold together: nothing can be built on it."""


class Evidence:
    """A file of JSON lines; the `prev` of each is the SHA-256 of the line before it.

    A line is handed to the operating system as soon as it is complete, so that a run that is
    killed loses no more than the exchanges in flight.
    """

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.path = path
        self.head = GENESIS
        self.exchanges = 0
        self.secrets = secrets
        self._kept: set[str] = set()
        self._file = path.open("xb", buffering=0)

    def open(self, run: Mapping[str, Any]) -> None:
        """Write the first line: what is tried, with what."""
        self._append({"kind": "run", **run})

    def exchange(self, exchange: Exchange, trial: Mapping[str, Any]) -> Exchange:
        """Write an exchange of a trial, and give it its number."""
        numbered = dataclasses.replace(exchange, seq=self.exchanges)
        self.exchanges += 1
        body = self.secrets.redact_bytes(exchange.body)
        self._append(
            {
                "kind": "exchange",
                "seq": numbered.seq,
                **trial,
                "method": exchange.method,
                "path": exchange.path,
                "request": self._request(exchange.request),
                "status": exchange.status,
                "headers": dict(exchange.headers),
                **_body(body),
                "arrivals": [[arrival.ns, arrival.size] for arrival in exchange.arrivals],
                "fault": exchange.fault,
                "detail": exchange.detail,
                "sent": exchange.sent,
                "end": exchange.end,
            }
        )
        return numbered

    def trial(self, trial: Mapping[str, Any], score: Score, exchanges: list[int]) -> None:
        """Write the score of a trial, and which exchanges it was made of."""
        self._append(
            {
                "kind": "trial",
                **trial,
                "outcome": score.outcome,
                "reason": score.reason,
                "exchanges": exchanges,
            }
        )

    def _request(self, request: Any) -> Any:
        """The request; of a large one its digest, with a compressed copy where it comes first."""
        if isinstance(request, bytes):
            return _body(request)
        text = json.dumps(request, ensure_ascii=False)
        if len(text) <= LARGE:
            return request
        # Redacted here, for no secret can be found in what is compressed.
        content = self.secrets.redact(text).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(content).hexdigest()
        if digest in self._kept:
            return {"sha256": digest}
        self._kept.add(digest)
        copy = base64.b64encode(zlib.compress(content)).decode()
        return {"sha256": digest, "zlib_base64": copy}

    def _append(self, entry: Mapping[str, Any]) -> None:
        # ASCII, so that lone surrogates from a model can be written, and are read back.
        line = self.secrets.redact(json.dumps({"prev": self.head, **entry})).encode()
        self.head = hashlib.sha256(line).hexdigest()
        self._file.write(line + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def broken_link(path: Path) -> str:
    """Where the chain of an evidence file is broken, in words; "" where it is whole."""
    head = GENESIS
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
            except ValueError:
                return f"{path.name}:{number} is not a line of JSON"
            if not isinstance(entry, dict) or entry.get("prev") != head:
                return f"{path.name}:{number} does not follow the line before it"
            head = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
    return ""


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
