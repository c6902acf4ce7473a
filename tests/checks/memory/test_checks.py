"""Memory: the conversations, the scoring of replies, and the flaws detected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.check import Check, Generator
from readiness.checks.memory import checks, probes
from readiness.checks.memory.conversation import STRATA, conversation
from readiness.checks.memory.conversation_turns import TOPICS, TURNS, ConversationTurns
from readiness.checks.memory.probes import CLASSES_BY_CONVERSATION
from readiness.checks.memory.prompt_wording import LANGUAGES, PROMPTS, DoesNotFit, Verbaliser
from readiness.checks.memory.question_classes import within
from readiness.checks.memory.scoring import Expected, length, score_recall
from readiness.checks.memory.scoring_history import score_history
from readiness.mutants.endpoint.answer import ModelOutput
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory import flaws
from readiness.mutants.memory import flaws_harmless as harmless
from readiness.mutants.memory import flaws_in_answers as in_answers
from readiness.mutants.memory.reader import answer, memory_of
from readiness.probe import Message, Probe
from readiness.reply import Defect, DefectKind, Reply, Timing, ToolCall, Usage
from readiness.resources import prompts
from readiness.score import PASSED, Outcome, Score, failed
from readiness.scoring.values import dates, holds, normalise, numbers
from readiness.statistics.proportions import upper
from tests.reference_in_process import probes_of, scores

CHECKS = [
    checks.recall_at_turn_50,
    checks.history_not_truncated,
    checks.abstention,
    checks.standing_instruction,
]
GENERATORS = [probes.scripted, probes.unsaid, probes.instructed, probes.grown]
SEEDS = st.integers(0, 10**6)
few = settings(max_examples=8, deadline=None)
STALE = Expected(["4827"], ["4821"], ["4927", "2027-03-17", "KD-48213"], distance=7)


def reply(text: str, finish: str = "stop", prompt: int | None = None, **other: object) -> Reply:
    usage = None if prompt is None else Usage(prompt, 5)
    made = Reply(text, text, "", (), "", finish, usage, (), (), {}, Timing(0, 0, 0, 0))
    return Reply(**{**vars(made), **other})


def counted(made: Sequence[Probe]) -> list[Probe]:
    return [probe for probe in made if not probe.control]


def own(made: Sequence[Probe]) -> list[Probe]:
    """The probes as they are without what their form puts around them."""
    return [probe.plain or probe for probe in made]


def said(probe: Probe, role: str = "user") -> list[str]:
    messages = (probe.plain or probe).messages
    return [message["content"] for message in messages if message["role"] == role]


def expected(probe: Probe) -> Expected:
    found = probe.expect["answer"]
    assert isinstance(found, Expected)
    return found


def topics_of(probe: Probe) -> list[str]:
    """The topics of each turn, by its things, remarks and facts."""
    language = only(probe)
    found: list[str] = []
    for text in said(probe)[:-1]:
        about = [name for name in TOPICS if names(text, name, language)]
        found += about or ["server" if "GZ-" in text else ""]
    return found


def names(text: str, topic: str, language: str) -> bool:
    own = PROMPTS["topics"][topic]
    words = [*own[language]["things"], *own[language]["chat"]]
    words += [fact[language] for fact in own["facts"]]
    return any(word.casefold() in text.casefold() for word in words)


def only(probe: Probe) -> str:
    return next(of for of in ("zh", "en") if said(probe)[-1].endswith(PROMPTS["only"][of]))


# The conversations


@few
@given(SEEDS)
def test_the_question_is_in_the_fiftieth_turn(seed: int) -> None:
    made = counted(probes.scripted(seed, 25))
    assert {(len(said(probe)), len(said(probe, "assistant"))) for probe in made} == {(50, 49)}


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize("trials", [1, 5, 23, 60])
def test_a_generator_makes_as_many_different_probes_as_asked(
    generate: Generator, trials: int
) -> None:
    made = counted(list(generate(3, trials)))
    different = {json.dumps(list(probe.messages)) for probe in made}
    assert (len(made), len(different), len({probe.id for probe in made})) == (trials,) * 3


@pytest.mark.parametrize("generate", GENERATORS)
def test_probes_follow_from_the_seed_alone(generate: Generator) -> None:
    assert generate(5, 20) == generate(5, 20)
    first, other = ({said(p)[0] for p in counted(list(generate(s, 20)))} for s in (5, 6))
    assert len(first & other) < len(first)
    assert [p for p in generate(5, 7) if p not in generate(5, 20)] == []


@few
@given(SEEDS)
def test_eight_topics_interleave(seed: int) -> None:
    conversations = {p.cluster: p for p in counted(probes.scripted(seed, 25))}.values()
    topics = [topics_of(probe) for probe in conversations]
    runs = [len(list(run)) for each in topics for topic, run in groupby(each)]
    assert ([len(each) for each in topics], max(runs) <= 3) == ([49] * 5, True)
    assert [set(each) - {""} for each in topics] == [set(TOPICS)] * 5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_hundred_probes_have_the_mix_of_classes_and_at_least_twelve_of_each_distance(
    seed: int,
) -> None:
    made = counted(probes.scripted(seed, 100))
    assert Counter(probe.family for probe in made) == {
        "single fact": 32,
        "update": 20,
        "reference": 20,
        "join": 12,
        "days between": 4,
        "next reported": 4,
        "instruction": 4,
        "abstention": 4,
    }
    back = [expected(probe).distance for probe in made]
    strata = Counter(s for s in STRATA for d in back if d is not None and s[0] <= d <= s[1])
    assert (len(strata), min(strata.values()) >= 12, back.count(None)) == (6, True, 4)
    assert Counter(Counter(probe.cluster for probe in made).values()) == {5: 20}


def test_three_of_five_conversations_are_in_chinese_for_each_class() -> None:
    made = counted(probes.scripted(0, 125))
    chinese = {
        family: [p for p in made if p.family == family] for family in {p.family for p in made}
    }
    shares = {family: sum(only(p) == "zh" for p in of) / len(of) for family, of in chinese.items()}
    assert shares == dict.fromkeys(shares, LANGUAGES.count("zh") / len(LANGUAGES))


@few
@given(SEEDS)
def test_the_distance_is_that_of_the_last_mention_of_the_answer(seed: int) -> None:
    made = [p for p in counted(probes.scripted(seed, 25)) if expected(p).values]
    direct = [p for p in made if p.family in ("single fact", "update", "instruction")]
    mentions = [
        [TURNS - at for at, text in enumerate(said(p)[:-1], 1) if mentions_answer(p, text)]
        for p in direct
    ]
    assert [len(each) for each in mentions] == [1] * len(direct)
    further = [
        (p.family, d, expected(p).distance) for p, (d,) in zip(direct, mentions, strict=True)
    ]
    wrong = [
        of for of in further if of[1] != of[2] and (of[0] != "instruction" or of[1] > (of[2] or 0))
    ]
    assert wrong == []


def mentions_answer(probe: Probe, text: str) -> bool:
    return any(holds(normalise(text), normalise(value)) for value in expected(probe).values)


@few
@given(SEEDS)
def test_the_turns_within_the_distance_suffice_for_the_answer_and_fewer_do_not(seed: int) -> None:
    made = [p for p in own(counted(probes.scripted(seed, 25))) if expected(p).values]
    cut = [p.messages[-1 - 2 * (expected(p).distance or 0) :] for p in made]
    lost = [
        (p.id, score.reason)
        for p, messages in zip(made, cut, strict=True)
        if not (score := read(messages, p)).passed
    ]
    assert lost == []
    unmarked = [p for p in made if p.family not in ("instruction",)]
    short = [p.messages[1 - 2 * (expected(p).distance or 0) :] for p in unmarked]
    found = [p.id for p, messages in zip(unmarked, short, strict=True) if read(messages, p).passed]
    assert found == []


def read(messages: list[Message] | object, probe: Probe) -> Score:
    output = answer({"messages": messages})
    assert output is not None
    return score_recall(reply(output.content or ""), expected(probe))


@few
@given(SEEDS)
def test_no_question_and_no_reply_in_the_history_states_a_value(seed: int) -> None:
    made = counted(probes.scripted(seed, 25))
    values = [[*expected(p).values, *expected(p).stale, *expected(p).others] for p in made]
    texts = [normalise("; ".join([said(p)[-1], *said(p, "assistant")])) for p in made]
    stated = [
        value
        for text, each in zip(texts, values, strict=True)
        for value in each
        if holds(text, normalise(value))
    ]
    assert stated == []


@few
@given(SEEDS)
def test_no_distractor_equals_the_answer(seed: int) -> None:
    made = [expected(p) for p in counted(probes.scripted(seed, 25))]
    forms = [({*map(normalise, e.values)}, {*map(normalise, [*e.stale, *e.others])}) for e in made]
    assert (
        [own & others for own, others in forms if own & others],
        min(len(o) for _, o in forms) > 10,
    ) == ([], True)


def test_a_distractor_is_similar_to_the_answer() -> None:
    made = [p for p in counted(probes.scripted(0, 100)) if p.family == "single fact"]
    near = [
        min(differing(expected(p).values[0], other) for other in expected(p).others) for p in made
    ]
    assert max(near) <= 2


def differing(one: str, other: str) -> int:
    """The Hamming distance of two texts; 99 if their lengths differ."""
    return sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else 99


def test_controls_have_their_answer_in_the_last_two_turns() -> None:
    easy = [probe for probe in probes.scripted(9, 5) if probe.control]
    assert sorted((len(said(p)), expected(p).distance) for p in easy) == [(1, 0)] * 2 + [(2, 1)] * 3


def test_a_growing_conversation_is_asked_about_its_first_turn_after_none_each_half_and_all() -> (
    None
):
    made = probes.grown(0, 5)
    turns = [[(len(stage) + 1) // 2 for stage in p.expect["before"]] for p in made]
    first = [mentions_answer(p, said(p)[0]) for p in made]
    assert (turns, first) == ([[1, 25, 26]] * 5, [True] * 5)


@pytest.mark.parametrize("strata", [STRATA[:2], STRATA[4:]])
def test_any_two_classes_fit_into_one_conversation(strata: Sequence[tuple[int, int]]) -> None:
    classes = {name for deal in CLASSES_BY_CONVERSATION for name in deal}
    pairs = [
        [(one, near), (other, far)]
        for one in classes
        for other in classes
        for near in within(one, strata[0])
        for far in within(other, strata[1])
        if {one, other} != {"next reported"}
    ]
    made = [conversation("memory.any", at, at, pair) for at, pair in enumerate(pairs)]
    assert ({len(each) for each in made}, len(pairs)) == ({2}, 4 * 63)


def test_questions_that_do_not_fit_raise_an_error() -> None:
    with pytest.raises(DoesNotFit, match="has no room for all"):
        conversation("memory.any", 0, 0, [("update", 5), ("single fact", 5)])


def test_no_turn_is_filled_twice_and_none_is_after_the_question() -> None:
    turns = ConversationTurns(Verbaliser("en", Random(1)))
    line = turns.name_line("order", "the oak shelf")
    turns.place_at(7, line)
    with pytest.raises(DoesNotFit):
        turns.place_at(7, line)
    with pytest.raises(DoesNotFit):
        turns.place_at(TURNS, line)
    turns.place_between([line, line], after=6, before=9)
    with pytest.raises(DoesNotFit):
        turns.fill()


# Scoring


@pytest.mark.parametrize(
    "text",
    [
        "4827",
        "分机是４８２７。",
        "四千八百二十七",
        "4,827",
        "不是4821，而是4827",
        "not 4821 but 4827",
        "4827，而不是4821",
        "从4821改成了4827",
        "It was 4821, and now it is 4827.",
        "It was 4827",
        "原来是4821，现在是4827",
        "4821，后来更正为4827",
        "4827 (previously 4821)",
        "4821ではなく4827",
        "4827，没错，没有其他记录",
        "4千8百27",
        "4 827",
    ],
)
def test_the_answer_passes_in_any_form_and_with_negated_values(text: str) -> None:
    assert score_recall(reply(text), STALE) == PASSED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4821", "stale"),
        ("不是4827，而是4821", "stale"),
        ("4927", "swap"),
        ("3月17日", "miss"),
        ("2027年3月17日", "swap"),
        ("4828", "miss"),
        ("48270", "miss"),
        ("不是4827", "miss"),
        ("it isn't 4827", "miss"),
        ("4827 is wrong", "miss"),
        ("-4827", "miss"),
        ("负4827", "miss"),
        ("4827%", "miss"),
        ("4827万", "miss"),
        ("14827", "miss"),
        ("48.27", "miss"),
        ("KD-4827", "miss"),
        ("I don't know", "false abstention"),
        ("不清楚", "false abstention"),
        ("您还没告诉我这个", "false abstention"),
        ("没有提到", "false abstention"),
        ("It was not mentioned.", "false abstention"),
        ("4827, 4821", "stale: besides the answer"),
        ("4827 or 4927", "swap: besides the answer"),
        ("was 4927, now 4827", "swap: besides the answer"),
        ("4827，或者没有提到", "format: an answer and none"),
        ("4827 or 5000", "format: the answer as alternative"),
        ("5000，或者4827", "format: the answer as alternative"),
    ],
)
def test_a_wrong_answer_is_classified(text: str, reason: str) -> None:
    between = ", " if ":" in reason else ": "
    wanted = f"{reason}{between}expected '4827' 7 turns back, got {text!r}"
    assert score_recall(reply(text), STALE) == failed(wanted)


@pytest.mark.parametrize(
    ("given_reply", "score"),
    [
        (reply(" "), failed("format: no text")),
        (reply("4827", defects=(Defect(DefectKind.NO_DONE, "no [DONE]"),)), failed("no [DONE]")),
        (
            reply("", tool_calls=(ToolCall("1", "function", "find", "{}"),)),
            failed("format: a call of 'find'"),
        ),
        (
            reply("48", finish="content_filter"),
            Score(Outcome.BLOCKED, "blocked by a filter: '48'"),
        ),
    ],
)
def test_an_unusable_reply_is_not_scored_as_an_answer(given_reply: Reply, score: Score) -> None:
    assert score_recall(given_reply, STALE) == score


@pytest.mark.parametrize(
    "text",
    [
        "没有提到",
        "沒有提到",
        "没提过。",
        "您还没告诉我这个",
        "这50轮里没有提到",
        "没有提到，不是4821",
        "Not mentioned",
        "You didn't mention it.",
        "You haven't told me",
        "No me lo ha dicho.",
        "まだ聞いていません",
    ],
)
def test_any_abstention_passes_if_nothing_was_stated(text: str) -> None:
    assert score_recall(reply(text), Expected([], others=["4821"])) == PASSED


@pytest.mark.parametrize(
    "text",
    [
        "4821",
        "7",
        "没有提到，也许是4821",
        "Room 12",
        "没有提到，大概是5000元",
        "You never said; probably 20 March.",
        "未提及，按惯例五千",
    ],
)
def test_where_nothing_was_said_a_value_is_hallucinated(text: str) -> None:
    wanted = f"hallucinated: expected no value, got {text!r}"
    assert score_recall(reply(text), Expected([], others=["4821"])) == failed(wanted)


@pytest.mark.parametrize("text", ["不清楚", "不知道。", "I don't know", "N/A", "unknown", "好的"])
def test_where_nothing_was_said_no_other_words_say_so(text: str) -> None:
    wanted = f"format: no word that it was never said, expected no value, got {text!r}"
    assert score_recall(reply(text), Expected([], others=["4821"])) == failed(wanted)


@given(
    st.integers(1000, 9999), st.sampled_from(["{}", "大约{}", "{}元", "It is {}.", "是{}，没错"])
)
def test_a_number_is_recalled_in_any_sentence_and_no_other_is(number: int, form: str) -> None:
    texts = [
        form.format(each) for each in (number, f"{number:,}", -number, 10 * number, number + 1)
    ]
    passed = [score_recall(reply(text), Expected([str(number)])).passed for text in texts]
    assert passed == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("text", "passed"),
    [("EUR 4,827", True), ("4827 eur", True), ("4827 euros", False), ("€4827", False)],
)
def test_an_instruction_must_be_followed_verbatim(text: str, passed: bool) -> None:
    assert score_recall(reply(text), Expected(["4827"], marks=["EUR"])).passed is passed


@few
@given(SEEDS)
def test_a_reply_that_lists_every_number_it_saw_scores_zero(seed: int) -> None:
    made = counted(probes.scripted(seed, 25))
    texts = ["\n".join(said(probe)[:-1]) for probe in made]
    lists = [" ".join([*numbers(text), *dates(text)]) for text in texts]
    passed = [
        p.id
        for p, text in zip(made, lists, strict=True)
        if score_recall(reply(text), expected(p)).passed
    ]
    passed += [
        p.id
        for p, text in zip(made, texts, strict=True)
        if score_recall(reply(text), expected(p)).passed
    ]
    assert passed == []


# Whether a conversation arrives complete

_LOST = "the first turn is not recalled"
_COUNTED = "prompt_tokens are [60, 560, 540, {}] for texts of [100, 1900, 1800, 3600] characters"
_TRUNCATED = f"truncated history: {_COUNTED}"


@pytest.mark.parametrize(
    ("counts", "recalled", "score"),
    [
        ([60, 560, 540, 1040], True, PASSED),
        ([60, 560, 540, 1040], False, PASSED),
        ([5060, 5560, 5540, 6040], False, PASSED),
        # Where two texts are joined, a few tokens more or fewer.
        ([60, 560, 540, 1075], False, PASSED),
        ([60, 560, 540, 1005], False, PASSED),
        ([None, None, None, None], True, PASSED),
        ([60, 560, 540, 1004], False, failed(f"{_TRUNCATED.format(1004)}, and {_LOST}")),
        # Turns that a half has lost already.
        ([60, 560, 540, 1076], False, failed(f"{_TRUNCATED.format(1076)}, and {_LOST}")),
        (
            [60, 560, 540, 1300],
            True,
            Score(
                Outcome.UNDETERMINED,
                f"{_COUNTED.format(1300)}, though {_LOST.replace(' not', '')}",
            ),
        ),
        # The same of every prompt adds up, and counts nothing.
        (
            [40, 40, 40, 40],
            True,
            Score(
                Outcome.UNDETERMINED,
                "prompt_tokens are [40, 40, 40, 40] for texts of [100, 1900, 1800, 3600] "
                "characters, though the first turn is recalled",
            ),
        ),
        (
            [None, None, None, None],
            False,
            failed(
                "truncated history: the first turn is not recalled, and no usage shows "
                "how much of the prompt arrived, got 'X'"
            ),
        ),
    ],
)
def test_a_history_is_complete_if_its_tokens_grow_with_it(
    counts: list[int | None], recalled: bool, score: Score
) -> None:
    replies = [reply("X", prompt=each) for each in counts]
    assert score_history(replies, [100, 1900, 1800, 3600], recalled) == score


@few
@given(SEEDS)
def test_two_halves_of_a_conversation_are_as_long_as_all_of_it(seed: int) -> None:
    lengths = [
        [length(messages) for messages in [*probe.expect["before"], probe.messages]]
        for probe in probes.grown(seed, 5)
    ]
    wrong = [of for of in lengths if of[1] + of[2] != of[0] + of[3] or min(of[1:3]) < 4 * of[0]]
    assert (wrong, len(lengths)) == ([], 5)


# The reference endpoint and its mutants


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_reference_passes_every_probe(check: Check, seed: int) -> None:
    tried = scores(check, check.probes(seed, check.trials))
    assert [score for score in tried if not score.passed] == []


@pytest.mark.parametrize("flaw", flaws.GENERAL_FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_check_significantly(flaw: Flaw) -> None:
    check = next(check for check in CHECKS if check.id == flaw.check)
    tried = scores(check, counted(probes_of(check, 4, check.trials)), flaw)
    passed = sum(score.passed for score in tried)
    # As in the verdict: the design effect counts five probes of a conversation as three and a half.
    assert upper(passed / 1.4, len(tried) / 1.4, 0.05) < min(check.required, 0.92)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("memory_last_ten", "false abstention"),
        ("memory_early_lost", "false abstention"),
        ("memory_no_updates", "stale"),
        ("memory_swapped", "swap"),
        ("memory_amnesia", "false abstention"),
        ("memory_wrong_reference", "swap"),
        ("memory_wrong_digit", "miss"),
        ("memory_all_values", "swap"),
        ("memory_canned", "miss"),
        ("memory_truncated", "truncated history"),
        ("memory_invents", "hallucinated"),
        ("memory_no_instruction", "format"),
    ],
)
def test_the_reason_names_the_flaw(name: str, word: str) -> None:
    flaw = next(flaw for flaw in flaws.GENERAL_FLAWS if flaw.name == name)
    check = next(check for check in CHECKS if check.id == flaw.check)
    tried = scores(check, counted(probes_of(check, 4, 25)), flaw)
    reasons = Counter(s.reason.partition(":")[0] for s in tried if not s.passed)
    assert reasons.most_common(1)[0][0] == word


@pytest.mark.parametrize("flaw", harmless.FLAWS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_harmless_variant_passes_every_probe(flaw: Flaw, check: Check) -> None:
    tried = scores(check, probes_of(check, 4, min(check.trials, 50)), flaw)
    assert [score for score in tried if not score.passed] == []


@pytest.mark.parametrize("flaw", harmless.FLAWS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_changes_how_answers_are_written(flaw: Flaw) -> None:
    requests = [{"messages": probe.messages} for probe in probes.scripted(4, 50)]
    right = [answer(request) or ModelOutput("") for request in requests]
    changed = [
        flaw.change_output(each, to, 0) != to for each, to in zip(requests, right, strict=True)
    ]
    assert sum(changed) >= 5


@pytest.mark.parametrize("flaw", in_answers.FLAWS, ids=lambda flaw: flaw.name)
def test_an_answer_in_which_the_value_means_another_fails_and_an_odd_right_one_passes(
    flaw: Flaw,
) -> None:
    made = probes.unsaid(4, 5) if flaw.check.endswith("abstention") else probes.scripted(4, 50)
    passed = []
    for probe in made:
        request = {"messages": probe.messages}
        right = answer(request) or ModelOutput("")
        changed = flaw.change_output(request, right, 0)
        score = score_recall(reply(changed.content or ""), expected(probe))
        passed += [score.passed] if changed != right else []
    assert (len(passed) >= 1, {*passed}) == (True, {flaw.harmless})


@pytest.mark.parametrize(
    "flaw", [*flaws.GENERAL_FLAWS, *harmless.FLAWS, *in_answers.FLAWS], ids=lambda flaw: flaw.name
)
def test_no_flaw_changes_other_conversations(flaw: Flaw) -> None:
    turn = {"role": "user", "content": "The order number of the oak shelf is KD-48213."}
    request = {"messages": [turn, {"role": "user", "content": "What is its order number?"}]}
    body = {"usage": {"prompt_tokens": 9000, "completion_tokens": 1, "total_tokens": 9001}}
    assert flaw.change_output(request, ModelOutput("KD-48213"), 3) == ModelOutput("KD-48213")
    assert (flaw.change_body(request, body), flaw.intercept(request, 3)) == (body, None)


# The reader


def asked(question: str, *told: str) -> str:
    turns = [{"role": "user", "content": each} for each in told]
    last = {"role": "user", "content": f"{question} {prompts('memory.yaml')['only']['en']}"}
    found = answer({"messages": [*turns, last]})
    assert found is not None
    return found.content or ""


def test_the_reader_recalls_the_old_value_if_the_update_is_missing() -> None:
    stated = "The order number of the oak shelf is KD-48213."
    updated = "Correction: the order number of the oak shelf is now KD-48219."
    question = "What is the order number of the oak shelf?"
    assert [asked(question, stated, updated), asked(question, stated), asked(question)] == [
        "KD-48219",
        "KD-48213",
        "not mentioned",
    ]


def test_the_reader_resolves_a_pronoun_to_the_thing_named_last() -> None:
    told = ["Let us turn to the oak shelf.", "Let us turn to the pine shelf."]
    it = "Its order number is KD-48213."
    pine, oak = (f"What is the order number of the {each} shelf?" for each in ("pine", "oak"))
    assert [asked(pine, *told, it), asked(oak, *told, it), asked(pine, it)] == [
        "KD-48213",
        "not mentioned",
        "not mentioned",
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("topic", TOPICS)
def test_the_reader_parses_every_template_of_a_fact(language: str, topic: str) -> None:
    verbaliser = Verbaliser(language, Random(1))
    thing, *_ = verbaliser.things(topic)
    told = [
        (fact.what, verbaliser.written(fact, verbaliser.value(fact)), way)
        for fact in verbaliser.facts(topic)
        for name in ("tell", "change")
        for way in PROMPTS[name][language]
    ]
    texts = [way.format(thing=thing, what=what, value=value) for what, value, way in told]
    read = [memory_of([{"role": "user", "content": text}], language).facts for text in texts]
    due = [{(thing.casefold(), what.casefold()): [value]} for what, value, _ in told]
    assert (read, len(read)) == (due, 3 * 7)


def test_remarks_and_instructions_contain_no_fact_and_no_number() -> None:
    texts = [
        (of, text)
        for of in ("zh", "en")
        for topic in PROMPTS["topics"].values()
        for text in [*topic[of]["chat"], *PROMPTS["acknowledgements"][of]]
    ]
    texts += [(of, each[of]) for each in PROMPTS["instructions"] for of in ("zh", "en")]
    read = [memory_of([{"role": "user", "content": text}], of).facts for of, text in texts]
    digits = [text for _, text in texts if any(letter.isdigit() for letter in text)]
    assert ([each for each in read if each], digits) == ([], [])
