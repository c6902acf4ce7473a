"""Scoring of sessions: their token, their end, and what is forged."""

from __future__ import annotations

from readiness.checks.webui.requests import Session, described
from readiness.checks.webui.session_token import DAY, SessionToken
from readiness.exchange import Exchange
from readiness.protocol.completion import lost
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.rejection import document

DENIED = (401, 403)
#: The longest session in seconds, as the article sets it, and the shortest: what a reply may take.
LONGEST, SHORTEST = 7 * DAY, 600
#: How far the end of a session in the token may be from the one that is told, in seconds.
ROUNDING = 60


def score_sign_in(exchange: Exchange) -> Score:
    """Score a sign-in with the right password."""
    told = document(exchange)
    token = told.get("token") if isinstance(told, dict) else None
    if exchange.status == 200 and isinstance(token, str) and token:
        return PASSED
    return failed("signing in gives no token", described(exchange))


def score_wrong_passwords(known: Exchange, unknown: Exchange) -> Score:
    """Score wrong passwords, of an account that there is and of one that there is not."""
    for each in (known, unknown):
        if each.status not in (400, *DENIED):
            return failed("a wrong password was not rejected", described(each))
    if (known.status, _reason(known)) != (unknown.status, _reason(unknown)):
        return failed(
            "the answer tells which accounts there are",
            f"{described(known)}, and {described(unknown)} for an unknown one",
        )
    return PASSED


def _reason(exchange: Exchange) -> object:
    told = document(exchange)
    return told.get("detail", told) if isinstance(told, dict) else exchange.body


def score_lifetime(own: Session) -> Score:
    """Score how long a session lasts at most."""
    if own.jwt is None:
        return scored(Outcome.UNDETERMINED, "the session token is no JSON Web Token")
    if own.jwt.end is None:
        return failed("the session never ends", "its token has no exp")
    if (seconds := own.jwt.seconds) is None:
        return scored(Outcome.UNDETERMINED, "the session token does not say when it begins")
    lasts = Measure("session", seconds, "s")
    if seconds > LONGEST + ROUNDING:
        return failed("the session lasts too long", _days(seconds)).measured(lasts)
    return _score_told_end(own, own.jwt).measured(lasts)


def _score_told_end(own: Session, jwt: SessionToken) -> Score:
    """Score whether the sign-in tells the end that the token has."""
    told = document(own.signed_in) if own.signed_in else None
    end, within = told.get("expires_at") if isinstance(told, dict) else None, jwt.end
    if isinstance(end, int | float) and within is not None and abs(end - within) > ROUNDING:
        return failed("the sign-in tells another end than the token", f"{end}, not {within:.0f}")
    return PASSED


def _days(seconds: float) -> str:
    return f"{seconds / DAY:.1f} days, and {LONGEST // DAY} are allowed"


def score_shortest(own: Session) -> Score:
    """Score how long a session lasts at least; one without an end lasts."""
    seconds = own.seconds
    if own.jwt is None:
        return scored(Outcome.UNDETERMINED, "the session token is no JSON Web Token")
    if seconds is not None and seconds < SHORTEST:
        return failed("the session ends while a long reply may last", f"after {seconds:.0f} s")
    return PASSED


def score_expired(exchange: Exchange) -> Score:
    """Score a request with a token whose session has ended."""
    if missing := lost(exchange):
        return missing
    if exchange.status != 401:
        return failed("the token of an ended session is not answered with 401", described(exchange))
    told = document(exchange)
    return PASSED if isinstance(told, dict) and told else failed("no reason", described(exchange))


def score_forged(genuine: Exchange, forged: Exchange) -> Score:
    """Score a request with a forged token, beside one with the token that was forged."""
    if missing := lost(forged):
        return missing
    if genuine.status != 200:
        what = "the genuine token was not accepted"
        return scored(Outcome.UNDETERMINED, what, described(genuine))
    if forged.status in DENIED:
        return PASSED
    return failed("a forged token was not rejected", described(forged))


def score_sign_out(before: Exchange, ended: Exchange, after: Exchange) -> Score:
    """Score a request with the token of a session that was signed out."""
    for each in (before, ended):
        if each.status != 200:
            return scored(Outcome.UNDETERMINED, "nobody signed out", described(each))
    if after.status in DENIED:
        return PASSED
    return failed("the token is still good after signing out", described(after))
