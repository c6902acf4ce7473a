"""Live conversations, whose history has the endpoint's own replies, and their probes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from readiness.chat import Chat
from readiness.checks.memory.conversation import (
    STRATA,
    distance_of,
    expected,
    first_that_fits,
    labels,
    last_turn,
    places,
    tokens_of,
)
from readiness.checks.memory.conversation_turns import TOPICS, TURNS, ConversationTurns
from readiness.checks.memory.prompt_wording import DoesNotFit, Fact, Verbaliser
from readiness.checks.memory.question_classes import KINDS, TICKETS, QuestionAndAnswer, within
from readiness.probe import Message, Probe
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

#: The number of questions in each ten turns, without the last turn, which plans too: more are asked
#: when more has been stated.
QUESTIONS_BY_TEN = (2, 4, 5, 6, 7)
FIRST_QUESTION_TURN = 4  # at the earliest
#: The most facts of one turn: the 25 turns without a question state about 75.
MAX_LINES = 5
#: The token limit of a reply: replies to statements are longer than answers.
BUDGET = 160
#: The mean length of a reply in tokens, for the plan.
REPLY = 40

Stratum = tuple[int, int]


@dataclass(frozen=True)
class Conversation:
    """The user's text of each turn, and the turns that ask a question."""

    name: str
    turns: tuple[str, ...]
    asking: tuple[int, ...]


@dataclass(frozen=True)
class QuestionPlan:
    """A question before it is worded: its class, fact, turn, and distance in turns."""

    kind: str
    fact: Fact
    turn: int
    distance: int


def conversation(name: str, seed: int, number: int, classes: Sequence[str]) -> list[Probe]:
    """A probe for each question of a conversation, one for each class.

    Raises:
        DoesNotFit: No sample has room for all.
    """
    return first_that_fits(
        f"{name}/{seed}", number, lambda verbaliser: _sample(name, verbaliser, classes)
    )


def _sample(name: str, verbaliser: Verbaliser, classes: Sequence[str]) -> list[Probe]:
    # A pronoun takes two turns that state nothing else, so references are placed first.
    plans = sorted(_plans(verbaliser, classes), key=lambda each: each.kind != "reference")
    turns = ConversationTurns(verbaliser, [each.turn for each in plans], MAX_LINES)
    items = [_place(turns, each) for each in plans]
    texts = turns.fill()
    for each, item in zip(plans, items, strict=True):
        texts[each.turn] = last_turn(verbaliser, item.question)["content"]
    in_order = tuple(texts[turn] for turn in sorted(texts))
    held = Conversation(name, in_order, tuple(sorted(each.turn for each in plans)))
    return [_probe(held, verbaliser, *each) for each in zip(plans, items, strict=True)]


def _place(turns: ConversationTurns, plan: QuestionPlan) -> QuestionAndAnswer:
    turns.question_turn = plan.turn
    return KINDS[plan.kind].ask(turns, plan.fact, plan.distance)


def _probe(
    held: Conversation, verbaliser: Verbaliser, plan: QuestionPlan, item: QuestionAndAnswer
) -> Probe:
    distance = distance_of(plan.kind, plan.distance)
    answer = expected(verbaliser, item, distance)
    return Probe(
        f"{held.name}.{plan.turn:02}@v1",
        [],
        {"conversation": held, "turn": plan.turn, "answer": answer},
        budget=BUDGET * TURNS,
        family=plan.kind,
        labels=labels("live", verbaliser, item, distance),
        places=places(distance),
        cluster=held.name,
        shared=held.name,
        tokens=_tokens(held),
    )


def _plans(verbaliser: Verbaliser, classes: Sequence[str]) -> list[QuestionPlan]:
    """The plans of the questions, each with its own turn and fact.

    Raises:
        DoesNotFit: A turn fits none of the remaining classes.
    """
    turns = [TURNS]
    for ten, questions in enumerate(QUESTIONS_BY_TEN):
        start, end = max(10 * ten + 1, FIRST_QUESTION_TURN), min(10 * ten + 11, TURNS)
        turns += verbaliser.random.sample(range(start, end), questions)
    left, plans = _classes_with_facts(verbaliser, classes), []
    for turn, stratum in _places(verbaliser.random, turns):
        fitting = [each for each in left if _fitting_distances(each[0], turn, stratum, turns)]
        if not fitting:
            raise DoesNotFit
        name, fact = fitting[0]
        left.remove(fitting[0])
        distance = verbaliser.random.choice(_fitting_distances(name, turn, stratum, turns))
        plans.append(QuestionPlan(name, fact, turn, distance))
    return plans


def _classes_with_facts(verbaliser: Verbaliser, classes: Sequence[str]) -> list[tuple[str, Fact]]:
    """Each class with its own fact, in random order."""
    facts = [fact for topic in TOPICS for fact in verbaliser.facts(topic)]
    left = verbaliser.random.sample(facts, len(facts))
    pairs = []
    for name in sorted(classes, key=lambda each: not KINDS[each].facts):  # Most constrained first.
        kind = KINDS[name]
        fact = TICKETS if kind.topic else next(each for each in left if kind.fits(each))
        left = [each for each in left if each != fact]
        pairs.append((name, fact))
    return verbaliser.random.sample(pairs, len(pairs))


def _places(random: Random, turns: Sequence[int]) -> list[tuple[int, Stratum]]:
    """Each turn with a stratum within its reach, in random order; strata are equally frequent."""
    left = Counter(STRATA[at % len(STRATA)] for at in range(len(turns)))
    reach = {turn: [each for each in STRATA if _distances(turn, each, turns)] for turn in turns}
    places = []
    for turn in sorted(turns, key=lambda turn: len(reach[turn])):  # Most constrained first.
        fitting = [each for each in reach[turn] if left[each]]
        if not fitting:
            raise DoesNotFit
        stratum = random.choice(fitting)
        left[stratum] -= 1
        places.append((turn, stratum))
    return random.sample(places, len(places))


def _fitting_distances(name: str, turn: int, stratum: Stratum, turns: Sequence[int]) -> list[int]:
    """The distances of a stratum that a class can have at this turn."""
    nearest, farthest = within(name, stratum)
    return _distances(turn, (nearest, min(farthest, KINDS[name].farthest - (TURNS - turn))), turns)


def _distances(turn: int, stratum: Stratum, turns: Sequence[int]) -> list[int]:
    """The distances of a stratum at which a turn asks no question."""
    nearest, farthest = stratum
    return [
        each for each in range(nearest, min(farthest, turn - 1) + 1) if turn - each not in turns
    ]


def _tokens(held: Conversation) -> int:
    """The approximate tokens of all requests, each of which has all turns before it."""
    tokens = [tokens_of([{"content": text}]) for text in held.turns]
    return sum((each + REPLY) * (TURNS - at) for at, each in enumerate(tokens)) - REPLY * TURNS


ATTEMPTS = 2  # A user repeats a turn after an error once, and then stops.


@dataclass(frozen=True)
class QuestionOutcome:
    """The result of a question, and of the turns since the previous question.

    Args:
        reply: The reply to the question; None if there is none.
        error: The first error in any of these turns, even if a repetition succeeded.
        exchanges: The numbers of the exchanges; the last has the whole conversation so far.
    """

    reply: Reply | None
    error: EndpointError | None
    exchanges: tuple[int, ...]


async def reply_to(chat: Chat, probe: Probe) -> Reply:
    """The reply to the question of a probe; its conversation runs once, for all of its probes.

    Raises:
        EndpointError: A turn since the previous question failed, or the conversation had ended.
    """
    conversation: Conversation = probe.expect["conversation"]
    run = partial(_run, conversation, probe)
    outcomes = await chat.fetch_once(("talk", conversation.name), run)
    own = outcomes[probe.expect["turn"]]
    chat.exchanges[:] = own.exchanges
    if own.error:
        raise own.error
    assert own.reply is not None
    return own.reply


async def _run(
    conversation: Conversation, probe: Probe, chat: Chat
) -> Mapping[int, QuestionOutcome]:
    live = _LiveConversation(chat, probe)
    outcomes = {}
    for turn, text in enumerate(conversation.turns, 1):
        reply = await live.send_turn(text)
        if turn in conversation.asking:
            outcomes[turn] = live.outcome_since_last(reply)
    return outcomes


class _LiveConversation:
    """A conversation in progress.

    A turn that gets an error is sent once more, as a user would, so that one error does not end the
    conversation. The next question fails all the same: a repetition hides no error.
    """

    def __init__(self, chat: Chat, probe: Probe) -> None:
        self._chat = chat
        self._parameters = probe.parameters
        self._history: list[Message] = [*probe.messages]
        self._error: EndpointError | None = None
        self._ended = False
        self._seen = 0

    async def send_turn(self, text: str) -> Reply | None:
        """Send the next turn; None if it gets no reply, or the conversation has ended."""
        self._history.append({"role": "user", "content": text})
        for _ in range(0 if self._ended else ATTEMPTS):
            try:
                reply = await self._chat(self._history, budget=BUDGET, **self._parameters)
            except EndpointError as error:
                self._error = self._error or error
                if error.score.outcome is Outcome.SKIPPED:
                    break
            else:
                # Reasoning is not sent back: some endpoints reject it.
                self._history.append({"role": "assistant", "content": reply.text})
                return reply
        self._ended = True
        return None

    def outcome_since_last(self, reply: Reply | None) -> QuestionOutcome:
        """The outcome of a question and of all turns since the previous question."""
        exchanges = tuple(self._chat.exchanges[self._seen :])
        self._seen = len(self._chat.exchanges)
        outcome = QuestionOutcome(reply, self._error, exchanges)
        if not self._ended:
            self._error = None
        return outcome
