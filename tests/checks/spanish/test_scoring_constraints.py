"""The rules of orders in Spanish: for each, texts that keep it and texts that nearly do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.spanish.prompt_wording import PROMPTS
from readiness.checks.spanish.scoring_constraints import (
    RULES,
    broken,
    count,
    prose,
    sentences_in,
    words_in,
)
from readiness.mutants.spanish.reader import SpanishQuestion, text_about

THREE = "El Sr. Ruiz llegó a las 9.30 h. ¿Y después? ¡Nada… de nada!"
KEPT: list[tuple[str, dict[str, Any], str]] = [
    ("includes", {"first": "calma", "second": "vecino"}, "Con Calma, los vecinos avanzan."),
    ("avoids", {"first": "muy", "second": "bueno"}, "Esto resulta buenísimo."),
    ("repeats", {"word": "pan", "times": 2}, "El pan. Los panes. PAN."),
    ("sentences", {"n": 3}, THREE),
    ("sentences", {"n": 2}, "Vino ayer, p. ej. con su tía.\nHoy no"),
    ("sentences", {"n": 2}, "Dijo «ven.» Y fue."),
    ("words", {"least": 5, "most": 6}, "Uno, dos; tres-cuatro (cinco) 6."),
    ("bullets", {"n": 3}, "La lista:\n- uno\n– dos\n* tres"),
    ("bullets", {"n": 2}, "  • uno\n     sigue aquí\n  • dos"),
    ("bullets", {"n": 3}, "La lista:\n-uno\n-¿Dos?\n-**Tres**: cuatro"),
    ("paragraphs", {"n": 2}, "\nUno.\nSigue.\n \n\nDos.\n"),
    ("starts", {"phrase": "Para empezar"}, "«Para empezar», dijo ella."),
    ("starts", {"phrase": "Cada semana"}, "**Cada semana** salimos."),
    ("ends", {"phrase": "hasta la próxima"}, "Gracias. ¡Hasta la próxima!"),
    ("lower", {}, "todo en minúsculas, 1.ª parte: ¡sí!"),
    ("upper", {}, "TODO EN MAYÚSCULAS, EL 1º Y LA 2ª: ¡SÍ!"),
    ("no_commas", {}, "Sin comas; de verdad: 3.5"),
    ("json", {}, '\n{"titulo": "Uno", "resumen": "Dos \\u00f1"}\n'),
    ("title", {}, "# «Un título»\n\nEl texto."),
    ("title", {}, "**«Un título».**\nEl texto."),
    ("blanks", {"n": 2}, "Hola, [nombre]: nos vemos el [fecha]."),
    ("enye", {"n": 2}, "El niño soñó y soñó."),
    ("accents", {"n": 3}, "Aquí también está."),
    ("question", {}, "Bien. ¿Cuándo venís? Yo, ya."),
    ("postscript", {}, "Texto.\n\nP. D.: Una cosa más."),
    ("postscript", {}, "Texto.\n**P.D.:** Una cosa más."),
    ("postscript", {}, "Texto.\nP. D.: Una cosa más.\nFirmado, Ana."),
    ("twice", {}, "Una versión.\n******\nLa otra."),
    ("twice", {}, "Una versión.\n\n \\*\\*\\*\\*\\*\\* \nLa otra."),
]
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("includes", {"first": "calma", "second": "vecino"}, "Con calma y vecindad."),
    ("avoids", {"first": "muy", "second": "bueno"}, "Es MUY grande."),
    ("repeats", {"word": "pan", "times": 2}, "El pan de la panadería."),
    ("sentences", {"n": 3}, "Uno. Dos. Tres. Cuatro."),
    ("sentences", {"n": 3}, "Uno, dos y tres."),
    ("words", {"least": 5, "most": 6}, "Una dos tres cuatro"),
    ("words", {"least": 5, "most": 6}, "a b c d e f g"),
    ("bullets", {"n": 3}, "- uno\n- dos\n1. tres"),
    ("bullets", {"n": 3}, "-uno\n---\n-dos"),
    ("bullets", {"n": 3}, "- uno, - dos, - tres"),
    ("paragraphs", {"n": 2}, "Uno.\nDos."),
    ("paragraphs", {"n": 2}, "Uno.\n\nDos.\n\nTres."),
    ("starts", {"phrase": "Para empezar"}, "Bueno, para empezar."),
    ("starts", {"phrase": "Para empezar"}, "Por empezar"),
    ("ends", {"phrase": "hasta la próxima"}, "Hasta la próxima. Gracias."),
    ("lower", {}, "casi Todo."),
    ("upper", {}, "CASI TODo"),
    ("no_commas", {}, "Son 3,5 litros."),
    ("json", {}, '```json\n{"titulo": "Uno", "resumen": "Dos"}\n```'),
    ("json", {}, '{"titulo": "Uno", "resumen": ""}'),
    ("json", {}, '{"titulo": "Uno", "resumen": "Dos", "nota": "Tres"}'),
    ("json", {}, '{"titulo": 1, "resumen": "Dos"}'),
    ("json", {}, '["titulo", "resumen"]'),
    ("title", {}, "Un título\nEl texto."),
    ("title", {}, "«Un título» y el texto seguido."),
    ("title", {}, "«Un título»"),
    ("blanks", {"n": 2}, "Hola, [nombre]: nos vemos el (fecha)."),
    ("enye", {"n": 2}, "El niño y el NIÑO."),
    ("accents", {"n": 3}, "Está aquí, aqui y aquí."),
    ("question", {}, "¿Cuándo venís."),
    ("question", {}, "Cuándo venís?"),
    ("question", {}, "¿?"),
    ("postscript", {}, "P. D.: Solo esto."),
    ("postscript", {}, "Texto. P. D.: En la misma línea."),
    ("postscript", {}, "Texto.\nPD sin puntos: no\nUno.\nDos."),
    ("twice", {}, "Una versión.\n*****\nLa otra."),
    ("twice", {}, "La misma.\n******\n¡La misma!"),
    ("twice", {}, "Una.\n******\n"),
    ("twice", {}, "Una.\n******\nDos.\n******\nTres."),
]


@pytest.mark.parametrize(("rule", "wanted", "text"), KEPT)
def test_a_text_that_keeps_a_rule_passes(rule: str, wanted: dict[str, Any], text: str) -> None:
    assert broken(rule, text, wanted) == ""


@pytest.mark.parametrize(("rule", "wanted", "text"), BROKEN)
def test_a_text_that_nearly_keeps_it_does_not(rule: str, wanted: dict[str, Any], text: str) -> None:
    assert broken(rule, text, wanted).startswith(f"{rule}: ")


def test_every_rule_has_texts_on_either_side_and_a_wording() -> None:
    assert {rule for rule, *_ in KEPT} == {rule for rule, *_ in BROKEN} == {*RULES}
    assert {*PROMPTS["rules"]} == {*RULES}


PARAMETERS = {rule: wanted for rule, wanted, _ in KEPT}


@given(st.sampled_from(sorted(RULES)), st.text(max_size=200).filter(str.strip))
def test_any_text_can_be_judged(rule: str, text: str) -> None:
    assert isinstance(broken(rule, text, PARAMETERS[rule]), str)


@given(st.integers(1, 6))
def test_sentences_are_counted(n: int) -> None:
    text = " ".join(["La casa n.º 3 de la Sra. Gil mide 4.5 m."] * n)
    assert (len(sentences_in(text)), broken("sentences", text, {"n": n})) == (n, "")


@given(st.lists(st.from_regex("[a-zñáé]{1,9}", fullmatch=True), min_size=1, max_size=40))
def test_words_are_counted_whatever_stands_between(found: list[str]) -> None:
    assert words_in(", ".join(found)) == words_in("\n- ".join(found)) == found


@given(st.integers(2, 6), st.integers(0, 3))
def test_as_many_bullets_and_paragraphs_as_there_are(n: int, more: int) -> None:
    parts = [f"Punto {at}." for at in range(n)]
    kept = [
        broken("bullets", "\n".join(f"- {part}" for part in parts), {"n": n + more}),
        broken("paragraphs", "\n\n".join(parts), {"n": n + more}),
    ]
    assert [each == "" for each in kept] == [more == 0] * 2


@given(st.sampled_from(sorted(PROMPTS["topics"])), st.sampled_from(sorted(RULES)))
def test_a_perfect_writer_keeps_a_rule_and_not_without_being_told(topic: str, rule: str) -> None:
    keyword = PROMPTS["topics"][topic]
    wanted = {**PARAMETERS[rule]}
    wanted |= {"word": keyword} if rule == "repeats" else {}
    wanted |= {"least": 30, "most": 55} if rule == "words" else {}
    wanted |= {"first": "confianza", "second": "detalle"} if rule == "includes" else {}
    text = text_about(SpanishQuestion("es", topic=topic, rule=rule, wanted=wanted))
    assert (broken(rule, text, wanted), count(prose(text), keyword) > 0) == ("", True)


def test_the_values_of_json_are_its_prose() -> None:
    assert prose('{"titulo": "Sue\\u00f1o", "resumen": "Ya"}') == "Sueño\nYa"
    assert prose("Sin JSON.") == "Sin JSON."


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Nació en el 44 a. C. en Roma. Fue breve.", [2]),
        ("J. R. Varela escribió mucho.", [1, 2]),
        ("El n.º 5 es bueno. El n.º 6 no.", [2]),
        ("Vive en EE. UU. desde ayer.", [1]),
        ("El Sr. Pérez llega a las 8 a. m. y sale.", [1]),
        ("Murió en el 44 a. C. Roma cambió.", [1, 2]),
        ("Trae pan, queso, etc. Todo es bueno.", [1, 2]),
        ("Vale la pena. A mí sí. Y a ti.", [3]),
    ],
)
def test_an_abbreviation_ends_no_sentence_or_leaves_it_open(text: str, counts: list[int]) -> None:
    kept = [n for n in range(1, 6) if not broken("sentences", text, {"n": n})]
    assert kept == counts
