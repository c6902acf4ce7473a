"""Flaws and harmless variants that belong to no dimension."""
