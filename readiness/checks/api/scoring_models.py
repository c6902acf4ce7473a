"""Scoring of the list of models, and of who is let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.exchange import Exchange
from readiness.protocol.message import decode
from readiness.score import PASSED, EndpointError, Outcome, Score, failed
from readiness.scoring.rejection import UNKNOWN, refused

Document = Mapping[str, Any]


def lists(exchange: Exchange) -> Score:
    """Score the list of models by what the SDK iterates over."""
    found = answered(exchange)
    if found.get("object") != "list":
        return failed(f"object is {found.get('object')!r:.60}, not 'list'")
    listed = found.get("data")
    if not isinstance(listed, list) or not listed:
        return failed(f"data is {listed!r:.80}, not a list of models")
    wrong = [each for each in listed if not _is_model(each)]
    return failed("no model with an id", f"{wrong[0]!r:.120}") if wrong else PASSED


def has_model(exchange: Exchange, model: str) -> Score:
    """Score whether a model is listed."""
    names = [each.get("id") for each in _models(exchange)]
    return PASSED if model in names else failed(f"{model!r:.60} is not among {names!r:.120}")


def dated(exchange: Exchange) -> Score:
    """Score what each listed model says of its origin."""
    wrong = [
        f"{each.get('id')}: created {each.get('created')!r}, owned_by {each.get('owned_by')!r}"
        for each in _models(exchange)
        if type(each.get("created")) is not int or not isinstance(each.get("owned_by"), str)
    ]
    return failed(wrong[0]) if wrong else PASSED


def shows(exchange: Exchange, model: str) -> Score:
    """Score one model's own page."""
    found = answered(exchange)
    return PASSED if _is_model(found) and found["id"] == model else failed(f"shows {found!r:.120}")


def hides(exchange: Exchange) -> Score:
    """Score the page of a model that is not there."""
    return refused(exchange, UNKNOWN)


def answered(exchange: Exchange) -> Document:
    """The object that answered a GET.

    Raises:
        EndpointError: Something else did.
    """
    if exchange.fault is not None:
        raise EndpointError(exchange.fault, came=exchange.detail)
    said = f"HTTP {exchange.status}: {exchange.body[:160]!r}"
    if exchange.status != 200:
        raise EndpointError(said)
    try:
        found = decode(exchange.body.decode())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EndpointError("no JSON object", Outcome.FAIL, came=said)
    return found


def _models(exchange: Exchange) -> list[Document]:
    listed = answered(exchange).get("data")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise EndpointError("no list of models", came=f"{exchange.body[:120]!r}")
    return listed


def _is_model(found: Any) -> bool:
    if not isinstance(found, Mapping):
        return False
    name = found.get("id")
    return isinstance(name, str) and name != "" and found.get("object") == "model"


#: The longest window that is worth being overrun: a request of a million tokens is a load test.
LONGEST = 200_000


def locked(with_key: Exchange, without: Exchange) -> Score:
    """Score a request that lacks the key, by one that has it."""
    if not with_key.keyed:
        return Score(Outcome.UNSUPPORTED, "no key was given")
    if without.status is not None and 200 <= without.status < 300:
        return failed(f"HTTP {without.status} without the key", f"{without.body[:80]!r}")
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
