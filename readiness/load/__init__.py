"""Load tests: concurrent users, steps, load workers, latency and client saturation."""
