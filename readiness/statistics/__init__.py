"""Statistics on plain numbers: proportions, paired tests, trends and histograms."""
