"""Streams through the web interface."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.webui import requests as send
from readiness.checks.webui.probes import single
from readiness.checks.webui.scoring_streams import score_long_stream
from readiness.checks.webui.streams import long_stream
from readiness.probe import Probe
from readiness.score import Score


@check(single("long_stream_not_truncated", 1100), alone=True, in_order=True)
async def long_stream_not_truncated(chat: Chat, probe: Probe) -> Score:
    """A long stream MUST arrive complete, and one that is cut MUST NOT end like a complete one."""
    return score_long_stream(await long_stream(chat, await send.session(chat)))
