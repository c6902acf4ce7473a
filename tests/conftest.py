"""What holds for all tests."""

from hypothesis import settings

# A busy machine is no failure: time is measured in benchmarks/, and never here.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
