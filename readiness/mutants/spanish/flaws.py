"""Flaws of Spanish: other languages instead of it or mixed in, and tasks not done."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import only, streamed
from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish.reader import (
    WEEKDAYS,
    SpanishQuestion,
    in_spanish,
    in_words,
    number_in_words,
    text_about,
)

#: Changes what is said to a question in Spanish.
Change = Callable[[SpanishQuestion, str], str]
Text = Callable[[str], str]


def says(change: Change) -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """Change the replies to requests in Spanish."""

    def changed(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        asked = in_spanish(request)
        return replace(said, content=change(asked, said.content or "")) if asked else said

    return changed


def answers(change: Text) -> Change:
    """Change the answers to tasks, and leave texts as they are."""
    return lambda asked, text: change(text) if asked.task else text


def texts(change: Text) -> Change:
    """Change texts, and leave the answers to tasks as they are."""
    return lambda asked, text: text if asked.task else change(text)


def talks(change: Text) -> Change:
    """Change the replies to open questions."""
    return lambda asked, text: text if asked.task or asked.rule else change(text)


def all_of_it(change: Text) -> Change:
    """Change any reply."""
    return lambda _asked, text: change(text)


_DOES = "spanish.zero_shot_tasks"
_KEEPS = "spanish.reply_in_spanish"
_PAIRS = "spanish.parity_with_english"
_LAST = re.compile(r"[^.]+\.$")
_LAST_DIGIT = re.compile(r"\d(?=\D*$)")
_DECIMAL = re.compile(r"\d+,\d+")

_ENGLISH = (
    "Every day more people in the area take an interest in this. It does not take much to make a "
    "first step. Watch with patience and ask those who know. With time come results and the trust "
    "of others, and whoever shares what was learned helps everybody to go on."
)
_PORTUGUESE = (
    "Cada dia mais pessoas do bairro têm interesse por este assunto. Não é preciso muito para dar "
    "os primeiros passos. Basta observar com calma e perguntar a quem já sabe. Com o tempo chegam "
    "os resultados, e quem partilha o que aprende ajuda também os seus vizinhos a continuar."
)
_ITALIAN = (
    "Ogni giorno più persone del quartiere si interessano a questo argomento. Non serve molto per "
    "fare i primi passi. Basta osservare con calma e chiedere a chi sa già. Con il tempo arrivano "
    "i risultati, e chi condivide quello che impara aiuta anche gli altri a continuare."
)
_CANNED = (
    "Gracias por su mensaje. Hemos recibido su consulta y la estamos estudiando con atención. "
    "Nuestro equipo le responderá en un plazo de dos días hábiles. Le pedimos disculpas por la "
    "espera y le agradecemos la confianza que nos demuestra cada día."
)


def _numbers_wrong(asked: SpanishQuestion, text: str) -> str:
    """A number has a wrong last digit; days, too, are counted wrongly."""
    if not asked.task:
        return text
    if text in WEEKDAYS:
        return WEEKDAYS[(WEEKDAYS.index(text) + 1) % len(WEEKDAYS)]
    if asked.task == "in_letters":
        return in_words(number_in_words(text) + 1)
    return _LAST_DIGIT.sub(lambda found: str((int(found[0]) + 1) % 10), text)


def _decimals_wrong(asked: SpanishQuestion, text: str) -> str:
    return _numbers_wrong(asked, text) if _DECIMAL.fullmatch(text) else text


def _without_rule(asked: SpanishQuestion, text: str) -> str:
    return text_about(replace(asked, rule="")) if asked.rule else text


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _in_the_middle(part: str) -> Callable[[str], str]:
    return lambda text: text.replace(". ", f". {part} ", 1)


def _leaks(text: str) -> str:
    return text.replace(" con ", " 非常 con ", 1) if " con " in text else f"{text} 非常"


def _looped(text: str) -> str:
    return " ".join([text.partition(". ")[0] + "."] * 8)


def _echo(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    asked = in_spanish(request)
    return replace(said, content=text_of(request["messages"][-1])) if asked else said


_LANGUAGES = [
    ("spanish_in_english", "texts come in English", texts(lambda _text: _ENGLISH)),
    ("spanish_in_portuguese", "texts come in Portuguese", texts(lambda _text: _PORTUGUESE)),
    ("spanish_in_italian", "texts come in Italian", texts(lambda _text: _ITALIAN)),
    ("spanish_in_chinese", "texts come in Chinese", texts(lambda _text: "我们每天都在努力工作。")),
]

_WORK = [
    ("spanish_numbers_wrong", "numbers and days are off by one", _numbers_wrong),
    ("spanish_no_answers", "tasks are not solved", answers(lambda _text: "No lo sé.")),
    (
        "spanish_english_answers",
        "answers come in an English sentence",
        answers(lambda text: f"The right answer to your question is {text}."),
    ),
    (
        "spanish_translates",
        "first the task is put into English",
        answers(lambda text: f"Let me translate the question into English first.\n{text}"),
    ),
    ("spanish_rules_ignored", "texts keep no rule", _without_rule),
    ("spanish_canned", "it always says the same", all_of_it(lambda _text: _CANNED)),
    ("spanish_empty", "no text at all", all_of_it(lambda _text: "")),
    (
        "spanish_refuses",
        "it wants to be asked in English",
        all_of_it(lambda _text: "Lo siento, solo puedo ayudarle si me escribe en inglés."),
    ),
]

_SLIPS = [
    ("spanish_han_leak", "a Chinese word stands in the text", _leaks),
    ("spanish_cyrillic_leak", "so does a Russian one", lambda text: f"{text} Спасибо."),
    (
        "spanish_english_sentence",
        "one sentence of several is in English",
        _in_the_middle("This is something that everybody should know."),
    ),
    (
        "spanish_portuguese_end",
        "the last sentence is in Portuguese",
        lambda text: _LAST.sub(" Quem partilha o que aprende ajuda também os seus vizinhos.", text),
    ),
    (
        "spanish_english_preamble",
        "a line of English comes before the text",
        lambda text: f"Sure, here is a short paragraph in Spanish:\n\n{text}",
    ),
    ("spanish_translated", "an English translation follows", lambda text: f"{text}\n\n{_ENGLISH}"),
    ("spanish_short", "an open question gets three words", lambda _text: "Claro que sí."),
    ("spanish_loop", "one sentence comes eight times", _looped),
    ("spanish_no_accents", "no letter has its accent", _bare),
    (
        "spanish_lost_letters",
        "letters with accents are lost",
        lambda text: re.sub("[áéíóúñ]", "\ufffd", text),
    ),
]

FLAWS = [
    *(
        Flaw(name, about, _DOES, change_output=says(change))
        for name, about, change in (*_LANGUAGES, *_WORK)
    ),
    Flaw(
        "spanish_decimals_wrong",
        "decimals are wrong",
        _PAIRS,
        change_output=says(_decimals_wrong),
        elsewhere=("spanish",),
    ),
    Flaw(
        "spanish_streamed_in_english",
        "texts come in English where they are streamed",
        _DOES,
        change_output=only(streamed, says(texts(lambda _text: _ENGLISH))),
    ),
    Flaw("spanish_echo", "it repeats what it was asked", _DOES, change_output=_echo),
    *(
        Flaw(name, about, _KEEPS, change_output=says(talks(change)))
        for name, about, change in _SLIPS
    ),
]
