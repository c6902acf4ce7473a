"""Live conversations: their turns, the effect of errors, and the flaws detected."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.chat import Chat
from readiness.checks.memory import checks, probes
from readiness.checks.memory.checks import live_conversation_recall
from readiness.checks.memory.conversation import STRATA
from readiness.checks.memory.conversation_turns import TOPICS, TURNS
from readiness.checks.memory.live_conversation import Conversation
from readiness.checks.memory.prompt_wording import PROMPTS
from readiness.checks.memory.scoring import Expected, score_recall
from readiness.context import Context
from readiness.exchange import Call, Exchange, Send
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory import flaws
from readiness.mutants.memory import flaws_harmless as harmless
from readiness.mutants.memory.reader import answer
from readiness.probe import Probe
from readiness.protocol.dialect import Dialect
from readiness.score import EndpointError, Outcome, Score
from readiness.statistics.proportions import upper
from tests.reference_in_process import probes_of, reference, reply, scores

SEEDS = st.integers(0, 10**6)
few = settings(max_examples=5, deadline=None)
QUESTIONS = 25

Change = Callable[[int, Exchange], Exchange]


def held(probe: Probe) -> Conversation:
    found = probe.expect["conversation"]
    assert isinstance(found, Conversation)
    return found


def expected(probe: Probe) -> Expected:
    found = probe.expect["answer"]
    assert isinstance(found, Expected)
    return found


def asks(text: str) -> bool:
    return any(text.endswith(only) for only in PROMPTS["only"].values())


class RecordingEndpoint:
    """The reference endpoint; it records requests; `change` may alter each response."""

    def __init__(self, change: Change = lambda _number, exchange: exchange) -> None:
        self._change = change
        self._send = reference()
        self.calls: list[Call] = []

    async def send(self, call: Call) -> Exchange:
        number = len(self.calls)
        self.calls.append(Call(json.loads(json.dumps(call.body))))
        return replace(self._change(number, await self._send(call)), seq=number)


def tried(made: list[Probe], send: Send) -> list[tuple[Score, list[int]]]:
    """The score and exchanges of each probe, in one run."""
    context = Context()

    async def attempt(probe: Probe) -> tuple[Score, list[int]]:
        chat = Chat(send, Dialect(MODEL), context)
        try:
            return await live_conversation_recall.attempt(chat, probe), chat.exchanges
        except EndpointError as error:
            return error.score, chat.exchanges

    async def attempts() -> list[tuple[Score, list[int]]]:
        return [await attempt(probe) for probe in made]

    return asyncio.run(attempts())


def fails(*numbers: int) -> Change:
    return lambda number, exchange: (
        replace(exchange, status=502, body=b"bad gateway") if number in numbers else exchange
    )


# The conversations


@few
@given(SEEDS)
def test_half_of_the_fifty_turns_ask_and_the_last_is_one_of_them(seed: int) -> None:
    made = probes.live(seed, 2 * QUESTIONS)
    conversations = {held(probe) for probe in made}
    assert [len(each.turns) for each in conversations] == [TURNS] * 2
    asking = [tuple(n for n, text in enumerate(c.turns, 1) if asks(text)) for c in conversations]
    assert asking == [each.asking for each in conversations]
    assert {(len(each), each[-1]) for each in asking} == {(QUESTIONS, TURNS)}


@few
@given(SEEDS)
def test_all_topics_occur_and_no_fact_is_asked_for_twice(seed: int) -> None:
    made = probes.live(seed, QUESTIONS)
    text = "\n".join(held(made[0]).turns).casefold()
    topics = [PROMPTS["topics"][topic] for topic in TOPICS]
    things = [[*topic["zh"]["things"], *topic["en"]["things"]] for topic in topics]
    assert [any(each.casefold() in text for each in of) for of in things] == [True] * len(TOPICS)
    answers = [expected(probe).values[0] for probe in made if expected(probe).values]
    assert len(set(answers)) == len(answers)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_hundred_questions_have_the_mix_and_at_least_twelve_of_each_distance(seed: int) -> None:
    made = probes.live(seed, 200)
    assert Counter(probe.family for probe in made) == {
        "single fact": 64,
        "update": 40,
        "reference": 40,
        "join": 24,
        "days between": 8,
        "next reported": 8,
        "instruction": 8,
        "abstention": 8,
    }
    labels = Counter(probe.labels.get("distance", "never") for probe in made)
    assert set(labels) == {"never", *(f"{least}-{most}" for least, most in STRATA)}
    assert (labels["never"], min(labels.values())) == (8, 8)
    assert sorted(labels.values())[1] >= 12
    assert {probe.labels["mode"] for probe in made} == {"live"}


@pytest.mark.parametrize("trials", [1, 10, 25, 60])
def test_questions_alternate_between_conversations(trials: int) -> None:
    made = probes.live(0, trials)
    clusters = Counter(probe.cluster for probe in made)
    conversations = -(-trials // QUESTIONS)
    assert (len(made), len({probe.id for probe in made})) == (trials, trials)
    assert (len(clusters), max(clusters.values()) - min(clusters.values()) <= 1) == (
        conversations,
        True,
    )


@few
@given(SEEDS)
def test_the_turns_within_the_distance_suffice_for_the_answer_and_fewer_do_not(seed: int) -> None:
    made = [probe for probe in probes.live(seed, QUESTIONS) if expected(probe).values]
    lost, known = [], []
    for probe in made:
        turn, back = probe.expect["turn"], expected(probe).distance or 0
        enough, less = (
            [{"role": "user", "content": text} for text in held(probe).turns[start:turn]]
            for start in (turn - 1 - back, turn - back)
        )
        lost += [probe.id for _ in [0] if not known_from(enough, probe)]
        known += [probe.id for _ in [0] if known_from(less, probe)]
    assert (lost, [each for each in known if family(made, each) != "instruction"]) == ([], [])


def known_from(messages: list[dict[str, str]], probe: Probe) -> bool:
    output = answer({"messages": messages})
    assert output is not None
    return score_recall(reply(output.content or ""), expected(probe)).passed


def family(made: list[Probe], name: str) -> str:
    return next(probe.family for probe in made if probe.id == name)


# The live conversation


def test_a_conversation_runs_once_and_each_question_is_its_own_trial() -> None:
    endpoint, made = RecordingEndpoint(), probes.live(0, QUESTIONS)
    found = tried(made, endpoint.send)
    assert [score for score, _ in found if not score.passed] == []
    assert len(endpoint.calls) == TURNS
    turns = [exchanges[-1] + 1 for _, exchanges in found]
    assert turns == [probe.expect["turn"] for probe in made]
    assert sorted(seq for _, exchanges in found for seq in exchanges) == list(range(TURNS))


@pytest.mark.parametrize("streamed", [True, False])
def test_the_endpoints_replies_are_sent_back_without_reasoning(streamed: bool) -> None:
    def thinks(number: int, exchange: Exchange) -> Exchange:
        first = exchange.body.partition(b"\n\n")[0].removeprefix(b"data: ")
        (choice,) = (body := json.loads(first))["choices"]
        said = {"content": f"<think>{number}</think>said {number}", "reasoning": "why"}
        choice |= {"finish_reason": "stop"}
        choice["delta" if streamed else "message"] |= said
        frames = b"data: %b\n\ndata: [DONE]\n\n" if streamed else b"%b"
        return replace(exchange, body=frames % json.dumps(body).encode())

    endpoint, (probe,) = RecordingEndpoint(thinks), probes.live(0, 1)
    tried([replace(probe, parameters={"stream": streamed})], endpoint.send)
    last = endpoint.calls[-1].body["messages"]
    assert [each["content"] for each in last[1::2]] == [f"said {n}" for n in range(TURNS - 1)]
    assert {tuple(each) for each in last} == {("role", "content")}


@pytest.mark.parametrize("number", [0, 20, TURNS - 1])
def test_an_error_fails_the_next_question_and_no_other(number: int) -> None:
    """The turn is repeated, as a user would; the next question fails all the same."""
    endpoint, made = RecordingEndpoint(fails(number)), probes.live(0, QUESTIONS)
    found = tried(made, endpoint.send)
    wrong = [
        (probe.expect["turn"], score, number in exchanges)
        for probe, (score, exchanges) in zip(made, found, strict=True)
        if not score.passed
    ]
    due = min(turn for turn in held(made[0]).asking if turn > number)
    error = Score(Outcome.ENDPOINT_ERROR, "HTTP 502: 'bad gateway'")
    assert (wrong, len(endpoint.calls)) == ([(due, error, True)], TURNS + 1)


def test_two_errors_in_a_row_end_the_conversation_and_fail_the_remaining_questions() -> None:
    endpoint, made = RecordingEndpoint(fails(20, 21)), probes.live(0, QUESTIONS)
    found = tried(made, endpoint.send)
    failed = {
        probe.expect["turn"]
        for probe, (score, _) in zip(made, found, strict=True)
        if score.outcome is Outcome.ENDPOINT_ERROR
    }
    assert (failed, len(endpoint.calls)) == ({t for t in held(made[0]).asking if t > 20}, 22)
    assert [score for score, _ in found if score.outcome is Outcome.FAIL] == []


def test_a_request_that_was_never_sent_is_not_repeated() -> None:
    calls = []

    async def send(call: Call) -> Exchange:
        calls.append(call)
        raise EndpointError("the budget of 0 requests is spent", Outcome.SKIPPED)

    found = tried(probes.live(0, QUESTIONS), send)
    assert ({score.outcome for score, _ in found}, len(calls)) == ({Outcome.SKIPPED}, 1)


# The reference endpoint and its mutants


def live(flaw: Flaw = FLAWLESS, trials: int = 2 * QUESTIONS) -> list[Score]:
    return [score for score, _ in tried(probes.live(4, trials), reference(flaw))]


def test_the_reference_passes_every_question() -> None:
    assert [score for score in live() if not score.passed] == []


@pytest.mark.parametrize(
    "flaw", [flaw for flaw in flaws.LIVE_FLAWS if flaw.check], ids=lambda flaw: flaw.name
)
def test_a_flaw_of_live_conversations_fails_their_check_alone(flaw: Flaw) -> None:
    passed = sum(score.passed for score in live(flaw))
    # As in the verdict: the design effect counts 25 probes of a conversation as seven.
    assert upper(passed / 3.4, 2 * QUESTIONS / 3.4, 0.05) < live_conversation_recall.required
    others = [
        checks.recall_at_turn_50,
        checks.history_not_truncated,
        checks.abstention,
        checks.standing_instruction,
    ]
    found = [score for each in others for score in scores(each, probes_of(each, 4, 10), flaw)]
    assert [score for score in found if not score.passed] == []


@pytest.mark.parametrize(
    "flaw", [*harmless.FLAWS, flaws.LIVE_FLAWS[-1]], ids=lambda flaw: flaw.name
)
def test_a_harmless_variant_passes_every_question(flaw: Flaw) -> None:
    assert flaw.harmless
    assert [score for score in live(flaw, QUESTIONS) if not score.passed] == []


@pytest.mark.parametrize("name", ["memory_last_ten", "memory_swapped", "memory_no_updates"])
def test_a_flaw_of_scripted_conversations_shows_in_live_ones_too(name: str) -> None:
    flaw = next(flaw for flaw in flaws.GENERAL_FLAWS if flaw.name == name)
    assert sum(not score.passed for score in live(flaw)) >= 8
