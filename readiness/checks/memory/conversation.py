"""A scripted conversation of fifty turns: facts, changes and distractors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Any

from readiness.checks.memory.fact_kinds import ABSTENTION, KINDS, Plot
from readiness.checks.memory.prompt_wording import (
    LANGUAGES,
    PROMPTS,
    Fact,
    NoRoom,
    Value,
    Voice,
    forms,
)
from readiness.checks.memory.scoring import Expected, length
from readiness.probe import Message, Probe

TURNS = 50
LONGEST_RUN = 3
BACKGROUND = 12  # facts that nobody asks for
TOPICS: Sequence[str] = tuple(PROMPTS["topics"])


@dataclass(frozen=True)
class Line:
    """What the user says in one turn, and what it is about; "" where about none of the topics."""

    topic: str
    text: str


class Board:
    """The turns that tell: first what is asked for, then all the rest.

    Args:
        voice: What puts it into words.
        asking: The turns that ask, and tell nothing.
        most: How many lines a turn may have.
    """

    def __init__(self, voice: Voice, asking: Sequence[int] = (TURNS,), most: int = 1) -> None:
        self.voice = voice
        self.asked = TURNS
        self._lines: dict[int, list[Line]] = {
            turn: [] for turn in range(1, TURNS) if turn not in asking
        }
        self._room = dict.fromkeys(self._lines, most)
        self._instructed = False
        self._spread: list[tuple[int, int, Sequence[Line]]] = []
        self._told: set[tuple[str, str]] = set()
        self._chat = {topic: self._sentences(topic) for topic in TOPICS}

    def ago(self, distance: int) -> int:
        """The turn so many before the question that is being planted."""
        return self.asked - distance

    def things(self, fact: Fact) -> list[str]:
        """A topic's things, in any order, of which nobody tells this fact yet."""
        things = self.voice.things(fact.topic)
        return [thing for thing in things if (thing, fact.what) not in self._told]

    def another(self, fact: Fact, thing: str) -> Fact:
        """Something else there is to tell of a thing, and nobody does yet.

        Raises:
            NoRoom: All of it is told.
        """
        for each in self.voice.facts(fact.topic):
            if each != fact and (thing, each.what) not in self._told:
                return each
        raise NoRoom

    def empty(self, turn: int) -> bool:
        """Whether a turn tells, and nothing yet."""
        return self._lines.get(turn) == []

    def fix(self, turn: int, line: Line, whole: bool = False) -> None:
        """Say something in that very turn, and perhaps nothing beside it.

        Raises:
            NoRoom: The turn asks, or has no room.
        """
        room = self._room.get(turn, 0)
        if not room or (whole and self._lines[turn]):
            raise NoRoom
        self._lines[turn].append(line)
        self._room[turn] = 0 if whole else room - 1

    def spread(self, lines: Sequence[Line], after: int = 0, before: int = 0) -> None:
        """Say something, in this order, in any turns between two, or before the question."""
        self._spread.append((after, before or self.asked, lines))

    def keep(self, fact: Fact, *things: str) -> None:
        """Have nobody else tell a fact of these things."""
        self._told |= {(thing, fact.what) for thing in things}

    def instruct(self, turn: int = 0) -> Mapping[str, Any]:
        """Give one of the standing instructions, in that turn or in any."""
        instruction: Mapping[str, Any] = self.voice.random.choice(PROMPTS["instructions"])
        line = Line("", instruction[self.voice.language])
        if turn:
            self.fix(turn, line)
        else:
            self.spread([line])
        self._instructed = True
        return instruction

    def tell(self, fact: Fact, thing: str, value: Value, how: str = "tell") -> Line:
        """A line that tells a fact, perhaps with a remark in front."""
        self.keep(fact, thing)
        told = self.voice.say(
            how, thing=thing, what=fact.what, value=self.voice.written(fact, value)
        )
        remark = self._remark(fact.topic) if self.voice.random.random() < 0.3 else ""
        return Line(fact.topic, self.voice.joined([remark, told]))

    def tell_of_it(self, fact: Fact, thing: str, value: Value) -> Line:
        """A line that tells a fact of the thing that was named last."""
        self.keep(fact, thing)
        it = PROMPTS["topics"][fact.topic][self.voice.language]["it"]
        words = {"it": it, "its": it, "what": fact.what, "value": self.voice.written(fact, value)}
        return Line(fact.topic, self.voice.joined([self.voice.say("tell_of_it", **words)]))

    def name(self, topic: str, thing: str) -> Line:
        """A line that names a thing and tells nothing of it."""
        intros = PROMPTS["topics"][topic][self.voice.language]["intro"]
        text = self.voice.random.choice(intros).format(thing=thing)
        return Line(topic, self.voice.joined([text]))

    def fill(self) -> dict[int, str]:
        """What is said in each turn that tells, once there is something to say in all of them.

        Raises:
            NoRoom: It does not fit, or one topic goes on for too long.
        """
        if not self._instructed:
            self.instruct()
        for after, before, lines in sorted(self._spread, key=lambda each: each[1] - each[0]):
            self._place(after, before, lines)
        free = [turn for turn, lines in self._lines.items() if not lines]
        for at, turn in enumerate(self.voice.random.sample(free, len(free))):
            topic = self._topic(turn)
            line = self._background(topic) if at < BACKGROUND else None
            self._lines[turn] = [line or Line(topic, self.voice.joined([self._remark(topic)]))]
        about = [self._about(turn) for turn in self._lines]
        if max(len(list(run)) for _, run in groupby(about)) > LONGEST_RUN:
            raise NoRoom
        if not set[str]().union(*about).issuperset(TOPICS):
            raise NoRoom
        return {
            turn: self.voice.joined([line.text for line in lines])
            for turn, lines in self._lines.items()
        }

    def _place(self, after: int, before: int, lines: Sequence[Line]) -> None:
        free = [turn for turn in range(after + 1, before) if self._room.get(turn)]
        if len(free) < len(lines):
            raise NoRoom
        turns = sorted(self.voice.random.sample(free, len(lines)))
        for turn, line in zip(turns, lines, strict=True):
            self.fix(turn, line)

    def _about(self, turn: int) -> frozenset[str]:
        return frozenset(line.topic for line in self._lines.get(turn, ()))

    def _topic(self, turn: int) -> str:
        """The topic that came up least so far, and not in the turns around."""
        near = frozenset[str]().union(*(self._about(at) for at in range(turn - 2, turn + 3)))
        used = Counter(line.topic for lines in self._lines.values() for line in lines)
        topics: list[str] = self.voice.random.sample(TOPICS, len(TOPICS))
        return min(topics, key=lambda topic: (topic in near, used[topic]))

    def _background(self, topic: str) -> Line | None:
        """A fact that nobody asks for, where there is one that was not told."""
        facts = self.voice.facts(topic)
        pairs = [(fact, thing) for fact in facts for thing in self.voice.things(topic)]
        untold = [(fact, thing) for fact, thing in pairs if (thing, fact.what) not in self._told]
        if not untold:
            return None
        fact, thing = self.voice.random.choice(untold)
        return self.tell(fact, thing, self.voice.value(fact))

    def _remark(self, topic: str) -> str:
        """A remark of the topic; each once before any comes again."""
        if not self._chat[topic]:
            self._chat[topic] = self._sentences(topic)
        return self._chat[topic].pop()

    def _sentences(self, topic: str) -> list[str]:
        chat: list[str] = PROMPTS["topics"][topic][self.voice.language]["chat"]
        return self.voice.random.sample(chat, len(chat))


#: METHOD has 64 tokens, in which a model that answers in a Chinese sentence is cut off.
BUDGET = 128
#: One in twenty conversations takes a second draw.
MOST_DRAWS = 1000
LETTERS_PER_TOKEN = 4
#: How many turns back an answer is.
STRATA = ((1, 2), (3, 5), (6, 10), (11, 20), (21, 35), (36, 49))

Asked = Sequence[tuple[str, int]]


def language_of(number: int) -> str:
    """The language of a conversation: whatever else comes by fives comes in each of them."""
    return LANGUAGES[(number + number // len(LANGUAGES)) % len(LANGUAGES)]


def conversation(name: str, seed: int, number: int, asked: Asked) -> list[Probe]:
    """A probe for each class asked for, at its distance.

    Raises:
        NoRoom: No draw has room for all, as where two probes need the same turn.
    """
    return drawn(f"{name}/{seed}", number, lambda voice: _drawn(name, voice, asked))


def drawn(name: str, number: int, draw: Callable[[Voice], list[Probe]]) -> list[Probe]:
    """The first draw that has room for all.

    Raises:
        NoRoom: None has.
    """
    for attempt in range(MOST_DRAWS):
        with suppress(NoRoom):
            return draw(Voice(language_of(number), Random(f"{name}/{attempt}")))
    raise NoRoom(f"{name} has no room for all that it asks")


def history(voice: Voice, texts: Iterable[str]) -> list[Message]:
    """The turns so far: what the user says, and a short reply that repeats nothing of it."""
    replies = PROMPTS["acknowledgements"][voice.language]
    return [
        message
        for text in texts
        for message in (
            {"role": "user", "content": text},
            {"role": "assistant", "content": voice.random.choice(replies)},
        )
    ]


def ask(voice: Voice, *said: str) -> Message:
    """The last turn: a question, and in what form it is to be answered."""
    only = PROMPTS["only"][voice.language]
    return {"role": "user", "content": voice.joined([*said, only])}


def _drawn(name: str, voice: Voice, asked: Asked) -> list[Probe]:
    board = Board(voice)
    kinds = [KINDS[each] for each, _ in asked]
    own = {kind.topic for kind in kinds}
    free = [topic for topic in voice.random.sample(TOPICS, len(TOPICS)) if topic not in own]
    plots: list[Plot] = []
    for kind, (_, distance) in zip(kinds, asked, strict=True):
        fact = voice.random.choice(voice.facts(kind.topic or free.pop(), kind.facts))
        plots.append(kind.plot(board, fact, distance))
    turns = history(voice, board.fill().values())
    return [
        Probe(
            f"{name}.{at}@v1",
            [*turns, ask(voice, plot.question)],
            {"answer": expected(voice, plot, distance_of(of, back))},
            budget=BUDGET,
            family=of,
            labels=labels("scripted", voice, distance_of(of, back)),
            cluster=name,
        )
        for at, (plot, (of, back)) in enumerate(zip(plots, asked, strict=True), 1)
    ]


def tokens_of(messages: Sequence[Message]) -> int:
    """About how many tokens messages take."""
    return length(messages) // LETTERS_PER_TOKEN


def distance_of(name: str, turns: int) -> int | None:
    """How many turns back the answer to a class was said; None where it never was."""
    return None if name == ABSTENTION else turns


def labels(mode: str, voice: Voice, distance: int | None) -> dict[str, str]:
    """What the record counts a question under, beside its class."""
    found = {"mode": mode, "language": voice.language}
    for least, most in STRATA:
        if distance is not None and least <= distance <= most:
            found["distance"] = f"{least}-{most}"
    return found


def expected(voice: Voice, plot: Plot, distance: int | None) -> Expected:
    """The answer, and all other values of the conversation, of which it must name none."""
    others = [value for value in voice.drawn if value not in (*plot.own, *plot.stale)]
    return Expected(
        tuple(plot.values),
        tuple(form for value in plot.stale for form in forms(value)),
        tuple(form for value in others for form in forms(value)),
        tuple(plot.marks),
        distance,
    )
