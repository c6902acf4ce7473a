"""The dimension `tool_calling`: tools called with right arguments, and their results used."""
