"""A judge: a model that labels undetermined replies, after it was calibrated."""
