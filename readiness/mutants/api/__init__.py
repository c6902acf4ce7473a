"""The reference endpoint's reader for `api`, and that dimension's flaws."""
