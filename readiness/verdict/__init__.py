"""Verdicts: claims, results, sequential tests, labels of reviewers, the matrix, exit status."""
