"""What a load step measures beside `vllm bench serve` and GuideLLM, on the same engine.

    python -m benchmarks.agreement [--vllm vllm] [--guidellm guidellm] [--rounds 2]
    python -m benchmarks.agreement --endpoint http://host:8000/v1 --model NAME
                                   --extra-body '{"ignore_eos": true, "temperature": 0}'

The engine is the reference endpoint at the pace of an H200, whose replies fill their limit, a fresh
one for each client; or a live endpoint, whose replies the extra body holds to their limit. All send
the same prompts with as many clients, one client after another, and the next round in the opposite
order; a number before each prompt keeps one client from what another left in the prefix cache. Of
the peers' own figures for each request those of the first and the last request of each of their
clients are left out, for then not all clients are busy. A peer that is not found is left out.
Where the live endpoint is a vLLM, the times to first token that it has measured itself, of all
requests of each client, are printed beside those of the client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from statistics import mean, median
from time import time
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np

from benchmarks.latency import chat_with
from benchmarks.peers import guidellm_command, version, vllm_command
from readiness.chat import Chat
from readiness.load.saturation import measure_client_saturation
from readiness.load.step import Shape
from readiness.load.traffic import UserScript, known_answer_script, user_script
from readiness.load.users import StepUsers
from readiness.protocol.dialect import Dialect
from readiness.statistics.histogram import Histogram, Times

#: So many requests of each client, besides the first and the last, of each shape.
EACH = {"code": 12, "json": 60, "ticket": 8, "copy": 8}
CLIENTS = (8, 32)
#: Requests that begin within so many seconds count as sent at once: about a decoding step.
AT_ONCE = 0.005
#: The limit of a JSON reply, in tokens: about as many as it takes.
JSON_TOKENS = 24
#: A vLLM's own histogram of times to first token, in seconds.
SERVED = "vllm:time_to_first_token_seconds"
QUIET = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "VLLM_NO_USAGE_STATS": "1"}
#: One of its processes sends all: ten, its default, would take the engine's cores.
FEWER = {"GUIDELLM__MAX_WORKER_PROCESSES": "1"}
ENGINE = """
import dataclasses, sys
from readiness.mutants import __main__ as server, catalog
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.flaw import Flaw

def fills(request, answer, turn):
    if (answer.content or "").startswith("{"):
        return answer
    return dataclasses.replace(answer, content=" word" * (most_tokens(request) or 100))

server.find = lambda name: Flaw(name, "replies fill their limit", change_output=fills)
sys.exit(server.main(["--pace", "h200", "--until-eof"]))
"""


@dataclass(frozen=True)
class Task:
    """What to send, and where to report it.

    Args:
        name: The shape of the requests.
        clients: How many clients send at once.
        folder: Where prompts and report are.
        url: The engine.
        model: The name of its model.
        extra: What each body says besides.
        run: The number before each prompt.
        tokenizer: The model's tokenizer, without which some versions of vLLM read no prompts.
    """

    name: str
    clients: int
    folder: str
    url: str = ""
    model: str = "reference"
    extra: dict[str, Any] = field(default_factory=dict)
    run: int = 0
    tokenizer: str = ""

    @property
    def prompts(self) -> Path:
        """The file of the prompts, a JSON object with `prompt` a line."""
        return Path(self.folder, "prompts.jsonl")

    @property
    def report(self) -> Path:
        """The file to report in."""
        return Path(self.folder, "report.json")

    @property
    def budget(self) -> int:
        """The limit of a reply, in tokens."""
        return self.scripts(1)[0].budget

    @property
    def requests(self) -> int:
        """How many requests are sent, with the first and the last of each client."""
        return self.clients * (EACH[self.name] + 2)

    def scripts(self, many: int) -> list[UserScript]:
        """Requests of one turn."""
        random = Random(f"agreement/{self.name}")
        made = [
            replace(known_answer_script(random, "json"), budget=JSON_TOKENS)
            if self.name == "json"
            else user_script(self.name, random, small=False)
            for _ in range(many)
        ]
        return [UserScript([f"{self.run:04} {each.turns[0]}"], each.budget) for each in made]


@dataclass(frozen=True)
class Figures:
    """What was measured; times in ms, throughput in requests a second.

    Args:
        end_to_end: The mean time to the end of the response; not a number where it is not kept.
        last_token: The mean time to the last token.
        first_token: The mean time to the first.
        per_token: The mean time per token after the first.
        gap_mean: The mean time between tokens, of all requests.
        gap_p95: The 95th percentile of it.
        throughput: Requests answered a second.
        at_once: How many requests on average begin within `AT_ONCE` of each, and itself.
    """

    end_to_end: float
    last_token: float
    first_token: float
    per_token: float
    gap_mean: float
    gap_p95: float
    throughput: float
    at_once: float


@dataclass(frozen=True)
class FirstTokens:
    """Times to first token: the sum, in ms, and their number."""

    total: float = 0.0
    number: int = 0

    def __sub__(self, other: FirstTokens) -> FirstTokens:
        return FirstTokens(self.total - other.total, self.number - other.number)

    def __add__(self, other: FirstTokens) -> FirstTokens:
        return FirstTokens(self.total + other.total, self.number + other.number)

    @property
    def mean(self) -> float:
        """Their mean, in ms."""
        return self.total / max(self.number, 1)

    @classmethod
    def of(cls, times: Sequence[float]) -> FirstTokens:
        """Those of some times in ms."""
        return cls(sum(times), len(times))

    @classmethod
    def served(cls, url: str) -> FirstTokens:
        """Those that the server at a base URL has measured so far; none where it tells none."""
        try:
            with urlopen(f"{url.removesuffix('/v1')}/metrics") as page:
                lines = page.read().decode().splitlines()
        except URLError:
            return cls()
        total, number = (
            sum(float(line.split()[-1]) for line in lines if line.startswith(f"{SERVED}_{kind}"))
            for kind in ("sum", "count")
        )
        return cls(total * 1e3, int(number))


def figures(
    requests: Sequence[Any], gaps: Sequence[float], throughput: float, starts: Sequence[float]
) -> Figures:
    """The figures of requests as (end to end, last, first, per token) in ms, begun at `starts`."""
    ends, lasts, firsts, tokens = (mean(each) for each in zip(*requests, strict=True))
    known = gaps or [float("nan")]
    between = mean(known), float(np.quantile(known, 0.95))
    return Figures(ends, lasts, firsts, tokens, *between, throughput, at_once(starts))


def at_once(starts: Sequence[float]) -> float:
    """How many requests on average begin within `AT_ONCE` seconds of each, and itself."""
    order = np.sort(starts)
    first, last = np.searchsorted(order, order - AT_ONCE), np.searchsorted(order, order + AT_ONCE)
    return float(np.mean(last - first))


def steady(starts: Sequence[float], clients: int) -> tuple[list[int], float]:
    """The requests but the first and last of each client, and how many of them began a second.

    By the slope: clients that began together still send together.
    """
    order = sorted(range(len(starts)), key=lambda at: starts[at])[clients:-clients]
    slope, _ = np.polyfit([starts[at] for at in order], range(len(order)), 1)
    return order, float(slope)


class Gaps(Histogram):
    """Keeps every inter-token latency, in ms."""

    def __init__(self) -> None:
        super().__init__()
        self.values = list[float]()

    def add(self, seconds: Times) -> None:
        """Keep some."""
        self.values += (seconds * 1e3).tolist()


class GivenUsers(StepUsers):
    """Users who send given requests."""

    def __init__(self, chat: Chat, shape: Shape, given: Iterator[UserScript]) -> None:
        super().__init__(chat, shape, asyncio.get_running_loop().time())
        self.given, self.step.gaps = given, Gaps()

    def next_script(self) -> UserScript:
        """The next of them."""
        return next(self.given)


async def measure_ours(task: Task) -> dict[str, Any]:
    """Measure with a load step: the figures, all times to first token, and the event loop's lag."""
    shape = Shape("code", task.clients, task.clients * EACH[task.name], 0.1, each=EACH[task.name])
    dialect = Dialect(task.model, extra_body=task.extra)
    async with (
        chat_with(task.url, task.model) as chat,
        measure_client_saturation() as saturation,
    ):
        given = iter(task.scripts(3 * task.requests))
        users = GivenUsers(Chat(chat.call, dialect), shape, given)
        await users.run_closed_loop()
    step = users.step
    assert not step.errors, step.errors[:3]
    requests = [
        [
            seconds * 1e3
            for seconds in (
                each.took,
                each.latency.time_to_last_token,
                each.latency.time_to_first_token,
                token,
            )
        ]
        for each in step.measured
        if each.latency and (token := each.latency.time_per_output_token)
    ]
    assert isinstance(step.gaps, Gaps)
    starts = [each.sent for each in step.measured]
    found = figures(requests, step.gaps.values, step.throughput.value, starts)
    firsts = [each.latency.time_to_first_token * 1e3 for each in step.samples if each.latency]
    return {"figures": asdict(found), "firsts": firsts, "lag": saturation.lag * 1e3}


def _ours(program: str, task: Task) -> list[str]:
    return [program, "-m", "benchmarks.agreement", "--ours", json.dumps(asdict(task))]


def _read_ours(report: Any, task: Task) -> Figures:
    return Figures(**report["figures"])


def _firsts_of_ours(report: Any) -> list[float]:
    return list(report["firsts"])


def _vllm(program: str, task: Task) -> list[str]:
    command = vllm_command(
        program,
        task.url,
        task.prompts,
        task.report,
        model=task.model,
        # Without a tokenizer, its own limit is one token.
        extra_body=json.dumps({"max_completion_tokens": task.budget, **task.extra}),
        num_prompts=task.requests,
        max_concurrency=task.clients,
        ready_check_timeout_sec=0,  # It would be a request of the server's figures alone.
    )
    if task.tokenizer:
        command.remove("--skip-tokenizer-init")
        # The engine fills in its chat template.
        command += [f"--tokenizer={task.tokenizer}", "--skip-chat-template"]
    return command


def _read_vllm(report: Any, task: Task) -> Figures:
    starts = report["start_times"]
    kept, throughput = steady(starts, task.clients)
    requests, gaps = [], list[float]()
    for at in kept:
        first, between, tokens = (report[key][at] for key in ("ttfts", "itls", "output_lens"))
        later = sum(between)
        # Its first chunk may be that of the role, which comes with the first token.
        between = between[max(len(between) - tokens + 1, 0) :]
        seconds = (float("nan"), first + later, first, later / (tokens - 1))
        requests.append([each * 1e3 for each in seconds])
        gaps += [each * 1e3 for each in between]
    return figures(requests, gaps, throughput, [starts[at] for at in kept])


def _firsts_of_vllm(report: Any) -> list[float]:
    return [first * 1e3 for first in report["ttfts"]]


def _guidellm(program: str, task: Task) -> list[str]:
    extra = "".join(f",extras.body.{each}" for each in _as_arguments(task.extra))
    target = f"{task.url.removesuffix('/v1')},model={task.model},max_tokens={task.budget}{extra}"
    profile = f"streams={task.clients}"
    return guidellm_command(program, target, profile, task.requests, task.prompts, task.report)


def _as_arguments(body: dict[str, Any]) -> list[str]:
    """The fields of a body as GuideLLM reads them, a list by its places."""
    fields = []
    for name, value in body.items():
        places = enumerate(value) if isinstance(value, list) else ()
        fields += [f"{name}[{at}]={json.dumps(each)}" for at, each in places]
        fields += [] if isinstance(value, list) else [f"{name}={json.dumps(value)}"]
    return fields


def _read_guidellm(report: Any, task: Task) -> Figures:
    (benchmark,) = report["benchmarks"]
    done = benchmark["requests"]["successful"]
    starts = [float(each["request_start_time"]) for each in done]
    kept, throughput = steady(starts, task.clients)
    requests = [
        (
            done[at]["request_latency"] * 1e3,
            done[at]["time_to_first_token_ms"]
            + done[at]["inter_token_latency_ms"] * (done[at]["output_tokens"] - 1),
            done[at]["time_to_first_token_ms"],
            done[at]["inter_token_latency_ms"],
        )
        for at in kept
    ]
    return figures(requests, (), throughput, [starts[at] for at in kept])


def _firsts_of_guidellm(report: Any) -> list[float]:
    (benchmark,) = report["benchmarks"]
    return [each["time_to_first_token_ms"] for each in benchmark["requests"]["successful"]]


@dataclass(frozen=True)
class Client:
    """A client that measures.

    Args:
        name: Its name.
        command: Its command.
        read: The figures in its report.
        firsts: The times to first token of all requests in its report, in ms.
    """

    name: str
    command: Callable[[str, Task], list[str]]
    read: Callable[[Any, Task], Figures]
    firsts: Callable[[Any], list[float]]


OURS = Client("readiness", _ours, _read_ours, _firsts_of_ours)
PEERS = (
    Client("vllm", _vllm, _read_vllm, _firsts_of_vllm),
    Client("guidellm", _guidellm, _read_guidellm, _firsts_of_guidellm),
)


@dataclass(frozen=True)
class Round:
    """What a client measured in a round, and its first tokens by its own clock and the server's."""

    figures: Figures
    firsts: FirstTokens
    served: FirstTokens


@contextmanager
def engine() -> Iterator[str]:
    """The engine, in a process of its own."""
    command = [sys.executable, "-c", ENGINE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def present(given: argparse.Namespace) -> list[tuple[Client, str]]:
    """The clients that are there, each with its program."""
    found = [(OURS, sys.executable)]
    for each in PEERS:
        if program := shutil.which(getattr(given, each.name)):
            print(f"{each.name} {version(each.name, program)}")
            found.append((each, program))
        else:
            print(f"{each.name}: not found, left out")
    return found


def measured(client: Client, program: str, task: Task) -> Round:
    """What a client measures of the live endpoint, or else of a fresh engine."""
    with nullcontext(task.url) if task.url else engine() as url:
        at = replace(task, url=url)
        lines = [json.dumps({"prompt": each.turns[0]}) for each in at.scripts(2 * at.requests)]
        at.prompts.write_text("\n".join(lines) + "\n")
        at.report.unlink(missing_ok=True)
        before = FirstTokens.served(url)
        run = subprocess.run(
            client.command(program, at),
            env={**os.environ, **QUIET, **FEWER},
            capture_output=True,
            text=True,
        )
        served = FirstTokens.served(url) - before
    if run.returncode:
        raise SystemExit(f"{client.name} ended with {run.returncode}: {run.stderr[-2000:]}")
    report = json.loads(task.report.read_text())
    return Round(client.read(report, task), FirstTokens.of(client.firsts(report)), served)


def row(name: str, found: Sequence[Figures], ours: Sequence[Figures]) -> str:
    """The medians of a client's rounds, and by how much they differ from ours of the same round."""
    cells = []
    for each in asdict(found[0]):
        values = [getattr(one, each) for one in found]
        off = median(getattr(o, each) / v - 1 for o, v in zip(ours, values, strict=True))
        differs = "" if found is ours else f"{off:+6.1%}"
        known = values[0] == values[0]
        cells.append(f"{median(values):10.2f}{differs:>7}" if known else f"{'not kept':>10}{'':7}")
    return f"{name:<11}" + "".join(cells)


def first_tokens(name: str, rounds: Sequence[Round]) -> str:
    """The mean first token of all requests of a client, by its clock and by the server's."""
    by_client = sum((each.firsts for each in rounds), FirstTokens())
    by_server = sum((each.served for each in rounds), FirstTokens())
    off = by_client.mean - by_server.mean
    return (
        f"{name:<11}{by_client.mean:10.2f}{by_client.number:7}"
        f"{by_server.mean:10.2f}{by_server.number:7}{off:+10.2f}{off / by_server.mean:+7.1%}"
    )


def compare(given: argparse.Namespace, folder: Path) -> None:
    """Let each client measure each shape in each round, and print what it found."""
    print(f"{date.today()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    clients, runs = present(given), count(int(time()) % 9000)
    for name in given.shapes:
        for many in given.clients:
            task = Task(name, many, str(folder), given.endpoint, given.model, given.extra_body)
            task = replace(task, tokenizer=given.tokenizer)
            rounds: dict[str, list[Round]] = {client.name: [] for client, _ in clients}
            lags = []
            for turn in range(given.rounds):
                for client, program in clients[:: -1 if turn % 2 else 1]:
                    run = replace(task, run=next(runs))
                    rounds[client.name].append(measured(client, program, run))
                    if client is OURS:
                        lags.append(json.loads(task.report.read_text())["lag"])
            found = {name: [each.figures for each in of] for name, of in rounds.items()}
            heads = (
                "end to end",
                "last token",
                "1st token",
                "per token",
                "gap",
                "gap p95",
                "per s",
                "at once",
            )
            print(
                f"\n{name}, {many} clients\n{'':<11}"
                + "".join(f"{each:>10}{'':7}" for each in heads)
            )
            for each in found:
                print(row(each, found[each], found[OURS.name]))
            if all(each.served.number for of in rounds.values() for each in of):
                print(
                    "the first token of all requests, by the client and by the server, mean in ms"
                )
                print(*(first_tokens(each, rounds[each]) for each in rounds), sep="\n")
            busy = f"load average {os.getloadavg()[0]:.1f}"
            print(f"our event loop's lag p99 {median(lags):.1f} ms, {busy}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vllm", default="vllm", help="the command of vLLM")
    parser.add_argument("--guidellm", default="guidellm", help="the command of GuideLLM")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--shapes", nargs="+", choices=EACH, default=list(EACH))
    parser.add_argument("--clients", nargs="+", type=int, default=CLIENTS)
    parser.add_argument("--endpoint", default="", help="a live endpoint instead, with /v1")
    parser.add_argument("--model", default="reference", help="the name of its model")
    parser.add_argument("--tokenizer", default="", help="the folder of its tokenizer, for vLLM")
    parser.add_argument("--extra-body", type=json.loads, default={}, help="of each request, JSON")
    parser.add_argument("--ours", metavar="TASK", help="measure with a load step; a task as JSON")
    given = parser.parse_args()
    if given.ours:
        task = Task(**json.loads(given.ours))
        task.report.write_text(json.dumps(asyncio.run(measure_ours(task))))
        return
    with tempfile.TemporaryDirectory(prefix="readiness-bench-") as folder:
        compare(given, Path(folder))


if __name__ == "__main__":
    main()
