"""What was asked and what came, as short texts: what a person reads first of a failed trial."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from readiness.evidence.log import exchange_of, read_exchanges
from readiness.exchange import Exchange
from readiness.protocol import completion
from readiness.reply import Reply
from readiness.score import EndpointError

MAX_EXCERPT = 600  # characters


def excerpts(evidence: Path, exchanges: Collection[int]) -> dict[int, dict[str, str]]:
    """The last message that was sent, and what came, by the number of the exchange."""
    found = read_exchanges(evidence, exchanges)
    return {
        seq: {"asked": _cut(_asked(exchange)), "came": _cut(_came(exchange))}
        for seq, exchange in ((seq, exchange_of(entry)) for seq, entry in found.items())
    }


def _asked(exchange: Exchange) -> str:
    """The text of the last message; the request, where it is no conversation."""
    match exchange.request:
        case None:
            return f"{exchange.method} {exchange.path}"
        case {"messages": [*_, {"content": str() | list() as content}]}:
            return _text(content)
        case request:
            return json.dumps(request, ensure_ascii=False)


def _text(content: str | Sequence[Any]) -> str:
    parts = [content] if isinstance(content, str) else content
    return "".join(
        str(each.get("text", "")) if isinstance(each, dict) else str(each) for each in parts
    )


def _came(exchange: Exchange) -> str:
    """The reply as its reader sees it; where there is none, the status and the body."""
    if exchange.path.endswith("/completions"):
        with suppress(EndpointError):
            return _said(completion.read_recorded(exchange))
    status = f"HTTP {exchange.status}" if exchange.status else ""
    fault = f"{exchange.fault}: {exchange.detail}" if exchange.fault else ""
    body = exchange.body.decode("utf-8", "replace")
    return "\n".join(filter(None, [status, fault, body]))


def _said(reply: Reply) -> str:
    calls = [f"{each.name}({each.arguments})" for each in reply.tool_calls]
    return "\n".join([*filter(None, [reply.text, reply.refusal]), *calls])


def _cut(text: str) -> str:
    """The text without its middle, where it is long: what is asked stands at an end."""
    if len(text) <= MAX_EXCERPT:
        return text
    half = MAX_EXCERPT // 2
    return f"{text[:half]} […] {text[-half:]}"
