"""Evidence: every exchange and trial, appended as it ends, each line sealed by the next."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from readiness.evidence.redaction import Secrets
from readiness.exchange import Arrival, Exchange, Fault
from readiness.score import Score

#: In an entry of a trial that was made once before, and is made again to see what is noise.
REPEAT = "repeat"
#: What the first line's `prev` holds, which has no line before it.
GENESIS = "0" * 64

#: A request of more bytes of JSON is kept compressed, and once: a document of 128K tokens has
#: half a million, and in ASCII up to six times as many bytes.
LARGE = 64 * 2**10
KEPT_LARGE = {"sha256", "zlib_base64"}
#: A brief entry keeps no more bytes of a request or of a fine response, and no more arrivals at
#: its beginning, among which the first token is.
BRIEF, ENDS = 4 * 2**10, 8


class EvidenceIntegrityError(Exception):
    """Evidence cannot be trusted."""

    def __init__(self, why: str, *, torn: bool = False) -> None:
        super().__init__(why)
        self.torn = torn


class Evidence:
    """A file of JSON lines; the `prev` of each is the SHA-256 of the line before it.

    A line is handed to the operating system as soon as it is complete, so that a run that is
    killed loses no more than the exchanges in flight.
    """

    def __init__(
        self, path: Path, secrets: Secrets, head: str = GENESIS, exchanges: int = 0
    ) -> None:
        """Begin a file, or go on with one that holds so many exchanges and ends with that head."""
        self.path = path
        self.head = head
        self.exchanges = exchanges
        self.secrets = secrets
        self._kept: set[str] = set()
        self._file = path.open("xb" if head == GENESIS else "ab", buffering=0)

    def open(self, run: Mapping[str, Any], *, resumed: bool = False) -> None:
        """Write the first line, or that of a run that goes on: what is tried, with what."""
        self._append({"kind": "resumed" if resumed else "run", **run})

    def exchange(self, exchange: Exchange, trial: Mapping[str, Any]) -> Exchange:
        """Write an exchange of a trial, and give it its number."""
        body = _body(self.secrets.redact_bytes(exchange.body))
        kept = _kept(exchange, self._request(exchange.request), body)
        return dataclasses.replace(exchange, seq=self.adopt(kept, trial))

    def adopt(self, kept: Mapping[str, Any], trial: Mapping[str, Any]) -> int:
        """Write what is kept of an exchange of a trial; its number."""
        seq, self.exchanges = self.exchanges, self.exchanges + 1
        self._append({"kind": "exchange", "seq": seq, **trial, **kept})
        return seq

    def trial(
        self, trial: Mapping[str, Any], score: Score, exchanges: Sequence[int], said: str
    ) -> None:
        """Write the score of a trial, the exchanges it was made of, and a digest of what came."""
        self._append(
            {
                "kind": "trial",
                **trial,
                "outcome": score.outcome,
                "reason": score.reason,
                "reason_kind": score.kind,
                "measures": [dataclasses.asdict(each) for each in score.measures],
                "made": score.made,
                "met_in_reasoning": score.met_in_reasoning,
                "settled_by": score.settled_by,
                "exchanges": exchanges,
                "said": said,
            }
        )

    def _request(self, request: Any) -> Any:
        """The request; of a large one its digest, with a compressed copy where it comes first."""
        if isinstance(request, bytes):
            return _body(request)
        content = _content(request, self.secrets)
        if len(content) <= LARGE:
            return request
        digest = sha256(content)
        if digest in self._kept:
            return {"sha256": digest}
        self._kept.add(digest)
        copy = base64.b64encode(zlib.compress(content)).decode()
        return {"sha256": digest, "zlib_base64": copy}

    def _append(self, entry: Mapping[str, Any]) -> None:
        # ASCII, so that lone surrogates from a model can be written, and are read back.
        line = self.secrets.redact(json.dumps({"prev": self.head, **entry})).encode()
        self.head = sha256(line)
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


def brief(exchange: Exchange, secrets: Secrets) -> dict[str, Any]:
    """What is kept of an exchange of a crowd.

    A request and a fine response of some length are digests: ten thousand of them would be a
    gigabyte, and what they show are times.
    """
    request = exchange.request
    if isinstance(request, bytes):
        request = _body(request)
    elif len(content := _content(request, secrets)) > BRIEF:
        request = {"sha256": sha256(content)}
    body = secrets.redact_bytes(exchange.body)
    if not exchange.succeeded or len(body) <= BRIEF:
        return _kept(exchange, request, _body(body))
    end = body[-BRIEF // 4 :].decode(errors="ignore")
    digest = {"body_sha256": sha256(body), "body_size": len(body), "body_end": end}
    kept = _kept(exchange, request, digest)
    return {**kept, "arrivals": _ends(kept["arrivals"])}


def _kept(exchange: Exchange, request: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "path": exchange.path,
        "request": request,
        "status": exchange.status,
        "headers": dict(exchange.headers),
        **body,
        "arrivals": [[arrival.ns, arrival.size] for arrival in exchange.arrivals],
        "keyed": exchange.keyed,
        "fault": exchange.fault,
        "detail": exchange.detail,
        "sent": exchange.sent,
        "written": exchange.written,
        "end": exchange.end,
    }


def entries(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The entries of an evidence file, each with its line, and each checked against the one before.

    Raises:
        EvidenceIntegrityError: A line is no JSON, does not follow the one before it, or has no end.
    """
    head = GENESIS
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                raise EvidenceIntegrityError(f"{path.name}:{number} is torn", torn=True)
            try:
                entry = json.loads(line)
            except ValueError:
                raise EvidenceIntegrityError(
                    f"{path.name}:{number} is not a line of JSON"
                ) from None
            if not isinstance(entry, dict) or entry.get("prev") != head:
                raise EvidenceIntegrityError(
                    f"{path.name}:{number} does not follow the line before it"
                )
            head = sha256(line[:-1])
            yield entry, line


def chain_end(path: Path) -> str:
    """The digest of the last line of an evidence file, which no later line seals.

    Raises:
        EvidenceIntegrityError: The chain is broken before it.
    """
    head = GENESIS
    for _, line in entries(path):
        head = sha256(line[:-1])
    return head


def exchange_of(entry: Mapping[str, Any]) -> Exchange:
    """The exchange that an entry of kind `exchange` keeps; of a large request, its digest."""
    return Exchange(
        request=entry["request"],
        status=entry["status"],
        headers=entry["headers"],
        body=body_of(entry),
        arrivals=tuple(Arrival(ns, size) for ns, size in entry["arrivals"]),
        fault=Fault(entry["fault"]) if entry["fault"] else None,
        detail=entry["detail"],
        sent=entry["sent"],
        end=entry["end"],
        path=entry["path"],
        method=entry["method"],
        keyed=entry["keyed"],
        written=entry.get("written", 0),
        seq=entry.get("seq", -1),
    )


def body_of(entry: Mapping[str, Any]) -> bytes:
    """The body that an entry keeps, of a response or of a request; of a brief one, its end."""
    if "body_base64" in entry:
        return base64.b64decode(entry["body_base64"])
    kept = entry["body_end"] if "body_end" in entry else entry["body"]
    return str(kept).encode("utf-8", "surrogatepass")


def fingerprint(request: Any, secrets: Secrets) -> str:
    """What a request is known by again: the digest of its JSON, however evidence keeps it."""
    if isinstance(request, bytes):
        request = _body(request)
    elif isinstance(request, dict) and "sha256" in request and request.keys() <= KEPT_LARGE:
        return str(request["sha256"])
    return sha256(_content(request, secrets))


def _content(request: Any, secrets: Secrets) -> bytes:
    text = json.dumps(request, ensure_ascii=False)
    # Redacted here, for no secret can be found in what is digested or compressed.
    return secrets.redact(text).encode("utf-8", "surrogatepass")


def sha256(content: bytes) -> str:
    """The digest of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _ends(arrivals: list[list[int]]) -> list[list[int]]:
    return arrivals if len(arrivals) <= ENDS else [*arrivals[: ENDS - 1], arrivals[-1]]


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
