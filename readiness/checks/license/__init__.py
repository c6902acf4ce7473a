"""The dimension `license`: whether the model may be used commercially."""
