"""The evidence log: every exchange and trial, appended as it ends, in a chain of SHA-256 hashes."""

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

#: Marks the entry of a trial that repeats another, by which noise is measured.
REPEAT = "repeat"
#: The `prev` of the first line, which has no predecessor.
GENESIS = "0" * 64

#: A request with more bytes of JSON is stored compressed, and once: a document of 128K tokens has
#: half a million characters, and escaped to ASCII up to six times as many bytes.
LARGE_REQUEST = 64 * 2**10
LARGE_KEYS = {"sha256", "zlib_base64"}
#: A summary keeps a request or a successful response of up to so many bytes, and so many arrivals:
#: the first ones, with that of the first token, and the last.
MAX_SUMMARY_BYTES, MAX_SUMMARY_ARRIVALS = 4 * 2**10, 8


class EvidenceIntegrityError(Exception):
    """The evidence fails its integrity check; `torn` where only its last line is incomplete."""

    def __init__(self, why: str, *, torn: bool = False) -> None:
        super().__init__(why)
        self.torn = torn


class Evidence:
    """A file of JSON lines; the `prev` of each is the SHA-256 of the line before it.

    A line is written without buffering as soon as it is complete: a run that is killed loses only
    the exchanges in flight.
    """

    def __init__(
        self, path: Path, secrets: Secrets, head: str = GENESIS, exchanges: int = 0
    ) -> None:
        """Create a file, or append to one of `exchanges` exchanges whose last digest is `head`."""
        self.path = path
        self.head = head
        self.exchanges = exchanges
        self.secrets = secrets
        self._exchange_entry: set[str] = set()
        self._file = path.open("xb" if head == GENESIS else "ab", buffering=0)

    def open(self, run: Mapping[str, Any], *, resumed: bool = False) -> None:
        """Write the first line of a run, or of a resumed run: the target and the settings."""
        self._append({"kind": "resumed" if resumed else "run", **run})

    def exchange(self, exchange: Exchange, trial: Mapping[str, Any]) -> Exchange:
        """Append an exchange of a trial; return it with its sequence number."""
        body = _body(self.secrets.redact_bytes(exchange.body))
        entry = _exchange_entry(exchange, self._request(exchange.request), body)
        return dataclasses.replace(exchange, seq=self.append_exchange(entry, trial))

    def append_exchange(self, entry: Mapping[str, Any], trial: Mapping[str, Any]) -> int:
        """Append the entry of an exchange of a trial; return its sequence number."""
        seq, self.exchanges = self.exchanges, self.exchanges + 1
        self._append({"kind": "exchange", "seq": seq, **trial, **entry})
        return seq

    def trial(
        self, trial: Mapping[str, Any], score: Score, exchanges: Sequence[int], digest: str
    ) -> None:
        """Append a trial: its score, its exchanges' numbers, and the digest of its replies."""
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
                "said": digest,
            }
        )

    def _request(self, request: Any) -> Any:
        """The request; of a large one its digest, the first time with a compressed copy."""
        if isinstance(request, bytes):
            return _body(request)
        content = _content(request, self.secrets)
        if len(content) <= LARGE_REQUEST:
            return request
        digest = sha256(content)
        if digest in self._exchange_entry:
            return {"sha256": digest}
        self._exchange_entry.add(digest)
        copy = base64.b64encode(zlib.compress(content)).decode()
        return {"sha256": digest, "zlib_base64": copy}

    def _append(self, entry: Mapping[str, Any]) -> None:
        # ASCII, so that lone surrogates of a model survive writing and reading.
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


def summarise_exchange(exchange: Exchange, secrets: Secrets) -> dict[str, Any]:
    """The evidence entry of one of many concurrent users' exchanges.

    A long request or successful response is replaced by its digest: ten thousand of them would
    take a gigabyte, and they are evidence of times only.
    """
    request = exchange.request
    if isinstance(request, bytes):
        request = _body(request)
    elif len(content := _content(request, secrets)) > MAX_SUMMARY_BYTES:
        request = {"sha256": sha256(content)}
    body = secrets.redact_bytes(exchange.body)
    if not exchange.succeeded or len(body) <= MAX_SUMMARY_BYTES:
        return _exchange_entry(exchange, request, _body(body))
    end = body[-MAX_SUMMARY_BYTES // 4 :].decode(errors="ignore")
    digest = {"body_sha256": sha256(body), "body_size": len(body), "body_end": end}
    entry = _exchange_entry(exchange, request, digest)
    return {**entry, "arrivals": _first_and_last(entry["arrivals"])}


def _exchange_entry(exchange: Exchange, request: Any, body: Mapping[str, Any]) -> dict[str, Any]:
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
    """The entries of an evidence file, each with its line, and each checked against the chain.

    Raises:
        EvidenceIntegrityError: A line is not JSON, does not follow the one before it, or is
            incomplete.
    """
    head = GENESIS
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                raise EvidenceIntegrityError(f"{path.name}:{number} is incomplete", torn=True)
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
    """The digest of the last line of an evidence file, which no later line contains.

    Raises:
        EvidenceIntegrityError: The chain is broken.
    """
    head = GENESIS
    for _, line in entries(path):
        head = sha256(line[:-1])
    return head


def exchange_of(entry: Mapping[str, Any]) -> Exchange:
    """The exchange of an entry of kind `exchange`; a large request is represented by its digest."""
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
    """The body in an entry, of a response or of a request; of a summarised response, its end."""
    if "body_base64" in entry:
        return base64.b64decode(entry["body_base64"])
    text = entry["body_end"] if "body_end" in entry else entry["body"]
    return str(text).encode("utf-8", "surrogatepass")


def request_digest(request: Any, secrets: Secrets) -> str:
    """The digest of a request's JSON, which is the same for a sent and for a recorded request."""
    if isinstance(request, bytes):
        request = _body(request)
    elif isinstance(request, dict) and "sha256" in request and request.keys() <= LARGE_KEYS:
        return str(request["sha256"])
    return sha256(_content(request, secrets))


def _content(request: Any, secrets: Secrets) -> bytes:
    text = json.dumps(request, ensure_ascii=False)
    # Redacted before it is hashed or compressed, after which no secret can be found.
    return secrets.redact(text).encode("utf-8", "surrogatepass")


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _first_and_last(arrivals: list[list[int]]) -> list[list[int]]:
    return (
        arrivals
        if len(arrivals) <= MAX_SUMMARY_ARRIVALS
        else [*arrivals[: MAX_SUMMARY_ARRIVALS - 1], arrivals[-1]]
    )


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
