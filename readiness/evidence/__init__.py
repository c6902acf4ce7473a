"""What a run leaves on disk: the hash-chained log, redaction, the run folder, digests."""
