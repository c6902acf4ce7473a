"""From scores to a verdict: claims, results, sequential tests, labels, matrix, exit status."""
