"""The dimension `spanish`: work in Spanish without an example."""
