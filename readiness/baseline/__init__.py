"""Runs that are over: read again, compared with, added to."""
