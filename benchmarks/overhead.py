"""What the harness costs beyond the endpoint's own time: 1,000 trials, 32 in flight.

    python benchmarks/overhead.py [--trials 1000] [--concurrency 32] [--runs 3]
                                  [--locust locust] [--inspect inspect]

Each run is a whole process (`pytest`, with scoring, evidence and every report) against a stub
whose replies take a known time. Beside it stand the floor, raw sockets that read and discard, and
two peers, each a command of its own environment, and left out where it is not found: Locust, which
makes load and scores nothing, and Inspect, which scores each reply and keeps a log.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
JSON_SECONDS, STREAM_SECONDS = 0.060, 1.000
CHECK = '''
from readiness import PASSED, Probe, check, failed

PROBES = [
    Probe(f"bench.{{n}}", [{{"role": "user", "content": f"Return JSON: name, age, city. {{n}}"}}])
    for n in range({trials})
]

@check(PROBES)
async def answers(chat, probe):
    """Asked for anything, the endpoint MUST answer."""
    reply = await chat(probe.messages{stream})
    return PASSED if reply.text else failed("said nothing")
'''
LOCUST = """
from itertools import count

import gevent
from locust import FastHttpUser, task
from locust.exception import StopUser

BODY = {{"model": "stub", "messages": [{{"role": "user", "content": "Return JSON."}}]}}
PATH, begun, ended = "/v1/chat/completions", count(), count(1)

class Client(FastHttpUser):
    host = {host!r}

    @task
    def ask(self):
        if next(begun) >= {trials}:
            raise StopUser
        if {stream}:
            for _ in self.client.iter_lines(PATH, "POST", json=BODY | {{"stream": True}}):
                pass
        else:
            self.client.post(PATH, json=BODY)
        if next(ended) == {trials}:
            gevent.spawn(self.environment.runner.quit)
"""
INSPECT = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match
from inspect_ai.solver import generate

@task
def bench():
    samples = [Sample(f"Return JSON: name, age, city. {{n}}", target="{{") for n in range({trials})]
    return Task(samples, solver=generate(), scorer=match(location="begin"))
"""
KEY = {"STUB_API_KEY": "none"}
POLICY = """
schema: readiness-policy/1
name: bench
alpha: 0.05
margin: {smoke: 0.05, ci: 0.05, full: 0.03}
profiles: {smoke: {shows: defects}, ci: {shows: readiness}, full: {shows: readiness}}
dimensions: {}
"""


@contextmanager
def stub(*options: str) -> Iterator[str]:
    """The stub, compiled, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="readiness-bench-") as folder:
        program = f"{folder}/stub"
        subprocess.run(["cc", "-O2", "-o", program, HERE / "stub.c"], check=True)
        command = [program, *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.kill()


def harness(url: str, trials: int, concurrency: int, stream: bool) -> list[str]:
    """The command line of a whole run, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="readiness-bench-"))
    text = CHECK.format(trials=trials, stream=", stream=True" if stream else "")
    (folder / "check_bench.py").write_text(text)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = ["--endpoint", url, "--concurrency", str(concurrency), "--policy", "policy.yaml"]
    inside = f"import os; os.chdir({str(folder)!r}); import pytest; "
    return [
        sys.executable,
        "-c",
        f"{inside}raise SystemExit(pytest.main({['-q', *options, '.']!r}))",
    ]


def floor(url: str, trials: int, concurrency: int, stream: bool) -> list[str]:
    """The command line of the floor."""
    arguments = [url, str(trials), str(concurrency), "true" if stream else "false"]
    return [sys.executable, str(HERE / "overhead.py"), "--floor", *arguments]


def locust(program: str, url: str, trials: int, concurrency: int, stream: bool) -> list[str]:
    """The command line of Locust with as many users."""
    file = Path(tempfile.mkdtemp(prefix="readiness-bench-")) / "locustfile.py"
    host = url.removesuffix("/v1")
    file.write_text(LOCUST.format(host=host, trials=trials, stream=stream))
    options = ["--headless", "--only-summary", "--users", str(concurrency), "-r", str(concurrency)]
    return [program, "--locustfile", str(file), *options]


def inspect(program: str, url: str, trials: int, concurrency: int, stream: bool) -> list[str]:
    """The command line of an evaluation by Inspect with as many connections."""
    folder = Path(tempfile.mkdtemp(prefix="readiness-bench-"))
    (folder / "bench.py").write_text(INSPECT.format(trials=trials))
    options = ["--display", "none", "--log-dir", str(folder), "-M", f"stream={str(stream).lower()}"]
    options += ["--model", "openai-api/stub/stub", "--model-base-url", url]
    options += ["--max-connections", str(concurrency), "--max-samples", str(2 * concurrency)]
    # It takes no absolute path.
    inside = ["sh", "-c", 'cd "$0" && exec "$@"', str(folder)]
    return [*inside, program, "eval", "bench.py", *options]


PEERS = {"locust": locust, "inspect": inspect}


async def discard(url: str, trials: int, concurrency: int, stream: str) -> None:
    """Send the same requests over raw sockets, and throw the replies away."""
    host, port = url.split("/")[2].split(":")
    body = f'{{"model": "stub", "messages": [], "stream": {stream}}}'.encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}"
    request, left = head.encode() + b"\r\n\r\n" + body, iter(range(trials))
    ending = b"0\r\n\r\n" if stream == "true" else b"}}"

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in left:
            writer.write(request)
            await reader.readuntil(ending)
        writer.close()

    await asyncio.gather(*(work() for _ in range(concurrency)))


def measured(command: Callable[[int], list[str]], trials: int, runs: int) -> tuple[float, ...]:
    """Medians of wall seconds, CPU seconds and peak MB of whole processes."""
    spent(command(100), None, **KEY)  # It writes byte code.
    figures = [spent(command(trials), None, **KEY) for _ in range(runs)]
    wall, cpu, peak = zip(*figures, strict=True)
    return statistics.median(wall), statistics.median(cpu), statistics.median(peak)


def spent(
    command: list[str], stderr: int | None = None, **environment: str
) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of a whole process, and of all that it starts."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise SystemExit(f"exit status {code} of {command}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def commands(given: argparse.Namespace) -> dict[str, Callable[..., list[str]]]:
    """The command lines of the clients that are there."""
    found = {"raw sockets": floor, "readiness": harness}
    for name, command in PEERS.items():
        if program := shutil.which(getattr(given, name)):
            found[name] = partial(command, program)
        else:
            print(f"{name}: not found, left out")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--locust", default="locust", help="the command of Locust")
    parser.add_argument("--inspect", default="inspect", help="the command of Inspect")
    parser.add_argument("--floor", nargs=4, metavar=("URL", "TRIALS", "CONCURRENCY", "STREAM"))
    given = parser.parse_args()
    if given.floor:
        url, trials, concurrency, stream = given.floor
        asyncio.run(discard(url, int(trials), int(concurrency), stream))
        return
    print(f"{given.trials} trials, {given.concurrency} in flight, medians of {given.runs} runs")
    print(f"{'':<22}{'wall s':>8}{'- ideal':>9}{'CPU s':>8}{'us/trial':>10}{'peak MB':>9}")
    present = commands(given)
    with stub() as url:
        for stream, seconds in ((False, JSON_SECONDS), (True, STREAM_SECONDS)):
            ideal = given.trials * seconds / given.concurrency
            for name, command in present.items():
                whole = partial(command, url, concurrency=given.concurrency, stream=stream)
                wall, cpu, peak = measured(whole, given.trials, given.runs)
                label = f"{name}, {'streams' if stream else 'JSON'}"
                each = cpu / given.trials * 1e6
                figures = f"{wall:8.2f}{wall - ideal:9.2f}{cpu:8.2f}{each:10.0f}{peak:9.0f}"
                print(f"{label:<22}{figures}", flush=True)


if __name__ == "__main__":
    main()
