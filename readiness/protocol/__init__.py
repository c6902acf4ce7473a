"""The chat completions protocol: parsing of responses, capabilities, and the request dialect."""
