"""Validation of response formats and their JSON Schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from readiness.mutants.endpoint.answer import Request, RequestError
from readiness.mutants.endpoint.conversation import text_of

_AT = "response_format"
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BOUNDS = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
]


def check_format(request: Request) -> None:
    """Check the response format as OpenAI does.

    Raises:
        Problem: It is malformed, or no reply can fit it.
    """
    wanted = request.get(_AT)
    if wanted is None:
        return
    if not isinstance(wanted, dict):
        raise RequestError(f"'{_AT}' must be an object", _AT, "invalid_type")
    kind = wanted.get("type")
    if kind == "json_schema":
        _check_wrapper(wanted.get("json_schema"), f"{_AT}.json_schema")
    elif kind == "json_object":
        _check_mentioned(request["messages"])
    elif kind != "text":
        raise RequestError(f"'{_AT}.type' is none: {kind!r:.80}", f"{_AT}.type", "invalid_value")


def check_schema(schema: Any, at: str) -> None:
    """Check a JSON Schema.

    Raises:
        Problem: It is no schema of an object, or nothing can fit it.
    """
    if not isinstance(schema, dict):
        raise RequestError(f"'{at}' must be an object", at, "invalid_type")
    if trouble := _trouble(json.dumps(schema)):
        raise RequestError(f"invalid schema in '{at}': {trouble}", at, "invalid_schema")


def _check_wrapper(wrapper: Any, at: str) -> None:
    if not isinstance(wrapper, dict):
        raise RequestError(f"'{at}' must be an object", at, "missing_required_parameter")
    name = wrapper.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RequestError(f"'{at}.name' must match [a-zA-Z0-9_-]{{1,64}}", f"{at}.name")
    if "schema" not in wrapper:
        raise RequestError(
            f"'{at}.schema' is missing", f"{at}.schema", "missing_required_parameter"
        )
    if not isinstance(wrapper.get("strict") or False, bool):
        raise RequestError(f"'{at}.strict' must be a boolean", f"{at}.strict", "invalid_type")
    check_schema(wrapper["schema"], f"{at}.schema")


def _check_mentioned(messages: Iterable[Mapping[str, Any]]) -> None:
    if not any("json" in text_of(message).lower() for message in messages):
        raise RequestError(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'",
            "messages",
        )


@lru_cache(maxsize=1024)
def _trouble(schema: str) -> str | None:
    parsed = json.loads(schema)
    try:
        Draft202012Validator.check_schema(parsed)
        return _contradiction(parsed)
    except SchemaError as error:
        return error.message[:200]
    except RecursionError:
        return "nested too deep"


def _contradiction(schema: Any) -> str | None:
    """Why no value can match a schema, if that is obvious; else None."""
    if not isinstance(schema, dict):
        return "nothing is allowed" if schema is False else None
    if schema.get("enum") == [] or schema.get("type") == []:
        return "nothing is allowed"
    for low, high in _BOUNDS:
        if low in schema and high in schema and schema[low] > schema[high]:
            return f"{low} is above {high}"
    return _no_value(schema) or _no_type(schema) or _no_part(schema)


def _no_value(schema: Mapping[str, Any]) -> str | None:
    """Whether all enumerated values are of the wrong type."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values is None or "type" not in schema:
        return None
    right = Draft202012Validator({"type": schema["type"]})
    return None if any(map(right.is_valid, values)) else "no listed value has the type"


def _no_type(schema: Mapping[str, Any]) -> str | None:
    """Whether the schemas that must all match have no type in common."""
    left: set[str] | None = None
    for part in [schema, *schema.get("allOf", ())]:
        if isinstance(part, dict) and "type" in part:
            kinds = {part["type"]} if isinstance(part["type"], str) else set(part["type"])
            kinds |= {"integer"} if "number" in kinds else set()
            left = kinds if left is None else left & kinds
    return "no type is allowed" if left == set() else None


def _no_part(schema: Mapping[str, Any]) -> str | None:
    """Whether a required part cannot exist."""
    properties, required = schema.get("properties", {}), schema.get("required", ())
    if schema.get("type") == "object" and schema.get("additionalProperties") is False:
        missing = [
            name
            for name in required
            if name not in properties and "patternProperties" not in schema
        ]
        if missing:
            return f"{missing[0]!r} is required, and not allowed"
    needed = [properties[name] for name in required if name in properties]
    needed += schema.get("allOf", ())
    needed += [schema["items"]] if schema.get("minItems", 0) and "items" in schema else []
    either = [_contradiction(part) for part in schema.get("anyOf", ())]
    found = [trouble for part in needed if (trouble := _contradiction(part))]
    return next(iter(found), None) or (either[0] if either and all(either) else None)
