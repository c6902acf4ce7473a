"""Whether the endpoint lets in whom it should, and serves what was asked for."""

from __future__ import annotations

from readiness.exchange import Exchange
from readiness.score import EndpointError, Outcome, Score, failed
from readiness.scoring.rejection import UNKNOWN, refused

#: The longest window that is worth being overrun: a request of a million tokens is a load test.
LONGEST = 200_000


def locked(with_key: Exchange, without: Exchange) -> Score:
    """Score a request that lacks the key, by one that has it."""
    if not with_key.keyed:
        return Score(Outcome.UNSUPPORTED, "no key was given")
    if without.status is not None and 200 <= without.status < 300:
        return failed(f"HTTP {without.status} without the key: {without.body[:80]!r}")
    return refused(without, (401, 403))


def mistakes(exchange: Exchange, served: int) -> Score:
    """Score a request for an unknown model, by how many models it could be mistaken for."""
    if served < 2:
        return Score(Outcome.UNSUPPORTED, "there is only one model")
    return refused(exchange, UNKNOWN)


def window(declared: int | None) -> int:
    """The window that can be overrun.

    Raises:
        EndpointError: None is declared, or one that would cost too much.
    """
    if declared is None:
        raise EndpointError("GET /models tells no context window", Outcome.UNSUPPORTED)
    if declared > LONGEST:
        raise EndpointError(f"a window of {declared:,} tokens is not overrun", Outcome.UNSUPPORTED)
    return declared
