"""How exact our times are: those that the harness takes, beside those that the stub notes itself.

    python -m benchmarks.latency [--streams 1 32 256] [--each 4] [--chunks 40] [--gap 50000]

The stub writes into each token when its request had come and when it was sent, on the one
monotonic clock that both processes read. The load is a step of a load test, with evidence
written, over aiohttp. Errors are what we saw less what was true.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.overhead import stub
from readiness.chat import Chat
from readiness.evidence.log import Evidence
from readiness.evidence.redaction import Secrets
from readiness.exchange import Call, Exchange
from readiness.load.step import Shape, StepResult
from readiness.load.users import run_step
from readiness.protocol.dialect import Dialect
from readiness.runner.concurrency import AdaptiveConcurrency
from readiness.runner.resume import ResumeState
from readiness.runner.sender import Sender
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits

TOKEN = re.compile(r"(\d+):(\d+) ")
MS = 1e-6


@dataclass(frozen=True)
class Times:
    """The times of one stream, in ms.

    Args:
        first: From the request to the first token.
        mean: Between two tokens, in the mean of the stream.
        gaps: Between each two of them; empty where a client does not keep them.
    """

    first: float
    mean: float
    gaps: Sequence[float] = ()

    @classmethod
    def of(cls, written: int, tokens: Sequence[int]) -> Times:
        """Of a stream whose request and tokens have these times, in ns."""
        gaps = [(after - before) * MS for before, after in pairwise(tokens)]
        return cls((tokens[0] - written) * MS, float(np.mean(gaps)), gaps)


def true(text: str) -> Times:
    """The times of a stream by the stub's own clock, which is in what it says."""
    stamps = [(int(each[1]), int(each[2])) for each in TOKEN.finditer(text)]
    return Times.of(stamps[0][0], [sent for _, sent in stamps])


def seen(exchange: Exchange) -> Times:
    """The times of a stream as the harness saw them."""
    ends = [each.end() for each in TOKEN.finditer(exchange.body.decode())]
    return Times.of(exchange.written, [_seen(exchange, end) for end in ends])


def _seen(exchange: Exchange, size: int) -> int:
    return next((each.ns for each in exchange.arrivals if each.size >= size), exchange.end)


@asynccontextmanager
async def chat_with(url: str, model: str) -> AsyncIterator[Chat]:
    """A chat with an endpoint, with evidence."""
    endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
    secrets, slots = Secrets([]), AdaptiveConcurrency(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Evidence(Path(folder) / "evidence.jsonl", secrets) as evidence,
    ):
        sender = Sender(endpoint, evidence, UsageBudget(), slots, ResumeState(secrets))
        yield Chat(partial(sender.send, trial={"check": "bench"}), Dialect(model))
    await endpoint.close()


async def measured(url: str, streams: int, each: int) -> tuple[StepResult, list[Exchange]]:
    """A step of so many streams at once, and its exchanges after those that warm up."""
    exchanges: list[Exchange] = []
    async with chat_with(url, "stub") as chat:

        async def send(call: Call) -> Exchange:
            exchanges.append(await chat.call(call))
            return exchanges[-1]

        shape = Shape("code", streams, streams * (each + 1), 600.0)
        step = await run_step(Chat(send, Dialect("stub")), shape)
    return step, exchanges[streams : shape.requests]


def told(name: str, values: Sequence[float] | np.ndarray) -> str:
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
            pairs = [(seen(each), true(each.body.decode())) for each in exchanges]
            firsts = told("first token", [ours.first - truth.first for ours, truth in pairs])
            errors = [np.subtract(ours.gaps, truth.gaps) for ours, truth in pairs]
            gaps = told("gap", np.concatenate(errors))
            print(f"{streams:4} streams  {firsts}")
            lag, busy = step.client_saturation.lag * 1000, step.client_saturation.busy
            print(f"{'':14}{gaps:>40}   lag p99 {lag:.1f} ms, CPU {busy:.0%}")


if __name__ == "__main__":
    main()
