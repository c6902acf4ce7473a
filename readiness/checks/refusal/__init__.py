"""The dimension `refusal`: what must be refused, and what must not be."""
