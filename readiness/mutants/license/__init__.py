"""The reference endpoint's reader for `license`, and that dimension's flaws."""
