"""The dimension `low_resource`: decoding speed, memory, and a few clients on small hardware."""
