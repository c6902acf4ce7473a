"""Spanish: the prompts, who answers them right, and who falls by them."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.check import Check
from readiness.checks.spanish import checks, probes
from readiness.checks.spanish.scoring import Order, Talk, as_right, does
from readiness.checks.spanish.scoring_answers import Answer, Kind
from readiness.mutants.endpoint.answer import ModelOutput as Said
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish import flaws as broken
from readiness.mutants.spanish import flaws_harmless as harmless
from readiness.mutants.spanish import flaws_in_answers as in_answers
from readiness.mutants.spanish import flaws_in_prose as in_prose
from readiness.mutants.spanish import flaws_in_types as in_types
from readiness.mutants.spanish.reader import answer
from readiness.probe import Probe
from readiness.reply import Defect, DefectKind
from readiness.score import PASSED, Outcome
from readiness.scoring.language import foreign
from readiness.verdict.claim import Verdict
from tests.reference_in_process import probes_of, scores
from tests.replies import reply, verdict

CHECKS = [checks.zero_shot_tasks, checks.reply_in_spanish, checks.parity_with_english]
#: What the policy lets each fall short by.
MARGINS = {CHECKS[0].id: 0.05, CHECKS[1].id: 0.10, CHECKS[2].id: 0.15}
SEEDS = st.integers(0, 10**6)
TALK = Talk("el ajedrez")
FINE = (
    "El ajedrez enseña a pensar con calma antes de mover una pieza. Además, reúne a personas de "
    "todas las edades alrededor de un tablero y les da motivos para conversar sin prisa. Quien lo "
    "practica aprende también a perder con elegancia y a volver a intentarlo con ganas al día "
    "siguiente."
)


def said(probe: Probe) -> str:
    return text_of(probe.messages[-1])


# The prompts


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("trials", [1, 10, 60, 300])
def test_as_many_different_prompts_as_asked_come_from_the_seed_alone(
    check: Check, trials: int
) -> None:
    made, again = check.probes(7, trials), check.probes(7, trials)
    counted = [probe for probe in made if not probe.control]
    assert len({said(p) for p in counted}) == len({p.id for p in counted}) == trials
    assert (made, check.probes(8, trials)[-1] == made[-1]) == (again, False)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_fewer_trials_are_the_first_of_many(check: Check) -> None:
    assert check.probes(7, 40)[:17] == check.probes(7, 17)[:17]


def test_of_a_hundred_prompts_forty_have_one_answer_forty_a_rule_and_twenty_are_open() -> None:
    made = [probe for probe in probes.asked(0, 100) if not probe.control]
    rules = [probe.expect["wanted"].rule for probe in made if probe.family == "order"]
    assert Counter(probe.family for probe in made) == {"answer": 40, "order": 40, "talk": 20}
    assert {*Counter(rules).values()} == {2}


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_prompt_is_one_message_of_a_user_in_spanish(seed: int) -> None:
    made = [probe for probe in probes.asked(seed, 60) if not probe.control]
    assert {(len(p.messages), p.messages[0]["role"]) for p in made} == {(1, "user")}
    # A list of words and the name of a code are in no language.
    texts = [re.sub(r"«[^»]*»|: [^.]*\.|[A-Z]\w+|\{", "", said(probe)) for probe in made]
    assert [text for text in texts if foreign(text, "es")] == []
    assert [said(probe) for probe in made if re.search(r"[{}]|  ", said(probe))] == []


def test_controls_are_in_english_and_their_answers_in_no_language() -> None:
    controls = [probe for probe in probes.asked(0, 5) if probe.control]
    answers = [probe.expect["wanted"].value for probe in controls]
    assert answers == ["9", "71", "7", "KX-4821", "3052"]


def test_a_pair_asks_the_same_in_both_languages() -> None:
    made = probes.paired(3, 20)
    assert Counter(probe.family for probe in made) == dict.fromkeys(probes.PAIRED, 5)
    english = [p.expect["english"]["messages"][0]["content"] for p in made]
    numbers = [
        [sorted(re.findall(r"\d+", text)) for text in texts] for texts in (map(said, made), english)
    ]
    assert numbers[0] == numbers[1]


# The reference


@settings(max_examples=6, deadline=None)
@given(SEEDS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_reference_passes_every_prompt_of_any_seed(check: Check, seed: int) -> None:
    tried = scores(check, check.probes(seed, 60))
    assert [score.reason for score in tried if not score.passed] == []


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(20))
def test_the_reference_passes_the_prompts_of_a_nightly_run(seed: int) -> None:
    tried = [score for check in CHECKS for score in scores(check, check.probes(seed, 300)[:305])]
    assert [score.reason for score in tried if not score.passed] == []


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(probes.asked(1, 60)), st.integers(0, 300), st.integers(1, 900))
def test_a_prompt_that_was_cut_has_some_answer_or_none(probe: Probe, start: int, cut: int) -> None:
    text = said(probe)[:start] + said(probe)[start + cut :]
    found = answer({"messages": [{"role": "user", "content": text}]})
    assert found is None or bool(found.content)


# Replies


def test_an_open_question_takes_any_text_in_spanish() -> None:
    assert does(reply(FINE), TALK) == PASSED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sí, claro.", "2 words, not 25 or more"),
        ("El ajedrez es un juego. " * 8, "the same 4 words again and again"),
        (FINE.replace("Además", "Además además"), "a word twice in a row: 'Además además'"),
        (FINE.replace("pieza.", "pieza pieza."), "a word twice in a row: 'pieza pieza'"),
        (FINE.upper().replace("SIN PRISA", "SIN SIN PRISA"), "a word twice in a row: 'SIN SIN'"),
        (f"{FINE} {FINE} {FINE}", "one sentence 3 times"),
        (f"{FINE}{' Así se aprende poco a poco.' * 3}", "one sentence 3 times"),
        (FINE.replace("calma", "冷静"), "letters that are not Spanish: '冷静'"),
        (f"{FINE} I hope that this was helpful for you.", "not Spanish: 'I hope that"),
        (f"Aqui está a resposta que você pediu.\n{FINE}", "not Spanish: 'Aqui está a"),
        (FINE.translate(str.maketrans("áéíóúñ", "aeioun")), "words without one accent"),
        (FINE.replace("ñ", "\ufffd"), "letters that are not Spanish: '\ufffd'"),
        (FINE.replace("pieza. ", "pieza。"), "letters that are not Spanish: '。'"),
        (FINE.replace("pieza. ", "pieza."), "words without a space between them: 'eza.Ad'"),
        (FINE.replace("ás, r", "ás,r"), "words without a space between them: 's,r'"),
        (FINE[1:], "it begins in the middle of a word or sentence: 'l ajedrez"),
        (FINE.removesuffix(" siguiente."), "it ends in the middle of a sentence: "),
        (f"{FINE} Y así, poco a poco,", "it ends in the middle of a sentence: "),
        (f"{FINE} Y usted, qué opina?", "'?' without '¿'"),
        (f"{FINE} El vehí**** espera.", "letters are masked: 'vehí****'"),
        (f"{FINE} La com****dora espera.", "letters are masked: 'com****dora'"),
        (f"{FINE} La com***dora espera.", "letters are masked: 'com***dora'"),
        (f"{FINE.replace('enseña', 'ayuda')} Así es cada manana.", "n in place of ñ: 'manana'"),
        ("\n", "format: no text"),
    ],
)
def test_and_no_other(text: str, reason: str) -> None:
    score = does(reply(text), TALK)
    assert (score.outcome, reason in score.reason) == (Outcome.FAIL, True)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("con calma", "muy muy despacio"),
        ("con calma", "poco a poco, poco a poco, paso a paso"),
        ("El ajedrez", "Se dice bla bla bla, y el ajedrez"),
        ("El ajedrez", "En 2024 2024 personas lo vieron: el ajedrez"),
        ("El ajedrez", "En Bora Bora y en Baden-Baden el ajedrez"),
        ("sin prisa", "sobre lo que cabe en un sobre sobre la mesa"),
        ("siguiente.", "siguiente. ¡Ánimo! ¡Ánimo! ¡Ánimo!"),
        ("siguiente.", "siguiente. Así se aprende siempre. Así se aprende siempre."),
        ("siguiente.", "siguiente.\n\n## Ventajas\n\nVentajas hay muchas."),
        ("con calma", "***con calma***"),
        ("con calma", "**con ****calma**"),
        ("siguiente.", "siguiente.\n\n* ****Ventajas** hay muchas.\n\n1. **Otras más****"),
        ("con calma", "con calma, y en italiano se dice «senor» o «carino»,"),
        ("siguiente.", "siguiente.\n\n****\n\nHay más en www.montana.es/manana."),
    ],
)
def test_what_people_say_twice_is_no_defect(said: str, instead: str) -> None:
    assert does(reply(FINE.replace(said, instead)), TALK) == PASSED


@pytest.mark.parametrize("last", ["#manana", "ajedrez-espana", "ajedrez.espana", "espana.es"])
def test_names_of_pages_have_no_letter_of_spain(last: str) -> None:
    assert does(reply(f"{FINE.replace('enseña', 'ayuda')}\n\n{last}"), TALK) == PASSED


@pytest.mark.parametrize(
    "last",
    [
        " ¿Y usted, qué opina? ¡Adelante!",
        "\n\nUn saludo cordial",
        "\n\n- Pensar con calma antes de mover\n- Aprender a perder con elegancia",
        "\n\n**Y así se aprende poco a poco**",
        " 🙂",
        " Adelante!",
        " Y aún queda mucho por aprender;",
        " Hay más en www.ejemplo.es/a,b?c y en `mover(a,b)`.",
        " Lo dice la Dra. Núñez, de EE.UU. y del S.E.K.",
    ],
)
def test_a_text_may_end_in_many_ways(last: str) -> None:
    assert does(reply(f"{FINE}{last}"), TALK) == PASSED


def test_a_word_that_has_to_come_often_may_come_in_one_sentence() -> None:
    order = Order("ajedrez", "repeats", {"word": "tablero", "times": 3})
    again = "El tablero de siempre nos espera."
    assert does(reply(f"{FINE} {again} {again} {again}"), order).passed


def test_an_order_needs_its_word_its_rule_and_spanish() -> None:
    order = Order("ajedrez", "sentences", {"n": 3})
    assert does(reply(FINE), order).passed
    reasons = [
        does(reply(text), order).reason
        for text in (
            FINE.replace("ajedrez", "juego"),
            FINE.replace(". Además", ", y además"),
            "Chess, or ajedrez, teaches patience. It brings people together. It is fun for all.",
        )
    ]
    assert [reason.partition(",")[0] for reason in reasons] == [
        "the word 'ajedrez' is missing",
        "sentences: 2 sentences",
        "not Spanish: 'It brings people together.'",
    ]


def test_what_is_kept_but_for_a_line_of_talk_is_measured_and_fails() -> None:
    order = Order("ajedrez", "sentences", {"n": 3})
    score = does(reply(f"¡Claro que sí!\n{FINE}"), order)
    assert (score.passed, [(m.name, m.value) for m in score.measures]) == (
        False,
        [("obeyed loosely", 1.0)],
    )


def test_the_words_of_a_right_answer_are_right_in_whichever_languages_they_are_words() -> None:
    """All five are Portuguese too, to one who counts letters."""
    words = "gorro, jirafa, paloma, sol, uva"
    assert does(reply(words), Answer(words, Kind.LIST)) == PASSED
    preamble = "These are the words in the order of the alphabet:"
    score = does(reply(f"{preamble}\n{words}"), Answer(words, Kind.LIST))
    assert score.reason.startswith(f"not Spanish: {preamble!r}"[:30])


def test_a_right_answer_after_thoughts_in_english_is_no_spanish() -> None:
    score = does(reply("Let me think about this question first.\n9"), Answer("9"))
    assert score.reason.startswith("not Spanish: 'Let me think")


def test_a_reply_that_is_no_text_says_what_it_is() -> None:
    blocked = does(reply("Lo siento.", finish="content_filter"), TALK)
    cut = does(reply(FINE, defects=(Defect(DefectKind.NO_DONE, "no [DONE]"),)), TALK)
    assert (blocked.outcome, cut.reason) == (Outcome.BLOCKED, "no [DONE]")


@pytest.mark.parametrize(
    ("texts", "passed"),
    [(("9", "9"), True), (("9", "8"), True), (("8", "8"), True), (("8", "9"), False)],
)
def test_a_pair_fails_where_english_alone_is_right(texts: tuple[str, str], passed: bool) -> None:
    score = as_right([reply(text) for text in texts], [Answer("9")] * 2)
    measured = [measure.value for measure in score.measures]
    assert (score.passed, measured) == (passed, [text == "9" for text in texts])


# Mutants


@pytest.mark.parametrize("flaw", broken.FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_is_not_ready_by_its_check(flaw: Flaw) -> None:
    check = next(check for check in CHECKS if check.id == flaw.check)
    assert verdict(check, flaw, MARGINS[check.id]) is Verdict.NOT_READY


@pytest.mark.parametrize("flaw", harmless.FLAWS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_harmless_variant_passes_every_prompt(check: Check, flaw: Flaw) -> None:
    tried = scores(check, probes_of(check, 2, check.trials), flaw)
    assert [score.reason for score in tried if not score.passed] == []


@pytest.mark.parametrize("flaw", in_answers.FLAWS, ids=lambda flaw: flaw.name)
def test_an_answer_in_which_the_value_means_another_fails_and_an_odd_right_one_passes(
    flaw: Flaw,
) -> None:
    passed = []
    for probe in probes.asked(2, 105):
        request = {"messages": probe.messages}
        right = answer(request) or Said("")
        changed = flaw.change_output(request, right, 0)
        score = does(reply(changed.content or ""), probe.expect["wanted"])
        passed += [score.passed] if changed != right else []
    assert (len(passed) >= 1, {*passed}) == (True, {flaw.harmless})


def test_wrong_decimals_alone_leave_tasks_not_ready_and_open_questions_ready() -> None:
    flaw = next(each for each in broken.FLAWS if each.name == "spanish_decimals_wrong")
    gating = [verdict(check, flaw, MARGINS[check.id]) for check in CHECKS[:2]]
    assert gating == [Verdict.NOT_READY, Verdict.READY]


@pytest.mark.parametrize("flaw", in_types.FLAWS, ids=lambda flaw: flaw.name)
def test_a_type_of_answer_that_is_lost_hides_in_no_rate(flaw: Flaw) -> None:
    expected = Verdict.READY if flaw.harmless else Verdict.NOT_READY
    assert verdict(CHECKS[0], flaw, MARGINS[CHECKS[0].id]) is expected


@pytest.mark.parametrize("flaw", in_prose.FLAWS, ids=lambda flaw: flaw.name)
def test_prose_that_says_again_what_nobody_would_is_not_ready(flaw: Flaw) -> None:
    expected = Verdict.READY if flaw.harmless else Verdict.NOT_READY
    assert verdict(CHECKS[1], flaw, MARGINS[CHECKS[1].id]) is expected


def test_every_probe_says_what_type_of_answer_it_has() -> None:
    made = [probe for probe in probes.asked(3, 100) if not probe.control]
    types = Counter(probe.labels["answer"] for probe in made)
    assert (types["text"], types.total(), types["decimal"] >= 10) == (60, 100, True)
    assert {*types} == {
        *("text", "decimal", "integer", "date", "code", "name", "word"),
        *("list", "number in words"),
    }


@pytest.mark.parametrize(
    "flaw", [*broken.FLAWS, *harmless.FLAWS, *in_answers.FLAWS], ids=lambda flaw: flaw.name
)
def test_no_flaw_touches_what_is_not_asked_in_spanish(flaw: Flaw) -> None:
    english = {"role": "user", "content": "What is 4 plus 5? Answer with the number only."}
    other = {"role": "user", "content": "Convierte lo siguiente en JSON.\n- name: Sol"}
    said = [flaw.change_output({"messages": [each]}, Said("9"), 0) for each in (english, other)]
    assert said == [Said("9")] * 2
