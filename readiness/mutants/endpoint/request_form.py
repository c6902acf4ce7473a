"""The form of a request, for flaws that show in one form only: streamed, after a system message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request

Says = Callable[[Request, ModelOutput, int], ModelOutput]


def streamed(request: Request) -> bool:
    """Whether the request asks for a stream."""
    return bool(request.get("stream"))


def instructed(request: Request) -> bool:
    """Whether the request has a system message."""
    return len(turns(request)) < len(request["messages"])


def turns(request: Request) -> Sequence[Mapping[str, Any]]:
    """The messages without system messages."""
    return [each for each in request["messages"] if each["role"] not in ("system", "developer")]


def only(where: Callable[[Request], bool], says: Says) -> Says:
    """Limit a change of the output to requests of this form."""
    return lambda request, said, turn: says(request, said, turn) if where(request) else said
