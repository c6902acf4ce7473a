"""Validation of the messages of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import RequestError

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, as a string or in content parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or part.get("refusal", "") for part in content or ())


def check_messages(messages: Any) -> None:
    """Check a conversation as OpenAI does.

    Raises:
        Problem: It has no messages, or one that is malformed or out of place.
    """
    if not isinstance(messages, list):
        raise RequestError("'messages' must be an array", "messages", "invalid_type")
    if not messages:
        raise RequestError("'messages' must not be empty", "messages", "empty_array")
    for place, message in enumerate(messages):
        _check_message(message, f"messages[{place}]")
    _check_order(messages)


def _check_message(message: Any, param: str) -> None:
    if not isinstance(message, dict):
        raise RequestError(f"'{param}' must be an object", param, "invalid_type")
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise RequestError(
            f"'{param}.role' is no role: {role!r:.80}", f"{param}.role", "invalid_value"
        )
    if not isinstance(message.get("name") or "", str):
        raise RequestError(f"'{param}.name' must be a string", f"{param}.name", "invalid_type")
    if role == "assistant" and message.get("tool_calls") is not None:
        _check_calls(message["tool_calls"], f"{param}.tool_calls")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        at = f"{param}.tool_call_id"
        raise RequestError(f"'{at}' must be a string", at, "missing_required_parameter")
    silent = role == "assistant" and (message.get("tool_calls") or message.get("refusal"))
    if not (silent and message.get("content") is None):
        _check_content(message.get("content"), role, f"{param}.content")


def _check_content(content: Any, role: str, param: str) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise RequestError(f"'{param}' must be a string or parts", param, "invalid_type")
    for place, part in enumerate(content):
        at = f"{param}[{place}]"
        kind = part.get("type") if isinstance(part, dict) else None
        key = "refusal" if kind == "refusal" and role == "assistant" else "text"
        if kind != key:
            raise RequestError(f"'{at}' is no part that this model reads: {kind!r:.80}", at)
        if not isinstance(part.get(key), str):
            raise RequestError(f"'{at}.{key}' must be a string", f"{at}.{key}", "invalid_type")


def _check_calls(calls: Any, param: str) -> None:
    if not isinstance(calls, list) or not calls:
        raise RequestError(f"'{param}' must be an array with calls", param, "invalid_type")
    for place, call in enumerate(calls):
        at = f"{param}[{place}]"
        if not isinstance(call, dict) or not isinstance(call.get("id"), str):
            raise RequestError(f"'{at}.id' must be a string", f"{at}.id", "invalid_type")
        if call.get("type") != "function":
            raise RequestError(f"'{at}.type' must be 'function'", f"{at}.type", "invalid_value")
        function = call.get("function")
        texts = (
            [function.get("name"), function.get("arguments")] if isinstance(function, dict) else []
        )
        if not texts or not all(isinstance(text, str) for text in texts):
            raise RequestError(f"'{at}.function' must have a name and arguments", f"{at}.function")


def _check_order(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check that each tool result belongs to a preceding call, and that no call lacks one."""
    pending: set[str] = set()
    for place, message in enumerate(messages):
        at = f"messages[{place}]"
        if message["role"] == "tool":
            if message["tool_call_id"] not in pending:
                raise RequestError(
                    "a 'tool' message must follow the call that it answers", f"{at}.role"
                )
            pending.discard(message["tool_call_id"])
            continue
        _check_answered(pending, at)
        pending = {call["id"] for call in message.get("tool_calls") or ()}
    _check_answered(pending, f"messages[{len(messages) - 1}]")


def _check_answered(pending: set[str], at: str) -> None:
    if pending:
        unanswered = ", ".join(sorted(pending))
        raise RequestError(f"calls without a 'tool' message that answers: {unanswered}", at)
