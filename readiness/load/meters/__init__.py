"""Meters of a server: its memory, its GPUs and its metrics."""
