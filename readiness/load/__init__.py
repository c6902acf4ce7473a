"""Many users at once: users, steps, worker processes, latency, saturation of the client."""
