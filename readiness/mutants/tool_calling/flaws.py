"""Flaws of tool calls, of a model or of the parser of its output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.output_limits import limited
from readiness.mutants.endpoint.request_form import instructed, only, spoken_call
from readiness.mutants.endpoint.response import Completion, encode, whole
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.endpoint.tools import check_tools
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.reader import (
    answer,
    decoy_in,
    last_question,
    tools_of,
    weather_asked,
)
from readiness.mutants.tool_calling.requests import (
    Arguments,
    Says,
    arguments,
    calls,
    dumped,
    is_sound,
    kind,
    results_in,
    says,
    written,
)
from readiness.verdict.claim import Verdict

Message = dict[str, Any]

_CORE = "tool_calling.consecutive_calls"
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_SUNNY = "It is going to be sunny."
_ELSEWHERE = {"巴黎": "罗马"}


def _without(name: str) -> Callable[[Arguments], Arguments]:
    return lambda of: {key: value for key, value in of.items() if key != name}


def _with(name: str, change: Callable[[Arguments], object]) -> Callable[[Arguments], Arguments]:
    return lambda of: {**of, name: change(of)}


def _elsewhere(of: Arguments) -> str:
    return _ELSEWHERE.get(of["city"], "巴黎")


def _next_day(of: Arguments) -> str:
    return (date.fromisoformat(of["date"]) + timedelta(days=1)).isoformat()


def _other_unit(of: Arguments) -> str:
    return "celsius" if of["unit"] == "fahrenheit" else "fahrenheit"


def _decoyed(request: Request, said: ModelOutput) -> ModelOutput:
    decoy = decoy_in(last_question(request["messages"])[0])
    if not decoy:
        return said
    return replace(
        said,
        calls=tuple(
            replace(call, arguments=dumped({**json.loads(call.arguments), "city": decoy}))
            for call in said.calls
        ),
    )


def _leaked(_request: Request, said: ModelOutput) -> ModelOutput:
    return ModelOutput(
        "\n".join(f"<tool_call>\n{_as_json(call)}\n</tool_call>" for call in said.calls)
    )


def _leaked_bare(_request: Request, said: ModelOutput) -> ModelOutput:
    return ModelOutput("\n".join(map(_as_json, said.calls)))


def _leaked_too(_request: Request, said: ModelOutput) -> ModelOutput:
    return replace(said, content="<|tool_call_begin|>get_weather")


def _as_json(call: ModelToolCall) -> str:
    return dumped({"name": call.name, "arguments": json.loads(call.arguments)})


def _twice(text: str) -> str:
    return f'{{"days": 7, {text[1:]}'


def _in_100(wrong: Says, *places: int) -> Says:
    """Do so with some of every 100 plain calls; this server's own count decides."""
    seen = count(1)

    def change(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
        rare = kind(request) == "core" and said.calls and next(seen) % 100 in places
        return wrong(request, said, turn) if rare else said

    return change


def _every_37th() -> Callable[[Request, int], SubstituteResponse | None]:
    """Refuse every 37th of the plain requests with tools."""
    seen = count(1)

    def refuse(request: Request, _turn: int) -> SubstituteResponse | None:
        if not is_sound(request) or kind(request) != "core" or next(seen) % 37:
            return None
        return SubstituteResponse(502, _HTML, {"Content-Type": "text/html"})

    return refuse


GENERAL_FLAWS = [
    Flaw("tool_loses_required", "days is lost", _CORE, arguments("core", _without("days"))),
    Flaw(
        "tool_loses_optional",
        "include_aqi is lost",
        _CORE,
        arguments("core", _without("include_aqi")),
    ),
    Flaw(
        "tool_adds_optional",
        "include_aqi is set unasked",
        _CORE,
        arguments("core", _with("include_aqi", lambda of: True)),
    ),
    Flaw(
        "tool_adds_unknown",
        "a parameter is made up",
        _CORE,
        arguments("core", _with("country", lambda of: "")),
    ),
    Flaw("tool_wrong_city", "another city", _CORE, arguments("core", _with("city", _elsewhere))),
    Flaw("tool_takes_decoy", "the city that is not meant", _CORE, says("core", _decoyed)),
    Flaw("tool_wrong_day", "a day too late", _CORE, arguments("core", _with("date", _next_day))),
    Flaw(
        "tool_date_form",
        "dates in another form",
        _CORE,
        arguments("core", _with("date", lambda of: of["date"].replace("-", "/"))),
    ),
    Flaw(
        "tool_number_as_text",
        "days is a string",
        _CORE,
        arguments("core", _with("days", lambda of: str(of["days"]))),
    ),
    Flaw("tool_wrong_unit", "the other unit", _CORE, arguments("core", _with("unit", _other_unit))),
    Flaw(
        "tool_no_such_unit",
        "a value that the enum lacks",
        _CORE,
        arguments("core", _with("unit", lambda of: of["unit"][0].upper())),
    ),
    Flaw("tool_double_encoded", "arguments are a string of JSON", _CORE, written("core", dumped)),
    Flaw("tool_half_arguments", "arguments break off", _CORE, written("core", lambda of: of[:-9])),
    Flaw("tool_double_key", "days stands twice in the arguments", _CORE, written("core", _twice)),
    Flaw(
        "tool_python",
        "arguments are Python's idea of a dict",
        _CORE,
        written("core", lambda of: repr(json.loads(of))),
    ),
    Flaw(
        "tool_wrong_name",
        "the name has a prefix",
        _CORE,
        calls("core", lambda call: replace(call, name=f"functions.{call.name}")),
    ),
    Flaw(
        "tool_called_twice",
        "each call is made twice",
        _CORE,
        says("core", lambda _, said: replace(said, calls=said.calls * 2)),
    ),
    Flaw(
        "tool_never_called",
        "words instead of a call",
        _CORE,
        says("core", lambda _, said: ModelOutput(_SUNNY) if said.calls else said),
    ),
    Flaw(
        "tool_lost_after_system",
        "after a system message the tools are not seen",
        _CORE,
        only(instructed, says("core", lambda _, said: ModelOutput(_SUNNY) if said.calls else said)),
    ),
    Flaw(
        "tool_leaks",
        "the call comes as marked text",
        _CORE,
        says("core", lambda request, said: _leaked(request, said) if said.calls else said),
    ),
    Flaw(
        "tool_leaks_bare",
        "the call comes as JSON text",
        _CORE,
        says("core", lambda request, said: _leaked_bare(request, said) if said.calls else said),
    ),
    Flaw(
        "tool_leaks_too",
        "markup of the template stands beside the call",
        _CORE,
        says("core", lambda request, said: _leaked_too(request, said) if said.calls else said),
    ),
    Flaw(
        "tool_finish_stop",
        "a call ends with finish_reason stop",
        _CORE,
        says("core", lambda _, said: replace(said, finish="stop")),
    ),
    Flaw(
        "tool_one_in_100",
        "one call of 100 lacks lang",
        _CORE,
        _in_100(arguments("core", _without("lang")), 60),
    ),
    Flaw(
        "tool_drops_3_in_100",
        "three calls of 100 are words instead",
        _CORE,
        _in_100(says("core", lambda _, said: ModelOutput(_SUNNY)), 58, 76, 94),
    ),
    Flaw("tool_502", "every 37th request ends in a 502", _CORE, intercept=_every_37th()),
]


_WORDS = "I would rather tell you in words: it is going to be sunny."
_NOWHERE = {"city": "北京", "date": "2027-01-01", "days": 1, "unit": "celsius", "lang": "zh"}


def _unless_told(request: Request) -> ModelOutput:
    """The output for a request whose tool_choice is ignored."""
    lost = ("tool_choice", "parallel_tool_calls")
    return answer({key: of for key, of in request.items() if key not in lost}) or ModelOutput(
        _WORDS
    )


def _as_auto(request: Request, said: ModelOutput) -> ModelOutput:
    return _unless_told(request)


def _as_auto_streamed(request: Request, said: ModelOutput) -> ModelOutput:
    return _unless_told(request) if request.get("stream") else said


def _as_auto_of_several(request: Request, said: ModelOutput) -> ModelOutput:
    return _unless_told(request) if len(tools_of(request)) > 1 else said


def _leaks(request: Request, _said: ModelOutput) -> ModelOutput:
    """As servers do that suppress the call, but not the model's text about it."""
    calls = _unless_told(request).calls
    return ModelOutput(
        "\n".join(
            f"<tool_call>{dumped({'name': call.name, 'arguments': json.loads(call.arguments)})}"
            for call in calls
        )
    )


def _other_first(request: Request, said: ModelOutput) -> ModelOutput:
    return replace(said, calls=(*_unless_told(request).calls, *said.calls))


def _senseless(request: Request | None) -> Request | None:
    """A request about the weather without the choice that makes no sense; None for any other."""
    if request is None:
        return None
    unchosen = {key: of for key, of in request.items() if key not in ("tools", "tool_choice")}
    if not is_sound(unchosen):
        return None
    try:
        check_tools(request)
    except RequestError:
        asked = weather_asked(last_question(request["messages"])[0], {})[0]
        return unchosen if {"city", "days"} <= asked.keys() else None
    return None


def _accepts(request: Request | None, due: SubstituteResponse) -> SubstituteResponse:
    """Answer without a call, as a server does that ignores an invalid tool_choice."""
    if (fine := _senseless(request)) is None:
        return due
    prompt = prompt_tokens(fine)
    body = whole(Completion(fine, prompt, limited(fine, ModelOutput(_WORDS), prompt)))
    return SubstituteResponse(200, encode(body), JSON)


def _fails(request: Request | None, due: SubstituteResponse) -> SubstituteResponse:
    return due if _senseless(request) is None else replace(due, status=500)


def _called_always(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """A call where text is due, unless the request forbids one or brings a result."""
    asked = request["messages"][-1]["role"] == "user" and kind(request) not in ("", "none")
    called = ModelToolCall("get_weather", dumped(_NOWHERE))
    return ModelOutput(None, (called,)) if asked and not said.calls else said


CHOICE_FLAWS = [
    Flaw(
        "tool_none_ignored",
        "a tool is called in spite of none",
        "tool_calling.tool_choice_none",
        says("none", lambda request, _: _unless_told(request)),
    ),
    Flaw(
        "tool_none_leaks",
        "the forbidden call comes as text",
        "tool_calling.tool_choice_none",
        says("none", _leaks),
    ),
    Flaw(
        "tool_none_mute",
        "forbidden to call, it says nothing",
        "tool_calling.tool_choice_none",
        says("none", lambda _, said: ModelOutput("")),
    ),
    Flaw(
        "tool_required_ignored",
        "words in spite of required",
        "tool_calling.tool_choice_required",
        says("required", lambda _, said: ModelOutput(_WORDS)),
    ),
    Flaw(
        "tool_required_as_auto",
        "required is taken for auto",
        "tool_calling.tool_choice_required",
        says("required", _as_auto),
    ),
    Flaw(
        "tool_required_as_auto_streamed",
        "required is taken for auto where the reply is streamed",
        "tool_calling.tool_choice_required",
        says("required", _as_auto_streamed),
    ),
    Flaw(
        "tool_required_as_auto_of_several",
        "required is taken for auto where there are several tools to choose from",
        "tool_calling.tool_choice_required",
        says("required", _as_auto_of_several),
    ),
    Flaw(
        "tool_named_ignored",
        "another tool than the one that is named",
        "tool_calling.tool_choice_named",
        says("named", lambda request, _: _unless_told(request)),
    ),
    Flaw(
        "tool_named_among_others",
        "the tool that is named, and another one",
        "tool_calling.tool_choice_named",
        says("named", _other_first),
    ),
    Flaw(
        "tool_bad_choice_accepted",
        "a choice without sense is ignored",
        "tool_calling.invalid_tool_choice_rejected",
        change_error=_accepts,
    ),
    Flaw(
        "tool_bad_choice_500",
        "a choice without sense ends in a 500",
        "tool_calling.invalid_tool_choice_rejected",
        change_error=_fails,
    ),
    Flaw(
        "tool_called_always",
        "a tool is called whatever is asked",
        "tool_calling.no_call_when_irrelevant",
        _called_always,
    ),
    Flaw(
        "tool_parallel_always",
        "several calls in spite of parallel_tool_calls false",
        "tool_calling.parallel_calls_disabled",
        says("single", lambda request, _: _unless_told(request)),
    ),
]


_PARALLEL = "tool_calling.parallel_calls"
_HARD = "tool_calling.complex_arguments"
_HISTORY = "tool_calling.call_after_30_turns"
_MANY = "tool_calling.tool_selection"
_ALIKE = {
    "get_weather": "get_weather_history",
    "get_flight_status": "get_train_timetable",
    "get_train_timetable": "get_bus_timetable",
    "get_exchange_rate": "get_stock_price",
    "convert_temperature": "get_weather",
    "get_hotel_price": "get_population",
}


def _unitless(of: Arguments) -> Arguments:
    return {key: value for key, value in of.items() if key != "unit"}


def _dead_after_thirty(request: Request, _turn: int) -> SubstituteResponse | None:
    if not is_sound(request) or kind(request) != "history":
        return None
    body = b'{"error": {"message": "the template failed", "type": "server_error"}}'
    return SubstituteResponse(500, body, {"Content-Type": "application/json"})


def _dates_swapped(_request: Request, said: ModelOutput) -> ModelOutput:
    """Give each of several cities the date of the next."""
    asked = [json.loads(call.arguments) for call in said.calls]
    dates = [each["date"] for each in asked]
    moved = [{**each, "date": day} for each, day in zip(asked, dates[1:] + dates[:1], strict=True)]
    return replace(said, calls=tuple(ModelToolCall("get_weather", dumped(each)) for each in moved))


def _similar(call: ModelToolCall) -> ModelToolCall:
    return replace(call, name=_ALIKE.get(call.name, "get_sunset_time"))


def _flat(of: Arguments) -> Arguments:
    place = of.get("location")
    return {**of, "location": f"{place['building']} {place['floor']}"} if place else of


def _cut(of: Arguments) -> Arguments:
    return {key: each[:256] if isinstance(each, str) else each for key, each in of.items()}


def _one_line(of: Arguments) -> Arguments:
    lines = {key: " ".join(of[key].splitlines()) for key in of if isinstance(of[key], str)}
    return {**of, **lines}


SUITES_FLAWS = [
    Flaw(
        "tool_parallel_lost",
        "the last of several calls is lost",
        _PARALLEL,
        says("parallel", lambda _, said: replace(said, calls=said.calls[:-1] or said.calls)),
    ),
    Flaw(
        "tool_parallel_mixed",
        "several calls swap their dates",
        _PARALLEL,
        says("parallel", _dates_swapped),
    ),
    Flaw("tool_similar", "a similar tool is called", _MANY, calls("many", _similar)),
    Flaw("tool_cuts_text", "long texts are cut", _HARD, arguments("hard", _cut)),
    Flaw("tool_one_line", "line ends become spaces", _HARD, arguments("hard", _one_line)),
    Flaw("tool_flat", "nested objects become text", _HARD, arguments("hard", _flat)),
    Flaw(
        "tool_empty_text",
        "no arguments come as an empty text",
        _HARD,
        written("hard", lambda of: "" if of == "{}" else of),
    ),
    Flaw(
        "tool_ascii",
        "what is not ASCII comes as a question mark",
        _HARD,
        written("hard", lambda of: of.encode("ascii", "replace").decode()),
    ),
    Flaw(
        "tool_tired",
        "after thirty turns an argument is lost",
        _HISTORY,
        arguments("history", _unitless),
    ),
    Flaw("tool_history_500", "thirty turns end in a 500", _HISTORY, intercept=_dead_after_thirty),
]


_RESULT = "tool_calling.tool_result_grounding"
_TYPICAL = "The maximum temperature is 24.5 degrees and the humidity is 61.3 %."


def _told(request: Request) -> dict[str, Any]:
    """The last result, where the request brings one that is not yet followed by a call."""
    results = results_in(request)
    try:
        found = json.loads(results[-1]) if results else {}
    except ValueError:  # A tool may say nothing, or tell in words.
        found = {}
    return found if isinstance(found, dict) else {}


def _invents(request: Request, said: ModelOutput) -> ModelOutput:
    return ModelOutput(_TYPICAL) if "error" in _told(request) else said


def _ignores(request: Request, said: ModelOutput) -> ModelOutput:
    return ModelOutput(_TYPICAL) if "temperature_max" in _told(request) else said


def _rounds(request: Request, said: ModelOutput) -> ModelOutput:
    found = _told(request)
    if "temperature_max" not in found:
        return said
    return ModelOutput(f"{found['temperature_max']:.0f} °C, {found['humidity_percent']:.0f} %")


def _mixes(request: Request, said: ModelOutput) -> ModelOutput:
    """The figures are correct, but swapped."""
    found = _told(request)
    if "temperature_max" not in found or len(results_in(request)) > 1:
        return said
    return ModelOutput(f"{found['humidity_percent']} °C, humidity {found['temperature_max']}%")


def _again(request: Request, said: ModelOutput) -> ModelOutput:
    return said if said.calls or not _told(request) else _unanswered(request)


def _unanswered(request: Request) -> ModelOutput:
    """The output as long as there is no result."""
    messages = [each for each in request["messages"] if each["role"] in ("system", "user")]
    return answer({**request, "messages": messages}) or ModelOutput(_TYPICAL)


def _by_place(request: Request, said: ModelOutput) -> ModelOutput:
    """Match results to calls by order, whatever their tool_call_id."""
    results = iter([each for each in request["messages"] if each["role"] == "tool"])
    ids = [call["id"] for each in request["messages"] for call in each.get("tool_calls") or ()]
    renamed = {id(each): name for each, name in zip(results, ids, strict=False)}
    messages = [
        {**each, "tool_call_id": renamed.get(id(each), "")} if each["role"] == "tool" else each
        for each in request["messages"]
    ]
    return answer({**request, "messages": messages}) or said


def _spoken(
    change: Callable[[list[Message]], list[Message]],
) -> Callable[[Request, ModelOutput], ModelOutput]:
    """Read a history in which words stand beside calls as if it were another."""

    def read(request: Request, said: ModelOutput) -> ModelOutput:
        if not spoken_call(request):
            return said
        return answer({**request, "messages": change(request["messages"])}) or said

    return read


def _calls_sorted(messages: list[Message]) -> list[Message]:
    """The ids of calls in the order of their results."""
    ids = iter([each["tool_call_id"] for each in messages if each["role"] == "tool"])
    return [_renamed(each, ids) if each.get("tool_calls") else each for each in messages]


def _renamed(message: Message, ids: Iterator[str]) -> Message:
    calls = [{**each, "id": next(ids, each["id"])} for each in message["tool_calls"]]
    return {**message, "tool_calls": calls}


def _first_call(messages: list[Message]) -> list[Message]:
    """Of several calls, the first alone, with the results of all."""
    return [
        {**each, "tool_calls": each["tool_calls"][:1]} if each.get("tool_calls") else each
        for each in messages
    ]


def _results_joined(messages: list[Message]) -> list[Message]:
    """All results as the text of the first; the others are empty."""
    texts = [each["content"] for each in messages if each["role"] == "tool"]
    contents = iter(["\n".join(map(str, texts)), *[""] * len(texts)])
    return [
        {**each, "content": next(contents)} if each["role"] == "tool" else each for each in messages
    ]


def _gives_up(request: Request, said: ModelOutput) -> ModelOutput:
    return ModelOutput(dumped(_told(request))[1:-1]) if "order" in _told(request) else said


def _mute(request: Request, said: ModelOutput) -> ModelOutput:
    return said if said.calls or not _told(request) else ModelOutput("")


RESULTS_FLAWS = [
    Flaw(
        "tool_invents",
        "a failed tool gets a result",
        _RESULT,
        says("results", _invents),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw("tool_ignores", "the result is ignored", _RESULT, says("results", _ignores)),
    Flaw("tool_rounds", "figures are rounded", _RESULT, says("results", _rounds)),
    Flaw("tool_mixes", "figures stand for one another", _RESULT, says("results", _mixes)),
    Flaw("tool_calls_again", "the same call again and again", _RESULT, says("results", _again)),
    Flaw("tool_by_place", "results are told apart by order", _RESULT, says("results", _by_place)),
    Flaw(
        "spoken_by_place",
        "beside words, results are told apart by order",
        _RESULT,
        says("results", _spoken(_calls_sorted)),
    ),
    Flaw(
        "spoken_first_call",
        "of several calls beside words, the first is read",
        _RESULT,
        says("results", _spoken(_first_call)),
    ),
    Flaw(
        "spoken_results_joined",
        "beside words, the results of several calls are joined to one",
        _RESULT,
        says("results", _spoken(_results_joined)),
    ),
    Flaw("tool_gives_up", "a second call is not made", _RESULT, says("results", _gives_up)),
    Flaw("tool_mute", "nothing is said to a result", _RESULT, says("results", _mute)),
]

FLAWS = [*GENERAL_FLAWS, *CHOICE_FLAWS, *SUITES_FLAWS, *RESULTS_FLAWS]
