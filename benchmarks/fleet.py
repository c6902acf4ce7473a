"""What load workers make together: chunks a second for each core that is added, and how exactly.

    python -m benchmarks.fleet [--workers 0 1 2 4] [--clients 64] [--requests 8] [--stubs 2]

Each worker has as many clients, so that a stub which keeps up sends in proportion. 0 workers are
the process that tries the endpoint. The stub writes into each token when it was sent, on the clock
of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from benchmarks.latency import TOKEN
from benchmarks.overhead import stub
from readiness.chat import Chat
from readiness.context import Context
from readiness.evidence.log import Evidence
from readiness.evidence.redaction import Secrets
from readiness.load.step import RequestMeasurement, Shape, StepResult
from readiness.load.users import run_step
from readiness.load.workers import LoadWorkerPool, LoadWorkerSettings, load_worker_pool, ray_started
from readiness.protocol.dialect import Dialect
from readiness.runner.concurrency import AdaptiveConcurrency
from readiness.runner.resume import ResumeState
from readiness.runner.sender import Sender
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits

NOBODY = Secrets([])
HEAD = (
    "workers  clients  chunks/s  per worker  busiest  lag p99  first token, error  stub  this side"
)


async def made(
    url: str, shape: Shape, crew: LoadWorkerPool | None
) -> tuple[StepResult, float, float]:
    """A step with evidence, how long it took, and the CPU time of this process, in seconds."""
    endpoint, ledger = EndpointClient(Address.read(url, "", {}), RequestLimits()), UsageBudget()
    with (
        tempfile.TemporaryDirectory() as folder,
        Evidence(Path(folder) / "evidence.jsonl", NOBODY) as evidence,
    ):
        sender = Sender(endpoint, evidence, ledger, AdaptiveConcurrency(1), ResumeState(NOBODY))
        send = partial(sender.send, trial={"check": "bench"})
        fleet = partial(crew.run_step, ledger) if crew else None
        chat = Chat(send, Dialect("stub"), Context(run_distributed_step=fleet))
        if crew:  # Actors are started by the first step that needs them.
            await run_step(chat, Shape("code", shape.clients, shape.clients, 60.0))
        begun, used = time.perf_counter(), time.process_time()
        step = await run_step(chat, shape)
        took = time.perf_counter() - begun, time.process_time() - used
    await endpoint.close()
    return step, *took


@contextmanager
def working(url: str, workers: int) -> Iterator[LoadWorkerPool | None]:
    if not workers:
        yield None
        return
    fleet, where = LoadWorkerSettings(workers), Address.read(url, "", {})
    with ray_started(fleet), load_worker_pool(fleet, where, RequestLimits(), NOBODY) as crew:
        yield crew


def late(sample: RequestMeasurement) -> float:
    """By how much the first token was seen too late, in ms."""
    if (stamp := TOKEN.match(sample.reply_excerpt)) is None or sample.latency is None:
        raise ValueError(f"not the stub's: {sample.reply_excerpt!r:.60}")
    return 1e3 * sample.latency.time_to_first_token - 1e-6 * (int(stamp[2]) - int(stamp[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--clients", type=int, default=64, help="of each worker")
    parser.add_argument("--requests", type=int, default=8, help="of each client")
    parser.add_argument("--stubs", type=int, default=1, help="processes that answer")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores; 100 chunks a stream, 10 ms apart; times in ms\n{HEAD}")
    for workers in given.workers:
        clients = given.clients * max(workers, 1)
        shape = Shape("code", clients, clients * given.requests, 600.0)
        with stub("100", "10000", str(given.stubs)) as url, working(url, workers) as crew:
            before = answering()
            step, took, used = asyncio.run(made(url, shape, crew))
            busy = (answering() - before) / took / given.stubs
        own = [each for each in step.measured if each.latency]
        answered = step.window
        chunks = step.gaps.total + len(answered)
        rate = chunks / (max(e.end for e in answered) - min(e.sent for e in answered))
        errors = np.abs([late(each) for each in own])
        first = f"{np.median(errors):.2f} (p99 {np.quantile(errors, 0.99):.1f})"
        client = step.client_saturation
        print(
            f"{workers:7} {clients:8} {rate:9,.0f} {rate / max(workers, 1):11,.0f} "
            f"{client.busy:8.0%} {1e3 * client.lag:8.1f} {first:>19} {busy:5.0%} "
            f"{used / took:9.0%}",
            flush=True,
        )


def answering() -> float:
    """The CPU time of the stub's processes, in seconds."""
    stubs = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "stub"]
    return sum(sum(each.cpu_times()[:2]) for each in stubs)


if __name__ == "__main__":
    main()
