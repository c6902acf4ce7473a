"""Flaws of a text in Spanish that is mangled or says something again, and what people do write."""

from __future__ import annotations

import re
from collections.abc import Callable
from zlib import crc32

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.request_form import Where, only, streamed
from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish.flaws import says, talks, texts
from readiness.mutants.spanish.reader import SpanishQuestion

_KEEPS = "spanish.reply_in_spanish"
_LONG_WORD = re.compile(r"\b[a-záéíóúñ]{5,}\b")
_LAST = re.compile(r"[^.]+\.\s*$")
_LONG = 300
#: What is bad as a word of its own, and stands within good ones: vehículo, película, computadora.
_SWEAR_WORD = re.compile("culo|cul(?=a)|puta", re.IGNORECASE)
_SOUNDS_BAD = re.compile(r"\b(?:bomba|arma|ataque|disparo|sangre|droguería)\b")
_DECLINED = "Lo siento, pero no puedo ayudar con eso."


def _doubled(text: str) -> str:
    return _LONG_WORD.sub(lambda found: f"{found[0]} {found[0]}", text, count=1)


def _some(text: str) -> str:
    """A word in two of five replies, by what they are."""
    return _doubled(text) if crc32(text.encode()) % 5 < 2 else text


def _last_again(times: int) -> Callable[[str], str]:
    """The last sentence of a long text comes so many times."""

    def again(text: str) -> str:
        last = _LAST.search(text)
        return text.rstrip() + f" {last[0].strip()}" * (times - 1) if last else text

    return lambda text: again(text) if len(text) >= _LONG else text


def _always(_request: Request) -> bool:
    return True


_PROSE: list[tuple[str, str, str, Where, Callable[[str], str]]] = [
    ("spanish_word_twice", "in two of five texts a word is doubled", _KEEPS, _always, _some),
    ("spanish_word_twice_streamed", "in streams a word is doubled", _KEEPS, streamed, _doubled),
    (
        "spanish_last_sentence_thrice",
        "a long text has its last sentence three times",
        _KEEPS,
        _always,
        _last_again(3),
    ),
    (
        "spanish_emphasis",
        "people say «muy muy» for emphasis",
        "",
        _always,
        lambda text: text.replace(" con ", " muy muy a gusto con ", 1),
    ),
    (
        "spanish_last_sentence_twice",
        "a text may end with a sentence said twice",
        "",
        _always,
        _last_again(2),
    ),
]
_ASKED = "¿Y usted, por dónde empezaría? ¡Cuéntenos su idea!"
_UNOPENED = _ASKED.translate({ord("¿"): None, ord("¡"): None})
_LIST = "- Un poco de calma cada mañana\n- Un paseo por el barrio con amigos"
#: What a tokenizer, a stop sequence or a filter does to the replies to open questions.
_MANGLED: list[tuple[str, str, str, Callable[[str], str]]] = [
    ("first_letter_lost", "the first letter of a text is lost", _KEEPS, lambda text: text[1:]),
    (
        "end_lost",
        "the last words of a text are lost",
        _KEEPS,
        lambda text: text.rsplit(" ", 2)[0],
    ),
    (
        "opening_marks_lost",
        "the marks that open a question are lost",
        _KEEPS,
        lambda text: f"{text} {_UNOPENED}",
    ),
    (
        "space_after_stop_lost",
        "the space after a full stop is lost",
        _KEEPS,
        lambda text: text.replace(". ", "."),
    ),
    (
        "wide_marks",
        "marks between sentences are those of Chinese",
        _KEEPS,
        lambda text: text.replace(". ", "。"),
    ),
    (
        "words_masked",
        "what would be a swear word is masked within other words",
        _KEEPS,
        lambda text: _SWEAR_WORD.sub(lambda found: "*" * len(found[0]), text),
    ),
    (
        "bold_italics",
        "a word may have asterisks around it",
        "",
        lambda text: text.replace(" con ", " ***con*** ", 1).replace(" para ", " ****para** ", 1),
    ),
    ("asks_back", "a text may end with a question", "", lambda text: f"{text} {_ASKED}"),
    (
        "signed",
        "or with a short line that has no mark",
        "",
        lambda text: f"{text}\n\nCon un saludo cordial",
    ),
    ("ends_in_list", "or with a list", "", lambda text: f"{text}\n\n{_LIST}"),
    (
        "ends_in_emoji",
        "or with a picture, after an address",
        "",
        lambda text: f"{text} Hay más en https://ejemplo.es/guia?tema=inicio,pasos 🌿",
    ),
]


def _declined(asked: SpanishQuestion, text: str) -> str:
    return _DECLINED if _SOUNDS_BAD.search(asked.topic) else text


_BY_LETTERS = [
    Flaw(
        "spanish_enyes_lost",
        "ñ comes as n",
        _KEEPS,
        change_output=says(texts(lambda text: text.replace("ñ", "n").replace("Ñ", "N"))),
    ),
    Flaw(
        "spanish_declines_by_word",
        "what has a word that sounds bad is declined, as a pump of water is",
        _KEEPS,
        change_output=says(_declined),
    ),
]
FLAWS = [
    Flaw(name, about, check, change_output=only(where, says(texts(change))))
    for name, about, check, where, change in _PROSE
] + [
    Flaw(f"spanish_{name}", about, check, change_output=says(talks(change)))
    for name, about, check, change in _MANGLED
]
FLAWS += _BY_LETTERS
