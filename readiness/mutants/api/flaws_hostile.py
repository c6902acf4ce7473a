"""Flaws that hostile input brings out: a crash, or harm to the request beside it."""

from __future__ import annotations

from collections.abc import Callable

from readiness.mutants.api.requests import CRASH, Refuses, crashes, is_for
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.flaw import Flaw

_MANY_TOOLS = 1_000


def _says(words: str) -> Callable[[Request], bool]:
    def when(request: Request) -> bool:
        return text_of(request["messages"][-1]) == words

    return when


def _after(when: Callable[[Request], bool]) -> Refuses:
    """Crash on the request that comes after one, or beside it."""
    left = [0]

    def refuses(request: Request, _turn: int) -> Refusal | None:
        if when(request):
            left[0] = 1
            return None
        left[0] -= 1
        return CRASH if left[0] == 0 and _says("Reply with the word OK.")(request) else None

    return refuses


def _huge(request: Request) -> bool:
    return is_for("survives_a_huge_body", request)


def _crowded(request: Request) -> bool:
    return len(request.get("tools") or ()) > _MANY_TOOLS


FLAWS = [
    Flaw(
        "api_space_crashes",
        "white space alone ends in a 500",
        "api.survives_odd_input",
        refuses=crashes(_says(" \n\t ")),
    ),
    Flaw(
        "api_odd_harms_the_next",
        "after an odd input, the next request ends in a 500",
        "api.survives_odd_input",
        refuses=_after(_says("？！？！。。。,,,")),
    ),
    Flaw(
        "api_huge_body_crashes",
        "a body of 32 MB ends in a 500",
        "api.survives_a_huge_body",
        refuses=crashes(_huge),
    ),
    Flaw(
        "api_huge_body_harms",
        "a body of 32 MB is answered, and the next request is not",
        "api.survives_a_huge_body",
        refuses=_after(_huge),
    ),
    Flaw(
        "api_tools_crash",
        "two thousand tools end in a 500",
        "api.survives_many_tools",
        refuses=crashes(_crowded),
    ),
]
