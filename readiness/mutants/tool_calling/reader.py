"""The reader of requests that offer tools: it answers from the messages, without error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import chain, cycle
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.surroundings import core
from readiness.mutants.endpoint.tools import named_tool
from readiness.mutants.tool_calling import reader_described, reader_steps
from readiness.resources import document, prompts

WORDS = prompts("tool_calling.yaml")
LANGUAGES = ("zh", "en", "es", "ja")

_ISO = r"\d{4}-\d\d-\d\d"
_MONTHS = {name: number for each in WORDS["months"].values() for number, name in enumerate(each, 1)}
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"(?P<iso>{_ISO})|(?P<y>\d{{4}})年(?P<m>\d+)月(?P<d>\d+)日"
    rf"|(?P<en>{_MONTH}) (?P<en_d>\d+), (?P<en_y>\d{{4}})"
    rf"|(?P<es_d>\d+) de (?P<es>{_MONTH}) de (?P<es_y>\d{{4}})"
)
_DAYS = re.compile(r"(\d+)(?:天|日間| days?\b| días?\b)")
_LINE = r"[^。\n]+?"
_PIECES = {"text": ".+?", "word": r"\w+", "floor": r"\d+", "nights": r"\d+", "value": r"[\d.]+"}
_PERSON = re.compile(r"([^,<]+) <([^>]+)>")


@cache
def city_names() -> Mapping[str, int]:
    """Every spelling of a city, and which city it is."""
    return {
        name: at
        for at, city in enumerate(WORDS["cities"])
        for name in [*(city[of] for of in LANGUAGES), *city["also"]]
    }


@cache
def _city() -> re.Pattern[str]:
    names = sorted(city_names(), key=len, reverse=True)
    return re.compile("|".join(rf"\b{each}\b" if each.isascii() else each for each in names))


def weather_asked(text: str, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments of each question about the weather, as far as the text and results state them.

    Args:
        text: What the user says.
        known: The city and the date that an earlier result has.
    """
    text = _without_negated(text)
    shared = {**_how(text), **_when(text), **known}
    places = list(_city().finditer(text))
    if not places:
        return [shared]
    if len(places) == 1:
        return [{**shared, "city": places[0][0]}]
    ends = [place.start() for place in places[1:]] + [len(text)]
    parts = [text[place.start() : end] for place, end in zip(places, ends, strict=True)]
    return [
        {**shared, **_when(part), "city": place[0]}
        for place, part in zip(places, parts, strict=True)
    ]


def other_asked(text: str, tools: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The questions for other tools that a text asks, with their arguments."""
    found = []
    for tool in tools:
        for pattern in _questions(tool):
            found += [(tool, _arguments(tool, match)) for match in pattern.finditer(text)]
    return found


def word_asked(text: str) -> str:
    """The word that alone is to be the reply; "" where there is none."""
    patterns = [_compiled(of) for of in WORDS["controls"].values()]
    return next((match["word"] for of in patterns if (match := of.search(text))), "")


def order_asked(text: str) -> str:
    """The order whose city and date are to be looked up first; "" where there is none."""
    match = re.search(r"(?<![A-Za-z])SO-\d+", text)
    return match[0] if match else ""


def only_asked(text: str) -> str:
    """The one city of which the result is wanted; "" where all are."""
    patterns = [_compiled(of) for of in WORDS["results"]["only"].values()]
    return next((match["city"] for of in patterns if (match := of.search(text))), "")


def decoy_in(text: str) -> str:
    """The city that the text says is not meant; "" where there is none."""
    patterns = [_compiled(of) for of in chain(*WORDS["decoys"].values())]
    return next((match["decoy"] for of in patterns if (match := of.search(text))), "")


def which_city(name: str) -> int | str:
    """The number of the city that goes by that name; the name itself where none does."""
    return city_names().get(name.strip().removesuffix("市"), name)


def _without_negated(text: str) -> str:
    """The text without the cities that it says are not meant, and without the last remark."""
    for template in chain(*WORDS["decoys"].values(), WORDS["results"]["only"].values()):
        text = _compiled(template).sub(" ", text)
    return text


def _when(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if match := _DATE.search(text):
        found["date"] = _iso(match)
    if match := _DAYS.search(text):
        found["days"] = int(match[1])
    return found


def _how(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, words in (("unit", WORDS["units"]), ("lang", WORDS["languages"])):
        named = [of for of, each in words.items() if any(word in text for word in each.values())]
        if named:
            found[key] = named[0]
    for said, wanted in (("yes", True), ("no", False)):
        if any(sentence in text for sentence in WORDS["aqi"][said].values()):
            found["include_aqi"] = wanted
    return found


def _iso(match: re.Match[str]) -> str:
    if match["iso"]:
        return match["iso"]
    year = match["y"] or match["en_y"] or match["es_y"]
    month = match["m"] or _MONTHS[match["en"] or match["es"]]
    return date(
        int(year), int(month), int(match["d"] or match["en_d"] or match["es_d"])
    ).isoformat()


@cache
def _questions(tool: str) -> list[re.Pattern[str]]:
    return [_compiled(of) for of in WORDS["asks"].get(tool, {}).values()]


@cache
def _compiled(template: str) -> re.Pattern[str]:
    """A phrasing as a pattern: what stands in braces is captured."""
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(map(_piece, parts, cycle((False, True)))), re.DOTALL)


def _piece(part: str, named: bool) -> str:
    return f"(?P<{part}>{_PIECES.get(part, _LINE)})" if named else re.escape(part)


def _arguments(tool: str, match: re.Match[str]) -> dict[str, Any]:
    said = match.groupdict()
    read = {key: _READ.get(key, str)(value) for key, value in said.items()}
    if tool == "list_alarms":
        return {}
    if tool == "create_event":
        read["location"] = {key: read.pop(key) for key in ("building", "floor")}
    return read


def _read_date(text: str) -> str:
    match = _DATE.search(text)
    return _iso(match) if match else text


def _read_unit(text: str) -> str:
    return next((of for of, each in WORDS["units"].items() if text in each.values()), text)


def _read_people(text: str) -> list[dict[str, str]]:
    return [{"name": of[1].strip(), "email": of[2]} for of in _PERSON.finditer(text)]


def _read_numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", text)]


_READ: Mapping[str, Callable[[str], Any]] = {
    "date": _read_date,
    "source": _read_unit,
    "target": _read_unit,
    "value": float,
    "nights": int,
    "floor": int,
    "attendees": _read_people,
    "reminders": _read_numbers,
}


_OURS = {tool["function"]["name"] for tool in document("tools.json")}
#: What stands in for a value that was never stated, where a call is forced all the same.
_GUESSES: Mapping[str, Any] = {"string": "unknown", "integer": 1, "number": 1, "boolean": False}

Tools = Mapping[str, Mapping[str, Any]]


def answer(request: Request) -> ModelOutput | None:
    """Answer a request that offers our tools, or names one; None if it is of another kind."""
    request = core(request)
    tools = tools_of(request)
    if not tools:
        return None
    text, turns = last_question(request["messages"])
    if not tools.keys() & _OURS:
        return reader_steps.answer(text, turns, tools, request.get("tool_choice") != "none")
    if word := word_asked(text):
        return ModelOutput(word)
    made = _made(turns)
    told = reader_described.call_for(text, request)
    wanted = [told] if told else _wanted(text, turns, tools)
    missing = [call for call in wanted if _meaning(call) not in made]
    chosen = _chosen(request, text, missing, tools)
    return ModelOutput(None, tuple(chosen)) if chosen else ModelOutput(_words(text, turns, missing))


def tools_of(request: Request) -> Tools:
    """The schema of each tool that a request offers, by its name."""
    functions = [tool["function"] for tool in request.get("tools") or ()]
    return {each["name"]: each.get("parameters") or {} for each in functions}


def _chosen(
    request: Request, text: str, missing: list[ModelToolCall], tools: Tools
) -> list[ModelToolCall]:
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


def _wanted(text: str, turns: Sequence[Any], tools: Tools) -> list[ModelToolCall]:
    """The calls that the question takes, as far as it and the results state their arguments."""
    order = order_asked(text) if "get_order" in tools else ""
    known = {key: of for found in _results(turns).values() for key, of in found.items()}
    places: dict[str, Any] = {key: known[key] for key in ("city", "date") if order and key in known}
    asked = [("get_order", {"order": order})] if order else []
    asked += other_asked(text, list(tools))
    if not asked or order:
        asked += [("get_weather", each) for each in weather_asked(text, places)]
    return [
        ModelToolCall(name, json.dumps(arguments, ensure_ascii=False))
        for name, arguments in asked
        if name in tools and set(tools[name].get("required", ())) <= set(arguments)
    ]


def _made(turns: Sequence[Any]) -> list[tuple[str, Any]]:
    """What the calls since the question mean."""
    calls = [call["function"] for turn in turns for call in turn.get("tool_calls") or ()]
    return [_meaning(ModelToolCall(call["name"], call["arguments"])) for call in calls]


def _meaning(call: ModelToolCall) -> tuple[str, Any]:
    """The call, whichever name it gives the city, and whether or not it writes defaults out."""
    stated = _read(call.arguments)
    said = {key: stated[key] for key in stated if key != "include_aqi" or stated[key]}
    return call.name, {**said, "city": which_city(str(said.get("city")))}


def _results(turns: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The results since the question, by the ids of their calls."""
    found = {}
    for turn in turns:
        if turn["role"] == "tool" and text_of(turn):
            found[turn["tool_call_id"]] = _read(text_of(turn))
    return found


#: A text that is no figure, but goes with them.
_LONG = 500


def _read(content: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {"result": content}
    return found if isinstance(found, dict) else {"result": found}


def _forced(name: str, text: str, tools: Tools) -> ModelToolCall:
    """An unrequested call, with arguments that the text states, and guesses for the rest."""
    stated = weather_asked(text, {})[0]
    arguments = {
        key: stated.get(key, _guess(tools[name]["properties"][key]))
        for key in tools[name].get("required", ())
    }
    return ModelToolCall(name, json.dumps(arguments, ensure_ascii=False))


def _guess(schema: Mapping[str, Any]) -> Any:
    return schema["enum"][0] if "enum" in schema else _GUESSES.get(schema["type"], [])


def _words(text: str, turns: Sequence[Any], missing: list[ModelToolCall]) -> str:
    """What is said without a call: results where there are any, or why there is none."""
    cities = {
        call["id"]: _read(call["function"]["arguments"]).get("city", "")
        for turn in turns
        for call in turn.get("tool_calls") or ()
    }
    only = only_asked(text)
    told = [
        ", ".join(f"{key}: {value}" for key, value in found.items() if len(str(value)) < _LONG)
        for name, found in _results(turns).items()
        if not only or which_city(only) == which_city(cities.get(name, ""))
    ]
    if told:
        return "; ".join(told)
    if turns and turns[-1]["role"] == "tool":
        return "The weather service has returned nothing."
    why = "I may not call a tool here" if missing else "No tool of mine tells this"
    return f"{why}: “{text[-60:]}”"
