"""The embedded server: started on a free loopback port, and stopped with the run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from time import monotonic
from typing import IO

from readiness.embedded.weights import NAME, EmbeddedError, find

# Run as a file, not as a module: the process's memory is measured, so it imports nothing of ours.
LLAMA = Path(__file__).with_name("llama.py")
START_TIMEOUT = 120.0  # s; SmolLM2 takes one to three, and ten on two busy cores.


@dataclass(frozen=True)
class EmbeddedServer:
    """A server that has loaded its model.

    Args:
        url: The base URL, as in `http://127.0.0.1:PORT/v1`.
        model: The name that the server gives its model.
        weights: The GGUF file that it serves.
        process: The process that serves it.
    """

    url: str
    model: str
    weights: Path
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self.process.pid


@contextmanager
def serve(path: Path | None = None) -> Iterator[EmbeddedServer]:
    """Serve a GGUF file, or else SmolLM2, until the context is left or this process ends.

    Raises:
        EmbeddedError: There are no weights, or llama.cpp is not installed.
    """
    if find_spec("xllamacpp") is None:
        raise EmbeddedError(
            "the embedded model needs llama.cpp: pip install 'llm-readiness[embedded]'"
        )
    weights = find(path)
    model = NAME if path is None else weights.stem
    with TemporaryFile() as log, spawn(weights, model, log) as process:
        try:
            yield EmbeddedServer(ready(process, weights, log), model, weights, process)
        finally:
            process.kill()


def spawn(weights: Path, model: str, log: IO[bytes]) -> subprocess.Popen[str]:
    """Start the server process, which ends when its standard input does."""
    command = [sys.executable, "-P", str(LLAMA), str(weights), model]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)


def ready(process: subprocess.Popen[str], weights: Path, log: IO[bytes]) -> str:
    """Wait for the base URL, which the process prints once the model is loaded."""
    assert process.stdout is not None
    started = monotonic()
    limit = Timer(START_TIMEOUT, process.kill)
    limit.start()
    try:
        url = process.stdout.readline().strip()
    finally:
        limit.cancel()
    if not url:
        end = f"exit status {process.wait()} after {monotonic() - started:.1f} s"
        log.seek(0)
        last = cause(log.read().decode(errors="replace"))
        raise EmbeddedError(f"llama.cpp did not serve {weights}: {end}: {last}")
    return url


def cause(log: str) -> str:
    """The first error that llama.cpp logged, or else the last line."""
    lines = log.strip().splitlines()
    errors = [line.partition(" E ")[2] for line in lines if " E " in line]
    return (errors or lines[-1:] or ["nothing logged"])[0].strip()
