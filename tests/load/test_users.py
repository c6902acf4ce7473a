import asyncio
from time import time

from readiness.chat import Chat
from readiness.context import Context
from readiness.exchange import Arrival, Call, Exchange
from readiness.load.step import Shape
from readiness.load.users import run_step_locally
from readiness.protocol.dialect import Dialect

BODY = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
BODY += b"data: [DONE]\n\n"


def test_what_this_process_does_after_a_response_has_come_is_no_time_of_the_endpoint() -> None:
    async def seen_a_minute_late(call: Call) -> Exchange:
        kind, arrivals = {"content-type": "text/event-stream"}, (Arrival(10**9, len(BODY)),)
        return Exchange(call.body, 200, kind, BODY, arrivals, None, "", time() - 61, 10**9)

    chat = Chat(seen_a_minute_late, Dialect("m"), Context())
    step = asyncio.run(run_step_locally(chat, Shape("code", 1, 3, 0.0, seed="0")))
    assert [sample.error for sample in step.samples] == [""] * len(step.samples)
    assert {sample.took for sample in step.samples} == {0.0}
