"""The reference endpoint's reader for `long_context`, and that dimension's flaws."""
