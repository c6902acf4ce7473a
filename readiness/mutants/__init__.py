"""The reference endpoint, and its mutants: variants with exactly one planted defect."""
