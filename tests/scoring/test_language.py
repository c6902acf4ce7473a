"""Which language a text is in: sentences that are, and sentences that slip in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.scoring.language import (
    foreign,
    han_in,
    hiragana_in,
    is_chinese_alone,
    is_written_in_characters,
    kana_in,
    strays,
)

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
# Wholly Spanish, and terse, repetitive or full of names.
TERSE = """\
Usa el entorno Vellum con Quarto Kit y Norte CSS.
Instala Pandora.js, npm y Marina Desktop.
Consulta Lingora, Babelia, Memora o Busca.
Prueba Lumina, Photolab o Capturia One.
Escucha Melodia, Tidalia, Pear Music.
Practica, practica, practica.
Compra pan artesano, pan integral, pan de centeno.
Software libre: Gimnasia, Darkroom, RawTools.
Crea un canal en Taller o en Norte Teams, y listo.
En el siglo I a. C. lo escribió M. T. Varela.
Visita https://example.org/start-here-now y lee `the_short_guide`.""".splitlines()
# Each with names, or short, or a neighbour of Spanish.
NEIGHBOURS = """\
Onte choveu moito e non puidemos saír da casa ata a noite.
As plantas precisan auga e luz, pero non lles deas de máis.
Ninguén sabía que facer cando deixou de funcionar o tren.
Use the Vellum framework with Quarto Kit and Norte CSS.
Use o ambiente Vellum com Quarto Kit e Norte CSS.
Usa il framework Vellum con Quarto Kit e Norte CSS.
Less plastic, less noise, less hurry for everybody.
Fes servir l'entorn Vellum amb les eines de la teva feina.
Utilisez le cadre Vellum avec les outils de votre métier.""".splitlines()
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


@pytest.mark.parametrize("text", TERSE)
def test_names_and_few_words_are_no_other_language(text: str) -> None:
    assert foreign(text, "es") == ""
    assert foreign(" ".join(TERSE), "es") == ""


@pytest.mark.parametrize("text", NEIGHBOURS)
def test_a_neighbour_of_spanish_is_not_spanish(text: str) -> None:
    assert foreign(text, "es") != ""
    assert foreign("\n".join([*SPANISH[:2], text]), "es") != ""


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


def test_characters_are_not_judged_by_their_letters_and_are_judged_once_they_are_many() -> None:
    assert foreign("the sun is up 电池很好用吧", "es") == ""
    assert (foreign("電" * 15, "ja"), foreign("電" * 16, "ja")) == ("", "電" * 16)


def test_one_foreign_word_tells_where_the_letters_beside_names_are_too_few_for_statistics() -> None:
    enough, less = "la pagina the canciones", "la Vinoteca the canciones"
    assert (foreign(enough, "es"), foreign(less, "es")) == ("", less)


@pytest.mark.parametrize(
    "text",
    [
        # Of so many letters, and too likely to be Spanish for any fewer.
        "fresca baixa torta pasta canta vida",  # 30, by 0.08
        "arte linda parte corta sobre conta branca torta ponte",  # 45, by 0.19
        "menos vaca branca santa entre costa casa porta vida santa sol mundo mesa",  # 60, by 0.35
    ],
)
def test_the_more_letters_there_are_the_less_doubt_is_enough(text: str) -> None:
    assert foreign(text, "es") == text


def test_short_sentences_are_judged_together() -> None:
    assert foreign("Yes. I do. Of course. Why not?", "es") != ""
    assert foreign("Sí. Claro. Desde luego. ¿Por qué no?", "es") == ""
    two = "Of course, why not. I do agree."
    assert foreign(two, "es") == two


def test_a_fewest_number_of_letters_may_be_asked_for() -> None:
    assert (foreign(OTHERS[3], "en"), foreign(OTHERS[3], "en", 60)) == (OTHERS[3], "")


def test_kana_are_japanese_and_characters_without_them_chinese() -> None:
    chinese, japanese = OTHERS[8], OTHERS[9]
    assert (foreign(chinese, "zh"), foreign(japanese, "ja")) == ("", "")
    assert (foreign(chinese, "ja"), foreign(japanese, "zh")) == (chinese, japanese)
    assert (han_in("电池4の"), kana_in("カのa"), hiragana_in("カの")) == (2, 2, 1)


def test_a_text_of_which_half_is_in_other_letters_is_in_another_language() -> None:
    half, less = "большоеспа buenos dias", "большоесп muchas gracias"
    assert (foreign(half, "es"), foreign(less, "es")) == (half, "")


def test_of_japanese_a_tenth_is_kana_in_a_sentence_or_in_the_whole_text() -> None:
    enough, less = f"{'電' * 18}のの", f"{'電' * 19}のの"
    assert (foreign(enough, "ja"), foreign(less, "zh")) == ("", "")
    assert (foreign(enough, "zh"), foreign(less, "ja")) == (enough, less)
    assert foreign(f"{enough}。{'電' * 20}", "zh") == f"{enough}。"
    enough, less = f"{'電' * 16}。電電のの", f"{'電' * 17}。電電のの"
    assert (foreign(enough, "ja"), foreign(less, "ja")) == ("", f"{'電' * 17}。")


def test_some_characters_are_of_chinese_alone() -> None:
    alone = {char: is_chinese_alone(f"電{char}") for char in "吗也电電の"}
    assert alone == {"吗": True, "也": True, "电": True, "電": False, "の": False}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("the 电池很好", False),
        ("the 电池很好用", True),
        # Words of two letters are hardly any, and names have capitals.
        ("of 电池", True),
        ("Of Orbit Atmos 电池很", False),
        ("Of Orbit Atmos 电池很好", True),
    ],
)
def test_a_text_is_in_characters_where_they_outweigh_its_words(text: str, written: bool) -> None:
    assert is_written_in_characters(text) is written


@pytest.mark.parametrize(
    ("text", "language"),
    [
        # A clause of kanji alone, in Japanese copy.
        ("36時間連続再生対応、急速充電機能搭載、防水防塵性能取得済。毎日の通勤を、静かに。", "ja"),
        ("毎日の通勤を、もっと静かに。主動雑音除去機能搭載、長時間連続再生対応。", "ja"),
        ("高音質、長時間再生、防水性能。", "ja"),
        ("Lumorax K7 Pro で、Hi-Res Audio Wireless の音をいつでも楽しめます。", "ja"),
        # Chinese with names in Latin letters, or one in kana.
        (
            "Norivane Liberty 支持 Hi-Res Audio Wireless 认证与 Orbit Atmos 空间音频，路上更安静。",
            "zh",
        ),
        ("全新 Kestova Studio Pro Max 搭载 Quenvia Sound Engine，续航长达36小时，佩戴舒适。", "zh"),
    ],
)
def test_names_and_clauses_of_nouns_change_no_script(text: str, language: str) -> None:
    assert foreign(text, language) == ""


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        (
            "毎日の通勤を、もっと静かに。无论在家还是出门，它都值得您长期信赖和使用。",
            "ja",
            "无论在家还是出门，它都值得您长期信赖和使用。",
        ),
        (
            "毎日の通勤を、もっと静かに。無論在家還是出門，這款耳機都值得您長期信賴。",
            "ja",
            "無論在家還是出門，這款耳機都值得您長期信賴。",
        ),
        ("每天都更安静。毎日の通勤を、もっと静かにしてくれます。", "zh",
         "毎日の通勤を、もっと静かにしてくれます。"),
        ("每天都更安静。Every note lands where it is.", "zh", "Every note lands where it is."),
        ("Experience 主动降噪 with forty hours of 续航 and more than you need.", "zh",
         "Experience 主动降噪 with forty hours of 续航 and more than you need."),
    ],
)  # fmt: skip
def test_a_sentence_of_another_script_is_found(text: str, language: str, found: str) -> None:
    assert foreign(text, language) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("el 会议 de hoy", "会议"), ("Спасибо", "Спасибо"), ("ma\ufffdana", "\ufffd"), ("の", "の")],
)
def test_letters_that_no_spaniard_writes_are_strays(text: str, found: str) -> None:
    assert strays(text) == found


def test_what_spaniards_write_is_none() -> None:
    assert strays("¿Qué tal, Señora Núñez? El 2.º de 1.ª, ç, π y µm: «así», 😊 ①") == ""
