"""One run: connect, schedule trials, resume, account for what was sent."""
