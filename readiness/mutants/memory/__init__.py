"""The reference endpoint's reader for `memory`, and that dimension's flaws."""
