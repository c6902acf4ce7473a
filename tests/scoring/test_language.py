"""Which language a text is in: sentences that are, and sentences that slip in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.scoring.language import foreign, han_in, hiragana_in, kana_in, strays

SPANISH = """\
El riego por la mañana evita que las hojas se quemen.
Basta observar hojas, tallos y tierra para detectar señales tempranas de plagas.
Solo se necesita una rutina semanal sencilla.
Si está seco, es momento de regar; si aún está húmedo, espere un poco más.
Visite Barcelona, Valencia o Sevilla en primavera.
El marketing digital ofrece grandes oportunidades.
1. **Herramientas digitales**: Slack, Zoom, Trello.
Che, vos sabés que mañana laburamos igual.
Órale, pues nos vemos en la chamba mañana.
Vosotros podéis elegir el horario que prefiráis.
El gato come pescado fresco todos los días.
Estimado cliente: lamentamos las molestias ocasionadas por el retraso.
Precio total: 45 euros, IVA incluido
LA PUNTUALIDAD ES UNA MUESTRA DE RESPETO HACIA LOS DEMÁS.
Según el 2.º informe (pág. 3), el 85 % ahorra unos 20 µl por día, ¡ánimo! 😊""".splitlines()
OTHERS = """\
Muito obrigado pela sua paciência e compreensão.
As equipas remotas precisam de confiança mútua.
Uma bicicleta bem cuidada dura muitos anos.
Grazie mille per la pazienza, a presto.
Una bicicletta ben curata dura molti anni.
Sure, here is the answer to your question:
The sun shines today over the whole city.
Chaque jour, de plus en plus de personnes s'y intéressent.
这款耳机音质出色，续航时间也非常长，值得您信赖。
このイヤホンは音質がよく、バッテリーも長持ちします。
Каждый день всё больше людей интересуются этим.
كل يوم يهتم المزيد من الناس بهذا الموضوع""".splitlines()


@pytest.mark.parametrize("text", SPANISH)
def test_spanish_from_anywhere_is_spanish(text: str) -> None:
    assert foreign(text, "es") == ""


@pytest.mark.parametrize("text", OTHERS)
def test_another_language_is_not(text: str) -> None:
    assert foreign(text, "es") != ""


@pytest.mark.parametrize("slip", OTHERS)
def test_one_sentence_of_another_language_is_found_between_others(slip: str) -> None:
    text = " ".join([*SPANISH[:3], f"\n{slip}\n", SPANISH[5]])
    assert foreign(text, "es").strip(":") == slip.strip(":")


@given(st.text("0123456789., €%-\n", max_size=40))
def test_numbers_are_in_no_language(text: str) -> None:
    assert (foreign(text, "es"), foreign(text, "ja")) == ("", "")


@given(st.text(max_size=19))
def test_what_is_short_is_not_judged_by_its_letters(text: str) -> None:
    assert foreign(text, "en") == "" or han_in(text) + kana_in(text) >= 16


def test_short_sentences_are_judged_together() -> None:
    assert foreign("Yes. I do. Of course. Why not?", "es") != ""
    assert foreign("Sí. Claro. Desde luego. ¿Por qué no?", "es") == ""


def test_a_fewest_number_of_letters_may_be_asked_for() -> None:
    assert (foreign(OTHERS[3], "en"), foreign(OTHERS[3], "en", 60)) == (OTHERS[3], "")


def test_kana_are_japanese_and_characters_without_them_chinese() -> None:
    chinese, japanese = OTHERS[8], OTHERS[9]
    assert (foreign(chinese, "zh"), foreign(japanese, "ja")) == ("", "")
    assert (foreign(chinese, "ja"), foreign(japanese, "zh")) == (chinese, japanese)
    assert (han_in("电池4の"), kana_in("カのa"), hiragana_in("カの")) == (2, 2, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [("el 会议 de hoy", "会议"), ("Спасибо", "Спасибо"), ("ma\ufffdana", "\ufffd"), ("の", "の")],
)
def test_letters_that_no_spaniard_writes_are_strays(text: str, found: str) -> None:
    assert strays(text) == found


def test_what_spaniards_write_is_none() -> None:
    assert strays("¿Qué tal, Señora Núñez? El 2.º de 1.ª, ç, π y µm: «así», 😊 ①") == ""
