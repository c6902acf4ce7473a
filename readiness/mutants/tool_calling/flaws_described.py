"""Flaws of the descriptions of tools and of their arguments, which do not reach the model whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.flaw import Flaw

_SELECTION = "tool_calling.tool_selection"
_ARGUMENTS = "tool_calling.complex_arguments"

Change = Callable[[str], str]
Schema = dict[str, Any]


def _unchanged(text: str) -> str:
    return text


def _cut(characters: int) -> Change:
    return lambda text: text[:characters]


def _cut_bytes(count: int) -> Change:
    return lambda text: text.encode()[:count].decode(errors="ignore")


def _dropped(_text: str) -> str:
    return ""


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].partition("。")[0]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _described(schema: Schema, change: Change, least: int = 0, depth: int = 0) -> Schema:
    """A schema with the descriptions changed that stand so deep in it, or deeper."""
    made = dict(schema)
    if isinstance(schema.get("description"), str) and depth >= least:
        made["description"] = change(schema["description"])
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {
            name: _described(of, change, least, depth + 1) if isinstance(of, dict) else of
            for name, of in schema["properties"].items()
        }
    if isinstance(schema.get("items"), dict):
        made["items"] = _described(schema["items"], change, least, depth)
    return made


def _functions(
    change: Callable[[Schema, int], Schema],
) -> Callable[[Request], Request]:
    """Change each function that a request offers, by its place."""

    def changed(request: Request) -> Request:
        tools = request.get("tools")
        if not isinstance(tools, list) or not all(map(_is_function, tools)):
            return request
        made = [{**each, "function": change(each["function"], at)} for at, each in enumerate(tools)]
        return {**request, "tools": made}

    return changed


def _is_function(tool: Any) -> bool:
    return isinstance(tool, dict) and isinstance(tool.get("function"), dict)


def _of_tools(change: Change, first: int = 0) -> Callable[[Request], Request]:
    """Change the descriptions of tools themselves, from the one at a place on."""
    return _functions(
        lambda function, at: (
            {**function, "description": change(function["description"])}
            if at >= first and isinstance(function.get("description"), str)
            else function
        )
    )


def _of_arguments(change: Change, least: int = 1) -> Callable[[Request], Request]:
    """Change the descriptions of arguments that stand so deep in their schema, or deeper."""
    return _parameters(lambda schema: _described(schema, change, least))


def _parameters(change: Callable[[Schema], Schema]) -> Callable[[Request], Request]:
    return _functions(
        lambda function, _at: (
            {**function, "parameters": change(function["parameters"])}
            if isinstance(function.get("parameters"), dict)
            else function
        )
    )


def _of_all(change: Change) -> Callable[[Request], Request]:
    tools, arguments = _of_tools(change), _of_arguments(change)
    return lambda request: arguments(tools(request))


def _enums_cut(schema: Schema, most: int) -> Schema:
    """A schema whose lists of values are cut."""
    made = {key: _enums_in(of, most) for key, of in schema.items()}
    if isinstance(schema.get("enum"), list):
        made["enum"] = schema["enum"][:most]
    return made


def _enums_in(value: Any, most: int) -> Any:
    return _enums_cut(value, most) if isinstance(value, dict) else value


_BROKEN: list[tuple[str, str, str, Callable[[Request], Request]]] = [
    (
        "tools_described_60",
        "all descriptions are cut at 60 characters",
        _SELECTION,
        _of_all(_cut(60)),
    ),
    (
        "tools_described_100_bytes",
        "the descriptions of tools are cut at 100 bytes",
        _SELECTION,
        _of_tools(_cut_bytes(100)),
    ),
    (
        "tools_described_first_sentence",
        "of a tool's description the first sentence is shown",
        _SELECTION,
        _of_tools(_first_sentence),
    ),
    (
        "tools_described_first_four",
        "the descriptions of the first four tools are shown",
        _SELECTION,
        _of_tools(_dropped, first=4),
    ),
    (
        "tools_arguments_described_60",
        "the descriptions of arguments are cut at 60 characters",
        _ARGUMENTS,
        _of_arguments(_cut(60)),
    ),
    (
        "tools_arguments_described_256",
        "the descriptions of arguments are cut at 256 characters",
        _ARGUMENTS,
        _of_arguments(_cut(256)),
    ),
    (
        "tools_arguments_undescribed",
        "the template shows names and types of arguments, and no description",
        _ARGUMENTS,
        _of_arguments(_dropped),
    ),
    (
        "tools_nested_undescribed",
        "the template describes arguments, and not what stands within them",
        _ARGUMENTS,
        _of_arguments(_dropped, least=2),
    ),
    (
        "tools_enums_cut",
        "of a list of values the first twelve are allowed",
        _ARGUMENTS,
        _parameters(lambda schema: _enums_cut(schema, 12)),
    ),
]
_HARMLESS: list[tuple[str, str, Callable[[Request], Request]]] = [
    ("tools_described_1024", "descriptions may be cut at 1,024 characters", _of_all(_cut(1024))),
    ("tools_described_in_a_line", "descriptions may be shown in one line", _of_all(_one_line)),
]

FLAWS = [
    *(Flaw(name, about, check, change_request=change) for name, about, check, change in _BROKEN),
    *(Flaw(name, about, change_request=change) for name, about, change in _HARMLESS),
]
