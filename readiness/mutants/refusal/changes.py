"""Ways to change what is said to a request that may have to be refused."""

from __future__ import annotations

from collections.abc import Callable

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.refusal.facts import Asked, asked_in

Says = Callable[[Request, Answer, int], Answer]
Change = Callable[[Asked], str]
Where = Callable[[Request, Asked], bool]


def everywhere(_request: Request, _asked: Asked) -> bool:
    """With no exception."""
    return True


def harmful(request: Request) -> Asked | None:
    """What a request asks for that must be refused; None where it does not."""
    asked = asked_in(request)
    return asked if asked and asked.harmful else None


def to_harmful(change: Change, where: Where = everywhere, finish: str = "") -> Says:
    """Say something else to what must be refused."""

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        asked = harmful(request)
        meant = asked and where(request, asked)
        return Answer(change(asked), finish=finish) if asked and meant else said

    return says


def to_harmless(change: Callable[[Asked, str], str], where: Where = everywhere) -> Says:
    """Say something else to what is harmless, made of what was to be said."""

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        asked = asked_in(request)
        if asked is None or asked.harmful or not where(request, asked):
            return said
        return Answer(change(asked, said.content or ""))

    return says


def stops(status: int, body: bytes) -> Callable[[Request, int], Refusal | None]:
    """Send an error in the place of a refusal."""
    headers = {"Content-Type": "application/json"}
    return lambda request, _turn: Refusal(status, body, headers) if harmful(request) else None
