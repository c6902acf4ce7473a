"""Scorers: pure functions from what the endpoint sent to a score."""
