"""The reference endpoint's reader for `multilingual`, and that dimension's flaws."""
