"""The console script `readiness`, with its commands."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

#: Each command is the function of its name, in the module of its name or as MODULES says.
COMMANDS = {
    "selftest": "try the reference endpoint and each mutant, and print the mutation test table",
    "report": "write the page and the other reports of a run again",
    "judge": "label undetermined replies by a judge model, once it is calibrated",
    "sign": "sign a run with an Ed25519 key",
    "approve": "add a second person's signature",
    "verify": "check a run's digests, chain and signatures; needs no network",
    "audit": "compare the claims of the checklist article with what its hardware can do",
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
    # Each command imports only what it needs.
    module = MODULES.get(chosen.command, chosen.command)
    status: int = getattr(import_module(f"readiness.cli.{module}"), chosen.command)(rest)
    return status


if __name__ == "__main__":
    sys.exit(main())
