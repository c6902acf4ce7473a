"""The fifty turns of a conversation, which are filled with facts and remarks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from readiness.checks.memory.prompt_wording import PROMPTS, DoesNotFit, Fact, Value, Verbaliser

TURNS = 50
MAX_RUN = 3  # turns in a row about one topic
BACKGROUND = 12  # facts that no question asks for
TOPICS: Sequence[str] = tuple(PROMPTS["topics"])


@dataclass(frozen=True)
class TopicLine:
    """A sentence of the user's and its topic; "" if it is about none of the topics."""

    topic: str
    text: str


class ConversationTurns:
    """The turns that state facts: first those asked for, then background.

    Args:
        verbaliser: Words the facts.
        asking: The turns that ask a question, and state nothing.
        max_lines: How many lines a turn may have.
    """

    def __init__(
        self, verbaliser: Verbaliser, asking: Sequence[int] = (TURNS,), max_lines: int = 1
    ) -> None:
        self.verbaliser = verbaliser
        self.question_turn = TURNS
        self._lines: dict[int, list[TopicLine]] = {
            turn: [] for turn in range(1, TURNS) if turn not in asking
        }
        self._room = dict.fromkeys(self._lines, max_lines)
        self._instructed = False
        self._spread: list[tuple[int, int, Sequence[TopicLine]]] = []
        self._stated: set[tuple[str, str]] = set()
        self._remarks = {topic: self._sentences(topic) for topic in TOPICS}

    def turn_at_distance(self, distance: int) -> int:
        """The turn at this distance before the question that is being placed."""
        return self.question_turn - distance

    def things(self, fact: Fact) -> list[str]:
        """A topic's things for which this fact is not stated yet, in random order."""
        things = self.verbaliser.things(fact.topic)
        return [thing for thing in things if (thing, fact.what) not in self._stated]

    def another(self, fact: Fact, thing: str) -> Fact:
        """Another fact of a thing that is not stated yet.

        Raises:
            DoesNotFit: All of them are stated.
        """
        for each in self.verbaliser.facts(fact.topic):
            if each != fact and (thing, each.what) not in self._stated:
                return each
        raise DoesNotFit

    def empty(self, turn: int) -> bool:
        """Whether a turn states facts, and has none yet."""
        return self._lines.get(turn) == []

    def place_at(self, turn: int, line: TopicLine, whole: bool = False) -> None:
        """Place a line in this turn, alone if `whole`.

        Raises:
            DoesNotFit: The turn asks a question, or has no room.
        """
        room = self._room.get(turn, 0)
        if not room or (whole and self._lines[turn]):
            raise DoesNotFit
        self._lines[turn].append(line)
        self._room[turn] = 0 if whole else room - 1

    def place_between(self, lines: Sequence[TopicLine], after: int = 0, before: int = 0) -> None:
        """Place lines, in this order, in any turns between two, or before the question."""
        self._spread.append((after, before or self.question_turn, lines))

    def reserve(self, fact: Fact, *things: str) -> None:
        """Keep a fact of these things from being stated by anything else."""
        self._stated |= {(thing, fact.what) for thing in things}

    def instruct(self, turn: int = 0) -> Mapping[str, Any]:
        """Place one of the standing instructions, in this turn or in any."""
        instruction: Mapping[str, Any] = self.verbaliser.random.choice(PROMPTS["instructions"])
        line = TopicLine("", instruction[self.verbaliser.language])
        if turn:
            self.place_at(turn, line)
        else:
            self.place_between([line])
        self._instructed = True
        return instruction

    def fact_line(self, fact: Fact, thing: str, value: Value, how: str = "tell") -> TopicLine:
        """A line that states a fact, in some cases after a remark."""
        self.reserve(fact, thing)
        statement = self.verbaliser.say(
            how, thing=thing, what=fact.what, value=self.verbaliser.written(fact, value)
        )
        remark = self._remark(fact.topic) if self.verbaliser.random.random() < 0.3 else ""
        return TopicLine(fact.topic, self.verbaliser.joined([remark, statement]))

    def pronoun_line(self, fact: Fact, thing: str, value: Value) -> TopicLine:
        """A line that states a fact of the thing named last, by a pronoun."""
        self.reserve(fact, thing)
        it = PROMPTS["topics"][fact.topic][self.verbaliser.language]["it"]
        words = {
            "it": it,
            "its": it,
            "what": fact.what,
            "value": self.verbaliser.written(fact, value),
        }
        return TopicLine(
            fact.topic, self.verbaliser.joined([self.verbaliser.say("tell_of_it", **words)])
        )

    def name_line(self, topic: str, thing: str) -> TopicLine:
        """A line that names a thing and states nothing about it."""
        intros = PROMPTS["topics"][topic][self.verbaliser.language]["intro"]
        text = self.verbaliser.random.choice(intros).format(thing=thing)
        return TopicLine(topic, self.verbaliser.joined([text]))

    def fill(self) -> dict[int, str]:
        """Fill all turns but those that ask, and return their texts.

        Raises:
            DoesNotFit: The lines do not fit, a topic runs for too long, or one is missing.
        """
        if not self._instructed:
            self.instruct()
        for after, before, lines in sorted(self._spread, key=lambda each: each[1] - each[0]):
            self._place(after, before, lines)
        free = [turn for turn, lines in self._lines.items() if not lines]
        for at, turn in enumerate(self.verbaliser.random.sample(free, len(free))):
            topic = self._topic(turn)
            line = self._background(topic) if at < BACKGROUND else None
            self._lines[turn] = [
                line or TopicLine(topic, self.verbaliser.joined([self._remark(topic)]))
            ]
        about = [self._about(turn) for turn in self._lines]
        if max(len(list(run)) for _, run in groupby(about)) > MAX_RUN:
            raise DoesNotFit
        if not set[str]().union(*about).issuperset(TOPICS):
            raise DoesNotFit
        return {
            turn: self.verbaliser.joined([line.text for line in lines])
            for turn, lines in self._lines.items()
        }

    def _place(self, after: int, before: int, lines: Sequence[TopicLine]) -> None:
        free = [turn for turn in range(after + 1, before) if self._room.get(turn)]
        if len(free) < len(lines):
            raise DoesNotFit
        turns = sorted(self.verbaliser.random.sample(free, len(lines)))
        for turn, line in zip(turns, lines, strict=True):
            self.place_at(turn, line)

    def _about(self, turn: int) -> frozenset[str]:
        return frozenset(line.topic for line in self._lines.get(turn, ()))

    def _topic(self, turn: int) -> str:
        """The least frequent topic so far that does not occur in adjacent turns."""
        near = frozenset[str]().union(*(self._about(at) for at in range(turn - 2, turn + 3)))
        used = Counter(line.topic for lines in self._lines.values() for line in lines)
        topics: list[str] = self.verbaliser.random.sample(TOPICS, len(TOPICS))
        return min(topics, key=lambda topic: (topic in near, used[topic]))

    def _background(self, topic: str) -> TopicLine | None:
        """A fact that no question asks for; None if all are stated."""
        facts = self.verbaliser.facts(topic)
        pairs = [(fact, thing) for fact in facts for thing in self.verbaliser.things(topic)]
        unstated = [
            (fact, thing) for fact, thing in pairs if (thing, fact.what) not in self._stated
        ]
        if not unstated:
            return None
        fact, thing = self.verbaliser.random.choice(unstated)
        return self.fact_line(fact, thing, self.verbaliser.value(fact))

    def _remark(self, topic: str) -> str:
        """A remark about the topic; each is used once before any is repeated."""
        if not self._remarks[topic]:
            self._remarks[topic] = self._sentences(topic)
        return self._remarks[topic].pop()

    def _sentences(self, topic: str) -> list[str]:
        chat: list[str] = PROMPTS["topics"][topic][self.verbaliser.language]["chat"]
        return self.verbaliser.random.sample(chat, len(chat))
