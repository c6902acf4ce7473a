import hashlib
import json
import resource
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.evidence.log import (
    ENDS,
    GENESIS,
    Evidence,
    EvidenceIntegrityError,
    chain_end,
    exchange_of,
)
from readiness.evidence.redaction import MARK, Secrets
from readiness.exchange import Arrival, Exchange, Fault
from readiness.score import EndpointError, Outcome, failed
from tests.exchanges import is_whole

NONE = Secrets([])
KEY = 'sk-"canary"/4711=='


def exchange(body: bytes = b"{}", request: Any = None, **headers: str) -> Exchange:
    return Exchange(
        request=request if request is not None else {"messages": []},
        status=200,
        headers=headers,
        body=body,
        arrivals=(Arrival(5, len(body)),),
        fault=None,
        detail="",
        sent=1.5,
        end=7,
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def written(folder: Path, *exchanges: Exchange, secrets: Secrets = NONE) -> Path:
    path = folder / "evidence.jsonl"
    with Evidence(path, secrets) as evidence:
        evidence.open({"model": "m"})
        for each in exchanges:
            evidence.exchange(each, {"check": "c", "probe": "p", "trial": 0})
        evidence.trial({"check": "c", "probe": "p", "trial": 0}, failed("why"), [0], "")
    return path


def test_of_a_response_that_is_too_large_the_digest_and_the_ends_are_kept(tmp_path: Path) -> None:
    # The cuts go through a key, at either end.
    body = b"a" * (ENDS - 5) + KEY.encode() + b"b" * 10**6 + KEY.encode() + b"c" * (ENDS - 5)
    large = replace(exchange(body), fault=Fault.TOO_LARGE, detail="more than 1,000,000 bytes")
    path = tmp_path / "evidence.jsonl"
    with Evidence(path, Secrets([KEY])) as evidence:
        came = evidence.exchange(large, {"check": "c"})
    (line,) = lines(path)
    assert (line["body_sha256"], line["body_size"]) == (sha256(body).hexdigest(), len(body))
    assert line["body_start"] == "a" * (ENDS - 5) + MARK[:5]
    assert line["body_end"] == MARK[-5:] + "c" * (ENDS - 5)
    assert came.body == line["body_end"].encode()
    assert path.stat().st_size < 3 * ENDS


def test_without_a_secret_the_ends_of_a_large_response_are_as_long(tmp_path: Path) -> None:
    large = replace(exchange(b"a" * ENDS + b"b" * ENDS), fault=Fault.TOO_LARGE)
    (_, line, _) = lines(written(tmp_path, large, secrets=Secrets([])))
    assert (line["body_start"], line["body_end"]) == ("a" * ENDS, "b" * ENDS)


def test_of_a_short_response_that_is_too_large_both_ends_are_all_of_it(tmp_path: Path) -> None:
    short = replace(exchange(b"abc"), fault=Fault.TOO_LARGE, detail="more than 2 bytes")
    (_, line, _) = lines(written(tmp_path, short))
    assert (line["body_start"], line["body_end"], line["body_size"]) == ("abc", "abc", 3)


def test_exchanges_are_kept_up_to_a_limit_and_trials_beyond_it(tmp_path: Path) -> None:
    path, about = tmp_path / "evidence.jsonl", {"check": "c", "probe": "p", "trial": 0}
    with Evidence(path, NONE, limit=3 * 10**6) as evidence:
        assert evidence.exchange(exchange(b"a" * 10**6), about).seq == 0
        with pytest.raises(EndpointError, match="the budget of 3 MB of evidence is spent") as spent:
            evidence.exchange(exchange(b"a" * 2 * 10**6), about)
        assert spent.value.score.outcome is Outcome.SKIPPED
        evidence.trial(about, failed("a" * 3 * 10**6), [0], "")
        assert (evidence.exchanges, chain_end(path)) == (1, evidence.head)


def test_an_exchange_is_written_with_all_that_came(tmp_path: Path) -> None:
    _, line, trial = lines(
        written(tmp_path, replace(exchange(b'{"a": "\xe5\xa5\xbd"}', server="x"), late=3))
    )
    del line["prev"]
    assert line == {
        "kind": "exchange",
        "seq": 0,
        "check": "c",
        "probe": "p",
        "trial": 0,
        "method": "POST",
        "path": "/chat/completions",
        "request": {"messages": []},
        "status": 200,
        "headers": {"server": "x"},
        "body": '{"a": "好"}',
        "arrivals": [[5, 12]],
        "keyed": False,
        "written": 0,
        "fault": None,
        "detail": "",
        "late": 3,
        "sent": 1.5,
        "end": 7,
    }
    assert exchange_of(line).late == 3
    assert (trial["kind"], trial["outcome"], trial["reason"]) == ("trial", "fail", "why")


def test_bytes_that_are_no_text_are_kept_in_base64(tmp_path: Path) -> None:
    _, line, _ = lines(written(tmp_path, exchange(b"\xff\x00", request=b"\xfe")))
    assert (line["body_base64"], line["request"]) == ("/wA=", {"body_base64": "/g=="})


def test_each_line_seals_the_one_before_it(tmp_path: Path) -> None:
    path = written(tmp_path, exchange(b"one"), exchange(b"two"))
    raw = path.read_bytes().splitlines()
    sealed = [json.loads(line)["prev"] for line in raw]
    assert sealed == [GENESIS, *(hashlib.sha256(line).hexdigest() for line in raw[:-1])]
    assert is_whole(path)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_that_was_changed_is_found(tmp_path: Path, number: int) -> None:
    path = written(tmp_path, exchange(b"one"), exchange(b"two"))
    raw = path.read_bytes().splitlines(keepends=True)
    raw[number] = raw[number].replace(b'"', b' "', 1)
    path.write_bytes(b"".join(raw))
    with pytest.raises(
        EvidenceIntegrityError,
        match=f"evidence.jsonl:{number + 2} does not follow the line before it",
    ):
        chain_end(path)


def test_an_incomplete_line_is_detected(tmp_path: Path) -> None:
    path = written(tmp_path, exchange(b"one"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(EvidenceIntegrityError, match=r"evidence\.jsonl:3 is incomplete"):
        chain_end(path)


def test_a_line_that_is_no_object_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, exchange(b"one"))
    path.write_bytes(b'"one"\n' + path.read_bytes())
    with pytest.raises(
        EvidenceIntegrityError, match=r"evidence\.jsonl:1 does not follow the line before it"
    ):
        chain_end(path)


def test_a_line_is_in_the_file_before_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Evidence(path, NONE) as evidence:
        evidence.exchange(exchange(b"one"), {})
        found = [line["body"] for line in lines(path)]
    assert found == ["one"]


def test_a_line_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Evidence(path, NONE) as evidence:
        evidence.open({"model": "mini"})
        written, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(written) + 9, limit[1]))
        try:
            evidence.open({"model": "another"})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        evidence.open({"model": "there is room again"})
    assert (path.read_bytes(), evidence.head) == (written, chain_end(path))
    assert evidence.broken == "evidence.jsonl cannot be written: File too large"


def test_evidence_is_never_written_over(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(FileExistsError):
        Evidence(path, Secrets([]))


@pytest.mark.parametrize(
    "echo",
    [
        KEY.encode(),
        json.dumps({"error": f"bad key {KEY}"}).encode(),
        b"\xff" + KEY.encode(),
        b"sk-%22canary%22%2F4711%3D%3D",
    ],
)
def test_a_key_that_the_endpoint_echoes_is_in_no_file(tmp_path: Path, echo: bytes) -> None:
    path = written(tmp_path, exchange(echo, request={"x": KEY}, echoed=KEY), secrets=Secrets([KEY]))
    content = path.read_bytes()
    assert b"canary" not in content
    assert MARK.encode() in content
    assert is_whole(path)


@given(st.text())
def test_text_without_a_secret_is_left_as_it_is(text: str) -> None:
    assert Secrets(["an-unlikely-secret"]).redact(text) == text


def test_a_fault_is_written_by_its_name(tmp_path: Path) -> None:
    cut = Exchange({}, 200, {}, b"ha", (), Fault.RESET, "cut", 0.0, 1)
    _, line, _ = lines(written(tmp_path, cut))
    assert (line["fault"], line["detail"]) == ("connection lost", "cut")
