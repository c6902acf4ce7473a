"""Reporters: the reports of a run, one module per format."""
