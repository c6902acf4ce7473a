"""The form of a request, for flaws that show in one form only: streamed, after a system message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request

Says = Callable[[Request, ModelOutput, int], ModelOutput]


def streamed(request: Request) -> bool:
    """Whether the reply is to be streamed."""
    return bool(request.get("stream"))


def instructed(request: Request) -> bool:
    """Whether there is a system message."""
    return len(turns(request)) < len(request["messages"])


def turns(request: Request) -> Sequence[Mapping[str, Any]]:
    """The messages without those of the system."""
    return [each for each in request["messages"] if each["role"] not in ("system", "developer")]


def only(where: Callable[[Request], bool], says: Says) -> Says:
    """Keep a change of what is said to requests that are put so."""
    return lambda request, said, turn: says(request, said, turn) if where(request) else said
