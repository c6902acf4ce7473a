"""Probes of memory: conversations of fifty turns, asked at the end for what was said before."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from readiness.checks.memory import live_conversation
from readiness.checks.memory.conversation import (
    BUDGET,
    STRATA,
    Asked,
    ask,
    conversation,
    history,
    tokens_of,
)
from readiness.checks.memory.conversation_turns import TURNS
from readiness.checks.memory.fact_kinds import ABSTENTION, opening, within
from readiness.checks.memory.prompt_wording import Verbaliser, forms
from readiness.checks.memory.scoring import Expected
from readiness.probe import Probe, streaming

#: The classes that a conversation is asked for, by turns: 25 probes have the mix of METHOD 7.1.
DEAL = (
    ("single fact", "update", "reference", "join", "instruction"),
    ("single fact", "update", "reference", "days between", ABSTENTION),
    ("single fact", "update", "reference", "single fact", "join"),
    ("single fact", "update", "reference", "single fact", "next reported"),
    ("single fact", "update", "reference", "single fact", "join"),
)
#: After how many turns a conversation that is to grow is asked first.
STAGES = (10, 30)
#: The language of a control item, and how many turns ago its answer was said.
CONTROLS = (("zh", 0), ("en", 0), ("zh", 1), ("en", 1), ("zh", 1))


def scripted(seed: int, trials: int) -> list[Probe]:
    """Five probes for each conversation, and five that are trivially easy."""
    probes: list[Probe] = []
    for number in range(-(-trials // len(DEAL[0]))):
        probes += conversation(f"memory.{number + 1:03}", seed, number, _deal(seed, number))
    asked = streaming(probes[:trials], f"memory/{seed}")
    return [*asked, *(_control(at, *of) for at, of in enumerate(CONTROLS, 1))]


def live(seed: int, trials: int) -> list[Probe]:
    """A probe for each question of conversations that are held, by turns from all of them.

    Of every other conversation all replies are streamed.
    """
    classes = [name for deal in DEAL for name in deal]
    conversations = [
        live_conversation.conversation(f"memory.live.{number + 1:03}", seed, number, classes)
        for number in range(-(-trials // len(classes)))
    ]
    by_turns = [probe for together in zip(*conversations, strict=True) for probe in together]
    return streaming(by_turns[:trials], f"memory.live/{seed}")


def unsaid(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, for what was never said."""
    made = [_alone("unsaid", ABSTENTION, seed, number) for number in range(trials)]
    return streaming(made, f"memory.unsaid/{seed}")


def instructed(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, with a standing instruction for its answer."""
    made = [_alone("instructed", "instruction", seed, number) for number in range(trials)]
    return streaming(made, f"memory.instructed/{seed}")


def grown(seed: int, trials: int) -> list[Probe]:
    """Conversations that are asked for what their first turn said, early and at the end."""
    made = [_grown(seed, number) for number in range(trials)]
    return streaming(made, f"memory.grown/{seed}")


def _deal(seed: int, number: int) -> Asked:
    """The classes of a conversation, each with how many turns back its answer is."""
    random = Random(f"memory.deal/{seed}/{number}")
    classes = DEAL[number % len(DEAL)]
    # A conversation has each stratum at most once: each is left out by turns, and a second one
    # where nothing is to be recalled.
    strata = [STRATA[(number + at) % len(STRATA)] for at in (1, 2, 4, 5, 3)]
    random.shuffle(strata)
    return [(name, _distance(random, name, of)) for name, of in zip(classes, strata, strict=True)]


def _distance(random: Random, name: str, stratum: tuple[int, int]) -> int:
    least, most = within(name, stratum)
    return random.randint(least, most)


def _alone(series: str, name: str, seed: int, number: int) -> Probe:
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
    """A fact in the question's own message, or in the one before it."""
    voice = Verbaliser(language, Random(f"memory.control/{at}"))
    told, question, value = opening(voice)
    turns = history(voice, [told.text] * distance)
    last = ask(voice, question) if distance else ask(voice, told.text, question)
    answer = {"answer": Expected(tuple(forms(value)), distance=distance)}
    return Probe(f"memory.control.{at}@v1", [*turns, last], answer, control=True, budget=BUDGET)
