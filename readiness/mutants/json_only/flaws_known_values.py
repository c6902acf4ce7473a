"""Flaws of values in legal JSON, and of the finish_reason of JSON that a limit cuts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    all_of,
    only,
    streamed,
    turns,
    unstreamed,
)
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.json_only.flaws import dumped, is_asked, leaves
from readiness.mutants.json_only.reader import shape_of, wanted_format

_IN_FORMAT = "json_only.values_preserved_in_format"
_PRESSED = "json_only.values_preserved_under_pressure"
_CUT = "json_only.cut_json_reported"

_EMPTY: dict[type, Any] = {str: "", int: 0, float: 0.0, bool: False}
_MANY_TURNS, _MANY_MEMBERS, _LONG_TEXT = 3, 1, 12
_ORDER = re.compile(
    r"ignor|disregard|instruc|olvid|json|markdown|忽略|無視|无视|不要|请|ください", re.IGNORECASE
)


def by(kind: str) -> Where:
    """Whether the format of a reply is of that type."""
    return lambda request: wanted_format(request) == kind


def many_members(request: Request) -> bool:
    """Whether the shape that is asked for has several members at the top."""
    members: dict[str, Any] = (shape_of(request) or {}).get("properties", {})
    return len(members) > _MANY_MEMBERS


def third_turn(request: Request) -> bool:
    """Whether the model has replied at least twice before."""
    replies = [each for each in request["messages"] if each["role"] == "assistant"]
    return len(replies) >= _MANY_TURNS - 1


def _value(where: Where, change: Callable[[Request, Any], Any]) -> Says:
    def changed(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        try:
            found = json.loads(said.content or "")
        except ValueError:
            return said
        return replace(said, content=dumped(change(request, found)))

    return only(all_of(is_asked, where), changed)


def _emptied(_request: Request, value: Any) -> Any:
    """Constrained decoding that is closed early: the form is right, and nothing is in it."""
    return leaves(value, lambda leaf: _EMPTY.get(type(leaf), leaf))


def _no_choice(request: Request, value: Any) -> Any:
    """Texts are empty, except where the schema has a choice."""
    members = (shape_of(request) or {}).get("properties", {})
    if not isinstance(value, dict):
        return value
    return {key: "" if members.get(key) == {"type": "string"} else of for key, of in value.items()}


def _as_before(request: Request, value: Any) -> Any:
    """The values of the first such reply, as from a cache by the first turn."""
    earlier = [_read(each) for each in turns(request) if each["role"] == "assistant"]
    same = [each for each in earlier if isinstance(value, dict) and each.keys() == value.keys()]
    return same[0] if same else value


def _read(message: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(text_of(message))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _numbers_as_before(request: Request, value: Any) -> Any:
    """Numbers that are corrected stay as they were; texts do not."""
    before = _as_before(request, value)
    if before is value:
        return value
    return {key: before[key] if type(of) is int else of for key, of in value.items()}


def _filtered(_request: Request, value: Any) -> Any:
    """A filter against injected orders empties the values that look like one."""
    return leaves(value, lambda leaf: "" if _ORDER.search(str(leaf)) else leaf)


def _without_long_texts(_request: Request, value: Any) -> Any:
    """Texts that take several tokens are empty."""
    return leaves(
        value, lambda leaf: "" if isinstance(leaf, str) and len(leaf) > _LONG_TEXT else leaf
    )


def _unnumbered(_request: Request, value: Any) -> Any:
    """Where something was said before, whole numbers are those of the schema's least."""
    return leaves(value, lambda leaf: 1 if type(leaf) is int else leaf)


_STRAIGHT = str.maketrans({"’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "—": "-"})
_DIGITS, _LONGEST = 5, 40


def _straightened(_request: Request, value: Any) -> Any:
    """A grammar of the letters of a keyboard: typographic marks become those."""
    return leaves(value, lambda leaf: leaf.translate(_STRAIGHT) if isinstance(leaf, str) else leaf)


def _without_emoji(_request: Request, value: Any) -> Any:
    """What takes four bytes in UTF-8 is lost."""
    return leaves(
        value,
        lambda leaf: re.sub("[\U00010000-\U0010ffff]", "", leaf) if type(leaf) is str else leaf,
    )


def _few_digits(_request: Request, value: Any) -> Any:
    """A whole number ends after so many digits."""
    return leaves(
        value, lambda leaf: int(str(leaf)[:_DIGITS]) if type(leaf) is int and leaf > 0 else leaf
    )


def _unsigned(_request: Request, value: Any) -> Any:
    """A grammar of whole numbers that has no sign."""
    return leaves(value, lambda leaf: abs(leaf) if type(leaf) is int else leaf)


def _cut_texts(_request: Request, value: Any) -> Any:
    """A text ends after so many characters, as by a grammar's own limit."""
    return leaves(value, lambda leaf: leaf[:_LONGEST] if isinstance(leaf, str) else leaf)


def _escaped(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """JSON whose writer escapes what is not ASCII."""
    if not is_asked(request) or not wanted_format(request):
        return said
    try:
        return replace(said, content=json.dumps(json.loads(said.content or "")))
    except ValueError:
        return said


def _stops(where: Where) -> dict[str, Any]:
    """A limit that cuts is not told: finish_reason is stop."""
    told = all_of(is_asked, where)

    def stopped(body: Body) -> Body:
        choices = [
            {**each, "finish_reason": "stop"} if each["finish_reason"] == "length" else each
            for each in body["choices"]
        ]
        return {**body, "choices": choices}

    return {
        "change_body": lambda request, body: stopped(body) if told(request) else body,
        "change_chunks": lambda request, made: list(map(stopped, made)) if told(request) else made,
    }


def _alike(_request: Request, value: Any) -> Any:
    """Another order of the members, and whole numbers as floats."""
    if not isinstance(value, dict):
        return value
    return {
        key: float(of) if type(of) is int and abs(of) < 2**53 else of
        for key, of in reversed(value.items())
    }


def _nulled(*kinds: type) -> Callable[[Request, Any], Any]:
    """What is false and of these types becomes null, where the shape lets it."""

    def of(shape: Any, value: Any) -> Any:
        if isinstance(value, dict):
            members = shape.get("properties", {})
            return {key: of(members.get(key, {}), part) for key, part in value.items()}
        if isinstance(value, list):
            return [of(shape.get("items", {}), part) for part in value]
        nullable = "null" in (shape.get("type") or ())
        return None if nullable and type(value) in kinds and not value else value

    return lambda request, value: of(shape_of(request) or {}, value)


def _always(_request: Request) -> bool:
    return True


_BROKEN: list[tuple[str, str, str, Says]] = [
    (
        "json_object_empty",
        "with json_object all values are empty",
        _IN_FORMAT,
        _value(by("json_object"), _emptied),
    ),
    (
        "json_schema_texts_empty",
        "with json_schema and several members every free text is empty",
        _IN_FORMAT,
        _value(all_of(by("json_schema"), many_members), _no_choice),
    ),
    (
        "json_format_numbers",
        "with a format every whole number is 1",
        _IN_FORMAT,
        _value(lambda request: bool(wanted_format(request)), _unnumbered),
    ),
    (
        "json_first_turn_again",
        "from the third turn on, the values of the first are sent again",
        _PRESSED,
        _value(third_turn, _as_before),
    ),
    (
        "json_numbers_uncorrected",
        "a number that is corrected stays as it was",
        _PRESSED,
        _value(third_turn, _numbers_as_before),
    ),
    (
        "json_orders_filtered",
        "a value that reads like an order is empty",
        _PRESSED,
        _value(lambda _request: True, _filtered),
    ),
    (
        "json_long_texts_empty",
        "a text of more than twelve letters is empty",
        _PRESSED,
        _value(lambda _request: True, _without_long_texts),
    ),
    (
        "json_format_straight_quotes",
        "with a format, quotes and dashes are those of a keyboard",
        _IN_FORMAT,
        _value(lambda request: bool(wanted_format(request)), _straightened),
    ),
    (
        "json_format_without_emoji",
        "with a format, emoji are lost",
        _IN_FORMAT,
        _value(lambda request: bool(wanted_format(request)), _without_emoji),
    ),
    (
        "json_format_streams_five_digits",
        "in streams with a format a whole number has five digits",
        _IN_FORMAT,
        _value(all_of(lambda request: bool(wanted_format(request)), streamed), _few_digits),
    ),
    (
        "json_format_unsigned",
        "with a format, whole numbers have no sign",
        _IN_FORMAT,
        _value(lambda request: bool(wanted_format(request)), _unsigned),
    ),
    (
        "json_nothing_for_false",
        "what is false becomes null where it may: 0, empty texts and false",
        _IN_FORMAT,
        _value(_always, _nulled(int, str, bool)),
    ),
    (
        "json_nothing_for_zero",
        "0 becomes null where it may",
        _IN_FORMAT,
        _value(_always, _nulled(int)),
    ),
    (
        "json_nothing_for_empty_texts",
        "an empty text becomes null where it may, with a format",
        _IN_FORMAT,
        _value(lambda request: bool(wanted_format(request)), _nulled(str)),
    ),
    (
        "json_format_cuts_texts",
        "with a format, a text ends after forty characters",
        _IN_FORMAT,
        _value(lambda request: bool(wanted_format(request)), _cut_texts),
    ),
]
FLAWS = [
    Flaw("json_format_escaped", "what is not ASCII may be escaped", change_output=_escaped),
    *(Flaw(name, about, check, change_output=says) for name, about, check, says in _BROKEN),
    Flaw("json_cut_streamed", "a cut stream ends with stop", _CUT, **_stops(streamed)),
    Flaw("json_cut_whole", "a cut reply ends with stop", _CUT, **_stops(unstreamed)),
    Flaw(
        "json_cut_by_schema",
        "a cut reply with json_schema ends with stop",
        _CUT,
        **_stops(by("json_schema")),
    ),
    Flaw(
        "json_otherwise_in_format",
        "members have no order, and 1.0 is 1",
        change_output=_value(lambda request: bool(wanted_format(request)), _alike),
    ),
    Flaw(
        "json_otherwise_later",
        "nor in a later turn",
        change_output=_value(third_turn, _alike),
    ),
]
