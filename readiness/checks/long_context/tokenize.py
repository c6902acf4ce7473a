"""The endpoint's own tokenizer, which some servers offer at their root: vLLM and llama.cpp do."""

from __future__ import annotations

import json
from collections.abc import Sequence

from readiness.chat import Chat
from readiness.exchange import Call
from readiness.probe import Message

PATH = "/../tokenize"


async def count(chat: Chat, messages: Sequence[Message]) -> int | None:
    """How many tokens messages take; None where the endpoint does not tell."""
    # vLLM reads the messages, with its template around them, and llama.cpp the content.
    text = "\n".join(str(message["content"]) for message in messages)
    body = {"model": chat.dialect.model, "messages": list(messages), "content": text}
    exchange = await chat.call(Call(body, PATH))
    if exchange.status != 200:
        return None
    try:
        said = json.loads(exchange.body)
        found = said.get("count", len(said["tokens"]))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    return found if type(found) is int else None
