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


def test_what_this_process_does_after_a_response_is_its_clients_time_and_not_the_endpoints() -> (
    None
):
    async def kept_for_a_while(call: Call) -> Exchange:
        kind, arrivals = {"content-type": "text/event-stream"}, (Arrival(1, len(BODY)),)
        came = Exchange(call.body, 200, kind, BODY, arrivals, None, "", time(), 1)
        await asyncio.sleep(0.2)
        return came

    chat = Chat(kept_for_a_while, Dialect("m"), Context())
    step = asyncio.run(run_step_locally(chat, Shape("code", 1, 3, 0.0, seed="0")))
    assert [sample.error for sample in step.samples] == [""] * len(step.samples)
    assert min(sample.held - sample.took for sample in step.samples) >= 0.19
    assert step.throughput.value <= 1 / 0.19
    assert step.busy_clients > step.in_flight
