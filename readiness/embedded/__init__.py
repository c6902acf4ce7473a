"""The embedded model: a real one, served by llama.cpp in a process of its own."""

from readiness.embedded.server import Server, serve
from readiness.embedded.weights import EmbeddedError

__all__ = ["EmbeddedError", "Server", "serve"]
