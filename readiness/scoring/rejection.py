"""How an endpoint says no: with a 4xx, at once, and in JSON that clients can read."""

from __future__ import annotations

import json
from typing import Any

from readiness.exchange import Exchange
from readiness.protocol.completion import lost, read
from readiness.protocol.errors import read_error
from readiness.protocol.message import decode
from readiness.score import PASSED, EndpointError, Score, failed
from readiness.scoring.lateness import excuse_if_late

#: What nobody waits for (METHOD §11.3, M53), in seconds.
HANGS = 60.0
#: What says that the request itself is wrong.
REFUSING = (400, 413, 415, 422, 431)
#: What says that what the request names is not there.
UNKNOWN = (400, 404, 422)


def survived(exchange: Exchange) -> Score:
    """Score a request that may be answered or refused, but may not break anything."""
    if missing := lost(exchange):
        return missing
    if not exchange.succeeded:
        return refused(exchange, tuple(range(400, 500)))
    try:
        read(exchange)
    except EndpointError as error:
        # An empty reply to an empty question is one.
        return Score(error.score.outcome, f"{error}")
    return _quick(exchange)


def refused(exchange: Exchange, statuses: tuple[int, ...] = REFUSING) -> Score:
    """Score a request that must be refused for what is wrong with it."""
    if missing := lost(exchange):
        return missing
    if exchange.status not in statuses:
        return failed(
            f"expected HTTP {_listed(statuses)} for {_asked(exchange)}", got=_got(exchange)
        )
    return _quick(exchange)


def tells(exchange: Exchange) -> Score:
    """Score the body of a refusal: JSON with a message in one of the shapes that clients know."""
    if score := _no_refusal(exchange):
        return score
    kind = exchange.headers.get("content-type", "").partition(";")[0]
    if not kind.strip().lower().endswith("json"):
        return failed(f"the error is labelled {kind!r:.60}, not application/json", _got(exchange))
    found = document(exchange)
    if not isinstance(found, dict):
        return failed("the error is no JSON object", _got(exchange))
    stated = found.get("error") or found.get("detail") or found.get("message")
    said = read_error(exchange).message.strip()
    return PASSED if stated and said else failed("the error has no message", _got(exchange))


def tells_like_openai(exchange: Exchange) -> Score:
    """Score the body of a refusal by OpenAI's own shape."""
    if score := _no_refusal(exchange):
        return score
    found = document(exchange)
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return failed("no error object", _got(exchange))
    wrong = [f"error.{key} is {error.get(key)!r:.60}" for key in ("message", "type")
             if not isinstance(error.get(key), str)]  # fmt: skip
    wrong += [f"error.{key} is missing" for key in ("code", "param") if key not in error]
    wrong += [f"error.{key} is {error[key]!r:.60}" for key in ("code", "param")
              if not isinstance(error.get(key) or "", str)]  # fmt: skip
    return failed("; ".join(wrong)) if wrong else PASSED


def document(exchange: Exchange) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return decode(exchange.body.decode())
    except ValueError:
        return None


def _no_refusal(exchange: Exchange) -> Score | None:
    if missing := lost(exchange):
        return missing
    if exchange.status is None or exchange.status < 400:
        return failed(f"no error for {_asked(exchange)}", _got(exchange))
    return None


def _quick(exchange: Exchange) -> Score:
    took = exchange.seconds
    if took > HANGS:
        score = failed(f"took {took:.0f} s, and a hang is anything above {HANGS:.0f} s")
        return excuse_if_late(score, took - HANGS, exchange.seconds_late)
    return PASSED


def _asked(exchange: Exchange) -> str:
    """A request, what tells it from others first."""
    request = exchange.request
    if isinstance(request, dict):
        said = {key: request[key] for key in request if key not in ("model", "messages")}
        told = {"messages": request["messages"]} if "messages" in request else {}
        request = json.dumps({**said, **told}, ensure_ascii=False)
    return f"{exchange.method} {exchange.path} {request!s:.160}"


def _got(exchange: Exchange) -> str:
    came = exchange.gateway_timeout or repr(exchange.body[:200].decode(errors="replace"))
    return f"HTTP {exchange.status} with {came:.160}"


def _listed(statuses: tuple[int, ...]) -> str:
    if len(statuses) > 5:
        return f"{statuses[0]} to {statuses[-1]}"
    return " or ".join(map(str, statuses))
