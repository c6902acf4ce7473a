"""JSON that a token limit cuts, which a client tells from a whole one by its finish_reason."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.json_only.probes_cut import LIMIT, cut_probes
from readiness.checks.json_only.scoring import says_cut
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.score import Score


@check(cut_probes, trials=4)
async def cut_json_reported(chat: Chat, probe: Probe) -> Score:
    """JSON that the token limit cuts MUST end with finish_reason length."""
    limit = {chat.dialect.max_tokens_field: LIMIT}
    return says_cut(read(await chat.send(probe.messages, **probe.parameters, **limit)), LIMIT)
