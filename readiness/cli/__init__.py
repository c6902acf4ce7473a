"""What a person types and sees live: the pytest plugin, its options, the commands."""
