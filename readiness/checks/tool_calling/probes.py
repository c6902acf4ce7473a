"""Probes of tool calls: questions that one tool, several or none can answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from itertools import cycle
from typing import Any

from readiness import probe
from readiness.checks.tool_calling import probe_suites, probes_tool_results
from readiness.checks.tool_calling.prompt_wording import PROMPTS, Slot, cities, expected
from readiness.checks.tool_calling.scoring import Expected
from readiness.probe import Probe

CONTROLS = 2
#: One in so many questions comes after a system message, as most of those that users ask do.
INSTRUCTED = 4


def consecutive(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather that state every value, and three trivially easy probes."""
    easy = [
        probe_suites.easy(Slot("core.control", 0, at), language)
        for at, language in enumerate(PROMPTS["controls"])
    ]
    return [*_suite("core", probe_suites.core, seed, trials), *probe.streaming(easy, "core")]


def forbidden(seed: int, trials: int) -> list[Probe]:
    """The same kind of question, with `tool_choice: none`."""
    return [*_suite("none", probe_suites.forbidden, seed, trials), *_callable("none")]


def required(seed: int, trials: int) -> list[Probe]:
    """Questions that play down the need of a tool, with `tool_choice: required`."""
    return _suite("required", probe_suites.required, seed, trials)


def named(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather, with a `tool_choice` that names another tool."""
    return _suite("named", probe_suites.named, seed, trials)


def bad_choices(seed: int, trials: int) -> list[Probe]:
    """Choices that no request may have, and one that it may."""
    # A stream may have begun before the choice is looked at: these are answered whole.
    bad = [probe_suites.bad_choice(Slot("invalid", seed, at)) for at in range(trials)]
    return [*bad, *_callable("invalid")]


def irrelevant(seed: int, trials: int) -> list[Probe]:
    """Requests that no tool can help with, half of them close to the tool's subject."""
    return [
        *_suite("irrelevance", probe_suites.irrelevant, seed, trials),
        *_callable("irrelevance"),
    ]


def parallel(seed: int, trials: int) -> list[Probe]:
    """Questions about two to four cities, each with a date and a number of days of its own."""
    return _suite("parallel", probe_suites.parallel, seed, trials)


def one_at_a_time(seed: int, trials: int) -> list[Probe]:
    """Questions about several cities, with `parallel_tool_calls: false`."""
    return _suite("single", probe_suites.one_at_a_time, seed, trials)


def many_tools(seed: int, trials: int) -> list[Probe]:
    """Questions for one of 8 to 20 tools that are much alike."""
    return _suite("distractors", probe_suites.many_tools, seed, trials)


def results(seed: int, trials: int) -> list[Probe]:
    """Questions whose answer stands in a tool's result."""
    return _suite("results", probes_tool_results.probe, seed, trials)


def hard(seed: int, trials: int) -> list[Probe]:
    """Requests whose arguments are nested, long or absent, or whose tool is not in English."""
    return _suite("hard", probe_suites.hard, seed, trials)


def thirty_turns(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather after thirty others."""
    return _suite("history", probe_suites.after_history, seed, trials)


def _suite(suite: str, make: Callable[[Slot], Probe], seed: int, trials: int) -> list[Probe]:
    key = f"tool_calling.{suite}/{seed}"
    made = probe.streaming([make(Slot(suite, seed, at)) for at in range(trials)], key)
    return probe.instructed(made, key, PROMPTS["system"], INSTRUCTED)


def _callable(suite: str) -> list[Probe]:
    """Control items: an endpoint that cannot call a tool shows nothing by not calling one."""
    slots = [Slot(f"{suite}.control", 0, at) for at in range(CONTROLS)]
    made = [
        replace(probe_suites.asking(slot, slot.parameters("get_weather")), control=True)
        for slot in slots
    ]
    return probe.streaming(made, suite)


Values = Mapping[str, Any]

#: Years whose weather has been recorded.
PAST = date(2019, 1, 1)
SHORTEST_NOTE = 1000


def ask(slot: Slot, tool: str) -> tuple[str, Expected]:
    """A question for one of the tools, and the call that it takes."""
    values = (SIMILAR | HARD)[tool](slot)
    text = slot.say(PROMPTS["asks"][tool][slot.language], values)
    meant = _event(values) if tool == "create_event" else values
    meant = {} if tool == "list_alarms" else meant
    return text, expected(tool, meant, slot.language)


def _city_and_day(slot: Slot) -> Values:
    return {"city": slot.city, "date": slot.day()}


def _city_and_past(slot: Slot) -> Values:
    return {"city": slot.city, "date": slot.day(PAST)}


def _exchange(slot: Slot) -> Values:
    base, quote = slot.random.sample(PROMPTS["currencies"], 2)
    return {"base": base, "quote": quote, "date": slot.day(PAST)}


def _flight(slot: Slot) -> Values:
    number = f"{slot.random.choice(PROMPTS['airlines'])}{slot.random.randint(100, 9999)}"
    return {"flight": number, "date": slot.day()}


def _train(slot: Slot) -> Values:
    origin, destination = slot.random.sample(cities(), 2)
    return {"origin": origin, "destination": destination, "date": slot.day()}


def _hotel(slot: Slot) -> Values:
    return {"city": slot.city, "date": slot.day(), "nights": slot.random.randint(2, 14)}


def _conversion(slot: Slot) -> Values:
    source, target = slot.random.sample(list(PROMPTS["units"]), 2)
    return {"value": slot.random.randint(101, 1199) / 10, "source": source, "target": target}


def _alarms(slot: Slot) -> Values:
    return {"ticket": f"T-{slot.random.randint(10000, 99999)}"}


def _parcel(slot: Slot) -> Values:
    number = f"{slot.random.choice(['SF', 'YT', 'ES'])}{slot.random.randrange(10**12):012}"
    return {"carrier": slot.random.choice(PROMPTS["carriers"]), "number": number}


def _event_values(slot: Slot) -> Values:
    hour, minute = slot.random.randint(0, 23), slot.random.choice([0, 5, 15, 30, 45])
    people = slot.random.sample(PROMPTS["people"], slot.random.randint(2, 4))
    return {
        "title": slot.random.choice(PROMPTS["titles"]),
        "date": slot.day(),
        "time": f"{hour:02}:{minute:02}",
        "building": slot.random.choice(PROMPTS["buildings"]),
        "floor": slot.random.randint(2, 60),
        "attendees": [f"{name} <{email}>" for name, email in people],
        "reminders": sorted(slot.random.sample([5, 10, 15, 30, 60, 90], 2)),
    }


def _event(values: Values) -> Values:
    people = dict(PROMPTS["people"])
    named = [of.rpartition(" <")[0] for of in values["attendees"]]
    flat = {key: values[key] for key in ("title", "date", "time", "reminders")}
    return {
        **flat,
        "location": {"building": values["building"], "floor": values["floor"]},
        "attendees": [{"name": name, "email": people[name]} for name in named],
    }


def _note(slot: Slot) -> Values:
    pieces = cycle(slot.random.sample(PROMPTS["notes"], len(PROMPTS["notes"])))
    lines: list[str] = []
    while sum(map(len, lines)) < SHORTEST_NOTE:
        lines.append(f"{len(lines) + 1}. {next(pieces)}" + "\n" * (len(lines) % 3 == 2))
    return {"title": slot.random.choice(PROMPTS["titles"]), "text": "\n".join(lines).strip()}


#: Tools that are easily mistaken for one another.
SIMILAR: dict[str, Callable[[Slot], Values]] = {
    "get_weather_history": _city_and_past,
    "get_air_quality": _city_and_day,
    "get_sunrise_time": _city_and_day,
    "get_exchange_rate": _exchange,
    "get_flight_status": _flight,
    "get_train_timetable": _train,
    "get_hotel_price": _hotel,
    "convert_temperature": _conversion,
}
#: Tools whose arguments are nested, long, absent or described in other scripts.
HARD: dict[str, Callable[[Slot], Values]] = {
    "create_event": _event_values,
    "save_note": _note,
    "list_alarms": _alarms,
    "track_parcel": _parcel,
}
