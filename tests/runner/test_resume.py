"""A run interrupted at any moment resumes, and shows what it would have shown."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges import is_whole
from tests.miniature import mini
from tests.scripted_server import Script, serving
from tests.user_checks import POLICY

CHECKS = '''
from readiness import PASSED, Probe, check, failed

def asking(word):
    return [{"role": "user", "content": f"Repeat: {word}"}]

WORDS = [
    Probe(f"words.{n}", asking(f"word{n}"), {"word": f"word{n}"}, {"stream": bool(n % 2)})
    for n in range(40)
]

async def title(chat):
    return (await chat(asking("title"))).text

@check(WORDS)
async def repeats(chat, probe):
    """Asked twice to repeat a word, the endpoint MUST repeat it."""
    first = await chat(probe.messages, **probe.parameters)
    second = await chat([*probe.messages, *asking(first.text)], **probe.parameters)
    said = {first.text, second.text, await chat.fetch_once("title", title)}
    return PASSED if said == {probe.expect["word"], "title"} else failed(f"said {sorted(said)}")

@check(WORDS, in_order=True)
async def repeats_in_order(chat, probe):
    """Asked to repeat a word, the endpoint MUST repeat it, one after another."""
    reply = await chat(probe.messages, **probe.parameters)
    return PASSED if reply.text == probe.expect["word"] else failed(f"said {reply.text!r}")
'''
#: The words that come back wrong.
LOST = {"word7", "word31"}
Entry = dict[str, Any]


def answer(n: int, request: dict[str, Any]) -> str:
    word = str(request["messages"][-1]["content"]).partition(": ")[2]
    return "lost" if word in LOST else word or "OK"


def folder(path: Path) -> Path:
    """A folder with checks of its own."""
    path.mkdir()
    (path / "pytest.ini").write_text("[pytest]\n")
    (path / "own.yaml").write_text(POLICY)
    (path / "check_words.py").write_text(CHECKS)
    return path


def command(path: Path, url: str, *options: str) -> list[str]:
    plain = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "--policy", "own.yaml"]
    return [*plain, "--rootdir", str(path), "--seed", "0", "--endpoint", url, *options, "."]


def resumed(path: Path, url: str, run: Path, *options: str) -> tuple[int, str]:
    """The exit status of a run that goes on, and what it prints."""
    process = subprocess.run(
        command(path, url, "--resume", str(run), *options),
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout + process.stderr


def entries(path: Path) -> list[Entry]:
    """What stands in the evidence of the only run, as far as it is written."""
    files = [each.read_bytes() for each in path.glob("reports/2*/evidence.jsonl")]
    lines = [line for each in files for line in each.splitlines(keepends=True)]
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def killed(path: Path, url: str, trials: int) -> Path:
    """Start a run, and kill it once so many trials have ended."""
    with subprocess.Popen(command(path, url), cwd=path, stdout=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 240
        while (
            len(of_kind(path, "trial")) < trials or not entries(path)
        ) and time.monotonic() < deadline:
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
    (found,) = path.glob("reports/2*")
    return found


def of_kind(path: Path, kind: str) -> list[Entry]:
    return [each for each in entries(path) if each["kind"] == kind]


def shown(path: Path) -> list[tuple[str, str, int, int, list[str]]]:
    """What a run has shown of each check."""
    record = json.loads((path / "reports/latest/readiness.json").read_text("utf-8"))
    checks = [check for each in record["dimensions"] for check in each["checks"]]
    return [
        (
            each["id"],
            each["verdict"],
            each["trials"],
            each["passed"],
            [lost["probe"] for lost in each["not_passed"]],
        )
        for each in checks
    ]


SHOWN = [
    (f"words.{name}", "not ready", 40, 38, ["words.7", "words.31"])
    for name in ("repeats", "repeats_in_order")
]


@pytest.mark.parametrize("trials", [0, 1, 9, 23, 40, 61, 78])
def test_a_killed_run_resumes_and_repeats_nothing(tmp_path: Path, trials: int) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        run = killed(path, url, trials)
        before = {each["seq"] for each in of_kind(path, "exchange")}
        status, said = resumed(path, url, run)
    assert status == 1, said
    assert shown(path) == SHOWN
    assert is_whole(run / "evidence.jsonl")
    assert {each["seq"] for each in of_kind(path, "exchange")} >= before
    # Two requests of each trial, or one where they come in order, and one for all of them.
    sent = Counter(_asker(each) for each in of_kind(path, "exchange"))
    wanted = {("words.repeats", n): 2 for n in range(40)}
    wanted |= {("words.repeats_in_order", n): 1 for n in range(40)} | {("'title'", -1): 1}
    assert {asker: n for asker, n in sent.items() if asker[0] != "capability"} == wanted
    assert len(of_kind(path, "trial")) == 80


def _asker(entry: Entry) -> tuple[str, int]:
    return (entry["shared"], -1) if "shared" in entry else (entry["check"], entry.get("trial", -1))


def test_an_incomplete_line_is_moved_aside_and_reported(tmp_path: Path) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        run = killed(path, url, 9)
        with (run / "evidence.jsonl").open("ab") as evidence:
            evidence.write(b'{"prev": "12')
        status, said = resumed(path, url, run)
    assert (status, shown(path)) == (1, SHOWN)
    assert (run / "evidence.torn").read_bytes() == b'{"prev": "12'
    assert is_whole(run / "evidence.jsonl")
    assert "12 bytes of an incomplete line were moved to evidence.torn" in " ".join(said.split())


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--seed", "1"), 4, "RUN has another seed: 0, and not 1"),
        (("--profile", "full"), 4, "RUN has another profile: ci, and not full"),
    ],
)
def test_a_run_of_something_else_is_not_resumed(
    tmp_path: Path, options: tuple[str, ...], status: int, message: str
) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        run = killed(path, url, 1)
        ended, said = resumed(path, url, run, *options)
    assert ended == status, said
    assert message.replace("RUN", str(run)) in said


def test_evidence_that_was_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        run = killed(path, url, 9)
        evidence = run / "evidence.jsonl"
        evidence.write_bytes(evidence.read_bytes().replace(b"word1", b"word2", 1))
        changed = evidence.read_bytes()
        status, said = resumed(path, url, run)
    assert status == 11, said
    assert "the evidence fails its integrity check: evidence.jsonl:" in said
    assert evidence.read_bytes() == changed


def answering_as(name: str) -> Script:
    """As it should be, by another server."""
    right = mini(answer)

    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        (told,) = right(n, raw)
        assert isinstance(told, bytes)
        return [told.replace(b"\r\n", f"\r\nServer: {name}\r\n".encode(), 1)]

    return script


@pytest.mark.parametrize(
    ("later", "ended", "message"),
    [
        (
            answering_as("b/2"),
            4,
            "not what it was when the run began: server: → b/2. Start a new run",
        ),
        (mini(lambda n, request: (500, "broken")), 12, "cannot be tried: the simplest request"),
    ],
)
def test_a_run_goes_on_with_the_endpoint_that_it_began_with_alone(
    tmp_path: Path, later: Script, ended: int, message: str
) -> None:
    path, scripts = folder(tmp_path / "own"), [mini(answer)]
    with serving(lambda n, raw: scripts[-1](n, raw)) as url:
        run = killed(path, url, 9)
        before = {each.name: each.read_bytes() for each in run.iterdir()}
        scripts.append(later)
        status, said = resumed(path, url, run)
    assert status == ended, said
    assert message in " ".join(said.split())
    assert {each.name: each.read_bytes() for each in run.iterdir()} == before
