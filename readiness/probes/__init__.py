"""Generators of probes: seeded, reproducible by their ids."""
