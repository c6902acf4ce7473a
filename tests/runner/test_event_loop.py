"""The background event loop: after cancellation, nothing runs."""

import asyncio

from readiness.runner.event_loop import BackgroundEventLoop


def test_a_task_that_ends_during_cancellation_starts_none_that_survives() -> None:
    started: list[int] = []

    def begin(number: int) -> None:
        started.append(number)
        task = asyncio.ensure_future(asyncio.sleep(60))
        if number < 3:
            task.add_done_callback(lambda _: begin(number + 1))

    async def work() -> None:
        begin(1)

    async def left() -> int:
        return len(asyncio.all_tasks()) - 1

    with BackgroundEventLoop() as background:
        background.submit(work()).result()
        background.cancel_all()
        assert (started, background.submit(left()).result()) == ([1, 2, 3], 0)
