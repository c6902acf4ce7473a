"""The finish_reason beside tools: programs decide by it whether to run a call, or to go on."""

from __future__ import annotations

from typing import Any

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.tool_calling import scoring_finish
from readiness.checks.tool_calling.checks import TOOLS
from readiness.checks.tool_calling.probes_finish import TIGHT, WIDE, cut_calls, texts
from readiness.checks.tool_calling.probes_unusual_tools import FORMS
from readiness.probe import OMIT, Probe
from readiness.protocol.completion import read
from readiness.score import Score


@check(cut_calls, trials=4, needs=TOOLS, forms=FORMS)
async def cut_call_reported(chat: Chat, probe: Probe) -> Score:
    """A call that the token limit cuts MUST end with finish_reason length."""
    limit = {chat.dialect.max_tokens_field: TIGHT}
    sent = await chat.send(probe.messages, **probe.parameters, **limit)
    return scoring_finish.cut_call(read(sent), TIGHT)


@check(texts, trials=6, needs=TOOLS, forms=FORMS)
async def finish_reason_beside_tools(chat: Chat, probe: Probe) -> Score:
    """Beside tools, a text that a limit cuts MUST end with finish_reason length, and a whole one
    with stop.
    """
    name = chat.dialect.max_tokens_field
    limits: dict[str, Any] = {"tight": {name: TIGHT}, "wide": {}, "none": {name: OMIT}}
    sent = await chat.send(probe.messages, budget=WIDE, **probe.parameters, **limits[probe.family])
    limit = {"tight": TIGHT, "wide": WIDE, "none": None}[probe.family]
    return scoring_finish.text(read(sent), probe.expect["last"], limit)
