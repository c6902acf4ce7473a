"""Scoring of the model list, of API keys and of unknown models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.exchange import Exchange
from readiness.protocol.message import decode
from readiness.score import PASSED, EndpointError, Outcome, Score, failed
from readiness.scoring.rejection import UNKNOWN, refused

Document = Mapping[str, Any]


def score_list(exchange: Exchange) -> Score:
    """Score the model list by what the SDK iterates over."""
    listed = answered(exchange).get("data")
    if not isinstance(listed, list) or not listed:
        return failed(f"data is {listed!r:.80}, not a list of models")
    wrong = [each for each in listed if not _is_model(each)]
    return failed("no model with an id", f"{wrong[0]!r:.120}") if wrong else PASSED


def score_listed(exchange: Exchange, model: str) -> Score:
    """Score whether a model is listed."""
    names = [each.get("id") for each in _models(exchange)]
    return PASSED if model in names else failed(f"{model!r:.60} is not among {names!r:.120}")


def score_metadata(exchange: Exchange) -> Score:
    """Score `object` of the list and of each model, and their `created` and `owned_by`."""
    if (kind := answered(exchange).get("object")) != "list":
        return failed(f"object is {kind!r:.60}, not 'list'")
    other = [each for each in _models(exchange) if each.get("object") != "model"]
    if other:
        return failed("object is not 'model'", f"{other[0]!r:.120}")
    wrong = [
        f"{each.get('id')!r:.60}: created {each.get('created')!r:.60}, "
        f"owned_by {each.get('owned_by')!r:.60}"
        for each in _models(exchange)
        if type(each.get("created")) is not int or not isinstance(each.get("owned_by"), str)
    ]
    return failed(wrong[0]) if wrong else PASSED


def score_retrieved(exchange: Exchange, model: str) -> Score:
    """Score the response to GET /models/{id} of a served model."""
    found = answered(exchange)
    return PASSED if _is_model(found) and found["id"] == model else failed(f"shows {found!r:.120}")


def score_unknown_lookup(exchange: Exchange) -> Score:
    """Score the response to GET /models/{id} of an unknown model."""
    return refused(exchange, UNKNOWN)


def answered(exchange: Exchange) -> Document:
    """The JSON object in the response to a GET.

    Raises:
        EndpointError: The response is no JSON object with status 200.
    """
    if exchange.fault is not None:
        raise EndpointError(exchange.fault, came=exchange.detail)
    response = f"HTTP {exchange.status}: {exchange.body[:160]!r}"
    if exchange.status != 200:
        raise EndpointError(response)
    try:
        found = decode(exchange.body.decode())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EndpointError("no JSON object", Outcome.FAIL, came=response)
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
    return isinstance(name, str) and name != ""


#: The longest window to exceed: a request of a million tokens is a load test.
MAX_WINDOW = 200_000


def score_key_required(with_key: Exchange, without: Exchange) -> Score:
    """Score a request without a valid key, next to one with it."""
    if not with_key.keyed:
        return Score(Outcome.UNSUPPORTED, "no key was given")
    if without.status is not None and 200 <= without.status < 300:
        return failed(f"HTTP {without.status} without the key", f"{without.body[:80]!r}")
    return refused(without, (401, 403))


def score_unknown_model(exchange: Exchange, served: int) -> Score:
    """Score a request for an unknown model, if several models are served."""
    if served < 2:
        return Score(Outcome.UNSUPPORTED, "there is only one model")
    return refused(exchange, UNKNOWN)


def window_to_exceed(declared: int | None) -> int:
    """The declared window, if a prompt can exceed it.

    Raises:
        EndpointError: None is declared, or it is too long.
    """
    if declared is None:
        raise EndpointError("GET /models states no context window", Outcome.UNSUPPORTED)
    if declared > MAX_WINDOW:
        raise EndpointError(
            f"a window of {declared:,} tokens is too long to exceed", Outcome.UNSUPPORTED
        )
    return declared
