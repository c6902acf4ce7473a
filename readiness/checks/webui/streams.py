"""A long stream through the web interface."""

from __future__ import annotations

from secrets import token_hex

from readiness.chat import Chat
from readiness.checks.webui.probes import PROMPTS
from readiness.checks.webui.requests import Session, model, post
from readiness.exchange import Exchange

CHAT = "/api/chat/completions"
#: The token limit of a long stream, and in a run that shows defects only.
LONG, SMALL = 1024, 256


async def long_stream(chat: Chat, own: Session) -> Exchange:
    """A long stream, with whose length the model may do as it likes.

    Raises:
        EndpointError: The user sees no model.
    """
    prompt = PROMPTS["long"].format(nonce=token_hex(6))
    body = {
        "model": await model(chat, own),
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "max_tokens": SMALL if chat.context.defects_only else LONG,
    }
    return await post(chat, CHAT, body, own)
