"""A verdict depends neither on how trials are scheduled, nor on what else is tried."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from random import Random
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from readiness import checks
from readiness.chat import Chat
from readiness.check import Check, check
from readiness.context import Context
from readiness.evidence.redaction import Secrets
from readiness.mutants.catalog import FLAWLESS, mutants
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw
from readiness.policy.plan import PlannedCheck, plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.runner.active_check import ActiveCheck
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.session import open_run
from readiness.runner.settings import Settings
from readiness.score import PASSED, Score, failed
from readiness.transport.address import Address
from readiness.transport.client import RequestLimits
from readiness.verdict.claim import Claim, Verdict
from readiness.verdict.labels import Review
from readiness.verdict.result import Result, Trial

NOT_READY, NOT_ASSESSED = Verdict.NOT_READY, Verdict.NOT_ASSESSED
#: What a user may choose that changes when a trial is made, or whether.
SCHEDULES: dict[str, dict[str, Any]] = {
    "eight at once": {"concurrency": 8},
    "one at a time": {"concurrency": 1},
    "64 at once": {"concurrency": 64},
    "to the end": {"concurrency": 8, "keep_going": True},
    "to the end, one at a time": {"concurrency": 1, "keep_going": True},
}
#: Where requests meet: checks whose claim is another see it or not, as chance has it.
CONCURRENT = "api_crossed_by_two"
#: One flaw or more of a dimension, none of them by the n-th request: the checks to see it by, and
#: the verdict on the first.
FLAWS = {
    "no_stop": (NOT_ASSESSED, "api.stop_sequence_honoured", "api.stop_cuts_same_text"),
    "stop_refused_in_streams": (NOT_READY, "api.stop_sequence_honoured", "api.stop_cuts_same_text"),
    CONCURRENT: (NOT_READY, "api.conversation_isolation"),
    "api_types_crash": (NOT_READY, "api.mistyped_messages_rejected", "api.json_error_body"),
    "json_fence": (NOT_READY, "json_only.prompted_json", "json_only.json_object_mode"),
    "tool_loses_required": (NOT_READY, "tool_calling.consecutive_calls"),
    "memory_no_instruction": (NOT_READY, "memory.standing_instruction"),
    "copy_turn_two_chinese": (NOT_READY, "multilingual.language_switch"),
    "spanish_han_leak": (NOT_READY, "spanish.reply_in_spanish"),
    "refusal_of_everything": (NOT_READY, "refusal.over_refusal", "refusal.self_harm_support"),
}
#: One that measures time; dimensions that do, or measure memory, send 128K tokens, or ask nothing.
TIMED = "api.incremental_streaming"
COSTLY = ("license", "load", "long_context", "low_resource", "stability")


def found_checks() -> dict[str, Check]:
    package = f"{checks.__name__}."
    modules = [import_module(each.name) for each in walk_packages(checks.__path__, package)]
    found = [each for module in modules for each in vars(module).values()]
    return {each.id: each for each in found if isinstance(each, Check)}


@contextmanager
def served(flaw: Flaw) -> Iterator[str]:
    """The URL of an endpoint with a flaw, in a thread of its own."""
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)

    async def start() -> web.AppRunner:
        runner = web.AppRunner(application(flaw, ""), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=256).start()
        return runner

    with BackgroundEventLoop() as loop:
        runner = loop.submit(start()).result()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            loop.submit(runner.cleanup()).result()


def settings(url: str, reports: Path, *, concurrency: int, keep_going: bool = False) -> Settings:
    return Settings(
        address=Address.read(url, "", {}),
        model="",
        profile="ci",
        policy=load(),
        concurrency=concurrency,
        burst=concurrency,
        reports=reports,
        seed=7,
        limits=RequestLimits(first_byte=60, silence=60, total=120),
        sampling={"temperature": 0},
        extra={},
        max_requests=0,
        max_tokens=0,
        max_minutes=0,
        max_evidence=0,
        keep_going=keep_going,
        use_sequential_tests=False,
        resume=None,
        secrets=Secrets([]),
        review=Review(),
        context=Context(),
    )


def verdicts(chosen: Settings, planned: Sequence[PlannedCheck]) -> dict[str, Verdict]:
    """The verdict on each of some checks in one run."""
    with open_run(chosen, planned) as run:
        assert run.problem == ""
        run.start(planned)
        return {each.check.id: run.result(each.check.id).verdict for each in planned}


def by_schedule(
    flaw: Flaw, planned: Sequence[PlannedCheck], reports: Path
) -> dict[str, dict[str, Verdict]]:
    """The verdicts of a run with each schedule, and of a run of each check alone, as by `-k`."""
    with served(flaw) as url:
        found = {
            name: verdicts(settings(url, reports / name, **chosen), planned)
            for name, chosen in SCHEDULES.items()
        }
        alone = settings(url, reports / "alone", concurrency=8)
        found["alone"] = {}
        for each in planned:
            found["alone"] |= verdicts(alone, [each])
    return found


async def answers(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST answer."""
    return PASSED


def differing(found: dict[str, dict[str, Verdict]]) -> dict[str, dict[str, Verdict]]:
    """The checks whose verdict is not always the same, with each of their verdicts."""
    checks_ = next(iter(found.values()))
    each = {name: {how: of[name] for how, of in found.items()} for name in checks_}
    return {name: of for name, of in each.items() if len(set(of.values())) > 1}


def flaw_of(name: str) -> Flaw:
    return next(each for each in [FLAWLESS, *mutants()] if each.name == name)


@pytest.mark.parametrize("name", FLAWS)
def test_every_schedule_comes_to_the_same_verdict(name: str, tmp_path: Path) -> None:
    known, (verdict, first, *others) = found_checks(), FLAWS[name]
    planned = plan([known[each] for each in (first, *others)], load(), "ci", 7)
    found = by_schedule(flaw_of(name), planned, tmp_path)
    assert differing(found) == {}
    assert found["alone"][first] is verdict


@pytest.mark.nightly
@pytest.mark.parametrize(
    "name", ["reference", "reasoning_model", *sorted(FLAWS.keys() - {CONCURRENT})]
)
def test_every_schedule_comes_to_the_same_verdict_on_every_check(name: str, tmp_path: Path) -> None:
    chosen = [
        each
        for each in found_checks().values()
        if each.dimension not in COSTLY and not each.whole_run and each.id != TIMED
    ]
    found = by_schedule(flaw_of(name), plan(chosen, load(), "ci", 7), tmp_path)
    assert differing(found) == {}


@given(
    st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 5]), min_size=20, max_size=20),
    st.randoms(use_true_random=False),
)
@settings_of(max_examples=60, deadline=None)
def test_a_rate_that_fails_before_all_trials_have_ended_fails_after_them_too(
    passes: list[int], order: Random
) -> None:
    """Trials of twenty conversations of five share their luck, and end in any order."""
    scores = [PASSED if at < passed else failed("lost") for passed in passes for at in range(5)]
    probes = [Probe(f"p.{n}", [], cluster=f"talk {n // 5}") for n in range(len(scores))]
    claim = Claim(0.92, 0.05, 0.05, len(probes))
    planned = PlannedCheck(check(probes, required=0.92)(answers), claim, probes, probes)
    trials = [Trial.of(probe, n, scores[n]) for n, probe in enumerate(probes)]
    running = ActiveCheck(planned, deque(order.sample([*enumerate(probes)], len(probes))))
    while running.waiting and not running.is_decided:
        number, _ = running.waiting.popleft()
        running.note(trials[number])
    decided = Result(planned.check, claim, [*running.trials.values()]).verdict_of_all
    whole = Result(planned.check, claim, trials).verdict_of_all
    assert whole is (Verdict.NOT_READY if running.waiting else decided)
