"""The reference endpoint's reader for `load`, and that dimension's flaws."""
