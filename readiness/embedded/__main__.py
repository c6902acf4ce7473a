"""Serve the embedded model alone, as in `python -m readiness.embedded [PATH.gguf]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from readiness.embedded.server import serve
from readiness.embedded.weights import NAME, EmbeddedError, find


def main() -> None:
    """Print the server's base URL, and serve until Ctrl-C."""
    parser = ArgumentParser("python -m readiness.embedded", description=main.__doc__)
    parser.add_argument(
        "path", nargs="?", type=Path, metavar="PATH.gguf", help=f"the weights to serve ({NAME})"
    )
    parser.add_argument(
        "--fetch", action="store_true", help="only see that the weights are there, and say where"
    )
    options = parser.parse_args()
    try:
        if options.fetch:
            print(find(options.path))
        else:
            serve_until_it_ends(options.path)
    except EmbeddedError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        pass


def serve_until_it_ends(path: Path | None) -> None:
    """Serve until interrupted; a server that ends by itself is an error."""
    with serve(path) as server:
        print(server.url, flush=True)
        status = server.process.wait()
    raise EmbeddedError(f"the server ended with status {status}: start it again")


if __name__ == "__main__":
    main()
