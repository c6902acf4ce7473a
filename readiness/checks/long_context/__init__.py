"""The dimension `long_context`: documents of up to 128K tokens."""
