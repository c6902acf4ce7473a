"""Scripted conversations of fifty turns, each with the question of its last turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from random import Random

from readiness.checks.memory.conversation_turns import TOPICS, ConversationTurns
from readiness.checks.memory.prompt_wording import (
    LANGUAGES,
    PROMPTS,
    DoesNotFit,
    Verbaliser,
    forms,
)
from readiness.checks.memory.question_classes import ABSTENTION, KINDS, QuestionAndAnswer
from readiness.checks.memory.scoring import Expected, length
from readiness.probe import Message, Probe

#: The token limit of a reply: 64 cut off a model that answers in a Chinese sentence.
BUDGET, SMALL_BUDGET = 128, 64
#: The most attempts to sample a conversation; one in twenty takes a second.
MAX_ATTEMPTS = 1000
CHARACTERS_PER_TOKEN = 4
#: The ranges of distance, in turns from the answer to the question.
STRATA = ((1, 2), (3, 5), (6, 10), (11, 20), (21, 35), (36, 49))

_TYPES = {"none": "", "date": r"\d{4}-\d\d-\d\d", "number": r"\d+", "code": r"[A-Z]+-\d+"}

AskedClasses = Sequence[tuple[str, int]]


def language_of(number: int) -> str:
    """The language of a conversation, so that any fifth conversation comes in each language."""
    return LANGUAGES[(number + number // len(LANGUAGES)) % len(LANGUAGES)]


def conversation(name: str, seed: int, number: int, asked: AskedClasses) -> list[Probe]:
    """A probe for each class asked for, at its distance.

    Raises:
        DoesNotFit: No sample has room for all, as when two probes need the same turn.
    """
    return first_that_fits(
        f"{name}/{seed}", number, lambda verbaliser: _sample(name, verbaliser, asked)
    )


def first_that_fits(
    name: str, number: int, sample: Callable[[Verbaliser], list[Probe]]
) -> list[Probe]:
    """The first sample that has room for all.

    Raises:
        DoesNotFit: None of MAX_ATTEMPTS has.
    """
    for attempt in range(MAX_ATTEMPTS):
        with suppress(DoesNotFit):
            return sample(Verbaliser(language_of(number), Random(f"{name}/{attempt}")))
    raise DoesNotFit(f"{name} has no room for all of its questions")


def history(verbaliser: Verbaliser, texts: Iterable[str]) -> list[Message]:
    """The turns so far: the user's texts, each with a short reply that repeats nothing of it."""
    replies = PROMPTS["acknowledgements"][verbaliser.language]
    return [
        message
        for text in texts
        for message in (
            {"role": "user", "content": text},
            {"role": "assistant", "content": verbaliser.random.choice(replies)},
        )
    ]


def last_turn(verbaliser: Verbaliser, *texts: str) -> Message:
    """The last turn: a question, and the instruction to send only the answer."""
    only = PROMPTS["only"][verbaliser.language]
    return {"role": "user", "content": verbaliser.joined([*texts, only])}


def _sample(name: str, verbaliser: Verbaliser, asked: AskedClasses) -> list[Probe]:
    turns = ConversationTurns(verbaliser)
    kinds = [KINDS[each] for each, _ in asked]
    own = {kind.topic for kind in kinds}
    free = [topic for topic in verbaliser.random.sample(TOPICS, len(TOPICS)) if topic not in own]
    items: list[QuestionAndAnswer] = []
    for kind, (_, distance) in zip(kinds, asked, strict=True):
        fact = verbaliser.random.choice(verbaliser.facts(kind.topic or free.pop(), kind.facts))
        items.append(kind.ask(turns, fact, distance))
    messages = history(verbaliser, turns.fill().values())
    return [
        Probe(
            f"{name}.{at}@v1",
            [*messages, last_turn(verbaliser, item.question)],
            {"answer": expected(verbaliser, item, distance_of(of, back))},
            budget=BUDGET,
            small_budget=SMALL_BUDGET,
            family=of,
            labels=labels("scripted", verbaliser, item, distance_of(of, back)),
            places=places(distance_of(of, back)),
            cluster=name,
        )
        for at, (item, (of, back)) in enumerate(zip(items, asked, strict=True), 1)
    ]


def tokens_of(messages: Sequence[Message]) -> int:
    """The approximate tokens of messages."""
    return length(messages) // CHARACTERS_PER_TOKEN


def distance_of(name: str, turns: int) -> int | None:
    """The distance of a question's answer, in turns; None if it was never stated."""
    return None if name == ABSTENTION else turns


def labels(
    mode: str, verbaliser: Verbaliser, item: QuestionAndAnswer, distance: int | None
) -> dict[str, str]:
    """The labels by which the record groups a question, besides its class."""
    found = {"mode": mode, "language": verbaliser.language, "answer": answer_type(item)}
    for nearest, farthest in STRATA:
        if distance is not None and nearest <= distance <= farthest:
            found["distance"] = f"{nearest}-{farthest}"
    return found


def answer_type(item: QuestionAndAnswer) -> str:
    """What an answer is, by how it is written."""
    value = item.values[0] if item.values else ""
    found = (name for name, form in _TYPES.items() if re.fullmatch(form, value))
    return next(found, "words")


def places(distance: int | None) -> dict[str, int]:
    """How far back the answer is, along which failures may gather."""
    return {} if distance is None else {"turns back": distance}


def expected(verbaliser: Verbaliser, item: QuestionAndAnswer, distance: int | None) -> Expected:
    """The answer, and all other values of the conversation, none of which it may state."""
    others = [
        value for value in verbaliser.used if value not in (*item.allowed_values, *item.stale)
    ]
    return Expected(
        tuple(item.values),
        tuple(form for value in item.stale for form in forms(value)),
        tuple(form for value in others for form in forms(value)),
        tuple(item.marks),
        distance,
        item.unit,
        tuple(form for value in item.allowed_values for form in forms(value)),
        item.question,
    )
