"""The reference endpoint, or one of its mutants, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = 5.0


@contextmanager
def serving(mutant: str | None = None, *, key: str = "") -> Iterator[str]:
    """Serve while the context lasts; the value is the base URL.

    The process ends with its standard input, and so it ends however this one does.

    Raises:
        RuntimeError: The process ended before it served; it has said why on standard error.
    """
    command = [sys.executable, "-m", "readiness.mutants", "--until-eof", "--key", key]
    command += ["--mutant", mutant] if mutant else []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not (url := process.stdout.readline().strip()):
                raise RuntimeError(f"{mutant or 'the reference endpoint'} did not start")
            yield url
        finally:
            process.stdin.close()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
