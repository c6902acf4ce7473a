"""The reference endpoint's reader for `stability`, and that dimension's flaws."""
