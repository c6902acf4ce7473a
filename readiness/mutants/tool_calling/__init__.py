"""The reference endpoint's reader for `tool_calling`, and that dimension's flaws."""
