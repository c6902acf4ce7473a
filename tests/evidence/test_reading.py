"""What is kept of large exchanges, and what is read back from evidence."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from readiness.evidence.log import (
    LARGE_REQUEST,
    MAX_SUMMARY_BYTES,
    ClosedEvidence,
    Evidence,
    EvidenceIntegrityError,
    body_of,
    entries,
    exchange_of,
    exchange_times,
    read_exchanges,
    recorded_exchanges,
    request_digest,
    summarise_exchange,
)
from readiness.evidence.redaction import MARK, Secrets
from readiness.exchange import Arrival, Exchange, Fault, RecordedExchange
from readiness.score import EndpointError, Outcome, failed
from tests.evidence.test_log import NONE, exchange, lines, written

ABOUT = {"check": "c", "probe": "p", "trial": 0}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def asking(size: int, letter: str = "a") -> Any:
    """A request with so many bytes of JSON."""
    return {"x": letter * (size - len('{"x": ""}'))}


def test_a_large_request_is_kept_once_and_compressed(tmp_path: Path) -> None:
    small, large, other = asking(LARGE_REQUEST), asking(LARGE_REQUEST + 1), asking(10**5, "b")
    path = written(tmp_path, *[exchange(request=each) for each in (small, large, large, other)])
    kept = [line["request"] for line in lines(path) if line["kind"] == "exchange"]
    of_large = digest(json.dumps(large))
    assert (kept[0], kept[2]) == (small, {"sha256": of_large})
    assert [each["sha256"] for each in kept[1:]] == [of_large, of_large, digest(json.dumps(other))]
    copies = [zlib.decompress(base64.b64decode(kept[at]["zlib_base64"])) for at in (1, 3)]
    assert copies == [json.dumps(each).encode() for each in (large, other)]
    found = read_exchanges(path, [0, 1, 2])
    assert {number: each["request"] for number, each in found.items()} == {
        0: small,
        1: large,
        2: {"sha256": of_large},
    }
    recorded = [each.exchange.request for each in recorded_exchanges(path)]
    assert recorded == [small, large, {"sha256": of_large}, other]


def test_a_request_has_the_digest_of_its_json_however_it_is_kept() -> None:
    large, key = asking(LARGE_REQUEST + 1), Secrets(["a-secret-key"])
    assert request_digest({"a": "é"}, NONE) == digest('{"a": "é"}')
    assert request_digest({"a": "a-secret-key"}, key) == digest(f'{{"a": "{MARK}"}}')
    assert request_digest(large, NONE) == digest(json.dumps(large))
    kept: list[Any] = [{"sha256": "f" * 64}, {"sha256": "f" * 64, "zlib_base64": "x"}]
    assert [request_digest(each, NONE) for each in kept] == ["f" * 64] * 2
    own = {"sha256": "f" * 64, "messages": []}
    assert request_digest(own, NONE) == digest(json.dumps(own))
    assert request_digest(b"\xff", NONE) == digest('{"body_base64": "/w=="}')


def with_arrivals(body: bytes, count: int = 1, **changes: Any) -> Exchange:
    arrivals = tuple(Arrival(ns, 1) for ns in range(count))
    return replace(exchange(body), arrivals=arrivals, **changes)


def test_a_summary_keeps_short_bodies_and_the_end_of_long_ones() -> None:
    short, long = b"a" * MAX_SUMMARY_BYTES, b"a" * MAX_SUMMARY_BYTES + b"b" * 1000
    assert summarise_exchange(with_arrivals(short), NONE)["body"] == short.decode()
    found = summarise_exchange(with_arrivals(long), NONE)
    assert (found["body_sha256"], found["body_size"]) == (sha256(long).hexdigest(), 5096)
    assert found["body_end"] == "a" * 24 + "b" * 1000
    assert "body" not in found
    failing = summarise_exchange(with_arrivals(long, status=500), NONE)
    assert (failing["body"], "body_end" in failing) == (long.decode(), False)


def test_a_summary_keeps_the_first_arrivals_and_the_last() -> None:
    long = b"a" * (MAX_SUMMARY_BYTES + 1)
    seven, eight, nine = (
        summarise_exchange(with_arrivals(long, n), NONE)["arrivals"] for n in (7, 8, 9)
    )
    assert (seven, eight) == ([[ns, 1] for ns in range(7)], [[ns, 1] for ns in range(8)])
    assert nine == [[ns, 1] for ns in (0, 1, 2, 3, 4, 5, 6, 8)]


def test_a_summary_has_the_digest_of_a_long_request() -> None:
    made = [asking(MAX_SUMMARY_BYTES), asking(MAX_SUMMARY_BYTES + 1), b"\xff"]
    kept = [summarise_exchange(exchange(request=each), NONE)["request"] for each in made]
    assert kept == [made[0], {"sha256": digest(json.dumps(made[1]))}, {"body_base64": "/w=="}]


def test_an_exchange_comes_back_as_it_was(tmp_path: Path) -> None:
    whole = Exchange(
        request={"a": 1},
        status=503,
        headers={"server": "x"},
        body=b"\xff\x00",
        arrivals=(Arrival(5, 1), Arrival(6, 1)),
        fault=Fault.RESET,
        detail="cut",
        sent=1.5,
        end=7,
        path="/models",
        method="GET",
        keyed=True,
        written=3,
    )
    made = [whole, exchange(b"{}")]
    found = read_exchanges(written(tmp_path, *made), [0, 1, 2])
    assert [exchange_of(each) for each in found.values()] == [
        replace(each, seq=at) for at, each in enumerate(made)
    ]
    without = {key: found[0][key] for key in found[0] if key not in ("seq", "written")}
    assert exchange_of(without) == replace(whole, seq=-1, written=0)


def test_no_exchange_is_read_where_none_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, exchange(), exchange())
    assert [list(read_exchanges(path, numbers)) for numbers in ([], [7], [1])] == [[], [], [1]]


def test_the_exchanges_with_the_endpoint_are_read_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    body = b"a" * (MAX_SUMMARY_BYTES + 1)
    with Evidence(path, NONE) as evidence:
        evidence.open({"model": "m"})
        evidence.exchange(exchange(), {**ABOUT, "valid": False, "crowd": True})
        evidence.exchange(exchange(), {**ABOUT, "server": "http://localhost"})
        evidence.trial(ABOUT, failed('"kind": "exchange"'), [0], "")
        evidence.append_exchange(summarise_exchange(exchange(body), NONE), ABOUT)
    found = list(recorded_exchanges(path))
    assert [replace(each, exchange=exchange()) for each in found] == [
        RecordedExchange(exchange(), "c", valid=False, crowd=True),
        RecordedExchange(exchange(), "c", whole=False),
    ]
    assert [each.exchange.seq for each in found] == [0, 2]


def test_an_exchange_lasts_from_when_it_was_sent_for_its_time(tmp_path: Path) -> None:
    made = [replace(exchange(), sent=100.5, end=2_000_000_000), replace(exchange(), sent=3.0)]
    assert exchange_times(written(tmp_path, *made)) == {0: (100.5, 102.5), 1: (3.0, 3.0 + 7e-9)}


def test_only_an_exchange_with_its_times_is_told_to_last(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Evidence(path, NONE) as evidence:
        evidence.open({"sent": 1.5, "written": None, "end": 7})
        evidence.append_exchange({"sent": 1.5}, ABOUT)
        evidence.exchange(replace(exchange(), sent=3.0), ABOUT)
    assert exchange_times(path) == {1: (3.0, 3.0 + 7e-9)}


def test_a_body_is_read_back_from_each_way_to_keep_it() -> None:
    kept = [{"body_base64": "/wA="}, {"body": "\ud800"}, {"body": "x", "body_end": "end"}]
    assert [body_of(each) for each in kept] == [b"\xff\x00", b"\xed\xa0\x80", b"end"]


@pytest.mark.parametrize(
    ("change", "why", "torn"),
    [
        (lambda raw: raw[:-1], "3 is incomplete", True),
        (lambda raw: raw + b"{}", "4 is incomplete", True),
        (lambda raw: raw + b"{\n", "4 is not a line of JSON", False),
        (lambda raw: raw + b"[" * 10**5 + b"\n", "4 is not a line of JSON", False),
        (lambda raw: raw + b"{}\n", "4 does not follow the line before it", False),
        (lambda raw: raw + b"[]\n", "4 does not follow the line before it", False),
    ],
)
def test_only_a_last_line_that_is_incomplete_is_torn(
    tmp_path: Path, change: Any, why: str, torn: bool
) -> None:
    path = written(tmp_path, exchange())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(EvidenceIntegrityError) as raised:
        list(entries(path))
    assert (str(raised.value), raised.value.torn) == (f"evidence.jsonl:{why}", torn)


def test_each_entry_comes_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, exchange())
    found = list(entries(path))
    assert b"".join(line for _, line in found) == path.read_bytes()
    assert [entry["kind"] for entry, _ in found] == ["run", "exchange", "trial"]


def test_evidence_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = written(tmp_path, exchange())
    head = sha256(path.read_bytes().splitlines()[-1]).hexdigest()
    with Evidence(path, NONE, head, 1) as evidence:
        evidence.open({"model": "m"}, resumed=True)
        assert evidence.exchange(exchange(), ABOUT).seq == 1
    found = [(entry["kind"], entry.get("seq")) for entry, _ in entries(path)]
    assert found[3:] == [("resumed", None), ("exchange", 1)]


def test_an_exchange_that_fits_exactly_is_kept(tmp_path: Path) -> None:
    first = written(tmp_path, exchange())
    size = len(b"".join(first.read_bytes().splitlines(keepends=True)[:2])) - 1  # the line's end
    with Evidence(tmp_path / "exact.jsonl", NONE, limit=size) as evidence:
        evidence.open({"model": "m"})
        assert evidence.exchange(exchange(), ABOUT).seq == 0
    with Evidence(tmp_path / "less.jsonl", NONE, limit=size - 1) as evidence:
        evidence.open({"model": "m"})
        with pytest.raises(EndpointError, match="evidence is spent") as spent:
            evidence.exchange(exchange(), ABOUT)
    assert spent.value.score.outcome is Outcome.SKIPPED


@pytest.mark.parametrize("with_its_folder", [True, False])
def test_evidence_that_was_removed_meanwhile_is_written_again(
    tmp_path: Path, with_its_folder: bool
) -> None:
    path = tmp_path / "reports" / "run" / "evidence.jsonl"
    path.parent.mkdir(parents=True)
    with Evidence(path, NONE) as evidence:
        evidence.exchange(exchange(b"one"), ABOUT)
        before = path.read_bytes()
        path.unlink()
        if with_its_folder:
            rmtree(tmp_path / "reports")
    assert (path.read_bytes(), evidence.restored) == (before, True)


def test_evidence_that_stays_is_not_written_again(tmp_path: Path) -> None:
    with Evidence(tmp_path / "evidence.jsonl", NONE) as evidence:
        evidence.exchange(exchange(b"one"), ABOUT)
    evidence.close()
    assert evidence.restored is False


def test_to_evidence_of_a_run_that_has_ended_nothing_happens(tmp_path: Path) -> None:
    path = written(tmp_path, exchange())
    before = path.read_bytes()
    with ClosedEvidence(path, NONE, "f" * 64, 1) as evidence:
        assert (evidence.head, evidence.exchanges) == ("f" * 64, 1)
    assert (evidence.broken, evidence.restored, path.read_bytes()) == ("", False, before)


def test_what_is_no_exchange_and_no_trial_has_a_kind_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Evidence(path, NONE) as evidence:
        evidence.same_build([{"run": "a"}])
        evidence.measurement("step", [0, 1], {"x": 1})
        evidence.internal_error(ABOUT, ZeroDivisionError("by zero"))
    builds, step, error = lines(path)
    assert (builds["kind"], builds["runs"]) == ("same build", [{"run": "a"}])
    assert (step["kind"], step["key"], step["exchanges"], step["value"]) == (
        "measurement",
        "step",
        [0, 1],
        {"x": 1},
    )
    assert (error["kind"], error["check"]) == ("internal error", "c")
    assert error["trace"] == "ZeroDivisionError: by zero\n"
