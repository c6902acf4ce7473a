"""A reply that comes as a whole: one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.protocol.errors import is_error, stated
from readiness.protocol.message import Defects, Draft, Sent, decode, malformed
from readiness.protocol.tool_calls import read_calls


def read_whole(body: bytes, defects: Defects) -> Sent:
    """Read the first choice of a chat completion."""
    document = _document(body)
    choice = _first(document.get("choices"))
    message = choice.get("message")
    if not isinstance(message, dict):
        raise malformed(f"no message: {choice!r:.120}")
    draft = Draft(defects)
    draft.add(message)
    finish = choice.get("finish_reason")
    if not finish or not isinstance(finish, str):
        defects["no finish_reason"] = f"{finish!r:.60}"
        finish = ""
    calls = read_calls(message.get("tool_calls"), defects)
    return Sent(draft.finish(), calls, finish, document.get("usage"))


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = decode(body.decode())
    except UnicodeDecodeError as error:
        bad = body[max(error.start - 40, 0) : error.end + 40]
        raise malformed(f"not UTF-8: {bad!r}") from None
    except ValueError as error:
        raise malformed(f"not JSON, {error}: {body[:120]!r}") from None
    if not isinstance(document, dict):
        raise malformed(f"no JSON object: {document!r:.120}")
    if is_error(document):
        raise malformed(f"an error under a success status: {stated(document).message!r:.200}")
    return document


def _first(choices: Any) -> Mapping[str, Any]:
    """The choice of index 0, wherever it stands."""
    if not choices or not isinstance(choices, list):
        raise malformed(f"no choices: {choices!r:.120}")
    if not all(isinstance(choice, dict) for choice in choices):
        raise malformed(f"a choice is no object: {choices!r:.120}")
    first: Mapping[str, Any] = next((c for c in choices if c.get("index") == 0), choices[0])
    return first
