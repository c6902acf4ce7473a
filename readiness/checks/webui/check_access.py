"""Access: what strangers can reach, who can become administrator, and sign-up."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.webui import requests as send
from readiness.checks.webui import scoring_access as scoring
from readiness.checks.webui.newcomer import newcomer
from readiness.checks.webui.probes import PROMPTS, probes, single
from readiness.probe import Probe
from readiness.score import Score

CLOSED = [*PROMPTS["closed"], *PROMPTS["routes"]]
TOLD = [{"name": each, "path": f"/{each}"} for each in ("api/version", "health", "ready")]


@check(probes("version_and_health", TOLD), alone=True, in_order=True)
async def version_and_health(chat: Chat, probe: Probe) -> Score:
    """GET /api/version MUST return a version, and GET /health and /ready MUST return 200."""
    path = probe.expect["case"]["path"]
    return scoring.score_told(await send.get(chat, path), versioned=path == "/api/version")


@check(probes("authentication_required", CLOSED), alone=True, in_order=True)
async def authentication_required(chat: Chat, probe: Probe) -> Score:
    """Without a session, models, chat, files, conversations, users and settings MUST be answered
    with 401 or 403, by whatever path.
    """
    case = probe.expect["case"]
    body = case.get("body")
    found = await (send.post(chat, case["path"], body) if body else send.get(chat, case["path"]))
    return (scoring.score_route if case in PROMPTS["routes"] else scoring.score_rejected)(found)


@check(single("authentication_enabled"), alone=True, in_order=True)
async def authentication_enabled(chat: Chat, probe: Probe) -> Score:
    """Authentication MUST be on: where it is off, whoever comes is the administrator."""
    scoring.require_authentication(await send.configuration(chat))
    return scoring.score_sign_in_as_nobody(await send.sign_in_as_nobody(chat))


@check(single("administrator_exists"), alone=True, in_order=True)
async def administrator_exists(chat: Chat, probe: Probe) -> Score:
    """An administrator MUST exist: where there is none, the first to sign up becomes one, even
    where sign-up is closed.
    """
    return scoring.score_administrator(await send.configuration(chat))


@check(single("closed_sign_up_rejected"), alone=True, in_order=True)
async def closed_sign_up_rejected(chat: Chat, probe: Probe) -> Score:
    """Where sign-up is closed, a request to sign up MUST be answered with 403."""
    scoring.require_closed(await send.configuration(chat))
    return scoring.score_sign_up(await send.sign_up_again(chat))


@check(single("sign_up_closed"), alone=True, in_order=True)
async def sign_up_closed(chat: Chat, probe: Probe) -> Score:
    """Sign-up SHOULD be closed."""
    return scoring.score_sign_up_closed(await send.configuration(chat))


@check(single("newcomer_has_no_access"), alone=True, in_order=True)
async def newcomer_has_no_access(chat: Chat, probe: Probe) -> Score:
    """Where sign-up is open, a new account MUST wait for approval: models, chat and files MUST be
    answered with 401 or 403.
    """
    scoring.require_open(await send.configuration(chat))
    async with newcomer(chat) as own:
        paths = [case["path"] for case in PROMPTS["closed"] if "body" not in case]
        found = [await send.get(chat, path, own) for path in paths]
        return scoring.score_newcomer(own, found)
