"""How exact our times are: those that the harness takes, beside those that the stub notes itself.

    python -m benchmarks.latency [--streams 1 32 256] [--each 4] [--chunks 40] [--gap 50000]

The stub writes into each frame when it was sent, and into each id when the request had come, on
the one monotonic clock that both processes read. The load is the harness's own: `crowd.py`, with
evidence written, over aiohttp. Errors are what we saw less what was true.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.overhead import stub
from readiness.address import Address
from readiness.chat import Chat, Dialect
from readiness.crowd import stepped
from readiness.endpoint import Endpoint, Limits
from readiness.evidence import Evidence
from readiness.exchange import Call, Exchange
from readiness.ledger import Ledger
from readiness.past import Past
from readiness.redaction import Secrets
from readiness.sender import Sender
from readiness.slots import Slots
from readiness.step import Shape, Step

STAMP = re.compile(rb'"system_fingerprint": "(\d+)"')
CAME = re.compile(rb'"id": "c-(\d+)"')
MS = 1e-6


def errors(exchange: Exchange) -> tuple[float, list[float]]:
    """How much too late the first token was seen, and how wrong each gap was, in ms."""
    body = exchange.body
    found = CAME.search(body)
    assert found is not None
    sent = [(each.end(), int(each[1])) for each in STAMP.finditer(body)]
    seen = [_seen(exchange, end) for end, _ in sent]
    true_first = sent[0][1] - int(found[1])
    gaps = [
        ((after[0] - before[0]) - (after[1] - before[1])) * MS
        for before, after in pairwise(zip(seen, (at for _, at in sent), strict=True))
    ]
    return (seen[0] - exchange.written - true_first) * MS, gaps


def _seen(exchange: Exchange, size: int) -> int:
    return next((each.ns for each in exchange.arrivals if each.size >= size), exchange.end)


async def measured(url: str, streams: int, each: int) -> tuple[Step, list[Exchange]]:
    """A step of so many streams at once, and what was exchanged in it."""
    exchanges: list[Exchange] = []
    endpoint = Endpoint(Address.read(url, "", {}), Limits())
    secrets, slots = Secrets([]), Slots(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Evidence(Path(folder) / "evidence.jsonl", secrets) as evidence,
    ):
        sender = Sender(endpoint, evidence, Ledger(), slots, Past(secrets))

        async def send(call: Call) -> Exchange:
            exchanges.append(await sender.send(call, {"check": "bench"}))
            return exchanges[-1]

        shape = Shape("code", streams, streams * (each + 1), 600.0)
        step = await stepped(Chat(send, Dialect("stub")), shape)
    await endpoint.close()
    return step, exchanges


def told(name: str, values: Sequence[float]) -> str:
    """The median and the 99th percentile of some errors, without their signs."""
    size = np.abs(np.asarray(values))
    return f"{name} {np.median(size):7.2f} {np.quantile(size, 0.99):7.2f} {size.max():8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--chunks", type=int, default=40, help="of a stream")
    parser.add_argument("--gap", type=int, default=50_000, help="between chunks, in microseconds")
    parser.add_argument("--each", type=int, default=4, help="streams of each client, measured")
    given = parser.parse_args()
    print("errors in ms              median     p99      max   (the first stream of each client")
    print("                                                     warms up; lag and CPU are ours)")
    with stub(str(given.chunks), str(given.gap)) as url:
        for streams in given.streams:
            step, exchanges = asyncio.run(measured(url, streams, given.each))
            found = [errors(each) for each in exchanges[streams:]]
            firsts = told("first token", [first for first, _ in found])
            gaps = told("gap", [gap for _, gaps in found for gap in gaps])
            print(f"{streams:4} streams  {firsts}")
            lag, busy = step.strain.lag * 1000, step.strain.busy
            print(f"{'':14}{gaps:>40}   lag p99 {lag:.1f} ms, CPU {busy:.0%}")


if __name__ == "__main__":
    main()
