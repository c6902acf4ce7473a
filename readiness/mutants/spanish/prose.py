"""What a perfect writer of Spanish says: a few sentences about anything, by any of the rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from readiness.checks.spanish.scoring import Order
from readiness.checks.spanish.scoring_constraints import words_in

_FIRST = "Cada día más personas del barrio se interesan por {topic}."
_OTHERS = (
    "No hace falta gran cosa para dar los primeros pasos con ilusión.",
    "Basta con observar con calma y preguntar a quien ya tiene práctica.",
    "Con el tiempo llegan los resultados y crece la confianza del grupo.",
    "Un pequeño cambio de costumbre cada semana resulta suficiente.",
    "Quien comparte lo que aprende anima a sus vecinos a seguir.",
)
_ENYES = "Cada mañana los niños enseñan a sus compañeros con cariño."
_ACCENTS = "Aquí practicarán según su método y así disfrutarán después en el jardín."
_QUESTION = "¿Por dónde se empieza?"
_BLANKS = "Nos vemos con [nombre] en [lugar] el [fecha] a las [hora]."
_POSTSCRIPT = "P. D.: El próximo día seguimos."

Write = Callable[[list[str], Mapping[str, Any]], str]


def written(topic: str, order: Order | None = None) -> str:
    """A text about a topic that keeps a rule, where there is one."""
    sentences = [_FIRST.format(topic=topic), *_OTHERS]
    return _WRITES[order.rule](sentences, order.wanted) if order else " ".join(sentences)


def _with(*more: str) -> Write:
    return lambda sentences, _wanted: " ".join([*sentences, *more])


def _includes(sentences: list[str], wanted: Mapping[str, Any]) -> str:
    return " ".join([*sentences, f"Ayudan dos cosas: {wanted['first']} y {wanted['second']}."])


def _repeats(sentences: list[str], wanted: Mapping[str, Any]) -> str:
    again = f"La palabra {wanted['word']} vuelve a nuestras conversaciones."
    return " ".join([*sentences, *[again] * wanted["times"]])


def _words(sentences: list[str], wanted: Mapping[str, Any]) -> str:
    text = ""
    for sentence in sentences:
        if len(words_in(text)) < wanted["least"]:
            text += f" {sentence}"
    return text.strip()


def _title(sentences: list[str], _wanted: Mapping[str, Any]) -> str:
    return f"«Paso a paso»\n{' '.join(sentences)}"


def _json(sentences: list[str], _wanted: Mapping[str, Any]) -> str:
    members = {"titulo": "Paso a paso", "resumen": " ".join(sentences)}
    return json.dumps(members, ensure_ascii=False)


def _starts(sentences: list[str], wanted: Mapping[str, Any]) -> str:
    first, *others = sentences
    return " ".join([f"{wanted['phrase']} {first[0].lower()}{first[1:]}", *others])


def _ends(sentences: list[str], wanted: Mapping[str, Any]) -> str:
    phrase = wanted["phrase"]
    return " ".join([*sentences, f"{phrase[0].upper()}{phrase[1:]}."])


_WRITES: Mapping[str, Write] = {
    "includes": _includes,
    "avoids": _with(),
    "repeats": _repeats,
    "sentences": lambda sentences, wanted: " ".join(sentences[: wanted["n"]]),
    "words": _words,
    "bullets": lambda sentences, wanted: "\n".join(
        f"- {each}" for each in sentences[: wanted["n"]]
    ),
    "paragraphs": lambda sentences, wanted: "\n\n".join(sentences[: wanted["n"]]),
    "starts": _starts,
    "ends": _ends,
    "lower": lambda sentences, _wanted: " ".join(sentences).lower(),
    "upper": lambda sentences, _wanted: " ".join(sentences).upper(),
    "no_commas": _with(),
    "json": _json,
    "title": _title,
    "blanks": _with(_BLANKS),
    "enye": _with(_ENYES),
    "accents": _with(_ACCENTS),
    "question": _with(_QUESTION),
    "postscript": lambda sentences, _wanted: f"{' '.join(sentences)}\n\n{_POSTSCRIPT}",
    "twice": lambda sentences, _wanted: (
        f"{' '.join(sentences)}\n******\n{' '.join(reversed(sentences))}"
    ),
}
