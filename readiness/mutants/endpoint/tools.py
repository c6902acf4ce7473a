"""Validation of the tools of a request."""

from __future__ import annotations

import re
from typing import Any

from readiness.mutants.endpoint.answer import Request, RequestError
from readiness.mutants.endpoint.response_format import check_schema

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def named_tool(request: Request) -> str:
    """The function that the request forces the model to call; "" if none."""
    choice = request.get("tool_choice")
    return str(choice["function"]["name"]) if isinstance(choice, dict) else ""


def check_tools(request: Request) -> None:
    """Check the tools and the choice among them as OpenAI does.

    Raises:
        Problem: A tool is malformed, or the choice is none.
    """
    tools = request.get("tools")
    if tools is not None and (not isinstance(tools, list) or not tools):
        raise RequestError("'tools' must be an array with tools", "tools", "invalid_value")
    names = [_check_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools or ())]
    _check_choice(request.get("tool_choice"), names)


def _check_tool(tool: Any, at: str) -> str:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise RequestError(f"'{at}.type' must be 'function'", f"{at}.type", "invalid_value")
    function = tool.get("function")
    if not isinstance(function, dict):
        raise RequestError(f"'{at}.function' must be an object", f"{at}.function", "invalid_type")
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RequestError(f"'{at}.function.name' must match [a-zA-Z0-9_-]{{1,64}}", at)
    if not isinstance(function.get("description") or "", str):
        raise RequestError(f"'{at}.function.description' must be a string", at, "invalid_type")
    if function.get("parameters") is not None:
        check_schema(function["parameters"], f"{at}.function.parameters")
    return name


def _check_choice(choice: Any, names: list[str]) -> None:
    at = "tool_choice"
    if choice in (None, "none", "auto"):
        return
    if not names:
        raise RequestError("'tool_choice' is only allowed when 'tools' are specified", at)
    if choice == "required":
        return
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(function, dict) or choice.get("type") != "function":
        raise RequestError(f"'tool_choice' is none: {choice!r:.80}", at, "invalid_value")
    if function.get("name") not in names:
        raise RequestError(f"'tool_choice' names no tool: {function.get('name')!r:.80}", at)
