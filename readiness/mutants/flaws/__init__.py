"""The flaws: one module per dimension, each with a list `FLAWS`."""
