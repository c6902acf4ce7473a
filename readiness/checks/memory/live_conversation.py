"""A talk: a conversation held turn by turn, with the endpoint's own replies as its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from readiness.chat import Chat
from readiness.checks.memory.probes_live import BUDGET, Conversation
from readiness.probe import Message, Probe
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

ATTEMPTS = 2  # A user says once more what got an error, and then gives up.


@dataclass(frozen=True)
class Stretch:
    """What came of a question, and of the turns since the one before it.

    Args:
        reply: The reply to the question; None where there is none.
        error: What went wrong in any of the turns, though it may have gone well again.
        exchanges: The numbers of the exchanges: the last has the whole conversation so far.
    """

    reply: Reply | None
    error: EndpointError | None
    exchanges: tuple[int, ...]


async def reply_to(chat: Chat, probe: Probe) -> Reply:
    """The reply to the question of a probe; its conversation is held once, for all of them.

    Raises:
        EndpointError: A turn since the question before had no usable reply, or the talk ended.
    """
    conversation: Conversation = probe.expect["conversation"]
    hold = partial(_hold, conversation, probe.parameters)
    held = await chat.once(("talk", conversation.name), hold)
    own = held[probe.expect["turn"]]
    chat.exchanges[:] = own.exchanges
    if own.error:
        raise own.error
    assert own.reply is not None
    return own.reply


async def _hold(
    conversation: Conversation, parameters: Mapping[str, Any], chat: Chat
) -> Mapping[int, Stretch]:
    talk = _Talk(chat, parameters)
    stretches = {}
    for turn, text in enumerate(conversation.turns, 1):
        reply = await talk.say(text)
        if turn in conversation.asking:
            stretches[turn] = talk.stretch(reply)
    return stretches


class _Talk:
    """A conversation under way.

    A turn that gets an error is said once more, as a user would, so that one error does not cost
    all that comes after it. It costs the next question none the less: nothing is forgiven.
    """

    def __init__(self, chat: Chat, parameters: Mapping[str, Any]) -> None:
        self._chat = chat
        self._parameters = parameters
        self._history: list[Message] = []
        self._error: EndpointError | None = None
        self._ended = False
        self._seen = 0

    async def say(self, text: str) -> Reply | None:
        """Say the next turn; None where there is no reply, now or any more."""
        self._history.append({"role": "user", "content": text})
        for _ in range(0 if self._ended else ATTEMPTS):
            try:
                reply = await self._chat(self._history, budget=BUDGET, **self._parameters)
            except EndpointError as error:
                self._error = self._error or error
                if error.score.outcome is Outcome.SKIPPED:
                    break
            else:
                # Reasoning is not sent back: some endpoints refuse it.
                self._history.append({"role": "assistant", "content": reply.text})
                return reply
        self._ended = True
        return None

    def stretch(self, reply: Reply | None) -> Stretch:
        """What came of a question, and of all since the one before."""
        exchanges = tuple(self._chat.exchanges[self._seen :])
        self._seen = len(self._chat.exchanges)
        found = Stretch(reply, self._error, exchanges)
        if not self._ended:
            self._error = None
        return found
