"""A run's files on disk: the hash-chained evidence log, redaction, the run folder, digests."""
