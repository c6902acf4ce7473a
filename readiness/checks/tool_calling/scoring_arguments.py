"""Whether the arguments of a tool call are those that were asked for."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from readiness.checks.json_only.scoring import UNSTATED, differences
from readiness.reply import ToolCall
from readiness.scoring.strict_json import NotJson, strict

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Tool = Mapping[str, Any]

#: What may follow a city's name in Chinese and Japanese.
SUFFIXES = ("市区", "市", "县")
# Those of Latin, Greek and Cyrillic letters; the marks of kana make other letters.
_ACCENTS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True)
class Expected:
    """A tool call that is expected.

    Args:
        name: The tool's name.
        arguments: The values that were asked for.
        aliases: Other spellings of a value, by the name of its argument.
    """

    name: str
    arguments: Mapping[str, Any]
    aliases: Mapping[str, Collection[str]] = field(default_factory=dict)


def parameters_of(tools: Collection[Tool], name: str) -> Mapping[str, Any] | None:
    """The schema of a tool's arguments; None where no such tool is offered."""
    return next(
        (tool["function"]["parameters"] for tool in tools if tool["function"]["name"] == name), None
    )


def misformed(call: ToolCall, parameters: Mapping[str, Any]) -> str:
    """What is wrong with the form of a call's arguments; "" where nothing is."""
    try:
        found = strict(call.arguments)
    except NotJson as error:
        return f"arguments of {call.name}: {error}"
    if not isinstance(found, dict):
        return f"arguments of {call.name} are no JSON object: {call.arguments!r:.120}"
    if lost := [name for name in parameters.get("required", ()) if name not in found]:
        return f"parameters of {call.name} lost: {', '.join(lost)}"
    if extra := [name for name in found if name not in parameters["properties"]]:
        return f"unknown parameters of {call.name}: {', '.join(extra)}"
    return _violation(call.name, found, parameters)


def mistaken(call: ToolCall, expected: Expected, parameters: Mapping[str, Any]) -> str:
    """Which value of a well-formed call is not the expected one; "" where all are."""
    found = json.loads(call.arguments)
    for name, schema in parameters["properties"].items():
        default = schema.get("default", UNSTATED)
        wanted, got = expected.arguments.get(name, default), found.get(name, default)
        if spellings := expected.aliases.get(name):
            if not (isinstance(got, str) and named_alike(got, (wanted, *spellings))):
                return f"wrong {name}: expected {wanted!r:.120}, got {got!r:.120}"
        elif wrong := next(differences(_trimmed(wanted), _trimmed(got), name), ""):
            return f"wrong {wrong}"
    return ""


def _trimmed(value: Any) -> Any:
    """A value without the white space around its texts, and with one kind of line end."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, Mapping):
        return {key: _trimmed(of) for key, of in value.items()}
    return [_trimmed(of) for of in value] if isinstance(value, list) else value


def named_alike(name: str, names: Collection[str]) -> bool:
    """Whether a name is one of several, however it is written."""
    return fold(name) in {fold(each) for each in names}


def fold(name: str) -> str:
    """A name without what makes no other name of it: width, case, accents, punctuation, 市."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    bare = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))
    letters = "".join(each for each in bare if unicodedata.category(each)[0] not in "PZC")
    for suffix in SUFFIXES:
        if letters.endswith(suffix) and letters != suffix:
            return letters.removesuffix(suffix)
    return letters


def _violation(name: str, found: Any, parameters: Mapping[str, Any]) -> str:
    from jsonschema.exceptions import best_match

    error = best_match(_validator(json.dumps(parameters)).iter_errors(found))
    return f"arguments of {name} at {error.json_path}: {error.message:.200}" if error else ""


@cache
def _validator(canonical: str) -> Draft202012Validator:
    # Imported here, for it takes a tenth of a second that other dimensions need not pay.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(canonical))
