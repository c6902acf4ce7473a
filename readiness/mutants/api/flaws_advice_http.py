"""Flaws of what the protocol only advises of errors, of lists of models, and of HTTP itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from readiness.mutants.api.flaws_advice import advice, answered, refused
from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.refusal import Refusal

_HTML = {"Content-Type": "text/html"}
_PAGE = Refusal(200, b"<html><body>Welcome</body></html>", _HTML)


def _garbled(request: Request | None, refusal: Refusal) -> Refusal:
    return answered() if request is None and b"codec" in refusal.body else refusal


def _coded_in_numbers(request: Request | None, refusal: Refusal) -> Refusal:
    """As old vLLM did: the code is a number."""
    if request is None or "messages" in request:
        return refusal
    error = json.loads(refusal.body)["error"]
    return replace(refusal, body=json.dumps({"error": {**error, "code": 400}}).encode())


def _any_model(request: Request) -> Request:
    other = str(request.get("model", "")).startswith("readiness-no-such")
    return {**request, "model": "reference"} if other else request


def _some_model(request: Request) -> Request:
    return request if "model" in request else {**request, "model": "reference"}


def _met(name: str, value: str, answer: Refusal) -> Callable[..., Refusal | None]:
    """Answer requests with a header otherwise."""

    def meets(method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
        return answer if headers.get(name, "").lower() == value else None

    return meets


def _shown(method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
    """As a gateway does that passes the request on: the name is the one behind it."""
    if method != "GET" or path != "/v1/models/reference":
        return None
    shown = {"id": "weights/base-v2", "object": "model", "created": 1, "owned_by": "readiness"}
    return Refusal(200, json.dumps(shown).encode(), JSON)


def _unread(method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
    """A page for the SDK, by a header of its own, where it asks for one model."""
    return _PAGE if "X-Stainless-Lang" in headers and path == "/v1/models/reference" else None


def _anything_shown(method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
    name = path.removeprefix("/v1/models/")
    if method != "GET" or name == path or name == "reference":
        return None
    shown = {"id": name, "object": "model", "created": 1, "owned_by": "reference"}
    return Refusal(200, json.dumps(shown).encode(), JSON)


def _welcome(method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
    """A page for people where nothing is."""
    return _PAGE if "no-such-path" in path or method == "DELETE" else None


FLAWS = [
    advice("refuses_a_missing_model", "a request without a model is answered", asks=_some_model),
    advice("refuses_unknown_models", "a model that is not there answers", asks=_any_model),
    advice("refuses_invalid_utf8", "what is no UTF-8 is answered", errs=_garbled),
    advice("tells_errors_like_openai", "the code of an error is a number", errs=_coded_in_numbers),
    advice(
        "lists_this_model",
        "the list has another name for it",
        lists=lambda body: {**body, "data": [{**body["data"][0], "id": "its-alias"}]},
    ),
    advice(
        "dates_its_models",
        "the list tells names alone",
        lists=lambda body: {
            **body,
            "data": [{"id": one["id"], "object": "model"} for one in body["data"]],
        },
    ),
    advice("shows_a_model", "a model's own page has another name for it", meets=_shown),
    advice("sdk_retrieves_a_model", "the SDK is shown a page instead of a model", meets=_unread),
    advice("hides_what_is_not_there", "any name is shown as a model", meets=_anything_shown),
    advice("refuses_wrong_paths", "wrong paths lead to a welcome page", meets=_welcome),
    advice(
        "takes_connection_close",
        "a connection that is to be closed is refused",
        meets=_met("Connection", "close", refused("keep-alive only")),
    ),
    advice(
        "takes_expect_continue",
        "a gateway refuses to say that a body may come",
        meets=_met("Expect", "100-continue", Refusal(417, b"", {})),
    ),
    advice(
        "takes_chunked_bodies",
        "a body needs a length",
        meets=_met("Transfer-Encoding", "chunked", Refusal(411, b"", {})),
    ),
    advice(
        "takes_gzip",
        "a compressed body ends in a 500",
        meets=_met("Content-Encoding", "gzip", Refusal(500, b"", {})),
    ),
]
