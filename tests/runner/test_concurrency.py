import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Lock
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.runner.concurrency import GATHERED, AdaptiveConcurrency, RequestsInFlight
from tests.cli.test_plugin import record, run
from tests.miniature import mini
from tests.scripted_server import serving
from tests.user_checks import POLICY


def test_all_slots_are_open_at_first() -> None:
    assert AdaptiveConcurrency(8).limit == 8


def test_an_overloaded_endpoint_halves_the_slots_once_a_round() -> None:
    slots = AdaptiveConcurrency(8)
    for _ in range(8):
        slots.note(overloaded=True)
    assert slots.limit == 4


def test_slots_open_again_one_a_round() -> None:
    slots = AdaptiveConcurrency(8)
    for _ in range(8):
        slots.note(overloaded=True)
    for _ in range(4):
        slots.note(overloaded=False)
    assert slots.limit == 4
    slots.note(overloaded=False)
    assert slots.limit == 5


@given(st.integers(1, 64), st.lists(st.booleans(), max_size=300))
def test_there_is_always_a_slot_and_never_more_than_allowed(
    most: int, overloads: list[bool]
) -> None:
    slots = AdaptiveConcurrency(most)
    opened = []
    for overloaded in overloads:
        slots.note(overloaded=overloaded)
        opened.append(slots.limit)
    assert all(1 <= each <= most for each in opened)


def test_requests_that_met_as_many_are_told_apart_when_one_ends() -> None:
    async def overlap() -> tuple[int, int, int]:
        requests, first, second = RequestsInFlight(), ExitStack(), ExitStack()
        earlier = first.enter_context(requests.one())
        later = second.enter_context(requests.one())
        second.close()
        with requests.one(), requests.one():
            first.close()
        return earlier.most, later.most, requests.count

    assert asyncio.run(overlap()) == (3, 2, 0)


# What a trial meets

CHECK = '''
from readiness import PASSED, Probe, check, failed
from readiness.forms.apply import in_forms
from readiness.forms.factors import Factor, FormSpace, Load, Sampling

SPACE = FormSpace({Factor.LOAD: [*Load], Factor.SAMPLING: [*Sampling]})


def probes(seed, trials):
    made = [Probe(f"n.{n}", [{"role": "user", "content": str(n)}]) for n in range(trials)]
    return in_forms(made, SPACE, "n")


@check(probes, required=0.5, trials=60, forms=SPACE)
async def answers(chat, probe):
    """The endpoint MUST answer."""
    reply = await chat(probe.messages, **probe.parameters)
    return PASSED if reply.text == "OK" else failed("no")
'''


class CrowdedServer:
    """A server that answers wrongly what it answers beside two dozen others.

    It answers when nothing new has come for some seconds, so that requests which are sent together
    meet however slowly a busy machine sends them.
    """

    def __init__(self, quiet: float) -> None:
        self._quiet, self._answers_at = quiet, 0.0
        self._lock = Lock()
        self._open: dict[int, int] = {}  # How many each request has met at most.

    def script(self, n: int, raw: bytes) -> Sequence[bytes | float | None]:
        with self._lock:
            self._open[n] = 1
            self._open = {each: max(met, len(self._open)) for each, met in self._open.items()}
            self._answers_at = monotonic() + self._quiet
        while not raw.startswith(b"GET") and (wait := self._answers_at - monotonic()) > 0:
            sleep(wait)
        with self._lock:
            met = self._open.pop(n)
        return mini(lambda _n, _request: "crowded" if met >= 24 else "OK")(n, raw)


def levels(own: pytest.Pytester, *options: str, quiet: float = 1) -> dict[str, tuple[int, int]]:
    """How many trials met each load, and how many of these passed."""
    (own.path / "check_load.py").write_text(CHECK)
    with serving(CrowdedServer(quiet).script) as url:
        run(own, url, *options, ".")
    (check,) = record(own)["dimensions"][0]["checks"]
    return {of: (n["trials"], n["passed"]) for of, n in check["slices"]["in flight"].items()}


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    return pytester


def test_trials_meet_many_requests_eight_or_none_as_their_forms_say(own: pytest.Pytester) -> None:
    found = levels(own)
    # Three of sixty are to meet many, and one nobody; others may meet the many as well.
    many, passed = found.pop("32")
    assert (many - passed >= 3, found.pop("1"), found) == (True, (1, 1), {"8": (59 - many,) * 2})
    (check,) = record(own)["dimensions"][0]["checks"]
    pair = check["worst_pair"]
    assert (pair["labels"], pair["fails_alone"], check["verdict"]) == (
        [{"label": "in flight", "value": "32"}],
        True,
        "not ready",
    )
    # No more are sent along than the many lack, though several trials that end ask for them.
    sent_along = (
        own.path.joinpath("reports/latest/evidence.jsonl")
        .read_text()
        .count('"check": "concurrency"')
    )
    assert 0 < sent_along <= GATHERED - 3


def test_no_more_are_in_flight_than_the_user_allows_and_no_more_is_claimed(
    own: pytest.Pytester,
) -> None:
    assert levels(own, "--concurrency", "1", quiet=0.05) == {"1": (60, 60)}
    assert record(own)["dimensions"][0]["pairs"] == {"covered": 3, "possible": 9}


def test_a_request_that_ends_is_counted_out_itself() -> None:
    async def overlapping() -> int:
        requests = RequestsInFlight()
        first, second = requests.one(), requests.one()
        first.__enter__()
        with second:
            pass  # Both have met two, and the second ends first.
        with requests.one(), requests.one():
            first.__exit__(None, None, None)
        return requests.count

    assert asyncio.run(overlapping()) == 0
