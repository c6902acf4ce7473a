"""Right answers in the ways in which people write them, and wrong ones that look like them."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.spanish.expected_answers import SOLVES, written
from readiness.checks.spanish.numerals import in_figures, in_words
from readiness.checks.spanish.scoring_answers import Answer, Kind, folded, is_right

NUMBER, FIGURES, LETTERS = (
    Answer("1250.5", Kind.NUMBER),
    Answer("1250", Kind.FIGURES),
    Answer("1250", Kind.LETTERS),
)
TEXT = Answer("miércoles", forms=("el día miércoles",))
LIST = Answer("ácido, nuez, ñame", Kind.LIST)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1250,5", NUMBER),
        ("1250.50", NUMBER),
        ("1.250,5", NUMBER),
        ("1,250.5", NUMBER),
        ("1\u202f250,50 €", NUMBER),
        ("€1250,5", NUMBER),
        ("**1250,5 euros**.", NUMBER),
        ("Respuesta: 1250,5", NUMBER),
        ("La respuesta es: 1250,5", NUMBER),
        ("mil doscientos cincuenta coma cinco", NUMBER),
        ("Mil doscientos cincuenta y medio", NUMBER),
        ("Veamos: el precio baja.\n\n1250,5\n", NUMBER),
        ("1.250", FIGURES),
        ("1 250", FIGURES),
        ("1,250", FIGURES),
        ("«Mil doscientos cincuenta»", LETTERS),
        ("mil doscientas cincuenta", LETTERS),
        ("Miércoles.", TEXT),
        ("miercoles", TEXT),
        ("El miércoles", TEXT),
        ("¡Miércoles!", TEXT),
        ("`miércoles`", TEXT),
        ("ＭＩÉＲＣＯＬＥＳ", TEXT),
        ("el día miércoles", TEXT),
        (unicodedata.normalize("NFD", "miércoles"), TEXT),
        ("ácido, nuez, ñame.", LIST),
        ("Ácido, nuez y ñame", LIST),
        ("ácido\nnuez\nñame", LIST),
        ("1. ácido\n2. nuez\n3. ñame", LIST),
        ("- ácido\n- nuez\n- ñame", LIST),
        ("ácido; nuez; ñame", LIST),
    ],
)
def test_a_right_answer_may_be_written_so(text: str, answer: Answer) -> None:
    assert is_right(text, answer)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1250", NUMBER),
        ("12505", NUMBER),
        ("1250,6", NUMBER),
        ("-1250,5", NUMBER),
        ("1250,5 o 1250,6", NUMBER),
        ("1250,5 1250,6", NUMBER),
        ("1250,5\n1250,6", NUMBER),
        ("El precio rebajado es, por lo tanto, de 1250,5 euros.", NUMBER),
        ("Answer: 1250,5", NUMBER),
        ("Resposta: 1250,5", NUMBER),
        ("mil doscientos cincuenta", FIGURES),
        ("125", FIGURES),
        ("1.25.0", FIGURES),
        ("1250", LETTERS),
        ("mil dos cincuenta", LETTERS),
        ("one thousand two hundred and fifty", LETTERS),
        ("mil duzentos e cinquenta", LETTERS),
        ("quarta-feira", TEXT),
        ("mercoledì", TEXT),
        ("Wednesday", TEXT),
        ("martes", TEXT),
        ("miércoles o jueves", TEXT),
        ("", TEXT),
        ("ácido, ñame, nuez", LIST),
        ("ácido, nuez", LIST),
        ("ácido, nuez, ñame, uva", LIST),
        ("ácido, nuez, name", LIST),
    ],
)
def test_a_wrong_one_is_wrong(text: str, answer: Answer) -> None:
    assert not is_right(text, answer)


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


@given(st.text(max_size=60), st.sampled_from([NUMBER, FIGURES, LETTERS, TEXT, LIST]))
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
