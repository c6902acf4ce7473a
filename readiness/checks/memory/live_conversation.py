"""A conversation that the endpoint itself keeps up, and the probes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from readiness.chat import Chat
from readiness.checks.memory.conversation import (
    STRATA,
    ask,
    distance_of,
    drawn,
    expected,
    labels,
    tokens_of,
)
from readiness.checks.memory.conversation_turns import TOPICS, TURNS, ConversationTurns
from readiness.checks.memory.fact_kinds import KINDS, TICKETS, QuestionAndAnswer, within
from readiness.checks.memory.prompt_wording import Fact, NoRoom, Verbaliser
from readiness.probe import Message, Probe
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

#: How many questions come in each ten turns, before the last turn, which asks too: more is asked
#: once more was told.
ASKED = (2, 4, 5, 6, 7)
FIRST = 4  # The turn of the first question, at the earliest.
#: How many facts one turn may tell: the 25 turns that tell have some 75 between them.
LINES = 5
#: What a reply may take, in tokens: that of a turn which tells goes on with the conversation.
BUDGET = 160
#: What it takes on the average, for the plan.
REPLY = 40

Stratum = tuple[int, int]


@dataclass(frozen=True)
class Conversation:
    """What the user says in each turn, and which of the turns ask."""

    name: str
    turns: tuple[str, ...]
    asking: tuple[int, ...]


@dataclass(frozen=True)
class QuestionPlan:
    """A question before it is worded: its class, fact and turn, and how far back it reaches."""

    kind: str
    fact: Fact
    turn: int
    distance: int


def conversation(name: str, seed: int, number: int, classes: Sequence[str]) -> list[Probe]:
    """A probe for each question of a conversation, which asks as many as there are classes.

    Raises:
        NoRoom: No draw has room for all.
    """
    return drawn(f"{name}/{seed}", number, lambda voice: _drawn(name, voice, classes))


def _drawn(name: str, voice: Verbaliser, classes: Sequence[str]) -> list[Probe]:
    # A pronoun takes two turns that tell nothing else: references come first.
    asks = sorted(_asks(voice, classes), key=lambda each: each.kind != "reference")
    board = ConversationTurns(voice, [each.turn for each in asks], LINES)
    plots = [_planted(board, each) for each in asks]
    said = board.fill()
    for each, plot in zip(asks, plots, strict=True):
        said[each.turn] = ask(voice, plot.question)["content"]
    turns = tuple(said[turn] for turn in sorted(said))
    held = Conversation(name, turns, tuple(sorted(each.turn for each in asks)))
    return [_probe(held, voice, *each) for each in zip(asks, plots, strict=True)]


def _planted(board: ConversationTurns, asked: QuestionPlan) -> QuestionAndAnswer:
    board.asked = asked.turn
    return KINDS[asked.kind].plot(board, asked.fact, asked.distance)


def _probe(
    held: Conversation, voice: Verbaliser, asked: QuestionPlan, plot: QuestionAndAnswer
) -> Probe:
    distance = distance_of(asked.kind, asked.distance)
    answer = expected(voice, plot, distance)
    return Probe(
        f"{held.name}.{asked.turn:02}@v1",
        [],
        {"conversation": held, "turn": asked.turn, "answer": answer},
        budget=BUDGET * TURNS,
        family=asked.kind,
        labels=labels("live", voice, distance),
        cluster=held.name,
        shared=held.name,
        tokens=_tokens(held),
    )


def _asks(voice: Verbaliser, classes: Sequence[str]) -> list[QuestionPlan]:
    """The questions: each has a turn and a fact of its own.

    Raises:
        NoRoom: A turn can ask none of the classes that are left.
    """
    turns = [TURNS]
    for ten, questions in enumerate(ASKED):
        start, end = max(10 * ten + 1, FIRST), min(10 * ten + 11, TURNS)
        turns += voice.random.sample(range(start, end), questions)
    left, asks = _dealt(voice, classes), []
    for turn, stratum in _places(voice.random, turns):
        fitting = [each for each in left if _room(each[0], turn, stratum, turns)]
        if not fitting:
            raise NoRoom
        name, fact = fitting[0]
        left.remove(fitting[0])
        distance = voice.random.choice(_room(name, turn, stratum, turns))
        asks.append(QuestionPlan(name, fact, turn, distance))
    return asks


def _dealt(voice: Verbaliser, classes: Sequence[str]) -> list[tuple[str, Fact]]:
    """Each class with a fact that no other class is about, in any order."""
    facts = [fact for topic in TOPICS for fact in voice.facts(topic)]
    left = voice.random.sample(facts, len(facts))
    dealt = []
    for name in sorted(classes, key=lambda each: not KINDS[each].facts):  # The choosy ones first.
        kind = KINDS[name]
        fact = TICKETS if kind.topic else next(each for each in left if kind.fits(each))
        left = [each for each in left if each != fact]
        dealt.append((name, fact))
    return voice.random.sample(dealt, len(dealt))


def _places(random: Random, turns: Sequence[int]) -> list[tuple[int, Stratum]]:
    """Each turn with a stratum that it can reach back to, in any order: all come equally often."""
    left = Counter(STRATA[at % len(STRATA)] for at in range(len(turns)))
    reach = {turn: [each for each in STRATA if _told(turn, each, turns)] for turn in turns}
    places = []
    for turn in sorted(turns, key=lambda turn: len(reach[turn])):  # Those with little choice first.
        fitting = [each for each in reach[turn] if left[each]]
        if not fitting:
            raise NoRoom
        stratum = random.choice(fitting)
        left[stratum] -= 1
        places.append((turn, stratum))
    return random.sample(places, len(places))


def _room(name: str, turn: int, stratum: Stratum, turns: Sequence[int]) -> list[int]:
    """The distances of a stratum at which a turn tells, with as many before it as a class takes."""
    least, most = within(name, stratum)
    return _told(turn, (least, min(most, KINDS[name].most - (TURNS - turn))), turns)


def _told(turn: int, stratum: Stratum, turns: Sequence[int]) -> list[int]:
    """The distances of a stratum at which there is a turn that does not ask."""
    least, most = stratum
    return [each for each in range(least, min(most, turn - 1) + 1) if turn - each not in turns]


def _tokens(held: Conversation) -> int:
    """About how many tokens all of its requests have together: each has all turns before it."""
    told = [tokens_of([{"content": text}]) for text in held.turns]
    return sum((each + REPLY) * (TURNS - at) for at, each in enumerate(told)) - REPLY * TURNS


ATTEMPTS = 2  # A user says once more what got an error, and then gives up.


@dataclass(frozen=True)
class QuestionOutcome:
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
    held = await chat.fetch_once(("talk", conversation.name), hold)
    own = held[probe.expect["turn"]]
    chat.exchanges[:] = own.exchanges
    if own.error:
        raise own.error
    assert own.reply is not None
    return own.reply


async def _hold(
    conversation: Conversation, parameters: Mapping[str, Any], chat: Chat
) -> Mapping[int, QuestionOutcome]:
    talk = _LiveConversation(chat, parameters)
    stretches = {}
    for turn, text in enumerate(conversation.turns, 1):
        reply = await talk.say(text)
        if turn in conversation.asking:
            stretches[turn] = talk.stretch(reply)
    return stretches


class _LiveConversation:
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

    def stretch(self, reply: Reply | None) -> QuestionOutcome:
        """What came of a question, and of all since the one before."""
        exchanges = tuple(self._chat.exchanges[self._seen :])
        self._seen = len(self._chat.exchanges)
        found = QuestionOutcome(reply, self._error, exchanges)
        if not self._ended:
            self._error = None
        return found
