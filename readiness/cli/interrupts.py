"""Interrupts: by SIGINT or SIGTERM a run ends in order, and by the next one at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AT_ONCE = b"\ninterrupted twice: the run is unfinished; to go on, give its folder to --resume\n"


class Interrupts:
    """Turns the first signal into Ctrl-C where the run waits, and ends the process by the second.

    Elsewhere nothing is raised: what is being written or closed is not left in the middle.
    """

    def __init__(self) -> None:
        self._signals = 0
        self._waits = False
        self._before: dict[signal.Signals, Any] = {}

    def begin(self) -> None:
        """Handle signals from now on, where this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._handle) for each in SIGNALS}

    def end(self) -> None:
        """Handle them as before."""
        for each, handler in self._before.items():
            signal.signal(each, handler)
        self._before = {}

    @contextmanager
    def waiting(self) -> Generator[None]:
        """While the context lasts, a signal interrupts; one that came before does at once.

        Raises:
            KeyboardInterrupt: There was a signal.
        """
        self._waits = True
        try:
            if self._signals:
                raise KeyboardInterrupt
            yield
        finally:
            self._waits = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            with suppress(OSError):
                os.write(2, AT_ONCE)
            os._exit(pytest.ExitCode.INTERRUPTED)
        if self._waits:
            raise KeyboardInterrupt
