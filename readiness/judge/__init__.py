"""A model that labels what no rule could settle, after it was calibrated."""
