"""The console script `readiness`, with its commands."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.metadata import version

from readiness.resources import DISTRIBUTION

#: Each command is the function of its name, in the module of its name or as MODULES says.
COMMANDS = {
    "run": "try an endpoint, from any folder",
    "new-check": "write a file with a check of your own, which runs",
    "selftest": "try the reference endpoint and each mutant, and print the mutation test table",
    "doctor": "ask an endpoint under ten requests: what it offers, and what a run would take",
    "show": "print a run, the trials of a check, or one exchange with what sends it again",
    "compare": "show two or more runs as one matrix, with the tests of their changes",
    "report": "write the page and the other reports of a run again",
    "judge": "label undetermined replies by a judge model, once it is calibrated",
    "rescore": "score a run again from its evidence and the policy; needs no network",
    "sign": "sign a run with an Ed25519 key",
    "approve": "add a second person's signature",
    "verify": "check a run's digests, chain and signatures; needs no network",
    "audit": "compare the claims of the checklist article with what its hardware can do",
}
USAGE = 2
MODULES = {"approve": "sign", "verify": "sign"}


def main() -> int:
    """Run a command."""
    parser = argparse.ArgumentParser(
        prog="readiness",
        description="Validate that an LLM endpoint is ready: readiness run URL",
    )
    shown = f"readiness {version(DISTRIBUTION)}"
    parser.add_argument("--version", action="version", version=shown)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in COMMANDS.items():
        commands.add_parser(name, add_help=False, help=about)
    named = "".join(sys.argv[1:2])
    if named and not named.startswith("-") and named not in COMMANDS:
        from readiness.cli.options import near

        print(f"{named} is no command{near(named, COMMANDS) or ': see --help'}", file=sys.stderr)
        return USAGE
    chosen, rest = parser.parse_known_args()
    # Each command imports only what it needs.
    function = chosen.command.replace("-", "_")
    module = MODULES.get(function, function)
    status: int = getattr(import_module(f"readiness.cli.{module}"), function)(rest)
    return status


if __name__ == "__main__":
    sys.exit(main())
