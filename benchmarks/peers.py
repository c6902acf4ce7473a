"""How exact our times are beside those of `vllm bench serve` and GuideLLM, on the same stub.

    python -m benchmarks.peers [--vllm vllm] [--guidellm guidellm] [--streams 1 32 256] [--each 4]

Each peer is a command of its own environment, and left out where there is none. Whatever client
keeps the text of a stream keeps its true times with it, so that each of its own figures has its
error: theirs are taken from the files in which they report every request. The first stream of each
client warms up. GuideLLM keeps no single gaps, but the mean of a stream.
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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency import Times, measured, seen, true
from benchmarks.overhead import spent, stub

#: At the least so many streams are measured, however few there are at once.
LEAST = 20
QUIET = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}

Pairs = list[tuple[Times, Times]]


@dataclass(frozen=True)
class Load:
    """What to send, and where: so many streams at once, each client so many, and one before."""

    url: str
    streams: int
    each: int
    prompts: Path
    report: Path


@dataclass(frozen=True)
class Client:
    """A client that measures: how it is called, and what it reports, beside what was true."""

    name: str
    command: Callable[[str, Load], list[str]]
    read: Callable[[Any, int], Pairs]


def _ours(program: str, load: Load) -> list[str]:
    arguments = [load.url, str(load.streams), str(load.each), str(load.report)]
    return [program, "-m", "benchmarks.peers", "--ours", *arguments]


def _read_ours(report: Any, warm: int) -> Pairs:
    return [(Times(**each["times"]), true(each["text"])) for each in report]


def vllm_command(program: str, url: str, prompts: Path, report: Path, **options: Any) -> list[str]:
    """The command of `vllm bench serve`, which reports every request; options by their own names.

    Args:
        program: The program.
        url: The base URL of the endpoint.
        prompts: The file of its prompts.
        report: The file that it writes.
        options: Its other options, with `_` for `-`.
    """
    usual = {
        "backend": "openai-chat",
        "base-url": url.removesuffix("/v1"),
        "endpoint": "/v1/chat/completions",
        "dataset-name": "custom",
        "dataset-path": prompts,
        "result-dir": report.parent,
        "result-filename": report.name,
    }
    given = usual | {name.replace("_", "-"): value for name, value in options.items()}
    flags = ["--skip-tokenizer-init", "--disable-tqdm", "--save-result", "--save-detailed"]
    return [program, "bench", "serve", *flags, *(f"--{k}={v}" for k, v in given.items())]


def guidellm_command(
    program: str, target: str, profile: str, requests: int, prompts: Path, report: Path
) -> list[str]:
    """The command of GuideLLM, which reports every request.

    Args:
        program: The program.
        target: The base URL of the endpoint without `/v1`, and the model.
        profile: How many streams there are at once.
        requests: The number of requests.
        prompts: The file of its prompts.
        report: The file that it writes.
    """
    options = {
        "backend": f"kind=openai_http,target={target}",
        "profile": f"kind=concurrent,{profile}",
        "constraint": f"kind=max_requests,count={requests}",
        "data": f"kind=json_file,path={prompts}",
        "output": f"kind=json,path={report}",
    }
    return [program, "run", "--disable-console", *(f"--{k}={v}" for k, v in options.items())]


def _vllm(program: str, load: Load) -> list[str]:
    return vllm_command(
        program,
        load.url,
        load.prompts,
        load.report,
        model="stub",
        num_prompts=load.streams * load.each,
        max_concurrency=load.streams,
        num_warmups=load.streams,
    )


def _read_vllm(report: Any, warm: int) -> Pairs:
    streams = zip(report["ttfts"], report["itls"], report["generated_texts"], strict=True)
    return [
        (Times(first * 1e3, float(np.mean(gaps)) * 1e3, [each * 1e3 for each in gaps]), true(text))
        for first, gaps, text in streams
    ]


def _guidellm(program: str, load: Load) -> list[str]:
    target = f"{load.url.removesuffix('/v1')},model=stub"
    profile = f"streams={load.streams},warmup={load.streams}"
    requests = load.streams * (load.each + 1)
    return guidellm_command(program, target, profile, requests, load.prompts, load.report)


def _read_guidellm(report: Any, warm: int) -> Pairs:
    (benchmark,) = report["benchmarks"]
    streams = sorted(
        benchmark["requests"]["successful"], key=lambda each: float(each["request_start_time"])
    )
    return [
        (
            Times(each["time_to_first_token_ms"], each["inter_token_latency_ms"]),
            true(each["output"]),
        )
        for each in streams[warm:]
    ]


OURS = Client("readiness", _ours, _read_ours)
PEERS = (Client("vllm", _vllm, _read_vllm), Client("guidellm", _guidellm, _read_guidellm))


def save(url: str, streams: int, each: int, report: Path) -> None:
    """Measure with the harness, and report every stream."""
    _, exchanges = asyncio.run(measured(url, streams, each))
    found = [
        {"times": asdict(seen(exchange)), "text": exchange.body.decode()} for exchange in exchanges
    ]
    report.write_text(json.dumps(found))


def told(name: str, what: str, pairs: Sequence[tuple[float, float]]) -> str:
    """The median and the 99th percentile: of what was true, what was reported, and the errors."""
    if not pairs:
        return f"{name:<11}{what:<12}not kept"
    reported, truth = np.array(pairs).T
    errors = np.abs(reported - truth)
    figures = [np.quantile(each, q) for each in (truth, reported, errors) for q in (0.5, 0.99)]
    return f"{name:<11}{what:<12}" + "".join(f"{each:9.2f}" for each in [*figures, errors.max()])


def table(name: str, pairs: Pairs) -> list[str]:
    """The lines of a client."""
    gaps = [
        both
        for reported, truth in pairs
        if reported.gaps
        for both in zip(reported.gaps, truth.gaps, strict=True)
    ]
    return [
        told(name, "first token", [(reported.first, truth.first) for reported, truth in pairs]),
        told("", "gap", gaps),
        told("", "mean gap", [(reported.mean, truth.mean) for reported, truth in pairs]),
    ]


def version(name: str, program: str) -> str:
    """The version of a peer, by its own environment."""
    told = f"from importlib.metadata import version; print(version({name!r}))"
    python = str(Path(program).with_name("python"))
    return subprocess.run([python, "-c", told], capture_output=True, text=True).stdout.strip()


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


def compare(given: argparse.Namespace, folder: Path) -> None:
    """Let each client measure at each number of streams, and tell what came of it."""
    print(f"{date.today()}, Python {platform.python_version()}, {os.cpu_count()} cores, ms")
    prompts, clients = folder / "prompts.jsonl", present(given)
    most = max(*given.streams, LEAST) * (given.each + 1)
    prompts.write_text("".join(f'{{"prompt": "Complete function {n}."}}\n' for n in range(most)))
    for streams in given.streams:
        print(f"\n{streams:4} streams{'':<20}true{'':<10}reported{'':<15}error")
        print(f"{'':<23}" + "".join(f"{each:>9}" for each in ("median", "p99") * 3) + "      max")
        for client, program in clients:
            report = folder / f"{client.name}-{streams}.json"
            with stub(str(given.chunks), str(given.gap)) as url:
                load = Load(url, streams, max(given.each, LEAST // streams), prompts, report)
                command = client.command(program, load)
                wall, cpu, _ = spent(command, subprocess.DEVNULL, **QUIET)
            pairs = client.read(json.loads(report.read_text()), streams)
            print("\n".join(table(client.name, pairs)))
            costs = f"CPU {cpu:.1f} s, wall {wall:.1f} s, load average {os.getloadavg()[0]:.1f}"
            print(f"{'':<11}{len(pairs)} streams; {costs}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vllm", default="vllm", help="the command of vLLM")
    parser.add_argument("--guidellm", default="guidellm", help="the command of GuideLLM")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--chunks", type=int, default=40, help="of a stream")
    parser.add_argument("--gap", type=int, default=50_000, help="between chunks, in microseconds")
    parser.add_argument("--each", type=int, default=4, help="streams of each client, measured")
    parser.add_argument("--ours", nargs=4, metavar=("URL", "STREAMS", "EACH", "REPORT"))
    given = parser.parse_args()
    if given.ours:
        url, streams, each, report = given.ours
        save(url, int(streams), int(each), Path(report))
        return
    with tempfile.TemporaryDirectory(prefix="readiness-bench-") as folder:
        compare(given, Path(folder))


if __name__ == "__main__":
    main()
