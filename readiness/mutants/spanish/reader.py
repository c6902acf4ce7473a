"""A perfect reader of prompts in Spanish, and of those that are asked in English beside them.

It knows their templates and the words that they are made of; what they ask it works out itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.prompt_template import template_pattern
from readiness.mutants.endpoint.surroundings import core
from readiness.resources import prompts

PROMPTS: Mapping[str, Any] = prompts("spanish.yaml")
SPANISH, ENGLISH = "es", "en"
WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")

#: What stands in the places of a template.
Slots = Mapping[str, str]
#: A number may be written in any form, a text in this one.
Solution = Decimal | str


@dataclass(frozen=True)
class SpanishQuestion:
    """What is asked, and in which language.

    Args:
        language: The language of the prompt.
        task: The kind of task; "" where a text is to be written.
        answer: The answer to the task.
        number: The same as a number, where it may be written in any form.
        topic: What a text is to be about.
        rule: The rule that a text is to keep; "" where there is none.
        wanted: What the rule says, by the names of its places.
    """

    language: str
    task: str = ""
    answer: str = ""
    number: Decimal | None = None
    topic: str = ""
    rule: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)


def answer(request: Request) -> ModelOutput | None:
    """Answer a request of the dimension; None if it is of another kind."""
    asked = question_in(request)
    if asked is None:
        return None
    return ModelOutput(asked.answer if asked.task else text_about(asked))


# What is asked

# No prompt is as long, and documents of other dimensions are longer by far.
_LONGEST = 2000
_ONE_WORD = frozenset({"price", "off", "n", "day", "year", "times", "least", "most", "many"})
_TRIVIAL = (
    (re.compile(r"What is (\d+) plus (\d+)\?.*"), lambda a, b: str(int(a) + int(b))),
    (re.compile(r"What is (\d+) minus (\d+)\?.*"), lambda a, b: str(int(a) - int(b))),
    (re.compile(r"Which number is larger, (\d+) or (\d+)\?.*"), lambda a, b: max(a, b, key=int)),
    (re.compile(r"Repeat this (code|number) and nothing else: (\S+)"), lambda _, it: str(it)),
)


def question_in(request: Request) -> SpanishQuestion | None:
    """The task of a request; None if it is of another kind."""
    request = core(request)
    said = [each for each in request["messages"] if each["role"] != "system"]
    if len(said) != 1 or request.get("tools") or request.get("response_format"):
        return None
    text = text_of(said[0]).strip()
    if len(text) > _LONGEST:
        return None
    return _trivial(text) or _task(text) or _rule(text) or _open_question(text)


def in_spanish(request: Request) -> SpanishQuestion | None:
    """What a request asks in Spanish; None where it asks in another language, or anything else."""
    found = question_in(request)
    return found if found and found.language == SPANISH else None


def _trivial(text: str) -> SpanishQuestion | None:
    for pattern, solve in _TRIVIAL:
        if found := pattern.fullmatch(text):
            return SpanishQuestion(ENGLISH, "trivial", solve(*found.groups()))
    return None


def _task(text: str) -> SpanishQuestion | None:
    for kind, wordings in PROMPTS["tasks"].items():
        for language, templates in wordings.items():
            for template in templates:
                if slots := _slots(template, text):
                    return _solved(kind, slots, language)
    return None


def _solved(kind: str, slots: Slots, language: str) -> SpanishQuestion | None:
    try:
        found = _SOLVES[kind](slots)
    except (ArithmeticError, LookupError, StopIteration, ValueError):
        return None  # Of a prompt that was cut, a part may still look whole.
    if isinstance(found, str):
        return SpanishQuestion(language, kind, found)
    figures = plain(found)
    decimals = figures.replace(".", ",") if language == SPANISH else figures
    return SpanishQuestion(language, kind, decimals, found)


def _rule(text: str) -> SpanishQuestion | None:
    for write in PROMPTS["write"]:
        for rule, wordings in PROMPTS["rules"].items():
            for wording in wordings:
                if slots := _slots(" ".join((write, PROMPTS["mention"], wording)), text):
                    names = re.findall(r"\{(\w+)\}", wording)
                    wanted = {name: _value(slots[name]) for name in names}
                    return SpanishQuestion(SPANISH, topic=slots["topic"], rule=rule, wanted=wanted)
    return None


def _open_question(text: str) -> SpanishQuestion | None:
    found = [_slots(template, text) for template in PROMPTS["open_questions"]]
    return next((SpanishQuestion(SPANISH, topic=each["topic"]) for each in found if each), None)


def _value(said: str) -> int | str:
    try:
        return int(said) if said.isdecimal() else number_in_words(said)
    except KeyError:
        return said


def _slots(template: str, text: str) -> Slots:
    found = _pattern(template).fullmatch(text)
    return found.groupdict() if found else {}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return template_pattern(template, lambda name: r"\w+" if name in _ONE_WORD else r"[^{}]+?")


# Numbers

_SMALL = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro "
    "veinticinco veintiséis veintisiete veintiocho veintinueve"
)
_ROUND = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_LARGE = (
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos "
    "novecientos"
)
_TO_29, _TENS, _HUNDREDS = _SMALL.split(), _ROUND.split(), _LARGE.split()
_WORTH = {
    **{name: value for value, name in enumerate(_TO_29)},
    **{name: value * 10 for value, name in enumerate(_TENS, 3)},
    **{name: value * 100 for value, name in enumerate(_HUNDREDS, 1)},
    **{"cien": 100, "un": 1, "veintiún": 21},
}


def in_words(number: int) -> str:
    """A number below a million in words."""
    if number < len(_TO_29):
        return _TO_29[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return _TENS[ten - 3] + (f" y {_TO_29[one]}" if one else "")
    if number == 100:
        return "cien"
    many, rest = divmod(number, 100 if number < 1000 else 1000)
    counted = _HUNDREDS[many - 1] if number < 1000 else _thousands(many)
    return f"{counted} {in_words(rest)}" if rest else counted


def _thousands(many: int) -> str:
    if many == 1:
        return "mil"
    counted = in_words(many)
    # Before mil, uno loses its end, and veintiuno gains an accent.
    short = re.sub("veintiuno$", "veintiún", counted).removesuffix("o")
    return f"{short if counted.endswith('uno') else counted} mil"


def number_in_words(words: str) -> int:
    """The number that words state.

    Raises:
        KeyError: They say none.
    """
    thousands, mil, rest = re.sub(r"\by\b", "", words.lower()).rpartition("mil")
    before, after = (sum(_WORTH[word] for word in part.split()) for part in (thousands, rest))
    return (before or 1) * 1000 + after if mil else after


def plain(number: Decimal) -> str:
    """A number in figures, without zeros at its end."""
    return f"{number.normalize():f}"


# Solutions

_YEAR = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
_ENGLISH_YEAR = (
    "January February March April May June July August September October November December"
)
_MONTHS, _ENGLISH_MONTHS = _YEAR.split(), _ENGLISH_YEAR.split()
_ENGLISH_WEEK = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_ALPHABET = "abcdefghijklmnñopqrstuvwxyz"
_BARE = str.maketrans("áéíóúü", "aeiouu")
_ACCENTED = str.maketrans("aeiou", "áéíóú")
_PREFIXES = {"kil": "1000", "cent": "0.01", "mil": "0.001", "minut": "60"}

_PERSONS = ("yo", "tú", "ella", "nosotros", "vosotros", "ustedes")
# The endings of -ar, of -er and of -ir, by words of the tense's name.
_TENSES = {
    "presente de indicativo": ("o as a amos áis an", "o es e emos éis en", "o es e imos ís en"),
    "imperfecto": ("aba abas aba ábamos abais aban", *["ía ías ía íamos íais ían"] * 2),
    "perfecto simple": ("é aste ó amos asteis aron", *["í iste ió imos isteis ieron"] * 2),
    "subjuntivo": ("e es e emos éis en", *["a as a amos áis an"] * 2),
}
# These follow the whole infinitive.
_LONG_TENSES = {"futuro": "é ás á emos éis án", "condicional": "ía ías ía íamos íais ían"}

# What customers say who complain, ask, order and praise.
_LABELS = {
    "queja": "rota|descontento|inaceptable|no funciona|mala calidad|se hace responsable|vergüenza",
    "consulta": r"\?|Quisiera saber",
    "pedido": "por favor|Quiero comprar",
    "elogio": "preciosa|encantad|felicitar|[Mm]aravilla|Enhorabuena",
}


def _stock(slots: Slots) -> Solution:
    there, more, sent = (number_in_words(slots[name]) for name in "abc")
    return Decimal(there + more - sent)


def _price(slots: Slots) -> Solution:
    price = Decimal(slots["price"])
    return price - price * Decimal(slots["off"]) / 100


def _units(slots: Slots) -> Solution:
    return Decimal(slots["n"]) * _size(slots["from"]) / _size(slots["to"])


def _size(unit: str) -> Decimal:
    sizes = [size for prefix, size in _PREFIXES.items() if unit.startswith(prefix)]
    return Decimal(sizes[0] if sizes else 1)


def _due(slots: Slots) -> date:
    months = _MONTHS if slots["month"] in _MONTHS else _ENGLISH_MONTHS
    month = months.index(slots["month"]) + 1
    today = date(int(slots["year"]), month, int(slots["day"]))
    return date.fromordinal(today.toordinal() + int(slots["n"]))


def _weekday(slots: Slots) -> Solution:
    names = WEEKDAYS if slots["weekday"] in WEEKDAYS else _ENGLISH_WEEK.split()
    return names[_due(slots).weekday()]


def _date(slots: Slots) -> Solution:
    due = _due(slots)
    return f"{due.day} de {_MONTHS[due.month - 1]}"


def _asked_of(kind: str) -> Callable[[Slots], Solution]:
    """The answer stands in the text: it is what the question names."""

    def solve(slots: Slots) -> Solution:
        wordings = PROMPTS["questions"][kind].items()
        named = (name for name, by in wordings if slots["question"] in chain(*by.values()))
        found = slots[next(named)]
        return Decimal(found) if found.isdecimal() else found

    return solve


def _sort(slots: Slots) -> Solution:
    def places(word: str) -> list[int]:
        return [_ALPHABET.index(letter) for letter in word.translate(_BARE)]

    return ", ".join(sorted(slots["words"].split(", "), key=places))


def _verb(slots: Slots) -> Solution:
    verb, tense, at = slots["verb"], slots["tense"], _PERSONS.index(slots["person"])
    for name, endings in _LONG_TENSES.items():
        if name in tense:
            return verb + endings.split()[at]
    by_conjugation = next(of for name, of in _TENSES.items() if name in tense)
    return verb[:-2] + by_conjugation[("ar", "er", "ir").index(verb[-2:])].split()[at]


def _antonym(slots: Slots) -> Solution:
    return str(PROMPTS["antonyms"][slots["word"]][0])


def _plural(slots: Slots) -> Solution:
    word = slots["word"]
    if word[-1] in "aeiou":
        return f"{word}s"
    # The stress stays where it is: limón and limones, joven and jóvenes.
    word = re.sub("[áéíóú](?=[ns]$)", lambda found: found[0].translate(_BARE), word)
    if word == slots["word"]:
        word = re.sub(
            "[aeiou](?=[^aeiouáéíóú]+en$)", lambda found: found[0].translate(_ACCENTED), word
        )
    return f"{word[:-1]}ces" if word[-1] == "z" else f"{word}es"


def _label(slots: Slots) -> Solution:
    return next(label for label, cue in _LABELS.items() if re.search(cue, slots["message"]))


_SOLVES: Mapping[str, Callable[[Slots], Solution]] = {
    "stock": _stock,
    "price": _price,
    "units": _units,
    "weekday": _weekday,
    "date": _date,
    "ticket": _asked_of("ticket"),
    "sort": _sort,
    "verb": _verb,
    "antonym": _antonym,
    "plural": _plural,
    "library": _asked_of("library"),
    "harvest": _asked_of("harvest"),
    "label": _label,
    "in_digits": lambda slots: str(number_in_words(slots["words"])),
    "in_letters": lambda slots: in_words(int(slots["n"])),
}


# Texts

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


def text_about(asked: SpanishQuestion) -> str:
    """A few sentences about the topic that satisfy the rule, if there is one."""
    sentences = [_FIRST.format(topic=asked.topic), *_OTHERS]
    return _WRITES[asked.rule](sentences, asked.wanted) if asked.rule else " ".join(sentences)


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
        if len(text.split()) < wanted["least"]:
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
