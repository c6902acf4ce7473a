"""A whole conversation: what was said in it, and what it is asked at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from random import Random

from readiness.checks.memory.conversation_turns import TOPICS, ConversationTurns
from readiness.checks.memory.fact_kinds import ABSTENTION, KINDS, QuestionAndAnswer
from readiness.checks.memory.prompt_wording import (
    LANGUAGES,
    PROMPTS,
    NoRoom,
    Verbaliser,
    forms,
)
from readiness.checks.memory.scoring import Expected, length
from readiness.probe import Message, Probe

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


def drawn(name: str, number: int, draw: Callable[[Verbaliser], list[Probe]]) -> list[Probe]:
    """The first draw that has room for all.

    Raises:
        NoRoom: None has.
    """
    for attempt in range(MOST_DRAWS):
        with suppress(NoRoom):
            return draw(Verbaliser(language_of(number), Random(f"{name}/{attempt}")))
    raise NoRoom(f"{name} has no room for all that it asks")


def history(voice: Verbaliser, texts: Iterable[str]) -> list[Message]:
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


def ask(voice: Verbaliser, *said: str) -> Message:
    """The last turn: a question, and in what form it is to be answered."""
    only = PROMPTS["only"][voice.language]
    return {"role": "user", "content": voice.joined([*said, only])}


def _drawn(name: str, voice: Verbaliser, asked: Asked) -> list[Probe]:
    board = ConversationTurns(voice)
    kinds = [KINDS[each] for each, _ in asked]
    own = {kind.topic for kind in kinds}
    free = [topic for topic in voice.random.sample(TOPICS, len(TOPICS)) if topic not in own]
    plots: list[QuestionAndAnswer] = []
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


def labels(mode: str, voice: Verbaliser, distance: int | None) -> dict[str, str]:
    """What the record counts a question under, beside its class."""
    found = {"mode": mode, "language": voice.language}
    for least, most in STRATA:
        if distance is not None and least <= distance <= most:
            found["distance"] = f"{least}-{most}"
    return found


def expected(voice: Verbaliser, plot: QuestionAndAnswer, distance: int | None) -> Expected:
    """The answer, and all other values of the conversation, of which it must name none."""
    others = [value for value in voice.drawn if value not in (*plot.allowed_values, *plot.stale)]
    return Expected(
        tuple(plot.values),
        tuple(form for value in plot.stale for form in forms(value)),
        tuple(form for value in others for form in forms(value)),
        tuple(plot.marks),
        distance,
    )
