"""HTTP, with a time stamp on every byte, and how much may be sent."""
