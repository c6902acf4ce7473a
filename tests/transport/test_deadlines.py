"""Deadlines, by the clock that stands still while the event loop is late."""

import asyncio
import time
from pathlib import Path

import pytest

from readiness.transport import deadlines
from readiness.transport.deadlines import Lateness, OnTimeClock, cpu_waiting

#: Other tests are told of no lateness.
within = Lateness.within


def test_a_deadline_ends_what_takes_too_long() -> None:
    async def wait() -> None:
        async with OnTimeClock().deadline(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(wait())


def test_a_deadline_that_is_lifted_ends_nothing() -> None:
    async def wait() -> float:
        clock = OnTimeClock()
        async with clock.deadline(0.01) as deadline:
            deadline.lift()
            await asyncio.sleep(0.1)
        return clock.time()

    assert asyncio.run(wait()) > 0


def test_time_in_which_the_loop_is_late_does_not_count() -> None:
    async def wait() -> str:
        async with OnTimeClock().deadline(0.5):
            came = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.2, came.set_result, "in time")
            time.sleep(1.0)  # noqa: ASYNC251
            return str(await came)

    assert asyncio.run(wait()) == "in time"


def test_a_clock_that_is_closed_looks_no_more() -> None:
    async def once() -> list[asyncio.TimerHandle]:
        OnTimeClock().close()
        return [each for each in vars(asyncio.get_running_loop())["_scheduled"] if each]

    assert [each.cancelled() for each in asyncio.run(once())] == [True]


def test_the_greatest_lag_of_a_time_is_seen_and_none_before_or_after_it() -> None:
    async def watched() -> tuple[float, float]:
        clock = OnTimeClock()
        with clock.watch() as late:
            await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251
            await asyncio.sleep(0.02)
        seen = late.lag
        time.sleep(0.6)  # noqa: ASYNC251
        await asyncio.sleep(0.02)
        clock.close()
        return seen, late.lag

    seen, later = asyncio.run(watched())
    assert (seen > 0.25, seen) == (True, later)


@pytest.mark.parametrize(
    ("late", "delayed"),
    [
        (Lateness(0.2, 0.0), 0.2),
        (Lateness(0.2, 0.5), 0.2),
        (Lateness(0.2, 0.6), 1.0),
        (Lateness(1.5, 0.6), 1.5),
    ],
)
def test_all_of_a_time_counts_in_which_processes_waited_for_a_processor(
    late: Lateness, delayed: float
) -> None:
    assert within(late, 1.0) == delayed


def test_the_waiting_for_processors_is_read_where_the_system_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpu"
    told.write_text("some avg10=0.00 avg60=0.00 total=26910678\nfull avg10=0.00 total=0\n")
    found = []
    for path in (told, tmp_path / "none", tmp_path):
        monkeypatch.setattr(deadlines, "CPU_PRESSURE", path)
        found.append(cpu_waiting())
    assert found == [26.910678, 0.0, 0.0]


def test_a_time_in_which_processes_waited_is_told_by_its_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "cpu_waiting", iter([1.0, 1.0, 4.5, 9.0]).__next__)

    async def watched() -> float:
        clock = OnTimeClock()
        await asyncio.sleep(0.03)
        with clock.watch() as late:
            await asyncio.sleep(0.03)
        clock.close()
        return late.waiting

    assert asyncio.run(watched()) == 3.5
