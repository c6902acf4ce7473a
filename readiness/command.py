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
    commands.add_parser(
        "audit", help="hold the article's claims against what its machines could do"
    )
    chosen, rest = parser.parse_known_args()
    if chosen.command == "audit":
        from readiness import claims

        return claims.main()
    from readiness.selftest import selftest

    return selftest(rest)


if __name__ == "__main__":
    sys.exit(main())
