"""The reference model's tokenizer: words with the space before them, characters, punctuation."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.conversation import text_of

_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf" ?[{_WIDE}]| ?[^\W{_WIDE}]{{1,12}}| ?[^\w\s]|\s{{1,8}}")

# The tokens that a chat template adds to each message, and before the reply.
_PER_MESSAGE = 4
_PER_PROMPT = 3


def tokens(text: str) -> list[str]:
    """The tokens of a text; joined, they are the text."""
    return _TOKEN.findall(text)


@lru_cache(maxsize=256)
def count(text: str) -> int:
    """The number of tokens of a text."""
    return len(_TOKEN.findall(text))


def prompt_tokens(request: Request) -> int:
    """The number of prompt tokens of a request."""
    total = _PER_PROMPT
    for message in request["messages"]:
        total += _PER_MESSAGE + count(text_of(message))
        total += sum(
            count(json.dumps(call["function"])) for call in message.get("tool_calls") or ()
        )
    if request.get("tools"):
        total += count(json.dumps(request["tools"], ensure_ascii=False))
    return total
