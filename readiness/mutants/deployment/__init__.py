"""Flaws of the files of a deployment."""
