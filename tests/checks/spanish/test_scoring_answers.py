"""Right answers in the ways in which people write them, and wrong ones that look like them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.spanish.expected_answers import SOLVES, written
from readiness.checks.spanish.numerals import in_figures, in_words
from readiness.checks.spanish.scoring import does
from readiness.checks.spanish.scoring_answers import Answer, Kind, folded, is_right
from readiness.score import PASSED, Outcome, Score, failed
from tests.replies import reply

NUMBER, WHOLE, SHARE = (Answer(each, Kind.NUMBER) for each in ("1250.5", "1250", "12.5"))
FIGURES, LETTERS = (Answer("1250", kind) for kind in (Kind.FIGURES, Kind.LETTERS))
NEGATIVE, HALF, MILLION = (Answer(each, Kind.NUMBER) for each in ("-5", "0.5", "1000000"))
WEEKDAY = Answer("miércoles")
DATE = Answer("5 de marzo", forms=("2027-03-05",))
CODE, PHONE = Answer("AB-4821"), Answer("912 345 678")
WORD, NAME, LABEL = Answer("vacío"), Answer("Elena Robles"), Answer("queja")
LIST = Answer("ácido, nuez, ñame", Kind.LIST)

#: Of each answer, replies that state it.
RIGHT: Mapping[Answer, Sequence[str]] = {
    NUMBER: [
        "1250,5",
        "1250.50",
        "1.250,5",
        "1,250.5",
        "1\u202f250,50 €",
        "€1250,5",
        "**1250,5 euros**.",
        "Antes costaba 1300 y ahora 1250,5",
        "Respuesta: 1250,5",
        "La respuesta es: 1250,5",
        "mil doscientos cincuenta coma cinco",
        "Mil doscientos cincuenta y medio",
        "Veamos: el precio baja.\n\n1250,5\n",
        "La respuesta es 1250,5",
        "= 1250,5",
        "\\boxed{1250,5}",
        "\\(1250,5\\)",
        "\\[ 1250{,}5 \\]",
        "$1250,5$",
        "EUR 1250,50",
        "1250,5 (mil doscientos cincuenta coma cinco)",
        "El precio rebajado es, por lo tanto, de 1250,5 euros.",
        "Con el 15 % de descuento cuesta 1250,5 euros.",
        "1471,18 - 220,68 = 1250,5",
        "aproximadamente 1250,5",
        "No, son 1250,5",
        "2501/2",
        "1250500 gramos son 1250,5 kilogramos",
        "1250500 g = 1250,5 kg",
        "1471,18 € - 15 % = 1250,5 €",
        "1250 1/2",
        "1,2505 × 10³",
    ],
    WHOLE: [
        "Son 1250 cajas.",
        "Quedan 1250 unidades.",
        "800 + 450 = 1250",
        "800 más 450 son 1250",
        "1.250",
        "1 250",
        "Quedan mil doscientas cincuenta cajas",
        "1250 m²",
        "1250\n\nExplicación: 800 + 450 = 1250.",
        "1. 1250",
        "Un total de 1250 cajas",
        "1,25 mil",
        "１２５０",
        "mil doscientos cincuenta (1250)",
    ],
    SHARE: [
        "12,5 %",
        "12½",
        "doce coma cinco",
        "12,5 por ciento",
    ],
    NEGATIVE: [
        "-5",
        "−5",
        "menos 5",
        "El resultado es -5",
        "menos cinco",
    ],
    HALF: [
        "1/2",
        "½",
        "0,50",
    ],
    MILLION: [
        "1 millón",
        "un millón",
        "1.000.000",
    ],
    LETTERS: [
        "«Mil doscientos cincuenta»",
        "mil doscientas cincuenta",
        "1250 se escribe «mil doscientos cincuenta»",
        "En letras: mil doscientos cincuenta",
        "un mil doscientos cincuenta",
    ],
    FIGURES: [
        "1.250",
        "1 250",
        "1,250",
        "En cifras: 1250",
        "«Mil doscientos cincuenta» se escribe 1250",
    ],
    WEEKDAY: [
        unicodedata.normalize("NFD", "miércoles"),
        "Miércoles.",
        "miercoles",
        "El miércoles",
        "¡Miércoles!",
        "`miércoles`",
        "ＭＩÉＲＣＯＬＥＳ",
        "el día miércoles",
        "Será miércoles.",
        "La entrega caerá en miércoles",
        "miércoles, 5 de marzo",
    ],
    DATE: [
        "el 5 de marzo de 2027",
        "05/03/2027",
        "5/3",
        "5-3-2027",
        "2027/03/05",
        "5.3.2027",
        "5 marzo 2027",
        "La factura vence el 5 de marzo.",
        "viernes 5 de marzo",
        "marzo 5",
        "5 de marzo del 2027",
        "cinco de marzo",
        "Día 5 de marzo",
        "el viernes, 5 de marzo",
    ],
    CODE: [
        "ab-4821",
        "AB‑4821",
        "AB – 4821",
        "AB 4821",
        "AB4821",
        "4821",
        "El pedido es el AB-4821.",
        "n.º 4821",
        "El AB-4821 es el pedido que no ha llegado",
    ],
    PHONE: [
        "912345678",
        "912-345-678",
        "(912) 345 678",
        "91 234 56 78",
        "+34 912 345 678",
        "0034 912345678",
        "(+34) 912 345 678",
        "Tel.: 912 345 678",
        "Su teléfono es el 912.345.678",
    ],
    WORD: [
        "«vacío»",
        "vacio",
        "Es vacío",
        "El antónimo de «lleno» es «vacío».",
        "«Vacío» es el antónimo de «lleno».",
        "Antónimo: vacío",
    ],
    NAME: [
        "La directora se llama Elena Robles.",
        "La arquitecta fue Elena Robles",
        "Lo diseñó Elena Robles",
        "Elena Robles es la directora.",
        "La directora Elena Robles",
    ],
    LABEL: [
        "Queja.",
        "La etiqueta es queja",
        "Etiqueta: queja",
        "Es una queja.",
        "Se clasifica como queja",
    ],
    LIST: [
        "ácido, nuez, ñame.",
        "Ácido, nuez y ñame",
        "ácido\nnuez\nñame",
        "1. ácido\n2. nuez\n3. ñame",
        "- ácido\n- nuez\n- ñame",
        "ácido; nuez; ñame",
        "a) ácido\nb) nuez\nc) ñame",
        "Aquí tienes:\n\n1. ácido\n2. nuez\n3. ñame",
        "El orden es: ácido, nuez, ñame.",
        "El orden alfabético es ácido, nuez, ñame",
        "ácido < nuez < ñame",
        "ácido → nuez → ñame",
        "**Orden alfabético:** ácido, nuez, ñame",
        "[ácido, nuez, ñame]",
    ],
}
#: And near misses.
WRONG: Mapping[Answer, Sequence[str]] = {
    NUMBER: [
        "1250",
        "12505",
        "1250,6",
        "-1250,5",
        "menos 1250,5",
        "1250,5 o 1250,6",
        "1250,5 y 1250,6",
        "1250,5 1250,6",
        "1250,5\n1250,6",
        "no es 1250,5",
        "no son 1250,5",
        "1250,5 no es correcto",
        "más de 1250,5",
        "menos de 1250,5",
        "casi 1250,5",
        "hasta 1250,5",
        "1250,5 %",
        "1250,5 mil",
        "1250,5 millones",
        "1250,5k",
        "11250,5",
        "1250,55",
        "12.505",
        "1250,5/2",
        "1250,5 × 10",
        "AB1250,5",
        "1471,18 - 220,68",
        "1250,5 = 1250,6",
        "1250,5 euros son 1250,6 euros",
        "1250,5 kg = 1250500 g",
        "Answer: 1250,5",
        "Resposta: 1250,5",
        "The answer is 1250,5",
        "O resultado é 1250,5",
    ],
    WHOLE: [
        "1250 %",
        "1250 mil",
        "12500",
        "125",
        "800 + 450",
        "1250-1260",
        "entre 1200 y 1250",
        "1251 (mil doscientos cincuenta)",
        "mil doscientos",
        "1250 o dos",
    ],
    SHARE: [
        "1,25",
        "125",
        "12,5 % o 13 %",
    ],
    NEGATIVE: [
        "5",
        "más o menos 5",
        "+5",
        "10 - 5",
    ],
    HALF: [
        "2/1",
        "1/3",
    ],
    MILLION: [
        "1 mil",
        "10 millones",
    ],
    LETTERS: [
        "1250",
        "mil dos cincuenta",
        "one thousand two hundred and fifty",
        "mil duzentos e cinquenta",
        "mil doscientos cincuenta o mil doscientos sesenta",
        "1260: mil doscientos cincuenta",
    ],
    FIGURES: [
        "mil doscientos cincuenta",
        "125",
        "1.25.0",
        "1250 o 1260",
    ],
    WEEKDAY: [
        "quarta-feira",
        "mercoledì",
        "Wednesday",
        "martes",
        "miércoles o jueves",
        "no es miércoles",
        "It is miércoles",
        "",
    ],
    DATE: [
        "6 de marzo",
        "15 de marzo",
        "5 de mayo",
        "5 de marzo de 2026",
        "jueves 5 de marzo",
        "3/5/2027",
        "antes del 5 de marzo",
        "no es el 5 de marzo",
        "5 de marzo o 6 de marzo",
        "marzo",
        "5 de março",
    ],
    CODE: [
        "AB-4822",
        "CB-4821",
        "AB-48210",
        "14821",
        "AB-4821 o AB-4822",
        "no es AB-4821",
        "The order is AB-4821",
    ],
    PHONE: [
        "912 345 679",
        "+33 912 345 678",
        "912 345 67",
        "912 345 678 9",
        "912 345 678 o 912 345 679",
        "no es 912 345 678",
    ],
    WORD: [
        "lleno",
        "no es vacío",
        "vacío o lleno",
        "vacíos",
        "vacío no",
        "The antonym is vacío",
        "El antónimo de vacío es lleno",
    ],
    NAME: [
        "Elena Salcedo",
        "No es Elena Robles",
        "Elena",
        "Elena Robles y Marta Quiroga",
        "Marta Quiroga o Elena Robles",
    ],
    LABEL: [
        "consulta",
        "no es una queja",
        "queja o consulta",
        "The label is queja",
    ],
    LIST: [
        "ácido, ñame, nuez",
        "ácido, nuez",
        "ácido, nuez, ñame, uva",
        "ácido, nuez, name",
        "Here is the answer: ácido, nuez, ñame",
        "ácido: nuez, ñame",
    ],
}


def each_of(table: Mapping[Answer, Sequence[str]]) -> list[tuple[str, Answer]]:
    return [(text, answer) for answer, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "answer"), each_of(RIGHT))
def test_a_right_answer_may_be_written_so(text: str, answer: Answer) -> None:
    assert is_right(text, answer)
    assert does(reply(text), answer).passed


@pytest.mark.parametrize(("text", "answer"), each_of(WRONG))
def test_a_wrong_one_is_wrong(text: str, answer: Answer) -> None:
    assert not is_right(text, answer)
    assert not does(reply(text), answer).passed


@pytest.mark.parametrize(
    ("text", "answer", "score"),
    [
        ("1250", WHOLE, PASSED),
        ("**1250.**", WHOLE, PASSED),
        ("Son 1250 cajas.", WHOLE, Score(Outcome.PASS, "not alone: 'Son 1250 cajas.'")),
        ("Veamos.\n1250", WHOLE, Score(Outcome.PASS, "not alone: 'Veamos.\\n1250'")),
        ("1251", WHOLE, failed("expected '1250', got '1251'")),
        ("The answer is 1250", WHOLE,
         failed("not Spanish: 'The answer is 1250', got 'The answer is 1250'")),
    ],
)  # fmt: skip
def test_a_sentence_and_another_language_are_told_apart_from_a_wrong_answer(
    text: str, answer: Answer, score: Score
) -> None:
    found = does(reply(text), answer)
    assert found == score


def test_the_tilde_makes_another_letter_and_an_accent_does_not() -> None:
    assert (folded("Año"), folded("ANO"), folded("Pingüino.")) == ("año", "ano", "pinguino")


@given(st.integers(0, 999_999))
def test_every_number_in_words_is_read_back(number: int) -> None:
    words = in_words(number)
    assert (in_figures(words), words.isascii() or words.islower()) == (str(number), True)
    assert is_right(words, Answer(str(number), Kind.LETTERS))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "cero"),
        (16, "dieciséis"),
        (21, "veintiuno"),
        (31, "treinta y uno"),
        (100, "cien"),
        (101, "ciento uno"),
        (555, "quinientos cincuenta y cinco"),
        (1000, "mil"),
        (21_000, "veintiún mil"),
        (31_001, "treinta y un mil uno"),
        (100_000, "cien mil"),
        (999_999, "novecientos noventa y nueve mil novecientos noventa y nueve"),
    ],
)
def test_a_number_is_written_as_in_school(number: int, words: str) -> None:
    assert in_words(number) == words


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("treintaidós mil", "32000"),
        ("doscientas cuarenta", "240"),
        ("doce coma cero cinco", "12.05"),
        ("doce con cinco", "12.5"),
        ("dos y cuarto", "2.25"),
        ("dos tres", "dos tres"),
        ("treinta veinte", "treinta veinte"),
        ("mil mil", "mil mil"),
        ("los primeros pasos", "los primeros pasos"),
        ("uno " * 5000, "uno " * 5000),
    ],
)
def test_other_numbers_in_words_are_read_too_and_none_is_made_up(words: str, digits: str) -> None:
    assert in_figures(words) == digits


@given(st.decimals(0, 99_999, places=2))
def test_a_number_is_right_with_comma_point_and_separators(number: Decimal) -> None:
    answer = Answer(str(number), Kind.NUMBER)
    english = f"{number:,.2f}"
    spanish = english.translate(str.maketrans(",.", ".,"))
    assert [is_right(each, answer) for each in (str(number), english, spanish)] == [True] * 3


@given(
    st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from(["Son {}.", "= {}", "{} cajas"])
)
def test_a_number_is_right_in_any_sentence_and_no_other_is(
    number: int, more: int, form: str
) -> None:
    answer = Answer(str(number), Kind.NUMBER)
    right = [
        form.format(each) for each in (number, f"{number:,}", f"{number} ({in_words(number)})")
    ]
    wrong = [
        form.format(each)
        for each in (number + more, f"{number} o {number + more}", f"-{number + 1}")
    ]
    wrong += [f"no son {number}", f"{number} mil" if number else "1"]
    if number >= 10**6:
        right = right[:2]
    assert [is_right(text, answer) for text in (*right, *wrong)] == [True] * len(right) + [
        False
    ] * 5


@given(st.integers(6 * 10**8, 7 * 10**8 - 1), st.lists(st.integers(1, 8), max_size=4))
def test_a_telephone_number_is_the_same_however_it_is_grouped(number: int, cuts: list[int]) -> None:
    digits = str(number)
    answer = Answer(f"{digits[:3]} {digits[3:6]} {digits[6:]}")
    places = [0, *sorted({*cuts}), 9]
    grouped = [digits[a:b] for a, b in pairwise(places)]
    written = [mark.join(grouped) for mark in (" ", "-", ".")]
    written += [f"+34 {each}" for each in written]
    other = [each[:-1] + str((int(each[-1]) + 1) % 10) for each in written]
    assert [is_right(each, answer) for each in (*written, *other)] == [True] * 6 + [False] * 6


@given(st.text(max_size=60), st.sampled_from([*RIGHT]))
def test_whatever_comes_before_the_last_line_may_be_the_answer(text: str, answer: Answer) -> None:
    one_line = "Pienso: " + " ".join(text.split())
    assert is_right(f"{one_line}\n{written(answer)}", answer) or answer.kind is Kind.LIST


@pytest.mark.parametrize(
    ("kind", "slots", "value"),
    [
        ("stock", {"a": "ciento treinta y dos", "b": "cuarenta", "c": "treinta y uno"}, "141"),
        ("price", {"price": "85", "off": "15"}, "72.25"),
        ("units", {"from": "segundos", "to": "minutos", "n": "135"}, "2.25"),
        ("weekday", {"weekday": "domingo", "n": "8"}, "lunes"),
        ("date", {"year": "2028", "month": "febrero", "day": "27", "n": "3"}, "1 de marzo"),
        ("sort", {"words": "ñu, nube, oca, ácido"}, "ácido, nube, ñu, oca"),
        ("verb", {"verb": "beber", "tense": "presente de subjuntivo", "person": "tú"}, "bebas"),
        ("plural", {"word": "lápiz"}, "lápices"),
        ("antonym", {"word": "lleno"}, "vacío"),
        ("in_digits", {"words": "dos mil dos"}, "2002"),
    ],
)  # fmt: skip
def test_a_task_has_the_answer_that_a_person_gives(
    kind: str, slots: dict[str, str], value: str
) -> None:
    assert SOLVES[kind](slots, "es").value == value


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("Que yo cante.", True),
        ("(que) yo cante", True),
        ("que cante", True),
        ("que yo canto", False),
        ("que él no cante", False),
    ],
)
def test_a_subjunctive_may_come_with_its_que(said: str, right: bool) -> None:
    slots = {"verb": "cantar", "tense": "presente de subjuntivo", "person": "yo"}
    answer = SOLVES["verb"](slots, "es")
    assert (is_right(said, answer), does(reply(said), answer).passed) == (right, right)


@pytest.mark.parametrize(
    "text",
    [
        "1 de septiembre",
        "1.º de setiembre",
        "el primero de septiembre",
        "septiembre 1",
        "miércoles, 1 de septiembre de 2027",
        "01/09/2027",
        "1/9",
        "2027-09-01",
    ],
)
def test_a_day_may_be_written_so(text: str) -> None:
    slots = {"year": "2027", "month": "agosto", "day": "22", "n": "10"}
    assert is_right(text, SOLVES["date"](slots, "es"))


@pytest.mark.parametrize("text", ["2 de septiembre", "1 de octubre", "jueves 1 de septiembre"])
def test_another_day_is_wrong(text: str) -> None:
    slots = {"year": "2027", "month": "agosto", "day": "22", "n": "10"}
    assert not is_right(text, SOLVES["date"](slots, "es"))
