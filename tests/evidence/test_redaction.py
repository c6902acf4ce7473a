"""A key that an endpoint repeats anywhere is in no byte that is written or printed."""

import base64
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.evidence.redaction import MARK, Secrets
from readiness.reply import REASONING_FIELDS
from tests.cli.test_plugin import OK_CHECK
from tests.miniature import completion
from tests.scripted_server import Script, response, serving
from tests.user_checks import POLICY

KEY = 'sk-"canary"/4711=='
PASSWORD = "pass-canary-0815"
HEADER = "team-canary-1234"
SECRETS = (KEY, PASSWORD, HEADER)


def forms(secret: str) -> set[bytes]:
    """A secret as it stands, and as it is written in JSON, URLs and base64."""
    found = {secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3], quote(secret)}
    return {each.encode() for each in found} | {base64.b64encode(secret.encode()).rstrip(b"=")}


FORMS = {form for secret in SECRETS for form in forms(secret)} | {b"canary"}


def echoing(n: int, request: bytes) -> list[bytes | float | None]:
    """Repeats the secrets in ids, headers, texts and errors."""
    told = " ".join(SECRETS)
    headers = ("Content-Type: application/json", f"Server: {KEY}", f"X-Request-Id: {PASSWORD}")
    if request.startswith(b"GET"):
        listed = {"object": "list", "data": [{"id": f"model {told}", "object": "model"}]}
        return [response(json.dumps(listed).encode(), "200 OK", *headers)]
    if n > 10 and n % 3 == 0:
        body = json.dumps({"error": {"message": f"bad key {told}", "type": told}}).encode()
        return [response(body, "400 No", *headers)]
    if n > 10 and n % 3 == 1:
        return [response(f"<html>{told}</html>".encode(), "500 No", *headers)]
    return [response(completion(told), "200 OK", *headers)]


def locked(n: int, request: bytes) -> list[bytes | float | None]:
    """Tells whoever knocks which key was wrong."""
    return [response(json.dumps({"error": {"message": f"wrong: {KEY}"}}).encode(), "401 No")]


def ran(folder: Path, script: Script) -> tuple[int, dict[str, bytes]]:
    """Run a checklist, and give its status and all that it has kept and printed, by its place."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "own.yaml").write_text(POLICY)
    (folder / "check_words.py").write_text(OK_CHECK)
    with serving(script) as url:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--policy", "own.yaml"]
        command += ["--endpoint", url.replace("//", f"//user:{PASSWORD}@"), "."]
        command += ["--header", f"X-Team: {HEADER}", "-vv", "--junitxml", "reports/own.xml"]
        environment = {**os.environ, "OPENAI_API_KEY": KEY}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False, timeout=100
        )
    found = [path for path in (folder / "reports").rglob("*") if path.is_file()]
    places = {str(path): path.read_bytes() for path in found}
    names = "\n".join(places).encode()
    return done.returncode, {**places, "out": done.stdout, "err": done.stderr, "names": names}


def leaks(places: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return [(name, form) for name, said in places.items() for form in FORMS if form in said]


def test_a_secret_that_is_echoed_is_in_no_byte_that_is_kept_or_printed(tmp_path: Path) -> None:
    status, places = ran(tmp_path, echoing)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert len(places) > 10
    assert leaks(places) == []
    assert b"[redacted]" in places["out"]


def test_a_key_that_is_refused_is_not_printed(tmp_path: Path) -> None:
    status, places = ran(tmp_path, locked)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert b"the key is not accepted: HTTP 401" in places["err"]
    assert leaks(places) == []


@given(
    st.sampled_from([*REASONING_FIELDS, "content", "refusal", "name", "arguments", "text"]),
    st.lists(st.integers(1, len(KEY) - 1), max_size=4, unique=True),
)
def test_a_key_that_a_stream_cuts_into_pieces_is_not_kept(field: str, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(KEY)]
    pieces = ["Your key: ", *(KEY[start:end] for start, end in pairwise(places)), ", is it not?"]
    deltas = [{"choices": [{"index": 0, "delta": {field: piece}}]} for piece in pieces]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in deltas).encode()
    kept = Secrets([KEY]).redact_bytes(body)
    told = [json.loads(line[6:]) for line in kept.decode().splitlines() if line]
    said = [each["choices"][0]["delta"][field] for each in told]
    assert (said[0], said[-1]) == (pieces[0], pieces[-1])
    assert set(said[1:-1]) == {MARK}


def test_a_stream_without_a_key_is_kept_as_it_is() -> None:
    body = b'data: {"choices": [{"delta": {"content": "sk-"}}]}\n\ndata: [DONE]\n\n'
    assert Secrets([KEY]).redact_bytes(body) == body
