"""Probes for one fact: stated, changed since, or referred to without its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from readiness.checks.memory.conversation_turns import Board, Line
from readiness.checks.memory.prompt_wording import Fact, Value, forms


@dataclass(frozen=True)
class Plot:
    """What a probe asks, and what the answer is.

    Args:
        question: The words of the last turn.
        values: Ways to write the answer; none where nothing was said of it.
        own: Values that a right reply may name.
        stale: Values that the answer once had.
        marks: What shows that an instruction was obeyed.
    """

    question: str
    values: Sequence[str]
    own: Sequence[Value] = ()
    stale: Sequence[Value] = ()
    marks: Sequence[str] = ()


def single(board: Board, fact: Fact, distance: int) -> Plot:
    """A fact that is stated once."""
    thing, *others = board.things(fact)
    value = board.voice.value(fact)
    board.fix(board.ago(distance), board.tell(fact, thing, value))
    rivals(board, fact, others[:2], value)
    return Plot(board.voice.say("ask", thing=thing, what=fact.what), forms(value), [value])


def update(board: Board, fact: Fact, distance: int) -> Plot:
    """A fact that is stated, and then changed once or twice."""
    thing, *others = board.things(fact)
    first = board.voice.value(fact)
    values = [first]
    for _ in range(board.voice.random.randint(1, 2)):
        values.append(board.voice.value(fact, first))
    last = board.ago(distance)
    board.fix(last, board.tell(fact, thing, values[-1], "change"))
    hows = ["tell", "change"]
    before = [
        board.tell(fact, thing, each, how) for each, how in zip(values[:-1], hows, strict=False)
    ]
    board.spread(before, before=last)
    rivals(board, fact, others[:1], first)
    question = board.voice.say("ask", thing=thing, what=fact.what)
    return Plot(question, forms(values[-1]), values[-1:], values[:-1])


def reference(board: Board, fact: Fact, distance: int) -> Plot:
    """Former and latter, a pronoun in the conversation, or a noun left out of the question."""
    told = board.ago(distance)
    apart = distance > 1 and board.empty(told) and board.empty(told + 1)
    ways = [_latter, _of_it, _elliptic] if apart else [_latter, _elliptic]
    return board.voice.random.choice(ways)(board, fact, distance)


def _latter(board: Board, fact: Fact, distance: int) -> Plot:
    voice = board.voice
    thing, other, third, *_ = board.things(fact)
    value = voice.value(fact)
    second = voice.value(fact, value)
    told = {"thing": thing, "other": other, "what": fact.what}
    told |= {"value": voice.written(fact, value), "second": voice.written(fact, second)}
    board.keep(fact, thing, other)
    board.fix(board.ago(distance), Line(fact.topic, voice.joined([voice.say("pair", **told)])))
    rivals(board, fact, [third], value)
    asked, answer = voice.random.choice([("ask_former", value), ("ask_latter", second)])
    return Plot(voice.say(asked, what=fact.what), forms(answer), [answer])


def _of_it(board: Board, fact: Fact, distance: int) -> Plot:
    thing, *others = board.things(fact)
    value = board.voice.value(fact)
    # Nothing comes between the name and its pronoun, or it could be of something else.
    board.fix(board.ago(distance), board.name(fact.topic, thing), whole=True)
    board.fix(board.ago(distance - 1), board.tell_of_it(fact, thing, value), whole=True)
    rivals(board, fact, others[:2], value)
    return Plot(board.voice.say("ask", thing=thing, what=fact.what), forms(value), [value])


def _elliptic(board: Board, fact: Fact, distance: int) -> Plot:
    thing, other, third, *_ = board.things(fact)
    value = board.voice.value(fact)
    board.fix(board.ago(distance), board.tell(fact, thing, value))
    rivals(board, fact, [other, third], value)
    words = {"thing": thing, "other": other, "what": fact.what}
    return Plot(board.voice.say("ask_elliptically", **words), forms(value), [value])


def rivals(board: Board, fact: Fact, things: Sequence[str], value: Value) -> None:
    """The same of other things, with values that are nearly the same."""
    for thing in things:
        board.spread([board.tell(fact, thing, board.voice.value(fact, value))])
