"""HTTP with a timestamp on every byte, and the budget of requests, tokens and time."""
