"""The dimension `memory`: facts over fifty turns."""
