"""Probes of the dimension `memory`: conversations of fifty turns, with questions about them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from readiness.checks.memory import live_conversation
from readiness.checks.memory.conversation import (
    BUDGET,
    STRATA,
    AskedClasses,
    conversation,
    history,
    last_turn,
    tokens_of,
)
from readiness.checks.memory.conversation_turns import TURNS
from readiness.checks.memory.prompt_wording import Verbaliser, forms
from readiness.checks.memory.question_classes import ABSTENTION, opening, within
from readiness.checks.memory.scoring import Expected
from readiness.probe import Probe, streaming

#: The classes of questions of a conversation, in rotation; 25 probes have the intended mix.
CLASSES_BY_CONVERSATION = (
    ("single fact", "update", "reference", "join", "instruction"),
    ("single fact", "update", "reference", "days between", ABSTENTION),
    ("single fact", "update", "reference", "single fact", "join"),
    ("single fact", "update", "reference", "single fact", "next reported"),
    ("single fact", "update", "reference", "single fact", "join"),
)
#: The turns after which a growing conversation is asked before its end.
STAGES = (10, 30)
#: The language of a control probe, and the distance of its answer in turns.
CONTROLS = (("zh", 0), ("en", 0), ("zh", 1), ("en", 1), ("zh", 1))


def scripted(seed: int, trials: int) -> list[Probe]:
    """Five probes for each conversation, and five controls, which are trivially easy."""
    probes: list[Probe] = []
    for number in range(-(-trials // len(CLASSES_BY_CONVERSATION[0]))):
        probes += conversation(f"memory.{number + 1:03}", seed, number, _classes(seed, number))
    asked = streaming(probes[:trials], f"memory/{seed}")
    return [*asked, *(_control(at, *of) for at, of in enumerate(CONTROLS, 1))]


def live(seed: int, trials: int) -> list[Probe]:
    """A probe for each question of live conversations, alternating between them.

    All replies of every other conversation are streamed.
    """
    classes = [name for deal in CLASSES_BY_CONVERSATION for name in deal]
    conversations = [
        live_conversation.conversation(f"memory.live.{number + 1:03}", seed, number, classes)
        for number in range(-(-trials // len(classes)))
    ]
    alternating = [probe for group in zip(*conversations, strict=True) for probe in group]
    return streaming(alternating[:trials], f"memory.live/{seed}")


def unsaid(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, about something never stated."""
    probes = [_single_question("unsaid", ABSTENTION, seed, number) for number in range(trials)]
    return streaming(probes, f"memory.unsaid/{seed}")


def instructed(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, with a standing instruction for its answer."""
    probes = [
        _single_question("instructed", "instruction", seed, number) for number in range(trials)
    ]
    return streaming(probes, f"memory.instructed/{seed}")


def grown(seed: int, trials: int) -> list[Probe]:
    """Conversations that are asked about their first turn, early and at the end."""
    probes = [_grown(seed, number) for number in range(trials)]
    return streaming(probes, f"memory.grown/{seed}")


def _classes(seed: int, number: int) -> AskedClasses:
    """The classes of a conversation's questions, each with its distance in turns."""
    random = Random(f"memory.deal/{seed}/{number}")
    classes = CLASSES_BY_CONVERSATION[number % len(CLASSES_BY_CONVERSATION)]
    # A conversation has each stratum at most once: each is left out by turns, and a second one
    # where nothing is to be recalled.
    strata = [STRATA[(number + at) % len(STRATA)] for at in (1, 2, 4, 5, 3)]
    random.shuffle(strata)
    return [(name, _distance(random, name, of)) for name, of in zip(classes, strata, strict=True)]


def _distance(random: Random, name: str, stratum: tuple[int, int]) -> int:
    least, most = within(name, stratum)
    return random.randint(least, most)


def _single_question(series: str, name: str, seed: int, number: int) -> Probe:
    random = Random(f"memory.{series}/{seed}/{number}")
    asked = [(name, _distance(random, name, STRATA[number % len(STRATA)]))]
    (probe,) = conversation(f"memory.{series}.{number + 1:03}", seed, number, asked)
    return probe


def _grown(seed: int, number: int) -> Probe:
    name = f"memory.grown.{number + 1:03}"
    (probe,) = conversation(name, seed, number, [("opening", TURNS - 1)])
    before = [[*probe.messages[: 2 * turns], probe.messages[-1]] for turns in STAGES]
    tokens = sum(map(tokens_of, [*before, probe.messages]))
    return replace(probe, expect={**probe.expect, "before": before}, tokens=tokens)


def _control(at: int, language: str, distance: int) -> Probe:
    """A control: the fact is in the question's own message, or in the one before."""
    verbaliser = Verbaliser(language, Random(f"memory.control/{at}"))
    line, question, value = opening(verbaliser)
    turns = history(verbaliser, [line.text] * distance)
    last = (
        last_turn(verbaliser, question) if distance else last_turn(verbaliser, line.text, question)
    )
    answer = {"answer": Expected(tuple(forms(value)), distance=distance)}
    return Probe(f"memory.control.{at}@v1", [*turns, last], answer, control=True, budget=BUDGET)
