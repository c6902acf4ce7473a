"""The reference endpoint's reader for `low_resource`, and that dimension's flaws."""
