"""The embedded model: a real one, served by llama.cpp in a process of its own."""

from readiness.embedded.server import EmbeddedServer, serve
from readiness.embedded.weights import EmbeddedError

__all__ = ["EmbeddedError", "EmbeddedServer", "serve"]
