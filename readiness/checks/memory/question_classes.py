"""The kinds of facts that are told, and how they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from readiness.checks.memory.conversation_turns import TURNS, ConversationTurns, TopicLine
from readiness.checks.memory.prompt_wording import (
    PROMPTS,
    Fact,
    NoRoom,
    Value,
    Verbaliser,
    forms,
    marks,
)


@dataclass(frozen=True)
class QuestionAndAnswer:
    """What a probe asks, and what the answer is.

    Args:
        question: The words of the last turn.
        values: Ways to write the answer; none where nothing was said of it.
        allowed_values: Values that a right reply may name.
        stale: Values that the answer once had.
        marks: What shows that an instruction was obeyed.
    """

    question: str
    values: Sequence[str]
    allowed_values: Sequence[Value] = ()
    stale: Sequence[Value] = ()
    marks: Sequence[str] = ()


def single(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    """A fact that is stated once."""
    thing, *others = board.things(fact)
    value = board.voice.value(fact)
    board.place_at(board.turn_at_distance(distance), board.tell(fact, thing, value))
    add_distractors(board, fact, others[:2], value)
    return QuestionAndAnswer(
        board.voice.say("ask", thing=thing, what=fact.what), forms(value), [value]
    )


def update(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    """A fact that is stated, and then changed once or twice."""
    thing, *others = board.things(fact)
    first = board.voice.value(fact)
    values = [first]
    for _ in range(board.voice.random.randint(1, 2)):
        values.append(board.voice.value(fact, first))
    last = board.turn_at_distance(distance)
    board.place_at(last, board.tell(fact, thing, values[-1], "change"))
    hows = ["tell", "change"]
    before = [
        board.tell(fact, thing, each, how) for each, how in zip(values[:-1], hows, strict=False)
    ]
    board.place_between(before, before=last)
    add_distractors(board, fact, others[:1], first)
    question = board.voice.say("ask", thing=thing, what=fact.what)
    return QuestionAndAnswer(question, forms(values[-1]), values[-1:], values[:-1])


def reference(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    """Former and latter, a pronoun in the conversation, or a noun left out of the question."""
    told = board.turn_at_distance(distance)
    apart = distance > 1 and board.empty(told) and board.empty(told + 1)
    ways = [_latter, _of_it, _elliptic] if apart else [_latter, _elliptic]
    return board.voice.random.choice(ways)(board, fact, distance)


def _latter(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    voice = board.voice
    thing, other, third, *_ = board.things(fact)
    value = voice.value(fact)
    second = voice.value(fact, value)
    told = {"thing": thing, "other": other, "what": fact.what}
    told |= {"value": voice.written(fact, value), "second": voice.written(fact, second)}
    board.reserve(fact, thing, other)
    board.place_at(
        board.turn_at_distance(distance),
        TopicLine(fact.topic, voice.joined([voice.say("pair", **told)])),
    )
    add_distractors(board, fact, [third], value)
    asked, answer = voice.random.choice([("ask_former", value), ("ask_latter", second)])
    return QuestionAndAnswer(voice.say(asked, what=fact.what), forms(answer), [answer])


def _of_it(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, *others = board.things(fact)
    value = board.voice.value(fact)
    # Nothing comes between the name and its pronoun, or it could be of something else.
    board.place_at(board.turn_at_distance(distance), board.name(fact.topic, thing), whole=True)
    board.place_at(
        board.turn_at_distance(distance - 1), board.tell_of_it(fact, thing, value), whole=True
    )
    add_distractors(board, fact, others[:2], value)
    return QuestionAndAnswer(
        board.voice.say("ask", thing=thing, what=fact.what), forms(value), [value]
    )


def _elliptic(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, other, third, *_ = board.things(fact)
    value = board.voice.value(fact)
    board.place_at(board.turn_at_distance(distance), board.tell(fact, thing, value))
    add_distractors(board, fact, [other, third], value)
    words = {"thing": thing, "other": other, "what": fact.what}
    return QuestionAndAnswer(board.voice.say("ask_elliptically", **words), forms(value), [value])


def add_distractors(
    board: ConversationTurns, fact: Fact, things: Sequence[str], value: Value
) -> None:
    """The same of other things, with values that are nearly the same."""
    for thing in things:
        board.place_between([board.tell(fact, thing, board.voice.value(fact, value))])


ABSTENTION = "abstention"
TICKETS = Fact("server", "code", "", "GZ")


@dataclass(frozen=True)
class QuestionClass:
    """A class of probes.

    Args:
        plot: Has everything said, the last of what it takes so many turns before the end.
        least: The shortest distance: how many turns it takes one after another.
        most: The longest distance.
        facts: The kind of facts that it is about; "" for any.
        topic: The topic that it is about; "" for any.
    """

    plot: Callable[[ConversationTurns, Fact, int], QuestionAndAnswer]
    least: int = 1
    most: int = TURNS - 1
    facts: str = ""
    topic: str = ""

    def fits(self, fact: Fact) -> bool:
        """Whether it can be about a fact."""
        return self.facts in ("", fact.kind)


def _join(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, other, third, *_ = board.things(fact)
    amounts = [int(str(board.voice.value(fact))) for _ in range(2)]
    _both(board, fact, (thing, other), amounts, distance)
    add_distractors(board, fact, [third], amounts[0])
    total = board.voice.take(sum(amounts))
    question = board.voice.say("ask_total", thing=thing, other=other, what=fact.what)
    return QuestionAndAnswer(question, [str(total)], [*amounts, total])


def _days(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, other, third, *_ = board.things(fact)
    first = board.voice.value(fact)
    days = sorted(day for day in (first, board.voice.value(fact, first)) if isinstance(day, date))
    if (days[1] - days[0]).days == 1:
        raise NoRoom  # "One day" has a pronoun's look.
    _both(board, fact, (other, thing), days, distance)
    add_distractors(board, fact, [third], first)
    question = board.voice.say("ask_days", thing=thing, other=other, what=fact.what)
    return QuestionAndAnswer(question, [str((days[1] - days[0]).days)], days)


def _next(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    asked = board.turn_at_distance(distance)
    first = board.voice.value(TICKETS)
    later = [board.voice.value(TICKETS, first) for _ in range(1 + (distance > 5))]
    board.place_at(asked, _ticket(board, first))
    board.place_between([_ticket(board, each) for each in later], after=asked)
    board.place_between([_ticket(board, board.voice.value(TICKETS, first))], before=asked)
    question = board.voice.say("ask_next", value=str(first))
    return QuestionAndAnswer(question, forms(later[0]), [first, later[0]])


def _instruction(board: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, *others = board.things(fact)
    instruction = board.instruct(board.turn_at_distance(distance))
    value = board.voice.value(fact)
    board.place_between([board.tell(fact, thing, value)], after=board.turn_at_distance(distance))
    add_distractors(board, fact, others[:1], value)
    question = board.voice.say("ask", thing=thing, what=fact.what)
    shown = marks(instruction, board.voice.language)
    return QuestionAndAnswer(question, forms(value), [value], marks=shown)


def _abstention(board: ConversationTurns, fact: Fact, _distance: int) -> QuestionAndAnswer:
    """Other things have what is asked for, and of the thing itself something else was told."""
    thing, *others = board.things(fact)
    board.reserve(fact, thing)
    other = board.another(fact, thing)
    board.place_between([board.tell(other, thing, board.voice.value(other))])
    add_distractors(board, fact, others[:2], board.voice.value(fact))
    return QuestionAndAnswer(board.voice.say("ask", thing=thing, what=fact.what), [])


def _opening(board: ConversationTurns, _fact: Fact, distance: int) -> QuestionAndAnswer:
    told, question, value = opening(board.voice)
    board.place_at(board.turn_at_distance(distance), told)
    return QuestionAndAnswer(question, forms(value), [value])


def opening(voice: Verbaliser) -> tuple[TopicLine, str, Value]:
    """A line about the conversation itself, the question for it, and the answer."""
    session = PROMPTS["session"][voice.language]
    fact = Fact("", "code", session["what"], session["prefix"])
    value = voice.value(fact)
    words = {"thing": session["thing"], "what": fact.what}
    told = voice.say("tell", **words, value=voice.written(fact, value))
    line = TopicLine("", voice.joined([session["before"], told]))
    return line, voice.say("ask", **words), value


def _both(
    board: ConversationTurns,
    fact: Fact,
    things: Sequence[str],
    values: Sequence[Value],
    distance: int,
) -> None:
    """Two facts in any order, the first of them that long ago."""
    told = [board.tell(fact, *each) for each in zip(things, values, strict=True)]
    first, second = board.voice.random.sample(told, 2)
    board.place_at(board.turn_at_distance(distance), first)
    board.place_between([second], after=board.turn_at_distance(distance))


def _ticket(board: ConversationTurns, value: Value) -> TopicLine:
    return TopicLine(
        TICKETS.topic, board.voice.joined([board.voice.say("report", value=str(value))])
    )


# An update needs up to two turns before its last, and a ticket one before the one asked about.
KINDS: Mapping[str, QuestionClass] = {
    "single fact": QuestionClass(single),
    "update": QuestionClass(update, most=46),
    "reference": QuestionClass(reference),
    "join": QuestionClass(_join, least=2, facts="amount"),
    "days between": QuestionClass(_days, least=2, facts="date"),
    "next reported": QuestionClass(_next, least=2, most=46, topic="server"),
    "instruction": QuestionClass(_instruction, least=2, facts="amount"),
    ABSTENTION: QuestionClass(_abstention),
    "opening": QuestionClass(_opening),
}


def within(name: str, stratum: tuple[int, int]) -> tuple[int, int]:
    """The distances of a stratum at which a class has room, whatever stands in those nearer."""
    kind = KINDS[name]
    return stratum[0] + kind.least - 1, min(stratum[1], kind.most)
