"""The console script: what is not a run of pytest."""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """Run a command."""
    parser = argparse.ArgumentParser(
        prog="readiness",
        description="Validate that an LLM endpoint is ready: pytest readiness --endpoint URL",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "selftest",
        add_help=False,
        help="try the reference endpoint and each of its mutants, and print the kill table",
    )
    chosen, rest = parser.parse_known_args()
    from readiness.selftest import selftest

    assert chosen.command == "selftest"
    return selftest(rest)


if __name__ == "__main__":
    sys.exit(main())
