"""The reader of requests for marketing copy: it writes in the requested language and terms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.prompt_template import template_pattern
from readiness.mutants.endpoint.surroundings import core
from readiness.resources import prompts

WORDS = prompts("multilingual.yaml")
_ASKED = template_pattern(
    WORDS["brief"], lambda name: r"[^{}]+?" if name == "glossary" else r"[^{}\n]+?"
)
#: Something else may stand before it, as where a template has the system message there.
_BRIEF = re.compile(rf"(?s:.*\n\n)?{_ASKED.pattern}")
_TERM = template_pattern(WORDS["term"], lambda _name: r"[^=\n]+?")


@dataclass(frozen=True)
class CopyRequest:
    """What the last turn wants.

    Args:
        language: The language to write in.
        thing: What kind of product it is, in that language.
        name: The product's name.
        figure: What is said of the product with a number in it, in that language.
        terms: The terms in that language.
        glossary: Each term in all languages.
    """

    language: str
    thing: str
    name: str
    figure: str
    terms: Sequence[str]
    glossary: Sequence[Mapping[str, str]]


def wish_in(request: Request, language: str = "") -> CopyRequest | None:
    """What a request wants, or what it would in another language; None where it is no such copy."""
    messages = core(request)["messages"]
    said = [text_of(each).strip() for each in messages if each["role"] == "user"]
    found = ((at, _BRIEF.fullmatch(each)) for at, each in enumerate(said))
    at, brief = next((each for each in found if each[1]), (0, None))
    turn = _turn(said[at:]) if brief else ""
    if not (brief and turn):
        return None
    glossary = [_TERM.fullmatch(line) for line in brief["glossary"].splitlines()]
    terms = [term.groupdict() for term in glossary if term]
    own = language or turn
    for product in WORDS["products"]:
        figure = template_pattern(product["figure"]["zh"], lambda _name: r"\d+").fullmatch(
            brief["figure"]
        )
        if product["thing"]["zh"] == brief["thing"] and figure:
            stated = product["figure"][own].format(n=figure["n"])
            in_use = [term[own] for term in terms]
            return CopyRequest(own, product["thing"][own], brief["name"], stated, in_use, terms)
    return None


def _turn(said: Sequence[str]) -> str:
    """The language requested last; "" if none is known."""
    if len(said) == 1:
        return "zh"  # The brief is in Chinese, and wants that first.
    last = said[-1].strip()
    return next((of for of, ways in WORDS["switch"].items() if last in ways), "")


_COPY = {
    "zh": (
        "全新{thing}{name}，{figure}，让每一天都更加轻松。{0}稳定可靠，{1}贴心实用，{2}同样出色。"
        "无论在家还是出门，它都值得您信赖，也是送给家人朋友的好礼物。"
    ),
    "en": (
        "Meet {name}, the new {thing} that {figure}. With {0}, {1} and {2}, it makes every day a "
        "little easier. At home or on the road, you can rely on it."
    ),
    "ja": (
        "新しい{thing}「{name}」は、{figure}。{0}、{1}、{2}を備え、毎日の暮らしをもっと快適にします。"
        "家でも外出先でも、安心してお使いいただけます。"
    ),
}


def answer(request: Request) -> ModelOutput | None:
    """Write the copy; None if the request is of another kind."""
    wish = wish_in(request)
    return ModelOutput(copy(wish)) if wish else None


def copy(wish: CopyRequest) -> str:
    """The copy that a wish asks for."""
    terms = [*wish.terms, "", "", ""]
    return _COPY[wish.language].format(*terms, thing=wish.thing, name=wish.name, figure=wish.figure)
