"""The evidence log: every exchange and trial, appended as it ends, in a chain of SHA-256 hashes."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import re
import threading
import traceback
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import copyfileobj
from types import TracebackType
from typing import Any, Self

from readiness.evidence.redaction import Secrets
from readiness.exchange import Arrival, Exchange, Fault, RecordedExchange
from readiness.resources import opened
from readiness.score import EndpointError, Outcome, Score

#: Marks the entry of a trial that repeats another, by which noise is measured.
REPEAT = "repeat"
#: Marks that of a trial that was made without what the endpoint declined of its form.
FALLBACK = "fallback"
#: The kind of the entry that names other runs of the same build, with which a run is judged.
SAME_BUILD = "same build"
#: The kind of the entry of a measurement of many requests, such as a step of load.
MEASUREMENT = "measurement"
#: The `prev` of the first line, which has no predecessor.
GENESIS = "0" * 64

#: A request with more bytes of JSON is stored compressed, and once: a document of 128K tokens has
#: half a million characters, and escaped to ASCII up to six times as many bytes.
LARGE_REQUEST = 64 * 2**10
LARGE_KEYS = {"sha256", "zlib_base64"}
#: A summary keeps a request or a successful response of up to so many bytes, and so many arrivals:
#: the first ones, with that of the first token, and the last.
MAX_SUMMARY_BYTES, MAX_SUMMARY_ARRIVALS = 4 * 2**10, 8
#: Of a response that is too large, so many bytes of its beginning and of its end are kept.
ENDS = 16 * 2**10
#: No line is longer: the largest response, escaped.
MAX_LINE = 2**29
#: The beginning of an exchange's line, which most lines are told by without parsing their JSON.
_EXCHANGE = re.compile(rb'\{"prev": "[0-9a-f]{64}", "kind": "exchange", "seq": (\d+), ')
#: The end of such a line: when the request was sent (s since the epoch), and for how long (ns).
_SENT = re.compile(rb'"sent": ([\d.]+), "written": (?:\d+|null), "end": (\d+)\}\s*\Z')


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
        self,
        path: Path,
        secrets: Secrets,
        head: str = GENESIS,
        exchanges: int = 0,
        limit: int = 0,
    ) -> None:
        """Create a file, or append to one of `exchanges` exchanges whose last digest is `head`.

        Exchanges are appended up to `limit` bytes in all; 0 for no limit.
        """
        self.path = path
        self.head = head
        self.exchanges = exchanges
        self.secrets = secrets
        self.limit = limit
        self._exchange_entry: set[str] = set()
        self._appending = threading.Lock()
        #: Why nothing more can be written, or an empty string.
        self.broken = ""
        #: Whether the file was removed while the run went on, and was written again.
        self.restored = False
        self._file = path.open("x+b" if head == GENESIS else "a+b", buffering=0)
        self._size = path.stat().st_size

    def open(self, run: Mapping[str, Any], *, resumed: bool = False) -> None:
        """Write the first line of a run, or of a resumed run: the target and the settings."""
        self._append({"kind": "resumed" if resumed else "run", **run})

    def same_build(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """Append which other runs of the same build the run is judged with."""
        self._append({"kind": SAME_BUILD, "runs": runs})

    def measurement(self, key: str, exchanges: Sequence[int], value: Any) -> None:
        """Append a measurement of many requests, as JSON, with the numbers of their exchanges."""
        self._append({"kind": MEASUREMENT, "key": key, "exchanges": exchanges, "value": value})

    def exchange(self, exchange: Exchange, trial: Mapping[str, Any]) -> Exchange:
        """Append an exchange of a trial; return it with its sequence number.

        Of a response that was too large only the digest and the ends are kept.

        Raises:
            EndpointError: There is no room for it: what is not kept is no evidence.
        """
        request = self._request(exchange.request)
        if exchange.fault is Fault.TOO_LARGE:
            entry = _exchange_entry(exchange, request, self._ends(exchange.body))
            entry["arrivals"] = _first_and_last(entry["arrivals"])
            exchange = replace(exchange, body=body_of(entry))
        else:
            body = _body(self.secrets.redact_bytes(exchange.body))
            entry = _exchange_entry(exchange, request, body)
        return replace(exchange, seq=self.append_exchange(entry, trial))

    def append_exchange(self, entry: Mapping[str, Any], trial: Mapping[str, Any]) -> int:
        """Append the entry of an exchange of a trial; return its sequence number.

        Raises:
            EndpointError: There is no room for it.
        """
        seq = self.exchanges
        self._append({"kind": "exchange", "seq": seq, **trial, **entry}, self.limit)
        if self.broken:
            raise EndpointError(self.broken, Outcome.SKIPPED)
        self.exchanges = seq + 1
        return seq

    def trial(
        self, trial: Mapping[str, Any], score: Score, exchanges: Sequence[int], digest: str
    ) -> None:
        """Append a trial: its score, its exchanges' numbers, and the digest of its replies."""
        self._append(
            {"kind": "trial", **trial, **score_entry(score), "exchanges": exchanges, "said": digest}
        )

    def internal_error(self, trial: Mapping[str, Any], error: BaseException) -> None:
        """Append what a check raised in a trial, which is no outcome: it is a bug of the check."""
        trace = "".join(traceback.format_exception(error))
        self._append({"kind": "internal error", **trial, "trace": trace})

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

    def _ends(self, body: bytes) -> dict[str, Any]:
        """The digest of a body as it came, and its ends without secrets that the cuts divide."""
        wide = ENDS + self.secrets.reach
        start = self.secrets.redact_bytes(body[:wide])[:ENDS].decode(errors="ignore")
        end = self.secrets.redact_bytes(body[-wide:])[-ENDS:].decode(errors="ignore")
        kept = {"body_start": start, "body_end": end}
        return {"body_sha256": sha256(body), "body_size": len(body), **kept}

    def _append(self, entry: Mapping[str, Any], limit: int = 0) -> None:
        # ASCII, so that lone surrogates of a model survive writing and reading.
        # Locked, and the head set last: what comes after the end is neither written nor counted.
        with self._appending:
            line = self.secrets.redact(json.dumps({"prev": self.head, **entry})).encode()
            if limit and self._size + len(line) > limit:
                spent = f"the budget of {limit / 10**6:,.0f} MB of evidence is spent"
                raise EndpointError(spent, Outcome.SKIPPED)
            if not self.broken and self._write(line + b"\n"):
                self._size += len(line) + 1
                self.head = sha256(line)

    def _write(self, line: bytes) -> bool:
        """Write a line, or nothing of it; return whether it was written."""
        left = line
        try:
            while left:  # On a disk that becomes full, part of a line is written.
                left = left[self._file.write(left) :]
        except OSError as error:
            self.broken = f"{self.path.name} cannot be written: {error.strerror}"
            with suppress(OSError):
                self._file.truncate(self._size)
            return False
        return True

    def close(self) -> None:
        """End the evidence: nothing is appended any more."""
        with self._appending:
            if not self._file.closed:
                with suppress(OSError):
                    self._restore()
            self._file.close()

    def _restore(self) -> None:
        """Write the file again, if it was removed while it was open."""
        if os.fstat(self._file.fileno()).st_nlink:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file.seek(0)
        with self.path.open("xb") as copy:
            copyfileobj(self._file, copy)
        self.restored = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class ClosedEvidence(Evidence):
    """Evidence of a run that has ended, to which nothing is appended."""

    def __init__(self, path: Path, secrets: Secrets, head: str, exchanges: int) -> None:
        self.path, self.secrets = path, secrets
        self.head, self.exchanges = head, exchanges
        self.broken, self.restored = "", False

    def close(self) -> None:
        """Do nothing: no file is open."""


def score_entry(score: Score) -> dict[str, Any]:
    """What the entry of a trial has of its score."""
    return {
        "outcome": score.outcome,
        "reason": score.reason,
        "reason_kind": score.kind,
        "measures": [dataclasses.asdict(each) for each in score.measures],
        "made": score.made,
        "met_in_reasoning": score.met_in_reasoning,
        "settled_by": score.settled_by,
    }


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
        "late": exchange.late,
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
    with opened(path) as lines:
        for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE), b""), 1):
            if not line.endswith(b"\n"):
                raise EvidenceIntegrityError(f"{path.name}:{number} is incomplete", torn=True)
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                raise EvidenceIntegrityError(
                    f"{path.name}:{number} is not a line of JSON"
                ) from None
            if not isinstance(entry, dict) or entry.get("prev") != head:
                raise EvidenceIntegrityError(
                    f"{path.name}:{number} does not follow the line before it"
                )
            head = sha256(line[:-1])
            yield entry, line


def recorded_exchanges(path: Path) -> Iterator[RecordedExchange]:
    """The exchanges with the endpoint in an evidence file, in the order in which they ended."""
    with path.open("rb") as lines:
        # Most lines of some runs are trials, which need no parsing.
        for entry in (json.loads(line) for line in lines if _EXCHANGE.match(line)):
            if "server" not in entry:
                yield RecordedExchange(
                    replace(exchange_of(entry), request=_inflated(entry["request"])),
                    entry["check"],
                    entry.get("valid", True),
                    entry.get("crowd", False),
                    "body_end" not in entry,
                )


def read_exchanges(path: Path, numbers: Collection[int]) -> dict[int, dict[str, Any]]:
    """The entries of exchanges in an evidence file, by number; large requests are decompressed."""
    wanted, found = frozenset(numbers), dict[int, dict[str, Any]]()
    if not wanted:
        return found
    with path.open("rb") as lines:
        for line in lines:
            head = _EXCHANGE.match(line)
            if head and int(head[1]) in wanted:
                entry = json.loads(line)
                found[entry["seq"]] = {**entry, "request": _inflated(entry["request"])}
    return found


def exchange_times(path: Path) -> dict[int, tuple[float, float]]:
    """When each exchange began and ended, in seconds since the epoch, by its number."""
    found = {}
    with path.open("rb") as lines:
        for line in lines:
            head, tail = _EXCHANGE.match(line), _SENT.search(line)
            if head and tail:
                sent = float(tail[1])
                found[int(head[1])] = sent, sent + int(tail[2]) / 1e9
    return found


def _inflated(request: Any) -> Any:
    """A request, decompressed where the entry has its compressed copy."""
    copy = request.get("zlib_base64") if isinstance(request, dict) else None
    if not copy or request.keys() > LARGE_KEYS:
        return request
    return json.loads(zlib.decompress(base64.b64decode(copy)))


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
        late=entry.get("late", 0),
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
    first, rest = arrivals[: MAX_SUMMARY_ARRIVALS - 1], arrivals[MAX_SUMMARY_ARRIVALS - 1 :]
    return [*first, *rest[-1:]]


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
