"""Flaws of JSON by a rich schema: optional members, maps, bounds, lists of lists, choices."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.request_form import Says, Where, only, streamed
from readiness.mutants.endpoint.schema_values import Change, Schema, after_gap_lost, within
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only.flaws import dumped
from readiness.mutants.json_only.reader import shape_of, wanted_format

_MEMBERS = "json_only.schema_members_kept"
_LONGEST = 16


def _by_schema(change: Change, where: Where = lambda _request: True) -> Says:
    """Change the JSON of a reply that has a schema, by the schema."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        if wanted_format(request) != "json_schema" or not where(request):
            return said
        try:
            found = json.loads(said.content or "")
        except ValueError:
            return said
        return replace(said, content=dumped(change(found, shape_of(request) or {})))

    return says


def _required_only(value: Any, schema: Schema) -> Any:
    """A grammar that knows required members alone."""
    inner = within(value, schema, _required_only)
    if isinstance(inner, dict) and "properties" in schema:
        return {key: of for key, of in inner.items() if key in schema.get("required", ())}
    return inner


def _required_within(value: Any, schema: Schema) -> Any:
    return within(value, schema, _required_only)


def _maps_emptied(value: Any, schema: Schema) -> Any:
    if isinstance(value, dict) and schema.get("additionalProperties"):
        return {}
    return within(value, schema, _maps_emptied)


def _lists_cut(value: Any, schema: Schema) -> Any:
    inner = within(value, schema, _lists_cut)
    return inner[:_LONGEST] if isinstance(inner, list) and "maxItems" not in schema else inner


def _below_most(value: Any, schema: Schema) -> Any:
    if type(value) is int and value == schema.get("maximum"):
        return value - 1
    return within(value, schema, _below_most)


def _first_choice(value: Any, schema: Schema) -> Any:
    """Of numbers to choose from, the first."""
    if type(value) is int and "enum" in schema:
        return schema["enum"][0]
    return within(value, schema, _first_choice)


def _default(value: Any, schema: Schema) -> Any:
    if "default" in schema:
        return schema["default"]
    return within(value, schema, _default)


def _first_within(value: Any, schema: Schema) -> Any:
    """Of lists in lists, the first items."""
    inner = within(value, schema, _first_within)
    if isinstance(inner, list):
        return [of[:1] if isinstance(of, list) else of for of in inner]
    return inner


_UNGUIDED = ModelOutput("I have taken it down for you.")


def _restricted(*keywords: str) -> Where:
    """Whether a schema restricts texts by some keyword: a member of that name is an object."""
    known = tuple(f'"{keyword}": {begins}' for keyword in keywords for begins in '"0123456789')

    def where(request: Request) -> bool:
        sent = json.dumps(request.get("response_format") or {})
        return any(each in sent for each in known)

    return where


def _unguided(*keywords: str) -> Says:
    """As where a grammar that cannot be made is left out."""
    return only(_restricted(*keywords), lambda _request, _said, _turn: _UNGUIDED)


def _no_patterns(request: Request, _turn: int) -> SubstituteResponse | None:
    told = RequestError("pattern is not supported", "response_format")
    declined = _restricted("pattern")(request)
    return SubstituteResponse(400, told.body, JSON) if declined else None


_BROKEN: list[tuple[str, str, Says]] = [
    ("optional_lost", "what is not required is left out", _by_schema(_required_only)),
    (
        "optional_within_lost",
        "in streams, within objects what is not required is left out",
        _by_schema(_required_within, streamed),
    ),
    ("maps_emptied", "maps come empty", _by_schema(_maps_emptied)),
    ("lists_cut", "a list without a bound ends with the sixteenth item", _by_schema(_lists_cut)),
    ("below_most", "a number that is as large as may be is one less", _by_schema(_below_most)),
    ("first_choice", "of numbers to choose from, the first comes", _by_schema(_first_choice)),
    ("defaults", "what has a default has it", _by_schema(_default)),
    ("first_within", "of lists in a list, the first items come", _by_schema(_first_within)),
    (
        "after_gap_lost",
        "behind a member that is left out, what is not required is lost",
        _by_schema(after_gap_lost),
    ),
    ("patterns_unguided", "a schema with a pattern is not followed", _unguided("pattern")),
    (
        "lengths_unguided",
        "a schema with the length of a text is not followed",
        _unguided("minLength", "maxLength"),
    ),
]


def _sorted(value: Any, schema: Schema) -> Any:
    inner = within(value, schema, _sorted)
    return {key: inner[key] for key in sorted(inner)} if isinstance(inner, dict) else inner


def _no_maps(request: Request, _turn: int) -> SubstituteResponse | None:
    """As in OpenAI's strict mode, whatever `strict` says."""
    told = RequestError("additionalProperties must be false", "response_format")
    any_members = '"additionalProperties": {' in json.dumps(request.get("response_format") or {})
    return SubstituteResponse(400, told.body, JSON) if any_members else None


def _no_grammar(request: Request, _turn: int) -> SubstituteResponse | None:
    """As older servers of llama.cpp, whose grammars raise an exception."""
    told = {"code": 500, "message": "failed to parse grammar", "type": "server_error"}
    rich = '"additionalProperties": {' in json.dumps(request.get("response_format") or {})
    return SubstituteResponse(500, json.dumps({"error": told}).encode(), JSON) if rich else None


def _decimals(value: Any, schema: Schema) -> Any:
    """Whole numbers of type number as decimals."""
    if type(value) is int and schema.get("type") == "number":
        return float(value)
    if isinstance(value, dict) and isinstance(of := schema.get("additionalProperties"), dict):
        return {key: _decimals(each, of) for key, each in value.items()}
    return within(value, schema, _decimals)


FLAWS = [
    *(
        Flaw(f"json_members_{name}", about, _MEMBERS, change_output=says)
        for name, about, says in _BROKEN
    ),
    Flaw(
        "json_members_sorted",
        "members have no order in any depth",
        change_output=_by_schema(_sorted),
    ),
    Flaw("json_members_no_maps", "maps may be declined", intercept=_no_maps),
    Flaw("json_members_no_patterns", "patterns may be declined", intercept=_no_patterns),
    Flaw(
        "json_members_no_grammar",
        "or by an exception of the grammar",
        intercept=_no_grammar,
    ),
    Flaw(
        "json_members_decimals",
        "numbers may be written as decimals",
        change_output=_by_schema(_decimals),
    ),
]
