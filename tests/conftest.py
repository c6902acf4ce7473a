"""Fixtures of all tests."""

import signal

from hypothesis import settings

# A busy machine is no failure: time is measured in benchmarks/, and never here.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A shell starts what it puts into the background with Ctrl-C ignored, which all processes inherit
# that the tests start: those that are to end by it would run for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
