"""The reference endpoint's reader for `json_only`, and that dimension's flaws."""
