"""The command line: the pytest plugin, its options, live progress, and the commands."""
