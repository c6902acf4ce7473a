"""GPUs, by the real calls of nvidia-ml-py to a driver library built for the test."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from readiness.load.meters.meter import MeterError
from readiness.load.meters.nvml import server_memory, units

SOURCE = Path(__file__).with_name("nvml.c")
NAME = "libnvidia-ml.so.1"
TOLD_NOTHING = "readiness.load.meters.meter.MeterError: the GPUs tell nothing"
ALONE = "from readiness.load.meters.nvml import units; units()"
Read = Callable[..., str]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The library, loaded: the loader then gives it to whoever asks for one of its name."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    path = tmp_path_factory.mktemp("nvml") / NAME
    command = [compiler, "-shared", "-fPIC", f"-Wl,-soname,{NAME}", "-o", str(path), str(SOURCE)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)


@pytest.fixture
def read(library: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read cards that are as is said, for a server whose process is 7."""

    def read(**said: int) -> str:
        for name, value in said.items():
            monkeypatch.setenv(f"FAKE_{name.upper()}", str(value))
        try:
            found = server_memory(units(), {7})
        except MeterError as error:
            return str(error)
        return f"{found.gpu} {len(found.devices)} {found.doubt}".strip()

    return read


def test_the_card_that_the_server_computes_on_is_read(read: Read) -> None:
    assert read(cards=2, busy=2, pid=7) == "2000 1"


def test_a_card_that_is_shared_is_doubtful(read: Read) -> None:
    everything = "3000 2 no GPU shows a process of the server: the bytes are those of all GPUs"
    assert read(cards=2, busy=1, pid=8) == everything


def test_processes_that_are_not_to_be_seen_leave_all_cards(read: Read) -> None:
    everything = "3000 2 no GPU shows a process of the server: the bytes are those of all GPUs"
    assert read(cards=2, no_processes=1) == everything


def test_parts_of_a_card_are_read_one_by_one(read: Read) -> None:
    assert read(cards=1, mig=2, busy=101, pid=7) == "101000 1"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"cards": 0}, "no GPU here"),
        ({"no_driver": 1}, "the GPUs tell nothing: Driver Not Loaded"),
        ({"cards": 1, "no_memory": 1}, "the GPUs tell nothing: Insufficient Permissions"),
    ],
)
def test_a_driver_without_readings_says_why(read: Read, said: dict[str, int], shown: str) -> None:
    assert read(**said) == shown


def test_without_a_driver_there_is_nothing_to_read(tmp_path: Path) -> None:
    env = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", ALONE], env=env, capture_output=True, text=True)
    said = ran.stderr.strip().splitlines()
    # A machine with cards of its own reads them.
    assert said == [] or said[-1].startswith(TOLD_NOTHING)
