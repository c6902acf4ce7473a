"""The fifty turns of a conversation, while they are filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from readiness.checks.memory.prompt_wording import PROMPTS, Fact, NoRoom, Value, Verbaliser

TURNS = 50
LONGEST_RUN = 3
BACKGROUND = 12  # facts that nobody asks for
TOPICS: Sequence[str] = tuple(PROMPTS["topics"])


@dataclass(frozen=True)
class TopicLine:
    """What the user says in one turn, and what it is about; "" where about none of the topics."""

    topic: str
    text: str


class ConversationTurns:
    """The turns that tell: first what is asked for, then all the rest.

    Args:
        voice: What puts it into words.
        asking: The turns that ask, and tell nothing.
        most: How many lines a turn may have.
    """

    def __init__(self, voice: Verbaliser, asking: Sequence[int] = (TURNS,), most: int = 1) -> None:
        self.voice = voice
        self.asked = TURNS
        self._lines: dict[int, list[TopicLine]] = {
            turn: [] for turn in range(1, TURNS) if turn not in asking
        }
        self._room = dict.fromkeys(self._lines, most)
        self._instructed = False
        self._spread: list[tuple[int, int, Sequence[TopicLine]]] = []
        self._told: set[tuple[str, str]] = set()
        self._chat = {topic: self._sentences(topic) for topic in TOPICS}

    def turn_at_distance(self, distance: int) -> int:
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

    def place_at(self, turn: int, line: TopicLine, whole: bool = False) -> None:
        """Say something in that very turn, and perhaps nothing beside it.

        Raises:
            NoRoom: The turn asks, or has no room.
        """
        room = self._room.get(turn, 0)
        if not room or (whole and self._lines[turn]):
            raise NoRoom
        self._lines[turn].append(line)
        self._room[turn] = 0 if whole else room - 1

    def place_between(self, lines: Sequence[TopicLine], after: int = 0, before: int = 0) -> None:
        """Say something, in this order, in any turns between two, or before the question."""
        self._spread.append((after, before or self.asked, lines))

    def reserve(self, fact: Fact, *things: str) -> None:
        """Have nobody else tell a fact of these things."""
        self._told |= {(thing, fact.what) for thing in things}

    def instruct(self, turn: int = 0) -> Mapping[str, Any]:
        """Give one of the standing instructions, in that turn or in any."""
        instruction: Mapping[str, Any] = self.voice.random.choice(PROMPTS["instructions"])
        line = TopicLine("", instruction[self.voice.language])
        if turn:
            self.place_at(turn, line)
        else:
            self.place_between([line])
        self._instructed = True
        return instruction

    def tell(self, fact: Fact, thing: str, value: Value, how: str = "tell") -> TopicLine:
        """A line that tells a fact, perhaps with a remark in front."""
        self.reserve(fact, thing)
        told = self.voice.say(
            how, thing=thing, what=fact.what, value=self.voice.written(fact, value)
        )
        remark = self._remark(fact.topic) if self.voice.random.random() < 0.3 else ""
        return TopicLine(fact.topic, self.voice.joined([remark, told]))

    def tell_of_it(self, fact: Fact, thing: str, value: Value) -> TopicLine:
        """A line that tells a fact of the thing that was named last."""
        self.reserve(fact, thing)
        it = PROMPTS["topics"][fact.topic][self.voice.language]["it"]
        words = {"it": it, "its": it, "what": fact.what, "value": self.voice.written(fact, value)}
        return TopicLine(fact.topic, self.voice.joined([self.voice.say("tell_of_it", **words)]))

    def name(self, topic: str, thing: str) -> TopicLine:
        """A line that names a thing and tells nothing of it."""
        intros = PROMPTS["topics"][topic][self.voice.language]["intro"]
        text = self.voice.random.choice(intros).format(thing=thing)
        return TopicLine(topic, self.voice.joined([text]))

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
            self._lines[turn] = [line or TopicLine(topic, self.voice.joined([self._remark(topic)]))]
        about = [self._about(turn) for turn in self._lines]
        if max(len(list(run)) for _, run in groupby(about)) > LONGEST_RUN:
            raise NoRoom
        if not set[str]().union(*about).issuperset(TOPICS):
            raise NoRoom
        return {
            turn: self.voice.joined([line.text for line in lines])
            for turn, lines in self._lines.items()
        }

    def _place(self, after: int, before: int, lines: Sequence[TopicLine]) -> None:
        free = [turn for turn in range(after + 1, before) if self._room.get(turn)]
        if len(free) < len(lines):
            raise NoRoom
        turns = sorted(self.voice.random.sample(free, len(lines)))
        for turn, line in zip(turns, lines, strict=True):
            self.place_at(turn, line)

    def _about(self, turn: int) -> frozenset[str]:
        return frozenset(line.topic for line in self._lines.get(turn, ()))

    def _topic(self, turn: int) -> str:
        """The topic that came up least so far, and not in the turns around."""
        near = frozenset[str]().union(*(self._about(at) for at in range(turn - 2, turn + 3)))
        used = Counter(line.topic for lines in self._lines.values() for line in lines)
        topics: list[str] = self.voice.random.sample(TOPICS, len(TOPICS))
        return min(topics, key=lambda topic: (topic in near, used[topic]))

    def _background(self, topic: str) -> TopicLine | None:
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
