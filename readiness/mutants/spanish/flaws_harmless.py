"""Harmless variants of Spanish: other correct ways to write the same, of Spain and America."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish.flaws import Change, all_of_it, answers, says
from readiness.mutants.spanish.reader import SpanishQuestion, in_words, plain

_RIOPLATENSE = (
    "Mirá, vos sabés que a mí me encanta hablar de esto: {topic}. Si querés empezar, fijate "
    "primero en lo que hacen tus vecinos y preguntales sin vergüenza. Acá todos te van a dar una "
    "mano, che. Después vas a ver que con un rato por semana alcanza para agarrarle la vuelta."
)
_MEXICAN = (
    "Órale, pues {topic} se me hace padrísimo. Si ustedes quieren empezar, primero platiquen con "
    "alguien que ya le sepa y no se apuren. Ahorita parece difícil, pero con tantita práctica van "
    "a ver que se les da muy bien y que hasta se divierten."
)
_PENINSULAR = (
    "Vale, pues {topic} me mola un montón. Si os apetece empezar, quedad primero con alguien que "
    "ya controle y haced lo que os diga. Al principio os costará un poco, pero en cuanto le cojáis "
    "el tranquillo veréis que merece la pena y que lo pasáis genial."
)
_RICH = (
    "## Para empezar: {topic}\n\n- **Constancia**: dedique un rato cada semana.\n- **Apoyo**: "
    "pregunte en su barrio.\n- **Software**: hay aplicaciones como Notion o Slack.\n\nEl 85 % de "
    "quienes empiezan (según la 2.ª encuesta del Dr. Núñez) continúa después: ¡ánimo! «Querer es "
    "poder»… 😊"
)


def _about(text: str) -> Change:
    """Reply to open questions with this text about what they ask."""
    return lambda asked, said: said if asked.task or asked.rule else text.format(topic=asked.topic)


def _numbers(change: Callable[[Decimal], str]) -> Change:
    """Write a number in another form, if the request leaves the form open."""

    def changed(asked: SpanishQuestion, text: str) -> str:
        return text if asked.number is None else change(asked.number)

    return changed


def _spelled(number: Decimal) -> str:
    whole, _, decimals = plain(number).partition(".")
    if not decimals:
        return in_words(int(whole))
    zeros = "cero " * (len(decimals) - len(decimals.lstrip("0")))
    return f"{in_words(int(whole))} coma {zeros}{in_words(int(decimals))}"


def _two_places(number: Decimal) -> str:
    more = number != round(number, 2)
    return (f"{number:f}" if more else f"{number:.2f}").replace(".", ",")


def _escaped(asked: SpanishQuestion, text: str) -> str:
    return json.dumps(json.loads(text), indent=2) if asked.rule == "json" else text


def _listed(asked: SpanishQuestion, text: str) -> str:
    return re.sub(", (?=[^,]*$)", " y ", text) if asked.task == "sort" else text


_HARMLESS: list[tuple[str, str, Change]] = [
    (
        "spanish_decomposed",
        "accents may be characters of their own",
        all_of_it(lambda text: unicodedata.normalize("NFD", text)),
    ),
    (
        "spanish_newline",
        "white space at the end is none of the text",
        all_of_it(lambda t: f"{t} \n\n"),
    ),
    ("spanish_crlf", "lines may end in CRLF", all_of_it(lambda text: text.replace("\n", "\r\n"))),
    ("spanish_full_stop", "a full stop ends an answer", answers(lambda text: f"{text}.")),
    ("spanish_quotes", "an answer may be quoted", answers(lambda text: f"«{text}»")),
    ("spanish_bold", "or be in bold face", answers(lambda text: f"**{text}**")),
    ("spanish_label", "or have a label", answers(lambda text: f"Respuesta: {text}")),
    ("spanish_capital", "or begin with a capital", answers(lambda t: t[:1].upper() + t[1:])),
    (
        "spanish_last_line",
        "a small model thinks first and ends with the answer",
        answers(lambda text: f"Vamos a pensarlo paso a paso, sin prisa.\n{text}"),
    ),
    ("spanish_point", "in Mexico a point parts decimals", _numbers(plain)),
    ("spanish_two_places", "72,50 is 72,5", _numbers(_two_places)),
    ("spanish_in_words", "setenta y dos is 72", _numbers(_spelled)),
    (
        "spanish_units",
        "an amount may have its unit",
        _numbers(lambda number: f"{plain(number).replace('.', ',')} unidades"),
    ),
    ("spanish_json_escaped", "JSON may escape what is not ASCII", _escaped),
    ("spanish_and", "the last of a list may follow «y»", _listed),
    ("spanish_voseo", "in Argentina it is vos", _about(_RIOPLATENSE)),
    ("spanish_ustedes", "in Mexico it is ustedes", _about(_MEXICAN)),
    ("spanish_vosotros", "in Spain it is vosotros", _about(_PENINSULAR)),
    (
        "spanish_markdown",
        "headings, lists, names and emoji are no other language",
        _about(_RICH),
    ),
]

FLAWS = [Flaw(name, about, change_output=says(change)) for name, about, change in _HARMLESS]
