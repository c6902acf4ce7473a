"""What a chat does about reasoning for which no room was kept."""

from __future__ import annotations

import asyncio

import pytest

from readiness.chat import Chat
from readiness.mutants.any_dimension.reasoning import LONG_THOUGHT
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.protocol import MODEL
from readiness.protocol.dialect import Dialect
from readiness.reply import Reply
from tests.reference_in_process import reference

HARD = [{"role": "user", "content": f"{'Some text. ' * 40}\nReply with the word ready."}]


def asked(variant: str, budget: int, room: int) -> tuple[Reply, int]:
    """The reply to a request that takes thought, and how many requests it took."""
    chat = Chat(reference(find(variant)), Dialect(MODEL, reasoning_tokens=room))
    reply = asyncio.run(chat(HARD, budget=budget))
    return reply, len(chat.exchanges)


@pytest.mark.parametrize("variant", ["reasons_if_hard", "reasoning_hidden"])
@pytest.mark.parametrize(("room", "requests"), [(0, 2), (4096, 1)])
def test_reasoning_gets_room_once_it_is_seen(variant: str, room: int, requests: int) -> None:
    reply, sent = asked(variant, 16, room)
    assert (reply.text, reply.finish, sent) == ("ready", "stop", requests)
    assert reply.reasoning in (LONG_THOUGHT, "")


def test_a_text_that_reasoning_leaves_no_room_is_asked_for_again() -> None:
    thought = asked("reasons_if_hard", 16, 4096)[0].usage
    assert thought is not None
    reply, sent = asked("reasons_if_hard", thought.completion - 1, 0)
    assert (reply.text, sent) == ("ready", 2)
