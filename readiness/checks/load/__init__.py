"""The dimension `load`: many users at once."""
