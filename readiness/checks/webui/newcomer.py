"""A new account: it signs up, and an administrator deletes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from secrets import token_hex

from readiness.chat import Chat
from readiness.checks.webui.requests import (
    SIGN_UP,
    Session,
    accounts,
    delete,
    described,
    get,
    session,
    sign_in_or_up,
)
from readiness.checks.webui.uploads import CLEAN_UP, PAUSES
from readiness.exchange import Exchange
from readiness.score import EndpointError, Outcome
from readiness.scoring.rejection import document

USERS = "/api/v1/users/"


@asynccontextmanager
async def newcomer(chat: Chat) -> AsyncIterator[Session]:
    """The session of a new account; when the context ends, the account is deleted.

    Raises:
        EndpointError: The account could not be deleted again, or cannot be made.
    """
    if not accounts(chat).allows_admin or (admin := await session(chat)).role != "admin":
        raise EndpointError(
            "a new account could not be deleted",
            Outcome.UNSUPPORTED,
            came="let WEBUI_EMAIL be an administrator's, with --webui-admin",
        )
    name = f"readiness-{token_hex(6)}"
    body = {"name": name, "email": f"{name}@example.com", "password": token_hex(12)}
    try:
        yield _session(await sign_in_or_up(chat, SIGN_UP, body))
    finally:
        await _delete(chat, admin, name)


def _session(exchange: Exchange) -> Session:
    """The session of the new account.

    Raises:
        EndpointError: It was not made.
    """
    told = document(exchange)
    token = told.get("token") if isinstance(told, dict) else None
    if not isinstance(token, str):
        raise EndpointError("no account was made", Outcome.UNDETERMINED, came=described(exchange))
    return Session(token, str(told.get("role", "")))


async def _delete(chat: Chat, admin: Session, name: str) -> None:
    """Delete an account by its name, also where its making was not heard of."""
    for pause in PAUSES:
        await asyncio.sleep(pause)
        with suppress(EndpointError, TimeoutError):
            async with asyncio.timeout(CLEAN_UP):
                told = document(await get(chat, f"{USERS}?query={name}", admin))
                found = told.get("users", []) if isinstance(told, dict) else []
                ids = [each["id"] for each in found if each.get("name") == name]
                for each in ids:
                    await delete(chat, f"{USERS}{each}", admin)
                if ids:
                    return
