"""Scoring of access: what strangers are shown, and who may sign up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readiness.checks.webui.requests import Session, described, features
from readiness.exchange import Exchange
from readiness.protocol.completion import lost
from readiness.score import PASSED, EndpointError, Outcome, Score, failed, scored
from readiness.scoring.rejection import document

DENIED = (401, 403)
#: What says that a web interface has no such path: nothing was tried there. A POST that is read
#: may be answered with 404 as well, for the model that it names.
ABSENT = {"GET": (404, 405), "POST": (405,)}


def score_told(exchange: Exchange, *, versioned: bool) -> Score:
    """Score what is told of version and health."""
    if missing := lost(exchange):
        return missing
    told = document(exchange)
    if exchange.status != 200 or not isinstance(told, dict):
        return failed(f"GET {exchange.path} tells nothing", described(exchange))
    if versioned and not (isinstance(told.get("version"), str) and told["version"]):
        return failed("no version is told", described(exchange))
    return PASSED


def score_rejected(exchange: Exchange) -> Score:
    """Score a request without a session, or with one that is not enough."""
    if missing := lost(exchange):
        return missing
    if exchange.status in DENIED:
        return PASSED
    asked = f"{exchange.method} {exchange.path}"
    if exchange.status in ABSENT[exchange.method] or _is_page(exchange):
        return scored(Outcome.UNDETERMINED, f"there is no {asked}", described(exchange))
    return failed(f"{asked} was not rejected", described(exchange))


def score_route(exchange: Exchange) -> Score:
    """Score a request without a session by a path that there may be or not."""
    absent = exchange.status in ABSENT["GET"] or _is_page(exchange)
    return PASSED if absent else score_rejected(exchange)


def _is_page(exchange: Exchange) -> bool:
    """Whether it is the page of the application, which is served for any other path."""
    kind = exchange.headers.get("content-type", "")
    return exchange.status == 200 and kind.startswith("text/html")


def require_authentication(told: Mapping[str, Any]) -> None:
    """Require that authentication is said to be on.

    Raises:
        EndpointError: It is off.
    """
    if features(told).get("auth") is False:
        raise EndpointError(
            "authentication is off", Outcome.FAIL, came="/api/config says features.auth: false"
        )


def score_sign_in_as_nobody(exchange: Exchange) -> Score:
    """Score an attempt to sign in without an account."""
    if exchange.succeeded:
        return failed("an empty sign-in gives a session", described(exchange))
    if exchange.status is not None and 400 <= exchange.status < 500:
        return PASSED
    return scored(Outcome.UNDETERMINED, "an empty sign-in is not answered", described(exchange))


def score_administrator(told: Mapping[str, Any]) -> Score:
    """Score whether the first to sign up becomes administrator."""
    if features(told).get("auth") is False:
        return scored(Outcome.UNSUPPORTED, "authentication is off")
    if told.get("onboarding") is True:
        return failed("there is no administrator", "/api/config says onboarding: true")
    return PASSED


def require_closed(told: Mapping[str, Any]) -> None:
    """Require that sign-up is said to be closed, and that it would not make the administrator.

    Raises:
        EndpointError: It is open, and would make an account.
    """
    if told.get("onboarding") is True or features(told).get("enable_signup") is not False:
        raise EndpointError("sign-up is not closed", Outcome.UNSUPPORTED)


def require_open(told: Mapping[str, Any]) -> None:
    """Require that sign-up is said to be open, to all but the first.

    Raises:
        EndpointError: It is closed.
    """
    if told.get("onboarding") is True or features(told).get("enable_signup") is not True:
        raise EndpointError("sign-up is not open", Outcome.UNSUPPORTED)


def score_sign_up(exchange: Exchange) -> Score:
    """Score a request to sign up where that is closed: 400 says that it was read all the same."""
    if missing := lost(exchange):
        return missing
    if exchange.status in (*DENIED, 404, 405):
        return PASSED
    if exchange.status == 422:
        return scored(Outcome.UNDETERMINED, "sign-up was not tried", described(exchange))
    return failed("sign-up is said to be closed, and is not", described(exchange))


def score_sign_up_closed(told: Mapping[str, Any]) -> Score:
    """Score whether sign-up is said to be closed."""
    found = features(told).get("enable_signup")
    if found is False:
        return PASSED
    if found is True:
        return failed("sign-up is open", "/api/config says features.enable_signup: true")
    return scored(Outcome.UNDETERMINED, "nothing is told of sign-up")


def score_newcomer(own: Session, found: Sequence[Exchange]) -> Score:
    """Score what a new account is shown."""
    shown = [each for each in found if each.status not in DENIED]
    if not shown:
        return PASSED
    what = f"{shown[0].path} is shown to a new account, of the role {own.role!r:.40}"
    return failed(what, described(shown[0]))
