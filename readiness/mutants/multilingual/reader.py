"""A perfect writer of selling copy: in the language asked for, with the terms agreed on."""

from __future__ import annotations

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.multilingual.facts import Wish, wish_in

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


def answer(request: Request) -> Answer | None:
    """Write the copy; None where the request is about something else."""
    wish = wish_in(request)
    return Answer(copy(wish)) if wish else None


def copy(wish: Wish) -> str:
    """The copy that a wish asks for."""
    terms = [*wish.terms, "", "", ""]
    return _COPY[wish.language].format(*terms, thing=wish.thing, name=wish.name, figure=wish.figure)
