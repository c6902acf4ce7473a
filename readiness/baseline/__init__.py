"""Finished runs: reading, comparing and pooling them."""
