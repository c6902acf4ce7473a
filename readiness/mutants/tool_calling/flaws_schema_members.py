"""Flaws of arguments whose schema is rich: optional, within bounds, in maps, in lists of lists."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.request_form import Where, only, streamed, unstreamed
from readiness.mutants.endpoint.schema_values import Change, Schema, after_gap_lost, within
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.reader import tools_of
from readiness.mutants.tool_calling.requests import dumped

_TOOLS = "tool_calling.extreme_tools"


def _arguments(change: Change, where: Where = lambda _request: True) -> dict[str, Any]:
    """Change the arguments of each call by the schema of its tool."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        schemas = tools_of(request)

        def changed(call: ModelToolCall) -> ModelToolCall:
            found = change(json.loads(call.arguments), schemas.get(call.name, {}))
            return replace(call, arguments=dumped(found))

        return replace(said, calls=tuple(map(changed, said.calls)))

    return {"change_output": only(where, says)}


def _optional_lost(value: Any, schema: Schema, depth: int = 0) -> Any:
    """Within objects, what is not required is left out."""
    inner = within(value, schema, lambda of, part: _optional_lost(of, part, depth + 1))
    if not (depth and isinstance(inner, dict) and "properties" in schema):
        return inner
    return {key: of for key, of in inner.items() if key in schema.get("required", ())}


def _or_default(value: Any, schema: Schema) -> Any:
    """What is false becomes its default, as by `value or default`."""
    if value is False:
        return schema.get("default", value)
    return within(value, schema, _or_default)


def _flattened(value: Any, schema: Schema) -> Any:
    """Lists of lists become lists."""
    inner = within(value, schema, _flattened)
    if isinstance(inner, list) and inner and all(isinstance(of, list) for of in inner):
        return [each for of in inner for each in of]
    return inner


def _is_map(value: Any, schema: Schema) -> bool:
    """Whether an object may have any members, and these are no texts alone."""
    of_texts = isinstance(value, dict) and all(isinstance(of, str) for of in value.values())
    return isinstance(value, dict) and bool(schema.get("additionalProperties")) and not of_texts


def _maps_emptied(value: Any, schema: Schema) -> Any:
    return {} if _is_map(value, schema) else within(value, schema, _maps_emptied)


def _maps_first(value: Any, schema: Schema) -> Any:
    if _is_map(value, schema):
        return dict(list(value.items())[:1])
    return within(value, schema, _maps_first)


def _chosen_within(value: Any, schema: Schema, depth: int = 0) -> Any:
    """Numbers to choose from that stand in objects or lists come as text."""
    if type(value) is int and depth > 1 and "enum" in schema:
        return str(value)
    return within(value, schema, lambda of, part: _chosen_within(of, part, depth + 1))


def _gaps_null(value: Any, schema: Schema) -> Any:
    """What is left out at the top is null, as where a client's strict mode has it so."""
    return {**dict.fromkeys(schema.get("properties") or {}), **value}


def _open_maps(request: Request) -> bool:
    return '"additionalProperties": true' in json.dumps(request.get("tools") or ())


def _refused(request: Request, _turn: int) -> SubstituteResponse | None:
    told = RequestError("additionalProperties must be false", "tools")
    return SubstituteResponse(400, told.body, JSON) if _open_maps(request) else None


def _always(_request: Request) -> bool:
    return True


_BROKEN: list[tuple[str, str, Change, Where]] = [
    (
        "optional_lost",
        "within objects, what is not required is left out",
        _optional_lost,
        _always,
    ),
    ("or_default", "what is false becomes its default", _or_default, _always),
    ("flattened", "where the reply is whole, lists of lists become lists", _flattened, unstreamed),
    ("maps_emptied", "maps come empty where their values are no texts", _maps_emptied, _always),
    ("maps_first", "in streams, of such a map the first member is sent", _maps_first, streamed),
    (
        "chosen_within",
        "numbers to choose from come as text within objects",
        _chosen_within,
        _always,
    ),
    (
        "after_gap_lost",
        "behind an argument that is left out, what is not required is lost",
        after_gap_lost,
        _always,
    ),
]


def _with_defaults(value: Any, schema: Schema) -> Any:
    """What is left out and has a default is written out."""
    inner = within(value, schema, _with_defaults)
    members = schema.get("properties") or {}
    if not isinstance(inner, dict):
        return inner
    defaults = {key: of["default"] for key, of in members.items() if "default" in of}
    return {**defaults, **inner}


def _floats(value: Any, schema: Schema) -> Any:
    """Whole numbers of type number as decimals."""
    if type(value) is int and schema.get("type") == "number":
        return float(value)
    return within(value, schema, _floats)


FLAWS = [
    *(
        Flaw(f"members_{name}", about, _TOOLS, **_arguments(change, where))
        for name, about, change, where in _BROKEN
    ),
    Flaw(
        "members_maps_refused", "objects with any members are refused", _TOOLS, intercept=_refused
    ),
    Flaw(
        "members_defaults_written",
        "what has a default may be written out",
        **_arguments(_with_defaults),
    ),
    Flaw("members_gaps_null", "what is left out may be null", **_arguments(_gaps_null)),
    Flaw("members_decimals", "numbers may be written as decimals", **_arguments(_floats)),
]
