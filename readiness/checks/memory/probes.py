"""Probes of the dimension `memory`: conversations of fifty turns, with questions about them."""

from __future__ import annotations

from collections.abc import Sequence
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
from readiness.forms.apply import in_form, in_forms
from readiness.forms.covering import covering_forms
from readiness.forms.factors import (
    COSTLY,
    TEXT,
    Factor,
    Form,
    FormSpace,
    Language,
    Length,
    Share,
    System,
    Turns,
)
from readiness.probe import Probe

#: The earlier turns are what the checks are about: besides them a tool may have been called, right
#: before the question. Questions are in Chinese and in English, and so is what stands around them.
_AROUND = [Language.NONE, Language.CHINESE, Language.ENGLISH]
FORMS = FormSpace({**TEXT, Factor.TURNS: [Turns.NONE, Turns.TOOL_RESULT], Factor.LANGUAGE: _AROUND})
#: A conversation is also looked for behind a long text, in more of the trials than elsewhere.
RECALL_FORMS = FormSpace(
    FORMS.levels,
    costly={
        **COSTLY,
        (Factor.LENGTH, Length.TOKENS_2K): Share(10, 20),
        (Factor.LENGTH, Length.TOKENS_16K): Share(3, 15),
    },
)
#: What is the same in each of the requests of a conversation.
LIVE_FORMS = FormSpace(
    {
        **{factor: TEXT[factor] for factor in (Factor.REPLY, Factor.TOOLS, Factor.SAMPLING)},
        Factor.SYSTEM: [System.NONE, System.NEUTRAL, System.PERSONA],
        Factor.LIMIT: TEXT[Factor.LIMIT],
        Factor.LANGUAGE: _AROUND,
    }
)

#: The classes of questions of a conversation, in rotation; 25 probes have the intended mix.
CLASSES_BY_CONVERSATION = (
    ("single fact", "update", "reference", "join", "instruction"),
    ("single fact", "update", "reference", "days between", ABSTENTION),
    ("single fact", "update", "reference", "single fact", "join"),
    ("single fact", "update", "reference", "single fact", "next reported"),
    ("single fact", "update", "reference", "single fact", "join"),
)
#: The turn after which a conversation is halved.
HALF = 25
#: The language of a control probe, and the distance of its answer in turns.
CONTROLS = (("zh", 0), ("en", 0), ("zh", 1), ("en", 1), ("zh", 1))


def scripted(seed: int, trials: int) -> list[Probe]:
    """Five probes for each conversation, and five controls, which are trivially easy."""
    probes: list[Probe] = []
    for number in range(-(-trials // len(CLASSES_BY_CONVERSATION[0]))):
        probes += conversation(f"memory.{number + 1:03}", seed, number, _classes(seed, number))
    asked = in_forms(probes[:trials], RECALL_FORMS, f"memory/{seed}", turns_at=-1)
    return [*asked, *(_control(at, *of) for at, of in enumerate(CONTROLS, 1))]


def live(seed: int, trials: int) -> list[Probe]:
    """A probe for each question of live conversations, alternating between them.

    All requests of a conversation have one form.
    """
    classes = [name for deal in CLASSES_BY_CONVERSATION for name in deal]
    conversations = [
        live_conversation.conversation(f"memory.live.{number + 1:03}", seed, number, classes)
        for number in range(-(-trials // len(classes)))
    ]
    key = f"memory.live/{seed}"
    forms_of = covering_forms(LIVE_FORMS, key, [held[0].labels for held in conversations])
    formed = [
        [in_form(probe, form, LIVE_FORMS, Random(f"{key}/{at}")) for probe in held]
        for at, (held, form) in enumerate(zip(conversations, forms_of, strict=True))
    ]
    return [probe for group in zip(*formed, strict=True) for probe in group][:trials]


def unsaid(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, about something never stated."""
    probes = [_single_question("unsaid", ABSTENTION, seed, number) for number in range(trials)]
    return in_forms(probes, FORMS, f"memory.unsaid/{seed}", turns_at=-1)


def instructed(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, with a standing instruction for its answer."""
    probes = [
        _single_question("instructed", "instruction", seed, number) for number in range(trials)
    ]
    return in_forms(probes, FORMS, f"memory.instructed/{seed}", turns_at=-1)


def grown(seed: int, trials: int) -> list[Probe]:
    """Conversations that are asked about their first turn: alone, after each half, after all."""
    key = f"memory.grown/{seed}"
    forms_of = covering_forms(LIVE_FORMS, key, [{}] * trials)
    return [_grown(seed, number, form) for number, form in enumerate(forms_of)]


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


def _grown(seed: int, number: int, form: Form) -> Probe:
    """A conversation; what it `expect`s has its question alone and after each half, in its form."""
    name = f"memory.grown.{number + 1:03}"
    (asked,) = conversation(name, seed, number, [("opening", TURNS - 1)])
    *turns, question = asked.messages
    shorter = [
        replace(asked, messages=[*part, question])
        for part in ([], turns[2 * HALF :], turns[: 2 * HALF])  # The whole begins as the last does.
    ]
    probe, *stages = (in_form(each, form, LIVE_FORMS, Random(name)) for each in (asked, *shorter))
    return _with_stages(probe, [each.plain or each for each in stages], stages)


def _with_stages(probe: Probe, plain: Sequence[Probe], stages: Sequence[Probe]) -> Probe:
    before = [each.messages for each in stages]
    return replace(
        probe,
        expect={**probe.expect, "before": before},
        tokens=sum(map(tokens_of, [*before, probe.messages])),
        plain=_with_stages(probe.plain, plain, plain) if probe.plain else None,
    )


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
