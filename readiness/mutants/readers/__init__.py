"""What the reference endpoint can read: one module per kind of request, each with `answer`."""
