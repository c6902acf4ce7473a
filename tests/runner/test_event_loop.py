"""The event loop in the background: once it is settled, nothing goes on."""

import asyncio

from readiness.runner.event_loop import BackgroundEventLoop


def test_what_ends_while_the_loop_is_settled_starts_nothing_that_goes_on() -> None:
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
