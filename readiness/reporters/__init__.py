"""Reporters: what a run has shown, one module per surface."""
