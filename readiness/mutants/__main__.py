"""`python -m readiness.mutants`: serve the reference endpoint, or one of its mutants."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from readiness.mutants.catalog import FLAWLESS, find, mutants
from readiness.mutants.deployment import files
from readiness.mutants.endpoint.batching import PACES
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw
from readiness.mutants.license import evidence


def main(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C, or list the mutants."""
    options = _parser().parse_args(argv)
    if options.list:
        for flaw in mutants():
            print(f"{flaw.name:32} {flaw.check or '(harmless)':32} {flaw.about}")
        return 0
    try:
        flaw = find(options.mutant)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.evidence:
        options.evidence.mkdir(parents=True, exist_ok=True)
        print(evidence.write(options.evidence))
        flaw.change_license_evidence(options.evidence)
        return 0
    if options.deployment:
        options.deployment.mkdir(parents=True, exist_ok=True)
        print(files.write(options.deployment))
        flaw.change_deployment(options.deployment)
        return 0
    asyncio.run(_serve(flaw, options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m readiness.mutants", description=__doc__)
    parser.add_argument("--mutant", metavar="NAME", default=FLAWLESS.name)
    parser.add_argument("--port", type=int, default=0, help="0, the default, for any free port")
    parser.add_argument("--key", default="", help="the API key to require; none by default")
    parser.add_argument(
        "--pace", choices=sorted(PACES), help="that of a machine; by default as fast as it goes"
    )
    parser.add_argument("--list", action="store_true", help="list all mutants, and exit")
    parser.add_argument(
        "--evidence", type=Path, metavar="DIR", help="write its licence evidence, and exit"
    )
    parser.add_argument(
        "--deployment", type=Path, metavar="DIR", help="write its deployment's files, and exit"
    )
    parser.add_argument("--until-eof", action="store_true", help="exit when standard input ends")
    return parser


async def _serve(flaw: Flaw, options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if options.until_eof:
        loop.add_reader(sys.stdin.fileno(), ended.set)
    runner = web.AppRunner(
        application(flaw, options.key, PACES.get(options.pace)),
        access_log=None,
        shutdown_timeout=0.5,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port, backlog=1024).start()
    port = runner.addresses[0][1]
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
