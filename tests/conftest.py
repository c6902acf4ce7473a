"""Fixtures of all tests."""

import signal

import pytest
from hypothesis import settings

from readiness.transport import deadlines

# A busy machine is no failure: time is measured in benchmarks/, and never here.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A shell starts what it puts into the background with Ctrl-C ignored, which all processes inherit
# that the tests start: those that are to end by it would run for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """How busy the machine is changes no score: what a test wants late it says itself."""
    monkeypatch.setattr(deadlines.Lateness, "within", lambda _self, _seconds: 0.0)
    monkeypatch.setattr(deadlines, "cpu_waiting", lambda: 0.0)
    monkeypatch.setattr("readiness.load.saturation.cpu_waiting", lambda: 0.0)
