"""Requests to the web interface, and the sessions that they are sent with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from secrets import token_hex
from time import monotonic
from typing import Any

from readiness.chat import Chat
from readiness.checks.webui.accounts import Account, WebuiAccounts
from readiness.checks.webui.session_token import SessionToken
from readiness.exchange import Call, Exchange, Server
from readiness.load.latency import require_not_limited
from readiness.protocol.completion import lost
from readiness.score import EndpointError, Outcome
from readiness.scoring.rejection import document

SIGN_IN, SIGN_UP, SIGN_OUT = (f"/api/v1/auths/{name}" for name in ("signin", "signup", "signout"))
WHO, CONFIG = "/api/v1/auths/", "/api/config"
#: A session that ends within so many seconds is waited for.
SHORT_SESSION = 120.0
#: How long after the end of a session its token is tried, in seconds: clocks have whole seconds.
AFTER_THE_END = 1.5
#: How long a request that a limiter refuses is sent again, in seconds.
LIMITED = 3.0
#: The values of Retry-After that are within it.
SOON = ("0", "1", "2")


@dataclass(frozen=True)
class Session:
    """What requests are sent with: the token of a session, or an API key.

    Args:
        token: The token or key.
        role: The role of the account; "" where it is unknown.
        jwt: The token as it was read; None where it is none.
        signed_in: The exchange that it was issued in; None for an API key.
    """

    token: str = field(repr=False)
    role: str = ""
    jwt: SessionToken | None = None
    signed_in: Exchange | None = None

    @property
    def seconds(self) -> float | None:
        """How long it lasts, in seconds; None where it does not say."""
        return self.jwt.seconds if self.jwt else None

    @property
    def is_short(self) -> bool:
        """Whether it ends so soon that its end can be waited for."""
        return self.seconds is not None and self.seconds <= SHORT_SESSION


NOBODY = Session("")


async def _send_once(chat: Chat, call: Call, session: Session = NOBODY) -> Exchange:
    """Send a request to the web interface.

    Raises:
        EndpointError: The user names none.
    """
    if chat.context.webui_address is None:
        raise EndpointError(
            "no web interface", Outcome.UNSUPPORTED, came="name it with --webui URL"
        )
    bearer = {"Authorization": f"Bearer {session.token}"} if session.token else {}
    headers = {**call.headers, **bearer}
    return await chat.call(replace(call, headers=headers, server=Server.WEBUI))


async def send(chat: Chat, call: Call, session: Session = NOBODY) -> Exchange:
    """Send a request to the web interface, again while a limiter refuses it.

    Raises:
        EndpointError: The user names none.
    """
    attempt = partial(_send_once, chat, call, session)
    return await until(attempt, lambda each: not each.limiter, LIMITED)


def _is_settled(exchange: Exchange) -> bool:
    """Whether an attempt to sign in is not to be sent again.

    A limiter of requests answers 503, or says when to come back, which is soon. One that counts the
    attempts for an account would count on.
    """
    soon = exchange.headers.get("retry-after", "") in SOON
    return not exchange.limiter or not (exchange.status == 503 or soon)


async def get(chat: Chat, path: str, session: Session = NOBODY) -> Exchange:
    """Send a GET request.

    Raises:
        EndpointError: A limiter refuses.
    """
    return require_not_limited(await send(chat, Call(None, path, "GET"), session))


async def post(chat: Chat, path: str, body: Any, session: Session = NOBODY) -> Exchange:
    """Send a POST request with a body of JSON.

    Raises:
        EndpointError: A limiter refuses.
    """
    return require_not_limited(await send(chat, Call(body, path), session))


async def delete(chat: Chat, path: str, session: Session = NOBODY) -> Exchange:
    """Send a DELETE request.

    Raises:
        EndpointError: A limiter refuses.
    """
    return require_not_limited(await send(chat, Call(None, path, "DELETE"), session))


async def configuration(chat: Chat) -> Any:
    """What the web interface tells everyone of itself.

    Raises:
        EndpointError: It tells nothing.
    """
    exchange = await get(chat, CONFIG)
    told = document(exchange)
    if exchange.status != 200 or not isinstance(told, dict):
        raise EndpointError("no configuration is told", came=described(exchange))
    return told


def features(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The features that a configuration tells."""
    found = told.get("features")
    return found if isinstance(found, dict) else {}


def accounts(chat: Chat) -> WebuiAccounts:
    """The accounts that may be used."""
    return chat.context.webui_accounts or WebuiAccounts()


def user(chat: Chat) -> Account:
    """The account of the user.

    Raises:
        EndpointError: The environment has none.
    """
    return _named(accounts(chat).user, "set WEBUI_EMAIL and WEBUI_PASSWORD")


def second_user(chat: Chat) -> Account:
    """The account of the second user.

    Raises:
        EndpointError: The environment has none.
    """
    return _named(accounts(chat).second_user, "set WEBUI_SECOND_EMAIL and WEBUI_SECOND_PASSWORD")


def _named(account: Account | None, advice: str) -> Account:
    if account is None:
        raise EndpointError("no account", Outcome.UNSUPPORTED, came=advice)
    return account


async def signed_in(chat: Chat, account: Account) -> Exchange:
    """Sign in, once per run for each account, since attempts are limited.

    Raises:
        EndpointError: A limiter refuses, or nothing came.
    """
    return await chat.fetch_once(("webui", account), lambda own: _sign_in(own, account))


async def _sign_in(chat: Chat, account: Account) -> Exchange:
    return await sign_in_or_up(
        chat, SIGN_IN, {"email": account.email, "password": account.password}
    )


async def sign_in_or_up(chat: Chat, path: str, body: Any) -> Exchange:
    """Sign in or up, and not again where a limiter counts the attempts.

    Raises:
        EndpointError: A limiter refuses, or no complete response came: it shows nothing of
            accounts.
    """
    attempt = partial(_send_once, chat, Call(body, path))
    exchange = require_not_limited(await until(attempt, _is_settled, LIMITED))
    if missing := lost(exchange):
        raise EndpointError(missing.kind, missing.outcome, came=exchange.detail)
    return exchange


async def session(chat: Chat) -> Session:
    """A session of the user, shared by the trials of the run; or the user's API key.

    Raises:
        EndpointError: There is neither; or the account is an administrator's, and may not be.
    """
    named = accounts(chat)
    if named.user is None and named.api_key:
        return Session(named.api_key)
    return await session_of(chat, user(chat))


async def session_of(chat: Chat, account: Account) -> Session:
    """A session of an account; one that ends soon is shared for half of the time that it lasts.

    Raises:
        EndpointError: Nobody can sign in; or the account is an administrator's, and may not be.
    """
    shared = _session(chat, await signed_in(chat, account))
    if not shared.is_short:
        return shared
    half = int(monotonic() // max((shared.seconds or 0) / 2, 0.5))
    later = await chat.fetch_once(("webui", account, half), lambda own: _sign_in(own, account))
    return _session(chat, later)


async def fresh_session(chat: Chat, account: Account) -> Session:
    """A session of an account that no other trial uses.

    Raises:
        EndpointError: Nobody can sign in; or the account is an administrator's, and may not be.
    """
    return _session(chat, await _sign_in(chat, account))


def _session(chat: Chat, exchange: Exchange) -> Session:
    told = document(exchange)
    token = told.get("token") if isinstance(told, dict) else None
    if exchange.status != 200 or not token or not isinstance(token, str):
        raise EndpointError("nobody can sign in", Outcome.UNDETERMINED, came=described(exchange))
    role = str(told.get("role", ""))
    if role == "admin" and not accounts(chat).allows_admin:
        raise EndpointError(
            "the account is an administrator's",
            Outcome.UNSUPPORTED,
            came="name a plain user's, or allow it with --webui-admin",
        )
    return Session(token, role, _jwt(token), exchange)


def _jwt(token: str) -> SessionToken | None:
    try:
        return SessionToken.read(token)
    except ValueError:
        return None


async def sign_up_again(chat: Chat) -> Exchange:
    """A request to sign up which makes no account: its address is taken, or is no address."""
    known = accounts(chat).user
    body = {"name": "readiness", "email": known.email if known else "readiness"}
    return await post(chat, SIGN_UP, {**body, "password": token_hex(12)})


async def sign_in_as_nobody(chat: Chat) -> Exchange:
    """Try to sign in without an account."""
    return await sign_in_or_up(chat, SIGN_IN, {"email": "", "password": ""})


async def wrong_passwords(chat: Chat) -> tuple[Exchange, Exchange]:
    """Try to sign in with a wrong password: to the user's account, and to one that is not there.

    Raises:
        EndpointError: Authentication is off: there are no wrong passwords.
    """
    if features(await configuration(chat)).get("auth") is False:
        raise EndpointError("authentication is off", Outcome.UNSUPPORTED)
    unknown = f"readiness-{token_hex(6)}@example.com"
    tried = [
        await sign_in_or_up(chat, SIGN_IN, {"email": email, "password": token_hex(12)})
        for email in (user(chat).email, unknown)
    ]
    return tried[0], tried[1]


def forged(own: Session, forge: Callable[[SessionToken], str]) -> Session:
    """A session with a forged token.

    Raises:
        EndpointError: Its tokens are no JSON Web Tokens.
    """
    if own.jwt is None:
        raise EndpointError("the session token is no JSON Web Token", Outcome.UNSUPPORTED)
    return Session(forge(own.jwt))


async def short_session(chat: Chat) -> tuple[Session, float]:
    """A session whose end can be waited for, and how long it lasts, in seconds.

    Raises:
        EndpointError: Sessions last longer.
    """
    shared = _session(chat, await signed_in(chat, user(chat)))
    if not shared.is_short:
        raise EndpointError(
            "the end of a session cannot be waited for",
            Outcome.UNSUPPORTED,
            came=f"to try it, let sessions last {SHORT_SESSION:.0f} s or less",
        )
    own = await fresh_session(chat, user(chat))
    return own, own.seconds or 0.0


async def expired_session(chat: Chat) -> Session:
    """A session that has ended; its end is waited for once per run.

    Raises:
        EndpointError: Sessions last too long for that.
    """
    return await chat.fetch_once("webui: an expired session", _expired)


async def _expired(chat: Chat) -> Session:
    own, seconds = await short_session(chat)
    await asyncio.sleep(seconds + AFTER_THE_END)
    return own


async def model(chat: Chat, own: Session) -> str:
    """The first model that a user sees.

    Raises:
        EndpointError: It sees none.
    """
    exchange = await get(chat, "/api/models", own)
    told = document(exchange)
    listed = told.get("data") if isinstance(told, dict) else None
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):
        return str(listed[0].get("id", ""))
    raise EndpointError("the user sees no model", Outcome.UNDETERMINED, came=described(exchange))


async def until(
    fetch: Callable[[], Awaitable[Exchange]], ends: Callable[[Exchange], bool], seconds: float
) -> Exchange:
    """Ask until the answer is an end, or for so many seconds; the last answer."""
    end = asyncio.get_running_loop().time() + seconds
    pause = 0.05
    while True:
        exchange = await fetch()
        if ends(exchange) or asyncio.get_running_loop().time() > end:
            return exchange
        await asyncio.sleep(pause)
        pause = min(2 * pause, 1.0)


def described(exchange: Exchange) -> str:
    """What came, on one line."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    return f"HTTP {exchange.status} with {exchange.body[:200].decode(errors='replace')!r:.160}"
