"""Flaws of JSON that show in one form of request only, and harmless differences between forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.engine import CrowdedEngine
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    after_tool_result,
    after_turns,
    all_of,
    beside_tools,
    for_user,
    from_developer,
    in_parts,
    instructed,
    longer_than,
    may_stop,
    nucleus,
    old_limit,
    only,
    penalties_written_out,
    sampled,
    seeded,
    several_choices,
    streamed,
    text_format,
    turns,
    unlimited,
    unsampled,
    windows_line_ends,
    with_logprobs,
)
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only.flaws import dumped, is_told, leaves
from readiness.mutants.tool_calling.requests import is_sound

_TOLD = "json_only.prompted_json"
_STATED = "json_only.values_preserved"


def _text(where: Where, change: Callable[[str], str]) -> Says:
    def changed(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        return replace(said, content=change(said.content or ""))

    return only(all_of(is_told, where), changed)


def _in_words(text: str) -> str:
    return dumped(leaves(json.loads(text), lambda leaf: leaf if leaf is None else str(leaf)))


def _fenced(text: str) -> str:
    return f"```json\n{text}\n```"


def _uninstructed(request: Request) -> Request:
    """Without the system's message, as a chat template has it that knows strings alone."""
    dropped = is_sound(request) and is_told(request) and instructed(request) and in_parts(request)
    return {**request, "messages": turns(request)} if dropped else request


def _by_schema(request: Request) -> bool:
    return (request.get("response_format") or {}).get("type") == "json_schema"


def _prose(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return replace(said, content="Here is what you asked for.") if _by_schema(request) else said


_BROKEN: list[tuple[str, str, str, Says]] = [
    (
        "json_fence_unsampled",
        "a code fence where no temperature is sent",
        _TOLD,
        _text(unsampled, _fenced),
    ),
    (
        "json_preamble_beside_tools",
        "a sentence before the JSON where tools are offered and the reply is streamed",
        _TOLD,
        _text(all_of(beside_tools, streamed), lambda text: f"Here you are:\n{text}"),
    ),
    (
        "json_cut_after_long_prompt",
        "cut where the prompt has more than 5,000 tokens",
        _TOLD,
        _text(longer_than(5_000), lambda text: text[: len(text) * 9 // 10]),
    ),
    (
        "json_quotes_old_limit",
        "Python's quotes where content is in parts and the limit has its older name",
        _TOLD,
        _text(all_of(in_parts, old_limit), lambda text: text.replace('"', "'")),
    ),
    (
        "json_comma_three_ways",
        "a comma too many where a seed is sent, tools are offered, and the reply is streamed",
        _TOLD,
        _text(all_of(seeded, beside_tools, streamed), lambda text: f"{text},"),
    ),
    (
        "json_nucleus_fence",
        "a code fence where top_p is sent",
        _TOLD,
        _text(nucleus, _fenced),
    ),
    (
        "json_penalties_words",
        "prose where penalties are sent, be they 0",
        _TOLD,
        _text(penalties_written_out, lambda _text: "Here is what you asked for."),
    ),
    (
        "json_windows_prose",
        "prose where a text has the line ends of Windows",
        _TOLD,
        _text(windows_line_ends, lambda _text: "Here is what you asked for."),
    ),
    (
        "json_stop_fence",
        "a code fence where a stop sequence is sent",
        _TOLD,
        _text(may_stop, _fenced),
    ),
    (
        "json_logprobs_cut",
        "the last brace is lost where logprobs are streamed",
        _TOLD,
        _text(all_of(with_logprobs, streamed), lambda text: text[:-1]),
    ),
    (
        "json_choices_preamble",
        "a sentence before the JSON where two replies are asked for",
        _TOLD,
        _text(several_choices, lambda text: f"Here you are:\n{text}"),
    ),
    (
        "json_developer_prose",
        "prose where instructions come from a developer as well",
        _TOLD,
        _text(from_developer, lambda _text: "Here is what you asked for."),
    ),
    (
        "json_user_quotes",
        "Python's quotes where it is said for whom it is asked",
        _TOLD,
        _text(for_user, lambda text: text.replace('"', "'")),
    ),
    (
        "json_values_in_words",
        "every value is a string where nothing limits the reply",
        _STATED,
        _text(unlimited, _in_words),
    ),
]
_SCHEMA = "json_only.json_schema_mode"
_FORMATTED: list[tuple[str, str, str, Says]] = [
    (
        "json_schema_unguided_with_stop",
        "the schema is not followed where a stop sequence is sent",
        _SCHEMA,
        only(may_stop, _prose),
    ),
    (
        "json_schema_late",
        "the schema is not followed in a later turn",
        _SCHEMA,
        only(after_turns, _prose),
    ),
    (
        "json_schema_streamed_beside_tools",
        "the schema is not followed where tools are offered and the reply is streamed",
        _SCHEMA,
        only(all_of(beside_tools, streamed), _prose),
    ),
    (
        "json_schema_three_ways",
        "the schema is not followed after a system message where nothing limits a sampled reply",
        _SCHEMA,
        only(all_of(instructed, sampled, unlimited), _prose),
    ),
]


def _referring(request: Request) -> bool:
    """Whether the response format's schema has references."""
    return '"$ref"' in json.dumps(request.get("response_format") or {})


def _flattened(text: str) -> str:
    """Objects within come as text, as where a grammar knows no references."""
    found = json.loads(text)
    return dumped({key: dumped(of) if isinstance(of, dict) else of for key, of in found.items()})


_FORMATTED += [
    (
        "json_references_as_text",
        "objects behind a reference of the schema come as text",
        _SCHEMA,
        only(
            _referring,
            lambda _request, said, _turn: replace(said, content=_flattened(said.content or "{}")),
        ),
    ),
    (
        "json_references_unguided",
        "a schema with references is not followed",
        _SCHEMA,
        only(_referring, _prose),
    ),
]
_HARMLESS: list[tuple[str, str, Says]] = [
    (
        "json_compact_nucleus",
        "white space between tokens says nothing where top_p is sent, either",
        _text(nucleus, lambda text: json.dumps(json.loads(text), separators=(",", ":"))),
    ),
    (
        "json_indented_beside_tools",
        "white space between tokens says nothing",
        _text(beside_tools, lambda text: json.dumps(json.loads(text), indent=2)),
    ),
    (
        "json_newline_in_parts",
        "nor does a line break at the end",
        _text(all_of(in_parts, text_format), lambda text: f"{text}\n"),
    ),
    (
        "json_escaped_after_result",
        "what is not ASCII may be escaped",
        _text(after_tool_result, lambda text: json.dumps(json.loads(text))),
    ),
]

FLAWS = [
    *(Flaw(name, about, check, change_output=says) for name, about, check, says in _BROKEN),
    Flaw(
        "json_system_dropped_in_parts",
        "the system's message is dropped where another is in parts",
        _TOLD,
        change_request=_uninstructed,
    ),
    *(Flaw(name, about, check, change_output=says) for name, about, check, says in _FORMATTED),
    Flaw(
        "json_crowded",
        "prose instead of JSON where two dozen requests are in flight, not streamed",
        _TOLD,
        engine=partial(
            CrowdedEngine,
            lambda request: not streamed(request),
            _text(lambda _request: True, lambda _text: "Here is what you asked for."),
        ),
    ),
    Flaw(
        "json_newline_in_a_crowd",
        "white space says nothing beside others, either",
        engine=partial(
            CrowdedEngine,
            lambda request: not streamed(request),
            _text(lambda _request: True, lambda text: f"{text}\n"),
        ),
    ),
    *(Flaw(name, about, change_output=says) for name, about, says in _HARMLESS),
]
