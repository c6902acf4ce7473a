"""Conversations that are held live: half of their fifty turns tell, the others ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from readiness.checks.memory.conversation import (
    STRATA,
    ask,
    distance_of,
    drawn,
    expected,
    labels,
    tokens_of,
)
from readiness.checks.memory.conversation_turns import TOPICS, TURNS, Board
from readiness.checks.memory.fact_changes import Plot
from readiness.checks.memory.fact_kinds import KINDS, TICKETS, within
from readiness.checks.memory.prompt_wording import Fact, NoRoom, Voice
from readiness.probe import Probe

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
class Ask:
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


def _drawn(name: str, voice: Voice, classes: Sequence[str]) -> list[Probe]:
    # A pronoun takes two turns that tell nothing else: references come first.
    asks = sorted(_asks(voice, classes), key=lambda each: each.kind != "reference")
    board = Board(voice, [each.turn for each in asks], LINES)
    plots = [_planted(board, each) for each in asks]
    said = board.fill()
    for each, plot in zip(asks, plots, strict=True):
        said[each.turn] = ask(voice, plot.question)["content"]
    turns = tuple(said[turn] for turn in sorted(said))
    held = Conversation(name, turns, tuple(sorted(each.turn for each in asks)))
    return [_probe(held, voice, *each) for each in zip(asks, plots, strict=True)]


def _planted(board: Board, asked: Ask) -> Plot:
    board.asked = asked.turn
    return KINDS[asked.kind].plot(board, asked.fact, asked.distance)


def _probe(held: Conversation, voice: Voice, asked: Ask, plot: Plot) -> Probe:
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


def _asks(voice: Voice, classes: Sequence[str]) -> list[Ask]:
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
        asks.append(Ask(name, fact, turn, distance))
    return asks


def _dealt(voice: Voice, classes: Sequence[str]) -> list[tuple[str, Fact]]:
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
