"""One run: connecting, scheduling trials, resuming, and the record."""
