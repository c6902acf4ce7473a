"""Deadlines, by the clock that stands still while the event loop is late."""

import asyncio
import time

import pytest

from readiness.transport.deadlines import OnTimeClock


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
