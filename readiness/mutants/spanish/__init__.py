"""The reference endpoint's reader for `spanish`, and that dimension's flaws."""
