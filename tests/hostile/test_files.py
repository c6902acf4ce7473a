"""Whatever a file is that is given: one clear line at once, without its contents in memory."""

from __future__ import annotations

import json
import os
import struct
import time
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.baseline import finished_run
from readiness.checks.license.gather import LicenseEvidenceError, gather
from readiness.checks.license.gguf_header import read_header
from readiness.cli import configure
from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError, chain_end
from readiness.evidence.run_folder import EVIDENCE, RECORD, SUMS, FolderError
from readiness.load.meters.meter import MeterError
from readiness.load.meters.metrics_page import read_metrics
from readiness.policy import policy, waiver
from readiness.policy.policy import PolicyError
from readiness.search import FindingsStore
from readiness.verdict import labels

LAUGHS = "a0: &a0 [lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
#: How a file is made at a path.
MAKERS: dict[str, Callable[[Path], object]] = {
    "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": lambda path: os.mkfifo(path),
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a terabyte of zeros": lambda path: sparse(path, 2**40),
    "200,000 brackets": lambda path: path.write_text("[" * 200_000),
    "200,000 braces": lambda path: path.write_text("{" * 200_000),
    "billion laughs": lambda path: path.write_text(LAUGHS),
    "a million keys": lambda path: path.write_text("".join(f"k{n}: 1\n" for n in range(10**6))),
    "20,000 unknown keys": lambda path: path.write_text(
        "".join(f"k{n}: 1\n" for n in range(20000))
    ),
    "a number of 5,000 digits": lambda path: path.write_text(f"alpha: {'9' * 5000}\n"),
    "bytes": lambda path: path.write_bytes(bytes(range(256)) * 10),
    "a tag": lambda path: path.write_text("!!python/object/apply:os.system ['true']\n"),
    "escapes": lambda path: path.write_text("\x1b[2J: 1\n"),
}


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


#: What reads a file that is given; the message that it raises is what is shown.
READERS: dict[str, Callable[[Path], object]] = {
    "policy": policy.load,
    "waivers": lambda path: waiver.load(path, (), datetime.now(UTC).date()),
    "review": labels.load,
    "findings": FindingsStore,
    "licence record": lambda path: gather((path,)),
}
REFUSALS = (PolicyError, LicenseEvidenceError, LookupError, ValueError, OSError)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("made", MAKERS)
def test_a_file_that_is_given_is_refused_at_once(made: str, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    MAKERS[made](path)
    began = time.process_time()
    if made.startswith("a link to") and reader == "findings":
        READERS[reader](path)  # None were found yet.
        return
    with pytest.raises(REFUSALS) as refused:
        READERS[reader](path)
    assert time.process_time() - began < 5  # Of a processor, however busy the machine is.
    message = str(refused.value)
    assert "given.yaml" in message
    assert len(message) < 20_000


def review(path: Path) -> Namespace:
    return Namespace(review=path, resume=None)


def test_a_refused_review_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    os.mkfifo(path)
    with pytest.raises(pytest.UsageError, match=r"--review.*: no regular file"):
        configure._review(review(path))


# A run's folder


@pytest.mark.parametrize("name", [RECORD, EVIDENCE, SUMS])
@pytest.mark.parametrize("made", ["/dev/zero", "a pipe", "a folder", "200,000 brackets"])
def test_a_folder_with_a_file_that_is_none_is_no_run(made: str, name: str, tmp_path: Path) -> None:
    MAKERS[made](tmp_path / name)
    with pytest.raises((FolderError, LookupError, EvidenceIntegrityError)):
        finished_run.read_finished_run(tmp_path)
    assert finished_run.seed(tmp_path) is None


def test_a_pipe_in_a_run_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    run_folder.write(tmp_path)
    os.mkfifo(tmp_path / "b")
    assert [*run_folder.differences(tmp_path)] == [("b", "was added")]


@pytest.mark.parametrize("line", [b"[" * 100_000, b"9" * 5_000, b'{"prev": 1}', b"\xff\xfe", b""])
def test_evidence_of_odd_lines_is_not_intact(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / EVIDENCE
    path.write_bytes(line + b"\n")
    with pytest.raises(EvidenceIntegrityError, match=r"evidence.jsonl:1 "):
        chain_end(path)


# Licence evidence


@pytest.mark.parametrize("made", ["/dev/zero", "a pipe", "a link to itself", "a link to nothing"])
@pytest.mark.parametrize("name", ["LICENSE", "README.md", "config.json", "terms.pdf", "a.gguf"])
def test_what_is_no_file_of_the_model_is_not_read(made: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "LICENSE.txt").write_text("MIT License")
    MAKERS[made](tmp_path / name)
    found = gather((tmp_path,))
    assert [each.why for each in found.unreadable] == [f"{name}: no regular file of the folder"]


def test_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("a secret")
    model = tmp_path / "model"
    model.mkdir()
    (model / "LICENSE").symlink_to(tmp_path / "secret.txt")
    found = gather((model,))
    assert [each.why for each in found.unreadable] == ["LICENSE: no regular file of the folder"]
    assert found.license_documents == ()


def test_a_cache_of_hugging_face_is_read(tmp_path: Path) -> None:
    revision = tmp_path / "models--a--b" / "snapshots" / "c0ffee"
    blobs = tmp_path / "models--a--b" / "blobs"
    for folder in (revision, blobs):
        folder.mkdir(parents=True)
    (blobs / "123").write_text("MIT License")
    (revision / "LICENSE").symlink_to("../../blobs/123")
    found = gather((revision,))
    assert (found.unreadable, len(found.license_documents)) == ((), 1)


@pytest.mark.parametrize("size", [2**20 + 1, 2**40], ids=["more than is read", "a terabyte"])
@pytest.mark.parametrize("name", ["LICENSE", "README.md", "config.json", "terms.pdf", "a.gguf"])
def test_a_large_file_is_not_read(name: str, size: int, tmp_path: Path) -> None:
    (tmp_path / "LICENSE.txt").write_text("MIT License")
    sparse(tmp_path / name, size)
    began = time.process_time()
    assert len(gather((tmp_path,)).unreadable) == 1
    assert time.process_time() - began < 5


def header(*pairs: bytes, keys: int | None = None) -> bytes:
    count = len(pairs) if keys is None else keys
    return b"GGUF" + struct.pack("<IQQ", 3, 0, count) + b"".join(pairs)


def pair(key: bytes, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value


ODD_HEADERS = {
    "no header": b"",
    "magic alone": b"GGUF",
    "keys without end": header(keys=2**64 - 1),
    "many keys, none there": header(keys=9_999),
    "a key of 2**63 bytes": header(struct.pack("<Q", 2**63)),
    "a type that is none": header(pair(b"general.name", 99, b"")),
    "an array without end": header(pair(b"a", 9, struct.pack("<IQ", 8, 2**63))),
    "an array of numbers without end": header(
        pair(b"a", 9, struct.pack("<IQ", 4, 2**63)), pair(b"b", 4, b"")
    ),
    "an array of odd things": header(pair(b"a", 9, struct.pack("<IQ", 77, 5))),
    "arrays in arrays": header(pair(b"a", 9, struct.pack("<IQ", 9, 5))),
    "a text that is none": header(pair(b"general.name", 8, struct.pack("<Q", 2) + b"\xff\xfe")),
    "texts of a gigabyte": header(
        *[pair(b"general.name", 8, struct.pack("<Q", 2**20) + b"a" * 2**20)] * 17
    ),
}


@pytest.mark.parametrize("name", ODD_HEADERS)
def test_an_odd_header_of_weights_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(ODD_HEADERS[name])
    with pytest.raises(ValueError, match=r"\w"):
        read_header(path)
    (tmp_path / "LICENSE").write_text("MIT License")
    assert len(gather((tmp_path,)).unreadable) == 1


@pytest.mark.parametrize(
    ("kind", "value", "quantization"),
    [
        (6, struct.pack("<f", float("nan")), "file type nan"),
        (6, struct.pack("<f", float("inf")), "file type inf"),
        (8, struct.pack("<Q", 3) + b"odd", "file type 'odd'"),
        (10, struct.pack("<Q", 2**64 - 1), f"file type {2**64 - 1}"),
        (4, struct.pack("<I", 15), "Q4_K_M"),
    ],
)
def test_a_file_type_that_is_no_number_is_told_as_it_is(
    kind: int, value: bytes, quantization: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.gguf"
    counted = pair(b"general.base_model.count", 6, struct.pack("<f", float("inf")))
    path.write_bytes(header(pair(b"general.file_type", kind, value), counted))
    assert gather((path,)).quantization == quantization


@given(st.binary(max_size=200))
def test_a_header_of_any_bytes_is_read_or_refused(rest: bytes) -> None:
    with NamedTemporaryFile(suffix=".gguf") as file:
        file.write(b"GGUF\x03\0\0\0" + rest)
        file.flush()
        try:
            found = read_header(Path(file.name))
        except ValueError:
            return
        assert all(each.startswith("general.") for each in found)


# Metrics


@pytest.mark.parametrize(
    "page",
    [
        "process_resident_memory_bytes Inf\n",
        "process_resident_memory_bytes NaN\n",
        "process_resident_memory_bytes 1e999\n",
        "process_resident_memory_bytes{a=\n",
        "vllm:num_requests_running -Inf\n",
        '{"models": [{"size_vram": 1e999}]}',
        '{"models": [{"size_vram": NaN}]}',
        '{"models": 5}',
        '{"models": ' + "[" * 100_000,
        '"' + "\\ud800" * 10 + '"',
        json.dumps({"models": [{"size_vram": "9" * 5000}]}),
        "",
    ],
)
def test_metrics_that_are_no_numbers_are_no_reading(page: str) -> None:
    with pytest.raises(MeterError):
        read_metrics(page)
