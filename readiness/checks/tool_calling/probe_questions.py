"""Questions for the other tools: similar ones, and ones with arguments that are hard to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from itertools import cycle
from typing import Any

from readiness.checks.tool_calling.prompt_wording import PROMPTS, ToolVariation, cities, expected
from readiness.checks.tool_calling.scoring import Expected

Values = Mapping[str, Any]

#: Years whose weather has been recorded.
PAST = date(2019, 1, 1)
SHORTEST_NOTE = 1000


def ask(slot: ToolVariation, tool: str) -> tuple[str, Expected]:
    """A question for one of the tools, and the call that it takes."""
    values = (SIMILAR | HARD)[tool](slot)
    text = slot.say(PROMPTS["asks"][tool][slot.language], values)
    meant = _event(values) if tool == "create_event" else values
    meant = {} if tool == "list_alarms" else meant
    return text, expected(tool, meant, slot.language)


def _city_and_day(slot: ToolVariation) -> Values:
    return {"city": slot.city, "date": slot.day()}


def _city_and_past(slot: ToolVariation) -> Values:
    return {"city": slot.city, "date": slot.day(PAST)}


def _exchange(slot: ToolVariation) -> Values:
    base, quote = slot.random.sample(PROMPTS["currencies"], 2)
    return {"base": base, "quote": quote, "date": slot.day(PAST)}


def _flight(slot: ToolVariation) -> Values:
    number = f"{slot.random.choice(PROMPTS['airlines'])}{slot.random.randint(100, 9999)}"
    return {"flight": number, "date": slot.day()}


def _train(slot: ToolVariation) -> Values:
    origin, destination = slot.random.sample(cities(), 2)
    return {"origin": origin, "destination": destination, "date": slot.day()}


def _hotel(slot: ToolVariation) -> Values:
    return {"city": slot.city, "date": slot.day(), "nights": slot.random.randint(2, 14)}


def _conversion(slot: ToolVariation) -> Values:
    source, target = slot.random.sample(list(PROMPTS["units"]), 2)
    return {"value": slot.random.randint(101, 1199) / 10, "source": source, "target": target}


def _alarms(slot: ToolVariation) -> Values:
    return {"ticket": f"T-{slot.random.randint(10000, 99999)}"}


def _parcel(slot: ToolVariation) -> Values:
    number = f"{slot.random.choice(['SF', 'YT', 'ES'])}{slot.random.randrange(10**12):012}"
    return {"carrier": slot.random.choice(PROMPTS["carriers"]), "number": number}


def _event_values(slot: ToolVariation) -> Values:
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


def _note(slot: ToolVariation) -> Values:
    pieces = cycle(slot.random.sample(PROMPTS["notes"], len(PROMPTS["notes"])))
    lines: list[str] = []
    while sum(map(len, lines)) < SHORTEST_NOTE:
        lines.append(f"{len(lines) + 1}. {next(pieces)}" + "\n" * (len(lines) % 3 == 2))
    return {"title": slot.random.choice(PROMPTS["titles"]), "text": "\n".join(lines).strip()}


#: Tools that are easily mistaken for one another.
SIMILAR: dict[str, Callable[[ToolVariation], Values]] = {
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
HARD: dict[str, Callable[[ToolVariation], Values]] = {
    "create_event": _event_values,
    "save_note": _note,
    "list_alarms": _alarms,
    "track_parcel": _parcel,
}
