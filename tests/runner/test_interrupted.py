"""An interrupted run: its evidence until then is kept."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from readiness.cli.rescore import rescore
from tests.cli.test_plugin import OK_CHECK
from tests.exchanges import is_whole
from tests.miniature import MODELS, completion
from tests.scripted_server import response, serving
from tests.user_checks import POLICY


def slow(n: int, request: bytes) -> list[bytes | float | None]:
    """Answers twenty requests, and then leaves the others waiting."""
    if request.startswith(b"GET"):
        return [response(MODELS)]
    return [response(completion("word"))] if n < 20 else [60.0]


def ended(folder: Path, with_signal: signal.Signals) -> tuple[int, Path]:
    """Run the checklist until some exchanges are written, send a signal, and give the status."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "own.yaml").write_text(POLICY)
    (folder / "check_words.py").write_text(OK_CHECK)
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "--policy", "own.yaml"]
    command += ["--seed", "0"]
    with (
        serving(slow) as url,
        subprocess.Popen([*command, "--endpoint", url, "."], cwd=folder) as run,
    ):
        deadline = time.monotonic() + 240
        while len(trials(folder)) < 10 and time.monotonic() < deadline:
            time.sleep(0.001)
        run.send_signal(with_signal)
        status = run.wait(240)
    (found,) = folder.glob("reports/2*")
    return status, found


def trials(folder: Path) -> list[bytes]:
    written = [path.read_bytes() for path in folder.glob("reports/2*/evidence.jsonl")]
    return [line for content in written for line in content.splitlines() if b'"trial", ' in line]


def test_ctrl_c_writes_the_record_of_what_was_seen(tmp_path: Path) -> None:
    status, folder = ended(tmp_path, signal.SIGINT)
    assert status == pytest.ExitCode.INTERRUPTED
    record = json.loads((folder / "readiness.json").read_text("utf-8"))
    assert record["requests"]["sent"] >= 20
    ((check,),) = (each["checks"] for each in record["dimensions"] if each["checks"])
    outcomes = check["outcomes"]
    assert (check["id"], outcomes.keys()) == ("words.repeats", {"fail", "skipped"})
    assert sum(outcomes.values()) == 60
    assert outcomes["fail"] >= 10
    assert check["reasons"][-1]["example"] == "skipped: the run was interrupted"
    own = ["--policy", str(tmp_path / "own.yaml"), "--checks", str(tmp_path / "check_words.py")]
    assert rescore([str(folder), *own]) == 0
    assert is_whole(folder / "evidence.jsonl")


#: Interrupts itself, and waits long before it cancels what runs.
INTERRUPTS_ITSELF = """
import os, signal, time
from readiness.runner.event_loop import BackgroundEventLoop

cancel_all = BackgroundEventLoop.cancel_all

def late(self):
    time.sleep(2)
    cancel_all(self)

BackgroundEventLoop.cancel_all = late

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_once_a_run_is_interrupted_no_trial_begins(tmp_path: Path) -> None:
    """What ends meanwhile is neither recorded twice nor followed by another."""
    interrupting = OK_CHECK.replace(
        "    reply =", "    if probe.id == 'ok.10':\n        interrupt()\n    reply ="
    )
    (tmp_path / "check_words.py").write_text(INTERRUPTS_ITSELF + interrupting)
    (tmp_path / "own.yaml").write_text(POLICY)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "--policy", "own.yaml"]

    def answering(n: int, request: bytes) -> list[bytes | float | None]:
        if request.startswith(b"GET"):
            return [response(MODELS)]
        asked = json.loads(request.partition(b"\r\n\r\n")[2])["messages"][-1]["content"]
        return [0.2, response(completion(asked.rpartition(": ")[2]))]

    with serving(answering) as url:
        ran = subprocess.run([*command, "--endpoint", url, "."], cwd=tmp_path)
    assert ran.returncode == pytest.ExitCode.INTERRUPTED
    made = [json.loads(line) for line in trials(tmp_path)]
    numbers = [each["trial"] for each in made]
    assert sorted(numbers) == list(range(60))
    assert sum(each["outcome"] == "skipped" for each in made) > 20


def test_a_killed_run_leaves_intact_evidence(tmp_path: Path) -> None:
    status, folder = ended(tmp_path, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert len(trials(tmp_path)) >= 10
    assert is_whole(folder / "evidence.jsonl")
