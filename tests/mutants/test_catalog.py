"""Mutants and harmless variants, at each of the levels that a flaw may have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection, HTTPException, IncompleteRead
from urllib.parse import urlsplit

import psutil
import pytest

from readiness.mutants.__main__ import main
from readiness.mutants.catalog import mutants
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.response import chunks, frames
from readiness.mutants.endpoint.server import serving
from readiness.mutants.endpoint.tokens import tokens
from readiness.mutants.flaw import Flaw
from readiness.policy.policy import load
from tests.http_client import JSON, TEXT, Got, chat


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    with serving("bare") as url:
        yield url


def test_a_harmless_variant_differs_in_form_only(bare: str) -> None:
    whole, stream = chat(bare, JSON), chat(bare, JSON, stream=True)
    assert sorted(whole.json["choices"][0]["message"]) == ["content", "role"]
    assert (whole.content, stream.streamed) == (TEXT, TEXT)


def test_a_character_split_between_writes_arrives_intact() -> None:
    with serving("characters_split") as url:
        assert chat(url, JSON, stream=True).streamed == TEXT


@pytest.mark.parametrize(
    "flaw", [flaw for flaw in mutants() if flaw.harmless], ids=lambda f: f.name
)
def test_a_harmless_stream_has_the_same_text(flaw: Flaw) -> None:
    request = {"model": "reference", "stream": True, **JSON}
    made = complete(request)
    sent = flaw.change_frames(request, frames(flaw.change_chunks(request, chunks(made))))
    got = Got(200, {}, b"".join(frame for frame in sent if isinstance(frame, bytes)))
    assert (got.streamed, got.frames[-1]) == (TEXT, "[DONE]")


def test_a_flaw_of_the_output_is_in_both_forms() -> None:
    with serving("reasoning_content") as url:
        whole, stream = chat(url), chat(url, stream=True)
    thought = "".join(choice["delta"].get("reasoning_content", "") for choice in stream.choices)
    assert whole.json["choices"][0]["message"]["reasoning_content"] == thought
    assert whole.json["usage"]["completion_tokens_details"]["reasoning_tokens"] == len(
        tokens(thought)
    )


def test_a_flaw_of_the_chunks_affects_only_streams_of_json() -> None:
    with serving("stream_changes_id") as url:
        flawed, other = chat(url, JSON, stream=True), chat(url, stream=True)
    ids = [len({chunk["id"] for chunk in got.chunks}) for got in (flawed, other)]
    assert ids == [2, 1]


def test_a_flaw_of_the_frames_cuts_the_stream() -> None:
    with serving("stream_cut_midway") as url:
        with pytest.raises((HTTPException, ConnectionError)):
            chat(url, JSON, stream=True)
        assert chat(url, stream=True).frames[-1] == "[DONE]"


def test_a_flaw_rejects_some_requests() -> None:
    with serving("html_with_200") as url:
        kinds = [chat(url, JSON).headers["Content-Type"] for _ in range(50)]
    assert [turn for turn, kind in enumerate(kinds, 1) if kind == "text/html"] == [25, 50]


def test_a_content_length_beyond_the_body_is_never_completed() -> None:
    with serving("length_too_long") as url, pytest.raises(IncompleteRead):
        chat(url, JSON)


def test_every_mutant_is_listed_once_with_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    checks = {line.split()[0]: line.split()[1] for line in lines}
    assert len(names) == len(set(names))
    assert checks["stream_without_done"] == "json_only.prompted_json"


def test_an_unknown_mutant_is_named_with_those_close(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--mutant", "stream_cut"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("no mutant is called 'stream_cut': perhaps stream_cut_midway")
    assert said.count("\n") == 1


def test_the_server_ends_when_its_parent_is_killed() -> None:
    code = (
        "import time; from readiness.mutants.endpoint.server import serving\n"
        "with serving() as url:\n    print(url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        children: Sequence[psutil.Process] = psutil.Process(parent.pid).children()
        parent.kill()
    assert len(children) == 1
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_a_client_that_disconnects_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    body = json.dumps({"model": "reference", "stream": True, **JSON})
    with serving("frames_split") as url:
        for _ in range(3):
            connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
            connection.request("POST", "/v1/chat/completions", body)
            connection.close()
        assert chat(url).content == "OK"
    assert capfd.readouterr().err == ""


#: Checks without a mutant, and what tests them instead.
SHOWN_ELSEWHERE = {
    "low_resource.prefill_speed": "its floor is a user's own: low_resource/test_floors.py",
    "low_resource.aggregate_throughput": "its floor is a user's own: low_resource/test_floors.py",
    "stability.recovers_after_restart": "needs a command that restarts: stability/test_checks.py",
}


def test_every_check_has_a_mutant() -> None:
    caught = {flaw.check for flaw in mutants()}
    assert load().checks - caught == SHOWN_ELSEWHERE.keys()
