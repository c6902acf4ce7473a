"""The reference endpoint's reader for `refusal`, and that dimension's flaws."""
