"""A perfect reader of requests that offer tools: it knows what the messages say, and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Called, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.toolbox import named_tool
from readiness.mutants.tool_calling.facts import (
    only_asked,
    order_asked,
    other_asked,
    weather_asked,
    which_city,
    word_asked,
)
from readiness.resources import document

_OURS = {tool["function"]["name"] for tool in document("tools.json")}
#: What stands in for a value that was never stated, where a call is forced all the same.
_GUESSES: Mapping[str, Any] = {"string": "unknown", "integer": 1, "number": 1, "boolean": False}

Tools = Mapping[str, Mapping[str, Any]]


def answer(request: Request) -> Answer | None:
    """Answer a request that offers tools of ours; None where it is about something else."""
    tools = tools_of(request)
    if not tools.keys() & _OURS:
        return None
    text, turns = last_question(request["messages"])
    if word := word_asked(text):
        return Answer(word)
    made = _made(turns)
    missing = [call for call in _wanted(text, turns, tools) if _meaning(call) not in made]
    chosen = _chosen(request, text, missing, tools)
    return Answer(None, tuple(chosen)) if chosen else Answer(_words(text, turns, missing))


def tools_of(request: Request) -> Tools:
    """The schema of each tool that a request offers, by its name."""
    functions = [tool["function"] for tool in request.get("tools") or ()]
    return {each["name"]: each.get("parameters") or {} for each in functions}


def _chosen(request: Request, text: str, missing: list[Called], tools: Tools) -> list[Called]:
    """The calls that the request lets the model make, or makes it make."""
    choice = request.get("tool_choice")
    if choice == "none":
        return []
    if name := named_tool(request):
        return [call for call in missing if call.name == name] or [_forced(name, text, tools)]
    if choice == "required" and not missing:
        return [_forced(next(iter(tools)), text, tools)]
    return missing[:1] if request.get("parallel_tool_calls") is False else missing


def last_question(messages: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """What the user said last, and the messages since."""
    last = max((at for at, each in enumerate(messages) if each["role"] == "user"), default=-1)
    return (text_of(messages[last]) if last >= 0 else ""), messages[last + 1 :]


def _wanted(text: str, turns: Sequence[Any], tools: Tools) -> list[Called]:
    """The calls that the question takes, as far as it and the results state their arguments."""
    order = order_asked(text) if "get_order" in tools else ""
    known = {key: of for found in _results(turns).values() for key, of in found.items()}
    places: dict[str, Any] = {key: known[key] for key in ("city", "date") if order and key in known}
    asked = [("get_order", {"order": order})] if order else []
    asked += other_asked(text, list(tools))
    if not asked or order:
        asked += [("get_weather", each) for each in weather_asked(text, places)]
    return [
        Called(name, json.dumps(arguments, ensure_ascii=False))
        for name, arguments in asked
        if name in tools and set(tools[name].get("required", ())) <= set(arguments)
    ]


def _made(turns: Sequence[Any]) -> list[tuple[str, Any]]:
    """What the calls since the question mean."""
    calls = [call["function"] for turn in turns for call in turn.get("tool_calls") or ()]
    return [_meaning(Called(call["name"], call["arguments"])) for call in calls]


def _meaning(call: Called) -> tuple[str, Any]:
    """The call, whichever name it gives the city, and whether or not it writes defaults out."""
    stated = _read(call.arguments)
    said = {key: stated[key] for key in stated if key != "include_aqi" or stated[key]}
    return call.name, {**said, "city": which_city(str(said.get("city")))}


def _results(turns: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The results since the question, by the ids of their calls."""
    found = {}
    for turn in turns:
        if turn["role"] == "tool":
            found[turn["tool_call_id"]] = _read(text_of(turn))
    return found


def _read(content: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {"result": content}
    return found if isinstance(found, dict) else {"result": found}


def _forced(name: str, text: str, tools: Tools) -> Called:
    """A call that nobody asked for, with what the text states and guesses for the rest."""
    stated = weather_asked(text, {})[0]
    arguments = {
        key: stated.get(key, _guess(tools[name]["properties"][key]))
        for key in tools[name].get("required", ())
    }
    return Called(name, json.dumps(arguments, ensure_ascii=False))


def _guess(schema: Mapping[str, Any]) -> Any:
    return schema["enum"][0] if "enum" in schema else _GUESSES.get(schema["type"], [])


def _words(text: str, turns: Sequence[Any], missing: list[Called]) -> str:
    """What is said without a call: results where there are any, or why there is none."""
    cities = {
        call["id"]: _read(call["function"]["arguments"]).get("city", "")
        for turn in turns
        for call in turn.get("tool_calls") or ()
    }
    only = only_asked(text)
    told = [
        ", ".join(f"{key}: {value}" for key, value in found.items())
        for name, found in _results(turns).items()
        if not only or which_city(only) == which_city(cities.get(name, ""))
    ]
    if told:
        return "; ".join(told)
    why = "I may not call a tool here" if missing else "No tool of mine tells this"
    return f"{why}: “{text[-60:]}”"
