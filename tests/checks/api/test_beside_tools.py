"""Limits beside tools: under which name they are sent, and what a call in a text's place shows."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from readiness.chat import Chat
from readiness.checks.api.check_parameters import limit_honoured_beside_tools
from readiness.checks.api.scoring_replies import score_text_beside_tools, score_token_limit
from readiness.exchange import Call, Exchange
from readiness.protocol.dialect import Dialect
from readiness.reply import ToolCall
from readiness.score import Outcome, Score
from tests.reference_in_process import reference
from tests.replies import reply

SEND = reference()


@pytest.mark.parametrize(
    ("older", "names"),
    [
        (True, ["max_completion_tokens", "max_completion_tokens", "max_tokens", "max_tokens"]),
        (False, ["max_completion_tokens"] * 4),
    ],
)
def test_a_limit_goes_by_its_older_name_where_the_endpoint_takes_it(
    older: bool, names: list[str]
) -> None:
    sent = list[str]()

    async def send(call: Call) -> Exchange:
        assert isinstance(call.body, dict)
        sent.extend(name for name in call.body if name.startswith("max_"))
        return await SEND(call)

    async def scored() -> list[Score]:
        chat = Chat(send, Dialect("reference", older_limit=older))
        probes = limit_honoured_beside_tools.probes(0, 4)
        return [await limit_honoured_beside_tools.attempt(chat, each) for each in probes]

    assert [each.outcome for each in asyncio.run(scored())] == [Outcome.PASS] * 4
    assert sent == names


def test_a_call_in_the_place_of_a_text_shows_nothing_of_its_limit() -> None:
    score = partial(score_token_limit, limit=8)
    called = reply("", tool_calls=(ToolCall("1", "function", "convert_money", "{}"),))
    assert score_text_beside_tools(called, score).outcome is Outcome.UNDETERMINED
    assert score_text_beside_tools(reply("1, 2, 3", finish="length"), score).outcome is Outcome.PASS
    assert score_text_beside_tools(reply("1, 2, 3, 4"), score).outcome is Outcome.FAIL
