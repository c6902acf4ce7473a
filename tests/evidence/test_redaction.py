"""No secret that an endpoint repeats, in whatever encoding, is in a byte written or printed."""

import base64
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from html import escape
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.cli import configure
from readiness.cli.doctor import doctor
from readiness.evidence.redaction import BATCH, MARK, Secrets
from readiness.reply import REASONING_FIELDS
from readiness.transport.address import Address
from tests.miniature import completion
from tests.scripted_server import Script, response, serving
from tests.user_checks import POLICY

KEY = 'sk-"canary"/4711==é'
#: Each with the place that it comes from.
SECRETS = {
    "key": KEY,
    "user": "user-canary-0814",
    "password": "pass-canary@0815",
    "query": "query-canary&42",
    "header": "team-canary-1234",
    "token": "token-canary/5678",
    "proxy user": "proxy-canary-9",
    "proxy password": "proxy-canary:10",
    "metrics": "metrics-canary-11",
    "environment": "command-canary-12",
}
USER, PROXY = "user-canary-0814:pass-canary@0815", "proxy-canary-9:proxy-canary:10"
CHECK = """
from readiness import PASSED, Probe, check, failed

PROBES = [Probe(f"ok.{n}", [{"role": "user", "content": f"Say {n}"}]) for n in range(24)]

@check(PROBES, required=0.9)
async def says(chat, probe):
    "Asked for a word, the endpoint MUST say it."
    reply = await chat(probe.messages, stream=probe.id.endswith(("1", "3", "5")))
    return failed(f"said {reply.text!r}, called {reply.tool_calls!r}")
"""


def encodings(secret: str) -> Iterator[str]:
    """A secret as it stands, and as written in JSON, in JSON in JSON, in HTML, URLs and base64."""
    units = secret.encode("utf-16-be").hex()
    points = "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3])
    yield escape(secret)
    yield from (points, points.upper().replace("\\U", "\\u"), points.replace("\\", "\\\\"))
    yield from (quote(secret), quote(secret, safe=""), quote(quote(secret, safe="")))
    yield "".join(f"%{byte:02x}" for byte in secret.encode())
    for offset in range(3):
        whole = base64.b64encode(b"x" * offset + secret.encode()).decode()
        own = whole[-(-8 * offset // 6) : 8 * (offset + len(secret.encode())) // 6]
        yield from (own, own.replace("+", "-").replace("/", "_"), quote(own, safe=""))


FORMS = {form.encode() for secret in (*SECRETS.values(), USER) for form in encodings(secret)}
TOLD = " ".join(sorted(form.decode() for form in FORMS))


@pytest.mark.parametrize("secret", [*SECRETS.values(), USER, "sk-'<&>" + "aé𝄞\\" * 9 + "z"])
def test_a_secret_is_redacted_in_every_encoding(secret: str) -> None:
    redacted = Secrets([secret])
    forms = dict.fromkeys(encodings(secret))
    assert {form: redacted.redact(f"<{form}>") for form in forms} == dict.fromkeys(
        forms, f"<{MARK}>"
    )
    bodies = {form: redacted.redact_bytes(f"<{form}>".encode()) for form in forms}
    assert bodies == dict.fromkeys(forms, f"<{MARK}>".encode())


def streamed(n: int) -> bytes:
    """A stream that has the key letter by letter, in one of several fields."""
    fields = ("content", "thinking", "reasoning_content", "arguments", "name", "id")
    deltas = (_delta(fields[n % len(fields)], letter) for letter in f" {KEY} ")
    chunks = [{"choices": [{"index": 0, "delta": each}]} for each in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {"content": "."}, "finish_reason": "stop"}]})
    return b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks)


def _delta(field: str, text: str) -> dict[str, Any]:
    if field in ("name", "arguments"):
        return {"tool_calls": [{"index": 0, "id": "c1", "function": {field: text}}]}
    return {"tool_calls": [{"index": 0, "id": text}]} if field == "id" else {field: text}


def echoing(n: int, request: bytes) -> list[bytes | float | None]:
    """Repeats the secrets in headers, ids, texts, deltas and errors."""
    headers = ("Content-Type: application/json", f"Server: {quote(KEY)}", f"X-Id: {USER}")
    if b" /metrics" in request.partition(b"\r\n")[0] or request.startswith(b"GET http://meter"):
        return [response(TOLD.encode(), "500 No", *headers)]
    if request.startswith(b"GET"):
        model = {"id": f"model {KEY} {USER}", "object": "model", "owned_by": TOLD}
        listed = {"object": "list", "data": [model]}
        return [response(json.dumps(listed).encode(), "200 OK", *headers)]
    if b'"stream": true' in request:
        return [response(streamed(n), "200 OK", "Content-Type: text/event-stream")]
    if n > 14 and n % 5 == 0:
        body = json.dumps({"error": {"message": f"bad key {TOLD}", "type": TOLD}}).encode()
        return [response(body, "400 No", *headers)]
    if n > 14 and n % 5 == 1:
        return [response(f"<html>{TOLD}</html>".encode(), "500 No", *headers)]
    return [response(completion(TOLD), "200 OK", *headers)]


def locked(n: int, request: bytes) -> list[bytes | float | None]:
    """Tells whoever knocks which key was wrong."""
    return [response(json.dumps({"error": {"message": f"wrong: {TOLD}"}}).encode(), "401 No")]


def ran(folder: Path, proxy: str, *options: str, key: str = KEY) -> tuple[int, dict[str, bytes]]:
    """Run a checklist by a proxy; its status, and all it has kept and printed, by its place."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "own.yaml").write_text(POLICY)
    (folder / "check_words.py").write_text(CHECK)
    told = {name: quote(each, safe="") for name, each in SECRETS.items()}
    url = f"http://{told['user']}:{told['password']}@model.test/v1?code={told['query']}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--policy", "own.yaml"]
    command += ["--endpoint", url, ".", "--seed", "0", "-vv", "--showlocals", "--tb=long"]
    command += ["--keep-going"]
    command += ["--header", f"X-Team: {SECRETS['header']}"]
    command += ["--header", f"X-Auth: Bearer {SECRETS['token']}"]
    command += ["--metrics", f"http://meter.test/metrics?token={told['metrics']}"]
    command += ["--restart-command", f"env TOKEN={SECRETS['environment']} true"]
    command += ["--junitxml", "reports/own.xml"]
    proxy = proxy.replace("//", f"//{told['proxy user']}:{told['proxy password']}@")
    environment = {
        **os.environ,
        "OPENAI_API_KEY": f"{KEY}\n",
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, timeout=600
    )
    found = [path for path in (folder / "reports").rglob("*") if path.is_file()]
    places = {str(path): path.read_bytes() for path in found}
    names = "\n".join(places).encode()
    return done.returncode, {**places, "out": done.stdout, "err": done.stderr, "names": names}


def leaks(places: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return [
        (name, form)
        for name, said in places.items()
        for form in (*FORMS, b"canary", base64.b64encode(b"canary"))
        if form in said
    ]


def served(folder: Path, script: Script) -> tuple[int, dict[str, bytes]]:
    with serving(script) as url:
        return ran(folder, url.removesuffix("/v1"))


def test_a_secret_that_is_echoed_is_in_no_byte_that_is_kept_or_printed(tmp_path: Path) -> None:
    status, places = served(tmp_path, echoing)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert len(places) > 10
    assert leaks(places) == []
    assert b"[redacted]" in places["out"]
    assert b"OPENAI_API_KEY begins or ends with white space" in places["out"]
    evidence = next(said for name, said in places.items() if name.endswith("evidence.jsonl"))
    # Letter by letter, in each of the eight streams.
    assert evidence.count(rb"\": \"[redacted]\"") >= 8 * len(KEY)


def test_a_key_that_is_refused_is_not_printed(tmp_path: Path) -> None:
    status, places = served(tmp_path, locked)
    assert status != 0
    assert b"the key is not accepted: HTTP 401" in places["err"] + places["out"]
    assert leaks(places) == []


def test_a_proxy_that_is_mistyped_is_a_usage_error_without_its_credentials(tmp_path: Path) -> None:
    status, places = ran(tmp_path, "http://proxy.test:99999")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert b"the proxy of the environment is none" in places["err"]
    assert leaks(places) == []


def test_a_bug_shows_no_secret_of_its_frames(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from readiness.transport.client import EndpointClient\n"
        "async def send(self, call, connection=''): return self.where.nothing\n"
        "EndpointClient.send = send\n"
    )
    status, places = served(tmp_path, echoing)
    assert status not in (0, 1)
    assert b"AttributeError" in places["out"] + places["err"]
    assert leaks(places) == []


def test_the_doctor_does_not_print_a_key_that_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(locked) as url:
        assert doctor([url]) != 0
    printed = capsys.readouterr()
    assert "the key is not accepted" in printed.err
    # Of the other secrets none was given.
    of_key = [form for form in encodings(KEY) if form in printed.out + printed.err]
    assert of_key == []


@pytest.mark.parametrize(
    ("proxy", "secrets"),
    [
        ("http://u-canary:p-canary@[::1", None),
        ("http://u-canary:p-canary@ab:0", None),
        ("u-canary:p-canary@ab:3128", {"u-canary", "p-canary", "u-canary:p-canary"}),
    ],
)
def test_the_credentials_of_a_proxy_are_secrets(
    proxy: str, secrets: set[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    if secrets is not None:
        assert secrets <= set(Address.read("http://model.test/v1", "", {}).secrets)
        return
    with pytest.raises(ValueError, match="the proxy of the environment is none") as raised:
        Address.read("http://model.test/v1", "", {})
    assert "canary" not in str(raised.value)


def test_an_address_that_is_none_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="not the address of an endpoint") as raised:
        Address.read("http://u-canary:p-canary@h\u2100/v1", "", {})
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "token"),
    [
        ({"Authorization": "Bearer t-canary"}, "t-canary"),
        ({"Authorization": f"Basic {base64.b64encode(b'u:p-canary').decode()}"}, "p-canary"),
        ({"api-key": "k-canary"}, "k-canary"),
    ],
)
def test_the_token_of_a_header_is_a_secret(given: dict[str, str], token: str) -> None:
    assert token in Address.read("http://h/v1", "", given).secrets


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_a_key_with_a_line_break_at_its_end_is_stripped(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"sk-canary{end}")
    assert configure.api_key() == "sk-canary"
    assert [*configure.key_notes()] == [
        "OPENAI_API_KEY begins or ends with white space, which is not sent"
    ]


def test_a_key_with_a_line_break_within_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary\n4711")
    with pytest.raises(pytest.UsageError, match="OPENAI_API_KEY has a line break") as raised:
        configure.api_key()
    assert "canary" not in str(raised.value)


FIELDS = [*REASONING_FIELDS, "content", "refusal", "name", "arguments", "text", "id", "of_its_own"]


@given(
    st.sampled_from(FIELDS),
    st.lists(st.integers(1, len(KEY) - 1), max_size=4, unique=True),
    st.booleans(),
)
def test_a_key_that_a_stream_cuts_into_pieces_is_not_kept(
    field: str, cuts: list[int], two: bool
) -> None:
    places = [0, *sorted(cuts), len(KEY)]
    pieces = ["Your key: ", *(KEY[start:end] for start, end in pairwise(places)), ", is it not?"]
    # Another choice says the same, a word later: their fragments alternate.
    turns = [(piece, choice) for piece in pieces for choice in range(1 + two)]
    deltas = [{"choices": [{"index": choice, "delta": {field: each}}]} for each, choice in turns]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in deltas).encode()
    kept = Secrets([KEY]).redact_bytes(body)
    told = [json.loads(line[6:]) for line in kept.decode().splitlines() if line]
    for choice in range(1 + two):
        said = [each["choices"][0] for each in told]
        mine = [each["delta"][field] for each in said if each["index"] == choice]
        assert (mine[0], mine[-1]) == (pieces[0], pieces[-1])
        assert set(mine[1:-1]) == {MARK}


def test_a_key_that_is_cut_into_tokens_of_one_document_is_not_kept() -> None:
    tokens = [{"token": each, "logprob": -0.1} for each in ("so: ", *KEY, " it is")]
    body = json.dumps({"choices": [{"index": 0, "logprobs": {"content": tokens}}]})
    kept = json.loads(Secrets([KEY]).redact_bytes(body.encode()))
    said = [each["token"] for each in kept["choices"][0]["logprobs"]["content"]]
    assert said == ["so: ", *[MARK] * len(KEY), " it is"]


def test_what_is_shorter_than_any_secret_is_none() -> None:
    assert Secrets(["canar", "canary"]).redact("a canar and a canary") == f"a canar and a {MARK}"


def test_a_session_token_is_redacted_without_being_known() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmVk"
    assert Secrets([]).redact(f"a {token} and eyJ") == f"a {MARK} and eyJ"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("aaaaaabcde", f"a{MARK}"),
        ("aaaaab", MARK),
        ("'aaaaaX', and so on", "'aaaaaX', and so on"),
        ("'aaaaab', and so on", f"'{MARK}', and so on"),
    ],
)
def test_six_characters_of_a_key_that_is_cut_are_its_beginning(text: str, shown: str) -> None:
    assert Secrets(["aaaaabcdefgh"]).excerpt(text) == shown


def test_a_key_at_the_beginning_and_one_right_behind_it_are_redacted() -> None:
    assert Secrets([KEY]).redact(f"{KEY}{KEY}") == MARK * 2


def fragments(kept: bytes) -> list[str]:
    """The texts of a stream of fragments."""
    return [json.loads(line[6:])["content"] for line in kept.decode().splitlines() if line]


def cut_into(*texts: str) -> bytes:
    """A stream of so many fragments."""
    return b"".join(b"data: %b\n\n" % json.dumps({"content": each}).encode() for each in texts)


@pytest.mark.parametrize("behind", [0, 1, len(KEY) - 1, len(KEY)])
def test_a_key_that_goes_on_where_fragments_have_been_joined_is_not_kept(behind: int) -> None:
    before, after = ["."] * (BATCH - len(KEY) + behind), ["."] * BATCH
    kept = Secrets([KEY]).redact_bytes(cut_into(*before, *KEY, *after))
    assert fragments(kept) == [*before, *[MARK] * len(KEY), *after]


@pytest.mark.parametrize("behind", [0, 9, len(KEY)])
def test_nor_is_one_whose_frames_have_more_tokens_than_fields_are_remembered(behind: int) -> None:
    before, after = ["."] * (BATCH // 3 - len(KEY) + behind), ["."] * BATCH
    tokens = [{"token": each, "text": ".", "id": "."} for each in (*before, *KEY, *after)]
    frames = [tokens[at : at + 100] for at in range(0, len(tokens), 100)]
    body = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in frames)
    kept = [json.loads(each[6:]) for each in Secrets([KEY]).redact_bytes(body).split(b"\n\n")[:-1]]
    told = [each["token"] for frame in kept for each in frame]
    assert told == [*before, *[MARK] * len(KEY), *after]


def test_a_key_in_the_first_choice_of_a_document_is_not_kept_where_another_follows() -> None:
    texts = [["."] * 90 + [*KEY], ["."] * 90]
    choices = [{"index": at, "tokens": [{"t": t} for t in of]} for at, of in enumerate(texts)]
    kept = json.loads(Secrets([KEY]).redact_bytes(json.dumps(choices).encode()))
    told = [[each["t"] for each in choice["tokens"]] for choice in kept]
    assert told == [["."] * 90 + [MARK] * len(KEY), ["."] * 90]


def test_a_key_is_not_kept_where_some_frames_leave_out_the_index_of_the_first_choice() -> None:
    choices = [{"index": 0, "text": KEY[:5]}, {"text": KEY[5:9]}, {"index": 0, "text": KEY[9:]}]
    body = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in choices)
    kept = Secrets([KEY]).redact_bytes(body).decode()
    assert [json.loads(line[6:])["text"] for line in kept.split("\n\n")[:-1]] == [MARK] * 3


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_key_that_is_cut_between_long_fragments_is_not_kept(size: int) -> None:
    long, half = "." * size, len(KEY) // 2
    texts = [f"{long}{KEY[:half]}", f"{KEY[half:]}{long}", f"{long}{KEY}{long}", long]
    kept = Secrets([KEY]).redact_bytes(cut_into(*texts))
    assert fragments(kept) == [MARK, MARK, f"{long}{MARK}{long}", long]


def test_parts_of_a_key_that_are_apart_within_a_fragment_are_kept() -> None:
    key = "canary-0815-4711"
    redacted = Secrets([key])
    text = f"{'.' * 100}{key[5:]}".ljust(redacted.reach - 5, ".") + key[:5] + "." * 100
    assert fragments(redacted.redact_bytes(cut_into(text, "."))) == [text, "."]


@pytest.mark.parametrize("cut", [1, 4, 7])
def test_a_key_that_is_escaped_again_and_again_is_found_in_both_of_its_parts(cut: int) -> None:
    escaped = "\\" * 8 + "u0061"
    texts = [f"{'.' * 5_000}{escaped * cut}", f"{escaped * (8 - cut)}{'.' * 5_000}"]
    body = b"".join(b'data: {"content": "%b"}\n\n' % each.encode() for each in texts)
    assert fragments(Secrets(["a" * 8]).redact_bytes(body)) == [MARK] * 2


@pytest.mark.parametrize("sizes", [[2], [3], [1, 2], [3, 1, 2]])
def test_a_key_that_is_cut_into_several_tokens_of_each_frame_is_not_kept(sizes: list[int]) -> None:
    texts = ["so: ", *KEY, " it is"]
    ends = [*accumulate(sizes * len(texts))]
    frames = [texts[start:end] for start, end in pairwise([0, *ends]) if start < len(texts)]
    bodies = [{"logprobs": [{"token": each} for each in frame]} for frame in frames]
    body = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in bodies)
    kept = [json.loads(each[6:]) for each in Secrets([KEY]).redact_bytes(body).split(b"\n\n")[:-1]]
    told = [each["token"] for frame in kept for each in frame["logprobs"]]
    assert told == ["so: ", *[MARK] * len(KEY), " it is"]


def test_keys_of_two_choices_in_each_frame_are_not_kept() -> None:
    choices = [[{"index": at, "text": each} for at in (0, 1)] for each in KEY]
    body = b"".join(b"data: %b\n\n" % json.dumps({"choices": each}).encode() for each in choices)
    kept = Secrets([KEY]).redact_bytes(body)
    assert kept.count(f'"text": "{MARK}"'.encode()) == 2 * len(KEY)


def test_a_stream_without_a_key_is_kept_as_it_is() -> None:
    body = b'data: {"choices": [{"delta": {"content": "sk-"}}]}\n\ndata: [DONE]\n\n'
    assert Secrets([KEY]).redact_bytes(body) == body


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"choices":[{"delta":{"content":"' + b"a" * 2**20,
        b'data: {"choices":[{"delta":{"content":"' + b"\\" * 2**19,
        b'data: {"a":"' + rb"\u0073" * 2**17,
        b"data: " + b'"a":"b",' * 2**13,
        b'data: {"content":' + b" " * 2**21,
    ],
)
def test_what_is_hostile_is_redacted_in_linear_memory(body: bytes) -> None:
    peaks = []
    for size in (1, 2):
        tracemalloc.start()
        assert Secrets([KEY]).redact_bytes(body * size) == body * size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 8 * len(body) + 2**23


def test_values_that_are_ordinary_words_are_no_secrets() -> None:
    given = {"X-Team": "platform", "Accept": "application/json", "X-Key": "k-canary-3"}
    found = Address.read("http://h/v1?api-version=2026-01-01&key=k-canary-2", "", given)
    assert set(found.secrets) == {"k-canary-3", "k-canary-2"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('HTTP 200 with \'{"email":"user@examp', 'HTTP 200 with \'{"email":"[redacted]'),
        ("got 'user@exam', and 'x'", "got '[redacted]', and 'x'"),
        ("got 'user@example.com' whole", "got '[redacted]' whole"),
        ("got 'user\\u0040exa\u2026", "got '[redacted]\u2026"),
        ("of a user@", "of a user@"),
        ("of user@exchange alone", "of user@exchange alone"),
    ],
)
def test_the_beginning_of_a_secret_that_a_reason_cuts_is_replaced(text: str, shown: str) -> None:
    assert Secrets(["user@example.com"]).excerpt(text) == shown
