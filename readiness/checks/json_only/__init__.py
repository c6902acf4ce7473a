"""The dimension `json_only`: one JSON document and nothing else."""
