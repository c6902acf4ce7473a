"""The console script: what is not a run of pytest."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

#: Each is the function of that name, in the module of that name or the one given.
COMMANDS = {
    "selftest": "try the reference endpoint and each of its mutants, and print the kill table",
    "report": "make the page and the other surfaces of a run again",
    "judge": "have a judge label what no rule could settle, once it reads labelled replies well",
    "sign": "sign a run with an Ed25519 key",
    "approve": "add a second person's signature",
    "verify": "check a run's digests, chain and signatures; needs no network",
    "audit": "hold the article's claims against what its machines could do",
}
MODULES = {"approve": "sign", "verify": "sign"}


def main() -> int:
    """Run a command."""
    parser = argparse.ArgumentParser(
        prog="readiness",
        description="Validate that an LLM endpoint is ready: pytest readiness --endpoint URL",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in COMMANDS.items():
        commands.add_parser(name, add_help=False, help=about)
    chosen, rest = parser.parse_known_args()
    # Each command imports what it needs, and no other's.
    module = MODULES.get(chosen.command, chosen.command)
    status: int = getattr(import_module(f"readiness.cli.{module}"), chosen.command)(rest)
    return status


if __name__ == "__main__":
    sys.exit(main())
