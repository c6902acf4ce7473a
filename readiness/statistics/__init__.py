"""Numbers only: proportions, paired tests, trends and histograms."""
