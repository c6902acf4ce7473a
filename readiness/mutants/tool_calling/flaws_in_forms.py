"""Flaws of tool calls that show in one form of request only, and harmless differences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.engine import CrowdedEngine
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    after_tool_result,
    after_turns,
    all_of,
    calls_at_once,
    from_developer,
    in_parts,
    instructed,
    longer_than,
    may_stop,
    only,
    sampled,
    seeded,
    several_results,
    spoken_call,
    streamed,
    unlimited,
    unsampled,
    with_logprobs,
)
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.requests import dumped, kind

_CORE = "tool_calling.consecutive_calls"


def _unchosen(request: Request) -> bool:
    return request.get("tool_choice") is None


def _asked(request: Request) -> bool:
    return kind(request) == "core"


def _calls(where: Where, change: Callable[[ModelToolCall], ModelToolCall]) -> Says:
    def changed(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        return replace(said, calls=tuple(map(change, said.calls)))

    return only(all_of(_asked, where), changed)


def _silent(where: Where) -> Says:
    said = ModelOutput("It should be mild, with some clouds in the afternoon.")
    return only(all_of(_asked, where), lambda _request, _said, _turn: said)


def _without_days(call: ModelToolCall) -> ModelToolCall:
    stated = json.loads(call.arguments)
    return replace(call, arguments=dumped({key: stated[key] for key in stated if key != "days"}))


def _cut(call: ModelToolCall) -> ModelToolCall:
    return replace(call, arguments=call.arguments[:-1])


def _indented(call: ModelToolCall) -> ModelToolCall:
    return replace(call, arguments=json.dumps(json.loads(call.arguments), indent=1))


_BROKEN: list[tuple[str, str, Says]] = [
    (
        "tools_unchosen_instructed_silent",
        "no call where the choice is left out and there is a system message",
        _silent(all_of(_unchosen, instructed)),
    ),
    (
        "tools_seeded_argument_lost",
        "an argument is lost where a temperature and a seed are sent",
        _calls(seeded, _without_days),
    ),
    (
        "tools_after_result_silent",
        "no second call in a conversation that has had a result",
        _silent(after_tool_result),
    ),
    (
        "tools_after_spoken_call_silent",
        "no call after a message that has both a text and a call",
        _silent(spoken_call),
    ),
    (
        "tools_after_two_results_silent",
        "no call after two results in a row",
        _silent(several_results),
    ),
    (
        "tools_long_prompt_silent",
        "no call where the prompt has more than 8,000 tokens",
        _silent(longer_than(8_000)),
    ),
    (
        "tools_stop_silent",
        "no call where a stop sequence is sent",
        _silent(may_stop),
    ),
    (
        "tools_logprobs_cut",
        "arguments lack their end where logprobs are asked for",
        _calls(with_logprobs, _cut),
    ),
    (
        "tools_developer_silent",
        "no call after a developer message",
        _silent(from_developer),
    ),
    (
        "tools_at_once_argument_lost",
        "an argument is lost where it is said that calls may come at once",
        _calls(calls_at_once, _without_days),
    ),
    (
        "tools_three_ways_cut",
        "arguments lack their end where content is in parts, the reply streamed and unlimited",
        _calls(all_of(in_parts, streamed, unlimited), _cut),
    ),
]


def _of_kind(name: str, where: Where, change: Says) -> Says:
    return only(all_of(lambda request: kind(request) == name, where), change)


def _no_call(_request: Request, _said: ModelOutput, _turn: int) -> ModelOutput:
    return ModelOutput("It should be mild, with some clouds in the afternoon.")


def _nothing(_request: Request, _said: ModelOutput, _turn: int) -> ModelOutput:
    return ModelOutput("")


def _all_cut(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return replace(said, calls=tuple(map(_cut, said.calls)))


_SUITES: list[tuple[str, str, str, Says]] = [
    (
        "tools_many_late_silent",
        "none of many tools is called in a later turn",
        "tool_calling.tool_selection",
        _of_kind("many", after_turns, _no_call),
    ),
    (
        "tools_hard_streamed_unsampled",
        "hard arguments lack their end where a stream has no temperature",
        "tool_calling.complex_arguments",
        _of_kind("hard", all_of(streamed, unsampled), _all_cut),
    ),
    (
        "tools_required_in_parts",
        "no call though one is required, where content is in parts",
        "tool_calling.tool_choice_required",
        _of_kind("required", in_parts, _no_call),
    ),
    (
        "tools_none_silent_streamed",
        "with tool_choice none nothing is said in a sampled stream",
        "tool_calling.tool_choice_none",
        _of_kind("none", all_of(streamed, sampled), _nothing),
    ),
    (
        "tools_hard_three_ways",
        "hard arguments lack their end where a streamed reply is sampled after a system message",
        "tool_calling.complex_arguments",
        _of_kind("hard", all_of(streamed, sampled, instructed), _all_cut),
    ),
]
FLAWS = [
    *(Flaw(name, about, check, change_output=says) for name, about, check, says in _SUITES),
    Flaw(
        "tools_hard_crowded",
        "hard arguments lack their end where two dozen requests are in flight",
        "tool_calling.complex_arguments",
        engine=partial(CrowdedEngine, lambda request: kind(request) == "hard", _all_cut),
    ),
    *(Flaw(name, about, _CORE, change_output=says) for name, about, says in _BROKEN),
    Flaw(
        "tools_indented_unsampled",
        "arguments may be indented",
        change_output=_calls(all_of(unsampled, _unchosen), _indented),
    ),
]
