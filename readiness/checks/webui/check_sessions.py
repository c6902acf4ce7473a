"""Sessions: signing in and out, how long a session lasts, and forged tokens."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.webui import requests as send
from readiness.checks.webui import scoring_sessions as scoring
from readiness.checks.webui.probes import PROMPTS, probes, single
from readiness.checks.webui.scoring_streams import score_stream_over_end
from readiness.checks.webui.session_token import FORGERIES
from readiness.checks.webui.streams import long_stream
from readiness.probe import Probe
from readiness.score import Score

FORGED = [{"name": each} for each in FORGERIES]


@check(single("sign_in"), alone=True, in_order=True)
async def sign_in(chat: Chat, probe: Probe) -> Score:
    """Signing in with the right password MUST return a session token."""
    return scoring.score_sign_in(await send.signed_in(chat, send.user(chat)))


@check(single("wrong_password_rejected"), alone=True, in_order=True)
async def wrong_password_rejected(chat: Chat, probe: Probe) -> Score:
    """A wrong password MUST be rejected with 400, 401 or 403, and an unknown account in the same
    words.
    """
    return scoring.score_wrong_passwords(*await send.wrong_passwords(chat))


@check(single("session_lifetime"), alone=True, in_order=True)
async def session_lifetime(chat: Chat, probe: Probe) -> Score:
    """A session MUST end, within 7 days, and when the sign-in says."""
    return scoring.score_lifetime(await send.session_of(chat, send.user(chat)))


@check(single("session_outlasts_long_reply"), alone=True, in_order=True)
async def session_outlasts_long_reply(chat: Chat, probe: Probe) -> Score:
    """A session MUST last 10 minutes at least, as long as a long reply may take."""
    return scoring.score_shortest(await send.session_of(chat, send.user(chat)))


@check(probes("expired_token_rejected", PROMPTS["member"]), alone=True, in_order=True)
async def expired_token_rejected(chat: Chat, probe: Probe) -> Score:
    """After the end of a session, its token MUST be answered with 401 and a reason."""
    expired = await send.expired_session(chat)
    return scoring.score_expired(await send.get(chat, probe.expect["case"]["path"], expired))


@check(single("stream_outlasts_session", 600), alone=True, in_order=True)
async def stream_outlasts_session(chat: Chat, probe: Probe) -> Score:
    """A stream that is under way when its session ends MUST arrive complete."""
    own, seconds = await send.short_session(chat)
    return score_stream_over_end(await long_stream(chat, own), seconds)


@check(probes("forged_token_rejected", FORGED), alone=True, in_order=True)
async def forged_token_rejected(chat: Chat, probe: Probe) -> Score:
    """A token without an algorithm, signed with another key or with one that everybody knows, with
    a cut signature or with other claims MUST be answered with 401 or 403.
    """
    own = await send.session_of(chat, send.user(chat))
    forged = send.forged(own, FORGERIES[probe.expect["case"]["name"]])
    return scoring.score_forged(
        await send.get(chat, send.WHO, own), await send.get(chat, send.WHO, forged)
    )


@check(single("sign_out_ends_session"), alone=True, in_order=True)
async def sign_out_ends_session(chat: Chat, probe: Probe) -> Score:
    """After signing out, the token SHOULD be answered with 401."""
    own = await send.fresh_session(chat, send.user(chat))
    before = await send.get(chat, send.WHO, own)
    ended = await send.post(chat, send.SIGN_OUT, {}, own)
    return scoring.score_sign_out(before, ended, await send.get(chat, send.WHO, own))
