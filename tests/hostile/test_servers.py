"""Whatever a server does has an outcome, in bounded time and memory, and is not ready by it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from readiness.chat import Chat
from readiness.cli.built_in import built_in_checks
from readiness.context import Context
from readiness.evidence.redaction import Secrets
from readiness.exchange import Call, Exchange
from readiness.policy import plan, policy
from readiness.protocol.capability import LIST_MODELS, Models, Unassessable, choose, explore
from readiness.protocol.dialect import Dialect
from readiness.runner.scheduler import attempted
from readiness.score import EndpointError, Outcome
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from tests.hostile.behaviours import LARGE, LISTS, REPLIES, TRANSPORT, Parts, ok
from tests.miniature import MODELS, completion
from tests.scripted_server import Script, serving
from tests.user_checks import KEPT, POLICY

assert KEPT
#: The subset of behaviours that are streams, by what they send first.
STREAMED = frozenset(
    name
    for name, each in REPLIES.items()
    if b"event-stream" in next(iter(each()))[:200]  # type: ignore[index]
)
CHECK = """
from readiness import Probe, check, failed

FORMS = []
PROBES = [
    Probe(f"{form}.{n}", [{"role": "user", "content": f"Repeat: word {n}"}])
    for n, form in enumerate(FORMS)
]

@check(PROBES, required=1.0)
async def repeats(chat, probe):
    "Asked to repeat a word, the endpoint MUST repeat it."
    reply = await chat(probe.messages, stream=probe.id.startswith("stream"))
    return failed(f"said {reply.text[:99]!r}, called {reply.tool_calls!r:.99}")
"""
#: Runs a checklist, and says how much memory it took, in kB.
RUN = """
import sys, pytest
status = pytest.main(sys.argv[1:])
# What a process took before it became this one is in ru_maxrss, and not in VmHWM.
lines = open("/proc/self/status").read().splitlines()
print("peak", next(each.split()[1] for each in lines if each.startswith("VmHWM")))
sys.exit(status)
"""
LIMITS = ["--connect-timeout=1", "--first-byte-timeout=1", "--silence-timeout=1"]
LIMITS += ["--reply-timeout=3", "--concurrency=16", "--keep-going", "--seed=0"]
#: Control characters, but for line ends, and invisible ones.
ODD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")
#: No message is longer.
MAX_MESSAGE = 3_000


@dataclass(frozen=True)
class Ended:
    """How a run ended: its status, what it printed, the memory that it took, and its trials."""

    status: int
    printed: str
    megabytes: int
    trials: Mapping[str, Any]


def ran(folder: Path, behaviours: Mapping[str, Callable[[], Parts]], *options: str) -> Ended:
    """A run against a server that has a behaviour for each trial, and answers what is before."""
    names = list(behaviours)
    forms = ["stream" if name in STREAMED else "document" for name in names]
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "own.yaml").write_text(POLICY)
    (folder / "check_words.py").write_text(CHECK.replace("FORMS = []", f"FORMS = {forms}"))
    command = [sys.executable, "-c", RUN, "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
    with serving(hostile([behaviours[name] for name in names])) as url:
        done = subprocess.run(
            [*command, "--policy=own.yaml", f"--endpoint={url}", *LIMITS, *options, "."],
            cwd=folder,
            env={**os.environ, "OPENAI_API_KEY": "sk-canary-4711"},
            capture_output=True,
            check=False,
            timeout=600,
        )
    printed = (done.stdout + done.stderr).decode()
    peak = re.search(r"^peak (\d+)$", printed, re.MULTILINE)
    assert peak, printed
    evidence = folder / "reports" / "latest" / "evidence.jsonl"
    lines = map(json.loads, evidence.read_text().splitlines())
    trials = [each for each in lines if each["kind"] == "trial"]
    found = {names[each["trial"]]: each for each in trials}
    return Ended(done.returncode, printed, int(peak[1]) // 1024, found)


def hostile(behaviours: list[Callable[[], Parts]]) -> Script:
    def script(n: int, request: bytes) -> Any:
        if request.startswith(b"GET"):
            return ok(MODELS)
        asked = re.search(rb"Repeat: word (\d+)", request)
        return behaviours[int(asked[1])]() if asked else ok(completion("OK"))

    return script


IN_TRIALS = {**TRANSPORT, **REPLIES}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return ran(tmp_path_factory.mktemp("hostile"), IN_TRIALS)


@pytest.mark.parametrize("name", IN_TRIALS)
def test_a_trial_with_a_hostile_server_has_an_outcome(name: str, ended: Ended) -> None:
    trial = ended.trials[name]
    assert Outcome(trial["outcome"]) is not Outcome.PASS
    assert trial["reason"]
    assert len(trial["reason"]) < MAX_MESSAGE
    assert not ODD.search(trial["reason"])


def test_a_run_with_a_hostile_server_is_not_ready_and_prints_nothing_odd(ended: Ended) -> None:
    assert ended.status == 1
    assert ended.trials.keys() == IN_TRIALS.keys()
    assert "Traceback" not in ended.printed
    assert not ODD.search(ended.printed)
    assert not re.search(r"^::|##\[", ended.printed, re.MULTILINE)
    assert ended.megabytes < 400


@pytest.mark.nightly
def test_large_replies_take_bounded_memory(tmp_path: Path) -> None:
    patient = ("--first-byte-timeout=60", "--silence-timeout=60", "--reply-timeout=200")
    ended = ran(tmp_path, LARGE, *patient)
    assert (ended.status, ended.trials.keys()) == (1, LARGE.keys())
    assert "Traceback" not in ended.printed
    assert ended.megabytes < 1_600


# What a run begins with


def client(url: str) -> EndpointClient:
    limits = RequestLimits(connect=1, first_byte=1, silence=1, total=2, body=16 * 2**20)
    return EndpointClient(Address.read(url, "", {}), limits)


async def begun(url: str) -> str:
    """The model that would be tried, or why none can be, as it is shown."""
    endpoint = client(url)
    try:
        models = Models.read(await endpoint.send(LIST_MODELS))
        model = choose(models, "")
        await explore(endpoint.send, models, Dialect(model))
    except (Unassessable, LookupError, EndpointError) as error:
        return Secrets([]).printable(str(error))
    finally:
        await endpoint.close()
    return Secrets([]).printable(model)


def of_lists(behaviour: Callable[[], Parts]) -> Script:
    def script(n: int, request: bytes) -> Any:
        return behaviour() if request.startswith(b"GET") else ok(completion("OK"))

    return script


@pytest.mark.parametrize("name", [*TRANSPORT, *LISTS])
def test_a_hostile_list_of_models_is_read_or_refused(name: str) -> None:
    with serving(of_lists({**TRANSPORT, **LISTS}[name])) as url:
        said = asyncio.run(begun(url))
    assert 0 < len(said) < MAX_MESSAGE
    assert not ODD.search(said)


@pytest.mark.parametrize("name", REPLIES)
def test_a_hostile_first_reply_is_read_or_refused(name: str) -> None:
    with serving(hostile_to_all(REPLIES[name])) as url:
        said = asyncio.run(begun(url))
    assert 0 < len(said) < MAX_MESSAGE
    assert not ODD.search(said)


def hostile_to_all(behaviour: Callable[[], Parts]) -> Script:
    def script(n: int, request: bytes) -> Any:
        return ok(MODELS) if request.startswith(b"GET") else behaviour()

    return script


def to_all(behaviour: Callable[[], Parts]) -> Script:
    def script(n: int, request: bytes) -> Any:
        return behaviour()

    return script


# Every check


def planned() -> Iterator[plan.PlannedCheck]:
    yield from plan.plan(list(built_in_checks()), policy.load(None), "smoke", 0)


#: What is in the middle of a run: of what checks read themselves, other than by a reply.
IN_CHECKS = {
    **{name: REPLIES[name] for name in ("usage of 4,000 digits", "infinite usage", "NaN")},
    **{name: REPLIES[name] for name in ("content with escapes", "names with escapes")},
    **{name: REPLIES[name] for name in ("surrogates in halves", "index below 0")},
    **{name: REPLIES[name] for name in ("a call without an id", "calls that are numbers")},
    **{name: TRANSPORT[name] for name in ("hangs up", "body without a head", "error that is deep")},
    "deep, but not too deep": lambda: ok(b'{"data": %b, "choices": 1}' % (b"[" * 900 + b"]" * 900)),
    "created in 4,000 digits": lambda: ok(
        completion("OK")[:-1] + b', "created": %b, "data": []}' % (b"9" * 4_000)
    ),
    "a list of odd things": lambda: ok(b'{"data": [1, {"id": 5, "created": "a"}], "tokens": 5}'),
}
#: The checks that are tried here: those that wait for nothing but replies.
TRIED = [
    each for each in planned() if not (each.check.alone or each.check.whole_run) and each.probes
]


@pytest.mark.parametrize("name", IN_CHECKS)
def test_no_check_is_brought_down_by_a_hostile_endpoint(name: str) -> None:
    with serving(to_all(IN_CHECKS[name])) as url:
        scores = asyncio.run(scored(url))
    assert [each for each, outcome in scores.items() if outcome is None] == []


async def scored(url: str) -> dict[str, Outcome | None]:
    """The outcome of a trial of each check."""
    endpoint, slots = client(url), asyncio.Semaphore(8)

    async def send(call: Call) -> Exchange:
        async with slots:
            return await endpoint.send(call)

    async def attempt(each: plan.PlannedCheck) -> Outcome | None:
        context = Context(recorded_exchanges=partial(iter, ()))
        chat = Chat(send, Dialect("mini"), context)
        score, _ = await attempted(each.check, chat, each.probes[0], Secrets([]))
        return score.outcome

    try:
        found = await asyncio.gather(*map(attempt, TRIED), return_exceptions=True)
    finally:
        await endpoint.close()
    raised = [each for each in found if isinstance(each, BaseException)]
    for each in raised:
        print(repr(each))
    return {
        each.check.id: None if isinstance(outcome, BaseException) else outcome
        for each, outcome in zip(TRIED, found, strict=True)
    }
