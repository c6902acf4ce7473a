"""A web interface with the paths of Open WebUI in front of the reference endpoint, and flaws."""
