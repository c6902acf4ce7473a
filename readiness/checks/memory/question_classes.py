"""The classes of questions, and how each places its facts in a conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from readiness.checks.memory.conversation_turns import TURNS, ConversationTurns, TopicLine
from readiness.checks.memory.prompt_wording import (
    PROMPTS,
    DoesNotFit,
    Fact,
    Value,
    Verbaliser,
    forms,
    marks,
)


@dataclass(frozen=True)
class QuestionAndAnswer:
    """A question and its answer.

    Args:
        question: The text of the last turn.
        values: Ways to write the answer; none if it was never stated.
        allowed_values: Values that a correct reply may state.
        stale: Earlier values of the answer.
        marks: Texts that show that an instruction was followed.
        unit: What a number counts (`readiness.scoring.units`); "" where it counts nothing.
    """

    question: str
    values: Sequence[str]
    allowed_values: Sequence[Value] = ()
    stale: Sequence[Value] = ()
    marks: Sequence[str] = ()
    unit: str = ""


def single(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    """A fact that is stated once."""
    thing, *others = turns.things(fact)
    value = turns.verbaliser.value(fact)
    turns.place_at(turns.turn_at_distance(distance), turns.fact_line(fact, thing, value))
    add_distractors(turns, fact, others[:2], value)
    return QuestionAndAnswer(
        turns.verbaliser.say("ask", thing=thing, what=fact.what), forms(value), [value]
    )


def update(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    """A fact that is stated, and then updated once or twice."""
    thing, *others = turns.things(fact)
    first = turns.verbaliser.value(fact)
    values = [first]
    for _ in range(turns.verbaliser.random.randint(1, 2)):
        values.append(turns.verbaliser.value(fact, first))
    last = turns.turn_at_distance(distance)
    turns.place_at(last, turns.fact_line(fact, thing, values[-1], "change"))
    templates = ["tell", "change"]
    before = [
        turns.fact_line(fact, thing, each, how)
        for each, how in zip(values[:-1], templates, strict=False)
    ]
    turns.place_between(before, before=last)
    add_distractors(turns, fact, others[:1], first)
    question = turns.verbaliser.say("ask", thing=thing, what=fact.what)
    return QuestionAndAnswer(question, forms(values[-1]), values[-1:], values[:-1])


def reference(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    """A reference: former and latter, a pronoun in the conversation, or an elliptical question."""
    turn = turns.turn_at_distance(distance)
    has_two = distance > 1 and turns.empty(turn) and turns.empty(turn + 1)
    forms_ = [_latter, _pronoun, _elliptic] if has_two else [_latter, _elliptic]
    return turns.verbaliser.random.choice(forms_)(turns, fact, distance)


def _latter(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    verbaliser = turns.verbaliser
    thing, other, third, *_ = turns.things(fact)
    value = verbaliser.value(fact)
    second = verbaliser.value(fact, value)
    words = {"thing": thing, "other": other, "what": fact.what}
    words |= {"value": verbaliser.written(fact, value), "second": verbaliser.written(fact, second)}
    turns.reserve(fact, thing, other)
    turns.place_at(
        turns.turn_at_distance(distance),
        TopicLine(fact.topic, verbaliser.joined([verbaliser.say("pair", **words)])),
    )
    add_distractors(turns, fact, [third], value)
    ask, answer = verbaliser.random.choice([("ask_former", value), ("ask_latter", second)])
    return QuestionAndAnswer(verbaliser.say(ask, what=fact.what), forms(answer), [answer])


def _pronoun(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, *others = turns.things(fact)
    value = turns.verbaliser.value(fact)
    # Nothing may come between the name and its pronoun, or the reference is ambiguous.
    turns.place_at(turns.turn_at_distance(distance), turns.name_line(fact.topic, thing), whole=True)
    turns.place_at(
        turns.turn_at_distance(distance - 1), turns.pronoun_line(fact, thing, value), whole=True
    )
    add_distractors(turns, fact, others[:2], value)
    return QuestionAndAnswer(
        turns.verbaliser.say("ask", thing=thing, what=fact.what), forms(value), [value]
    )


def _elliptic(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, other, third, *_ = turns.things(fact)
    value = turns.verbaliser.value(fact)
    turns.place_at(turns.turn_at_distance(distance), turns.fact_line(fact, thing, value))
    add_distractors(turns, fact, [other, third], value)
    words = {"thing": thing, "other": other, "what": fact.what}
    return QuestionAndAnswer(
        turns.verbaliser.say("ask_elliptically", **words), forms(value), [value]
    )


def add_distractors(
    turns: ConversationTurns, fact: Fact, things: Sequence[str], value: Value
) -> None:
    """Place the same fact of other things, with similar values."""
    for thing in things:
        turns.place_between([turns.fact_line(fact, thing, turns.verbaliser.value(fact, value))])


ABSTENTION = "abstention"
#: The unit of the facts of a kind that have one.
UNITS = {"amount": "euro"}
TICKETS = Fact("server", "code", "", "GZ")


@dataclass(frozen=True)
class QuestionClass:
    """A class of questions.

    Args:
        place: Places the facts, the last of them at the given distance before the question.
        nearest: The shortest distance, which is the number of consecutive turns needed.
        farthest: The longest distance.
        facts: The kind of facts that it is about; "" for any.
        topic: The topic that it is about; "" for any.
        unit: What its answers count; "" for what the fact does.
    """

    place: Callable[[ConversationTurns, Fact, int], QuestionAndAnswer]
    nearest: int = 1
    farthest: int = TURNS - 1
    facts: str = ""
    topic: str = ""
    unit: str = ""

    def ask(self, turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
        """A question of the class, its facts placed, and the answer with its unit."""
        item = self.place(turns, fact, distance)
        return replace(item, unit=self.unit or UNITS.get(fact.kind, ""))

    def fits(self, fact: Fact) -> bool:
        """Whether it can be about a fact."""
        return self.facts in ("", fact.kind)


def _join(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, other, third, *_ = turns.things(fact)
    amounts = [int(str(turns.verbaliser.value(fact))) for _ in range(2)]
    _both(turns, fact, (thing, other), amounts, distance)
    add_distractors(turns, fact, [third], amounts[0])
    total = turns.verbaliser.reserve(sum(amounts))
    question = turns.verbaliser.say("ask_total", thing=thing, other=other, what=fact.what)
    return QuestionAndAnswer(question, [str(total)], [*amounts, total])


def _days(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, other, third, *_ = turns.things(fact)
    first = turns.verbaliser.value(fact)
    days = sorted(
        day for day in (first, turns.verbaliser.value(fact, first)) if isinstance(day, date)
    )
    if (days[1] - days[0]).days == 1:
        raise DoesNotFit  # "One day" could be read as a pronoun.
    _both(turns, fact, (other, thing), days, distance)
    add_distractors(turns, fact, [third], first)
    question = turns.verbaliser.say("ask_days", thing=thing, other=other, what=fact.what)
    return QuestionAndAnswer(question, [str((days[1] - days[0]).days)], days)


def _next(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    turn = turns.turn_at_distance(distance)
    first = turns.verbaliser.value(TICKETS)
    later = [turns.verbaliser.value(TICKETS, first) for _ in range(1 + (distance > 5))]
    turns.place_at(turn, _ticket(turns, first))
    turns.place_between([_ticket(turns, each) for each in later], after=turn)
    turns.place_between([_ticket(turns, turns.verbaliser.value(TICKETS, first))], before=turn)
    question = turns.verbaliser.say("ask_next", value=str(first))
    return QuestionAndAnswer(question, forms(later[0]), [first, later[0]])


def _instruction(turns: ConversationTurns, fact: Fact, distance: int) -> QuestionAndAnswer:
    thing, *others = turns.things(fact)
    instruction = turns.instruct(turns.turn_at_distance(distance))
    value = turns.verbaliser.value(fact)
    turns.place_between(
        [turns.fact_line(fact, thing, value)], after=turns.turn_at_distance(distance)
    )
    add_distractors(turns, fact, others[:1], value)
    question = turns.verbaliser.say("ask", thing=thing, what=fact.what)
    required = marks(instruction, turns.verbaliser.language)
    return QuestionAndAnswer(question, forms(value), [value], marks=required)


def _abstention(turns: ConversationTurns, fact: Fact, _distance: int) -> QuestionAndAnswer:
    """The fact is stated of other things, and another fact of the thing in question."""
    thing, *others = turns.things(fact)
    turns.reserve(fact, thing)
    other = turns.another(fact, thing)
    turns.place_between([turns.fact_line(other, thing, turns.verbaliser.value(other))])
    add_distractors(turns, fact, others[:2], turns.verbaliser.value(fact))
    return QuestionAndAnswer(turns.verbaliser.say("ask", thing=thing, what=fact.what), [])


def _opening(turns: ConversationTurns, _fact: Fact, distance: int) -> QuestionAndAnswer:
    line, question, value = opening(turns.verbaliser)
    turns.place_at(turns.turn_at_distance(distance), line)
    return QuestionAndAnswer(question, forms(value), [value])


def opening(verbaliser: Verbaliser) -> tuple[TopicLine, str, Value]:
    """A line about the conversation itself, the question for it, and the answer."""
    session = PROMPTS["session"][verbaliser.language]
    fact = Fact("", "code", session["what"], session["prefix"])
    value = verbaliser.value(fact)
    words = {"thing": session["thing"], "what": fact.what}
    statement = verbaliser.say("tell", **words, value=verbaliser.written(fact, value))
    line = TopicLine("", verbaliser.joined([session["before"], statement]))
    return line, verbaliser.say("ask", **words), value


def _both(
    turns: ConversationTurns,
    fact: Fact,
    things: Sequence[str],
    values: Sequence[Value],
    distance: int,
) -> None:
    """Place two facts in random order, the first of them at the distance."""
    lines = [turns.fact_line(fact, *each) for each in zip(things, values, strict=True)]
    first, second = turns.verbaliser.random.sample(lines, 2)
    turns.place_at(turns.turn_at_distance(distance), first)
    turns.place_between([second], after=turns.turn_at_distance(distance))


def _ticket(turns: ConversationTurns, value: Value) -> TopicLine:
    return TopicLine(
        TICKETS.topic, turns.verbaliser.joined([turns.verbaliser.say("report", value=str(value))])
    )


# An update needs up to two turns before its last, and a ticket one before that asked about.
KINDS: Mapping[str, QuestionClass] = {
    "single fact": QuestionClass(single),
    "update": QuestionClass(update, farthest=46),
    "reference": QuestionClass(reference),
    "join": QuestionClass(_join, nearest=2, facts="amount"),
    "days between": QuestionClass(_days, nearest=2, facts="date", unit="day"),
    "next reported": QuestionClass(_next, nearest=2, farthest=46, topic="server"),
    "instruction": QuestionClass(_instruction, nearest=2, facts="amount"),
    ABSTENTION: QuestionClass(_abstention),
    "opening": QuestionClass(_opening),
}


def within(name: str, stratum: tuple[int, int]) -> tuple[int, int]:
    """The distances of a stratum at which a class always has room."""
    kind = KINDS[name]
    return stratum[0] + kind.nearest - 1, min(stratum[1], kind.farthest)
