"""However a run ends, it prints its matrix, and leaves what is whole or marked as unfinished."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random

import pytest

from readiness.cli.rescore import rescore
from readiness.evidence.log import chain_end
from readiness.evidence.run_folder import UNFINISHED, differences
from tests.exchanges import is_whole
from tests.miniature import mini
from tests.runner.test_resume import SHOWN, answer, command, folder, resumed, shown
from tests.scripted_server import Script, serving
from tests.user_checks import prepare, run, wrong

UNSOUND = 11
#: The seed of the moments at which runs are interrupted; more of them by night.
MOMENTS = Random(0)
GONE = """
import shutil
import pytest
from readiness.cli.item import RUN

@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    shutil.rmtree(item.config.stash[RUN].folder, ignore_errors=True)
"""
#: Stops where the reports are written, after the matrix was printed.
KILLED = """
import os
from readiness.reporters import surfaces

def write(*args):
    os.kill(os.getpid(), 9)

surfaces.write_run = write
"""


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def newest(own: pytest.Pytester) -> Path:
    (found,) = (own.path / "reports").glob("2*")
    return found


def in_process(own: pytest.Pytester, script: Script, most: int = 0) -> tuple[int, str]:
    """Try an endpoint in a process that writes files of so many bytes at most."""
    plain = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "--policy", "own.yaml"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most)) if most else None
    with serving(script) as url:
        found = subprocess.run(
            [*plain, "--seed", "0", "--endpoint", url, "."],
            cwd=own.path,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=limit,
        )
        return found.returncode, found.stdout + found.stderr


# The folder of reports


def test_a_folder_called_latest_costs_a_warning(own: pytest.Pytester) -> None:
    (own.path / "reports/latest").mkdir(parents=True)
    result = run(own, wrong(0))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["warning: reports/latest is left as it was: *", "✓ READY*"])
    assert sorted(each.name[0] for each in (own.path / "reports").iterdir()) == ["2", "l"]
    assert list(differences(newest(own))) == []


def test_a_link_that_a_killed_run_has_left_is_no_obstacle(own: pytest.Pytester) -> None:
    own.makeconftest(
        "from readiness.cli.item import RUN\n"
        "def pytest_runtest_teardown(item):\n"
        "    run = item.config.stash[RUN].folder\n"
        "    left = run.parent / f'.latest-{run.name}'\n"
        "    left.is_symlink() or left.symlink_to('nowhere')\n"
    )
    result = run(own, wrong(0))
    assert result.ret == 0
    result.stdout.no_fnmatch_line("warning:*")
    assert (own.path / "reports/latest").resolve() == newest(own)


@pytest.mark.parametrize(("script", "status"), [(wrong(0), 0), (wrong(30), 1)])
def test_a_folder_that_was_removed_meanwhile_is_made_again(
    own: pytest.Pytester, script: Script, status: int
) -> None:
    own.makeconftest(GONE)
    result = run(own, script, "--keep-going")
    assert result.ret == status
    result.stdout.fnmatch_lines(["warning: * was gone while the run went on, and *", "* READY*"])
    assert is_whole(newest(own) / "evidence.jsonl")
    assert list(differences(newest(own))) == []
    files = ("--policy", own.path / "own.yaml", "--checks", own.path / "check_words.py")
    assert rescore([str(newest(own)), *map(str, files)]) == 0


# A full disk


def test_reports_for_which_there_is_no_room_cost_a_warning(own: pytest.Pytester) -> None:
    own.makeconftest(
        "import resource\n"
        "def pytest_sessionfinish():\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    )
    status, said = in_process(own, wrong(0))
    assert (status, "✓ READY" in said) == (0, True), said
    assert "warning: not all reports are written: [Errno 27] File too large" in said
    found = newest(own)
    assert is_whole(found / "evidence.jsonl")
    assert (found / UNFINISHED).exists()
    # The page is the one that is larger; what there is, is whole.
    assert json.loads((found / "readiness.json").read_text("utf-8"))["verdict"] == "ready"
    assert [each.name for each in found.iterdir() if "html" in each.name] == []


def test_evidence_for_which_there_is_no_room_is_sound_as_far_as_it_goes(
    own: pytest.Pytester,
) -> None:
    status, said = in_process(own, wrong(0), 60_000)
    assert status == UNSOUND, said
    assert "? INCONCLUSIVE" in said
    assert "integrity check: evidence.jsonl cannot be written: File too large" in said
    found = newest(own)
    head = json.loads((found / "readiness.json").read_text("utf-8"))["evidence"]["head"]
    assert chain_end(found / "evidence.jsonl") == head


def test_the_matrix_is_printed_before_reports_are_written(own: pytest.Pytester) -> None:
    own.makeconftest(KILLED)
    status, said = in_process(own, wrong(0))
    assert (status, "100 ✓ ready" in said) == (-signal.SIGKILL, True)
    assert (newest(own) / UNFINISHED).exists()
    assert not (newest(own) / "readiness.json").exists()


# Signals


def signalled(
    path: Path, url: str, signals: Sequence[signal.Signals], trials: int
) -> tuple[int, str, Path]:
    """Send signals to a run once so many trials have ended; its status, words and folder."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command(path, url), cwd=path, stdout=pipe, stderr=pipe, text=True
    ) as process:
        deadline = time.monotonic() + 240
        while _trials(path) < trials and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        for each in signals:
            process.send_signal(each)
        out, error = process.communicate(timeout=240)
    (found,) = path.glob("reports/2*")
    return process.returncode, out + error, found


def _trials(path: Path) -> int:
    """How many trials have ended; -1 before there is any evidence."""
    files = [*path.glob("reports/2*/evidence.jsonl")]
    return files[0].read_bytes().count(b'"kind": "trial"') if files else -1


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_a_run_in_order(tmp_path: Path, first: signal.Signals) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        status, said, found = signalled(path, url, [first], 20)
        assert status == pytest.ExitCode.INTERRUPTED, said
        assert "words.repeats" in said  # As far as it was tried.
        assert "stopped: interrupted\ngo on with: python -m pytest" in said
        assert f" --resume {found.relative_to(path)}\n" in said
        assert not (found / UNFINISHED).exists()
        assert list(differences(found)) == []
        status, said = resumed(path, url, found)
    assert (status, shown(path)) == (1, SHOWN), said


def test_the_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        status, said, found = signalled(path, url, [signal.SIGINT, signal.SIGTERM], 20)
        assert status == pytest.ExitCode.INTERRUPTED
        assert "interrupted twice: the run is unfinished" in said
        assert (found / UNFINISHED).read_text("utf-8").startswith("To go on: --resume ")
        assert not (found / "SHA256SUMS").exists()
        assert is_whole(found / "evidence.jsonl")
        status, said = resumed(path, url, found)
    assert (status, shown(path)) == (1, SHOWN), said
    assert not (found / UNFINISHED).exists()


def at_random(count: int) -> list[tuple[signal.Signals, int]]:
    """A signal, and after how many of 80 trials it comes."""
    kinds = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    return [(kinds[n % 3], MOMENTS.randrange(-1, 80)) for n in range(count)]


@pytest.mark.parametrize(
    ("kind", "trials"),
    [
        *at_random(3),
        *(pytest.param(*each, marks=pytest.mark.nightly) for each in at_random(40)),
    ],
)
def test_a_run_that_is_interrupted_at_any_moment_shows_what_it_would_have_shown(
    tmp_path: Path, kind: signal.Signals, trials: int
) -> None:
    path = folder(tmp_path / "own")
    with serving(mini(answer)) as url:
        status, said, found = signalled(path, url, [kind], trials)
        if status in (-kind, pytest.ExitCode.INTERRUPTED):  # Others had ended before.
            status, said = resumed(path, url, found)
    assert (status, shown(path)) == (1, SHOWN), said
    assert is_whole(found / "evidence.jsonl")
    assert list(differences(found)) == []
