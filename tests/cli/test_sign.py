"""Signing a run, and detecting that it was changed."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from readiness.cli import sign
from readiness.evidence import run_folder
from readiness.reporters import dsse
from tests.example_records import check, dimension, record, run
from tests.exchanges import is_whole

UNSOUND, NOTHING_VOUCHES, USAGE = 11, 10, 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run(tmp_path / "run")


def key(folder: Path, name: str) -> tuple[Path, Path]:
    """A private key and its public one, as PEM files."""
    private = Ed25519PrivateKey.generate()
    paths = folder / f"{name}.pem", folder / f"{name}.pub"
    paths[0].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    paths[1].write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return paths


def do(command: Callable[[list[str]], int], *argv: object) -> int:
    return command([str(each) for each in argv])


@pytest.fixture
def signed(folder: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A run that two people have signed, and their public keys."""
    (tester, tester_public), (approver, approver_public) = key(tmp_path, "t"), key(tmp_path, "a")
    assert do(sign.sign, folder, "--key", tester) == 0
    assert do(sign.approve, folder, "--key", approver) == 0
    return folder, tester_public, approver_public


def test_a_signed_run_is_verified_for_both_keys(
    signed: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, tester, approver = signed
    capsys.readouterr()
    assert do(sign.verify, folder, "--key", tester, "--key", approver) == 0
    assert capsys.readouterr().out == (
        "not ready, score 59: every file and the chain are intact; "
        "it was not scored again: nothing was tried; "
        f"signed by {tester}, {approver}\n"
    )


def test_without_a_key_no_signature_is_claimed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do(sign.verify, folder) == NOTHING_VOUCHES
    assert "no signature was checked" in capsys.readouterr().out
    assert do(sign.verify, folder, "--rescore") == USAGE


def test_what_is_signed_says_what_was_tested_and_with_what(
    signed: tuple[Path, Path, Path],
) -> None:
    folder, *_ = signed
    said = json.loads(dsse.load(folder / "attestation.json").payload)
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert [each["name"] for each in said["subject"]] == ["mini", "SHA256SUMS"]
    assert said["subject"][1]["digest"]["sha256"] == run_folder.digest(folder / "SHA256SUMS")
    predicate = said["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["passedTests"] == ["long_context.finds"]
    assert predicate["warnedTests"] == ["memory.keeps", "memory.doubtful"]
    assert predicate["failedTests"] == ["memory.recall_at_turn_50", "memory.advised"]
    assert predicate["notAssessed"] == ["long_context.lacks"]
    assert [each["name"] for each in predicate["configuration"]] == [
        "policy article",
        "prompts",
        "harness llm-readiness 0.1.0",
        "profile ci, seed 0",
        "readiness.json",
        "evidence.jsonl",
    ]


def of_verdict(verdict: str) -> dict[str, Any]:
    """A record of one check with that verdict."""
    score, status = {"ready": (100, 0), "inconclusive": (89, 10), "not ready": (59, 1)}[verdict]
    row = dimension("memory", check("memory.keeps", verdict, score=score))
    row |= {"verdict": verdict, "score": score}
    return record(row, verdict=verdict, score=score, exit_status=status)


@pytest.mark.parametrize(
    ("verdict", "result"),
    [("ready", "PASSED"), ("inconclusive", "WARNED"), ("not ready", "FAILED")],
)
def test_an_inconclusive_run_is_no_pass(tmp_path: Path, verdict: str, result: str) -> None:
    folder = run(tmp_path / verdict, of_verdict(verdict))
    do(sign.sign, folder, "--key", key(tmp_path, "k")[0])
    said = json.loads(dsse.load(folder / "attestation.json").payload)
    assert said["predicate"]["result"] == result


def test_openssl_alone_can_verify(signed: tuple[Path, Path, Path], tmp_path: Path) -> None:
    folder, tester, _ = signed
    said = json.loads((folder / "attestation.json").read_text())
    payload, kind = base64.b64decode(said["payload"]), said["payloadType"]
    (tmp_path / "pae").write_bytes(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
    (tmp_path / "sig").write_bytes(base64.b64decode(said["signatures"][0]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(tester), "-rawin"]
    command += ["-in", str(tmp_path / "pae"), "-sigfile", str(tmp_path / "sig")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (tmp_path / "pae").write_bytes((tmp_path / "pae").read_bytes().replace(b"FAILED", b"PASSED"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_one_changed_byte_in_any_file_is_found(signed: tuple[Path, Path, Path]) -> None:
    folder, tester, approver = signed
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    passed = [path.name for path in files if _passes_with_a_changed_byte(path, signed)]
    assert passed == []
    assert do(sign.verify, folder, "--key", tester, "--key", approver) == 0


def _passes_with_a_changed_byte(path: Path, signed: tuple[Path, Path, Path]) -> bool:
    folder, tester, approver = signed
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    status = do(sign.verify, folder, "--key", tester, "--key", approver)
    path.write_bytes(whole)
    return status != UNSOUND


@pytest.mark.parametrize("command", [sign.verify, sign.sign, sign.approve])
def test_where_there_is_no_run_nothing_is_called_changed(
    command: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["nowhere", "--key", "key.pem"])
    assert ended.value.code == USAGE
    assert "nowhere: there is none: name the folder of a run" in capsys.readouterr().err


def test_a_missing_file_an_added_one_and_a_link_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "summary.md").unlink()
    (folder / "more.txt").write_text("more")
    (folder / "metrics.txt").unlink()
    (folder / "metrics.txt").symlink_to("/dev/null")
    assert do(sign.verify, folder) == UNSOUND
    assert capsys.readouterr().err == (
        f"{folder} is not intact: metrics.txt was changed; more.txt was added; "
        "summary.md is missing\n"
    )


def test_what_is_no_run_is_named_with_what_to_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do(sign.verify, tmp_path) == UNSOUND
    why = f"{tmp_path} has no SHA256SUMS: name the folder of a finished run\n"
    assert capsys.readouterr().err == why


def _reseal(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the evidence, and write digests that cover it up."""
    path = folder / "evidence.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    run_folder.write(folder)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: lines[:1] + lines[2:], "evidence.jsonl:2 does not follow"),
        (lambda lines: [*lines[:-1], b"{}\n"], "evidence.jsonl:5 does not follow"),
        (
            lambda lines: [*lines[:-1], lines[-1][:-9] + b"\n"],
            "evidence.jsonl:5 is not a line of JSON",
        ),
        (lambda lines: lines[:-1], "does not end where the record says"),
    ],
)
def test_a_broken_chain_is_found_although_the_digests_are_right(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[list[bytes]], list[bytes]],
    why: str,
) -> None:
    assert is_whole(folder / "evidence.jsonl")
    _reseal(folder, change)
    assert do(sign.verify, folder) == UNSOUND
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("named", [True, False])
def test_new_digests_do_not_fit_an_old_signature(
    signed: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], named: bool
) -> None:
    folder, tester, _ = signed
    (folder / "review.yaml").write_text("[]")
    run_folder.write(folder)
    assert do(sign.verify, folder, *(["--key", tester] if named else [])) == UNSOUND
    assert capsys.readouterr().err == "what was signed is another run, or another verdict\n"


def test_a_signed_run_is_checked_against_its_signatures_without_a_key(
    signed: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, *_ = signed
    capsys.readouterr()
    assert do(sign.verify, folder) == NOTHING_VOUCHES
    assert capsys.readouterr().out == (
        "not ready, score 59: every file and the chain are intact; "
        "it was not scored again: nothing was tried; "
        "signed by 2 keys that you have not named: no signature was checked (--key)\n"
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verdict": "ready"}, "the verdict is ready, and that of its dimensions is not ready"),
        ({"score": 100}, "the score is 100, more than its dimensions have"),
        ({"exit_status": 0}, "the exit status is 0, and the verdict not ready"),
        ({"seed": 7}, "readiness.html is not what the record says"),
    ],
)
@pytest.mark.parametrize("command", [sign.verify, sign.sign])
def test_a_record_that_contradicts_itself_is_refused(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: Callable[[list[str]], int],
    changes: dict[str, Any],
    why: str,
) -> None:
    path = folder / "readiness.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    run_folder.write(folder)
    keys = ["--key", key(tmp_path, "k")[0]] if command is sign.sign else []
    assert do(command, folder, *keys) == UNSOUND
    assert why in capsys.readouterr().err


def test_the_same_person_cannot_sign_twice(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = key(tmp_path, "k")
    assert do(sign.sign, folder, "--key", private) == 0
    assert do(sign.sign, folder, "--key", private) == UNSOUND
    assert do(sign.approve, folder, "--key", private) == UNSOUND
    assert "this key has signed already" in capsys.readouterr().err
    copy = tmp_path / "copy.pub"
    copy.write_bytes(public.read_bytes())
    assert do(sign.verify, folder, "--key", public, "--key", copy) == UNSOUND
    assert "are the same key: that is one person" in capsys.readouterr().err


def test_a_key_that_has_not_signed_is_named(
    signed: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, tester, _ = signed
    _, stranger = key(tmp_path, "stranger")
    assert do(sign.verify, folder, "--key", tester, "--key", stranger) == UNSOUND
    assert capsys.readouterr().err == f"{stranger} has not signed this run\n"


def test_what_is_changed_cannot_be_approved(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    do(sign.sign, folder, "--key", key(tmp_path, "t")[0])
    (folder / "junit.xml").write_text("<x/>")
    assert do(sign.approve, folder, "--key", key(tmp_path, "a")[0]) == UNSOUND
    assert "junit.xml was changed" in capsys.readouterr().err


def _broken(envelope: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**envelope, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"payloadType": "text/plain"},
        {"payload": "not base64!"},
        {"payload": 7},
        {"signatures": [{"keyid": "k"}]},
        {"signatures": None},
        {"payload": base64.b64encode(b"{}").decode()},
    ],
)
def test_an_envelope_that_was_tampered_with_is_refused(
    signed: tuple[Path, Path, Path], changes: dict[str, Any]
) -> None:
    folder, tester, _ = signed
    path = folder / "attestation.json"
    path.write_text(_broken(json.loads(path.read_text()), **changes))
    assert do(sign.verify, folder, "--key", tester) == UNSOUND


@pytest.mark.parametrize(
    "content", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_refused(folder: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "k.pem").write_text(content)
    assert do(sign.sign, folder, "--key", tmp_path / "k.pem") == UNSOUND
    assert not (folder / "attestation.json").exists()


def test_a_key_of_another_kind_is_refused_with_what_would_do(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pem = tmp_path / "rsa.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", pem], check=True)
    assert do(sign.sign, folder, "--key", pem) == UNSOUND
    assert "is not an Ed25519 key: openssl genpkey -algorithm ed25519" in capsys.readouterr().err
