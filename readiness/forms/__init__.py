"""The forms that clients send a request in, and which of them a check tries."""
