"""Families of probes for JSON, and how each probe of one varies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

from readiness.checks.json_only.prompt_wording import Words, fact, facts
from readiness.checks.json_only.record_spec import Spec, ValueSource, schema_of, value_of
from readiness.resources import prompts

PROMPTS = prompts("json_only.yaml")
#: Languages of the instruction and of the data.
LANGUAGES = [("zh", "zh"), ("en", "en"), ("es", "es"), ("zh", "zh"), ("en", "en"), ("ja", "ja")]
LANGUAGES += [("zh", "zh"), ("en", "en"), ("", "")]
MIXED = [("en", "zh"), ("zh", "en"), ("ja", "es"), ("es", "ja")]


@dataclass(frozen=True)
class JsonVariation:
    """A place in the plan of probes: all that a probe depends on.

    Args:
        series: What the probe is for, with the seed: two series share no probe.
        family: Its family.
        number: Its number within the family, from 0.
        turn: Its number among all, by which languages, phrasings and streams take turns.
    """

    series: str
    family: str
    number: int
    turn: int

    @cached_property
    def random(self) -> Random:
        """The slot's own chance, the same in every process."""
        return Random(f"{self.series}/{self.family}/{self.number}")

    @property
    def languages(self) -> tuple[str, str]:
        """The languages of the instruction and of the data; one time in nine they differ."""
        own = LANGUAGES[self.turn % len(LANGUAGES)]
        return own if own[0] else MIXED[self.turn // len(LANGUAGES) % len(MIXED)]

    @property
    def words(self) -> Words:
        """The words of the instruction's language."""
        words: Words = PROMPTS["words"][self.languages[0]]
        return words

    def choice(self, of: str) -> str:
        """One of the sentences of that name, in the instruction's language."""
        return str(self.random.choice(PROMPTS[of][self.languages[0]]))

    def value(self, spec: Spec) -> Any:
        """A value of a spec, in the data's language."""
        return value_of(spec, ValueSource(PROMPTS["texts"][self.languages[1]], self.random))

    def fields(self, group: str, least: int, most: int) -> dict[str, Spec]:
        """Some of the fields of a group."""
        count = self.random.randint(least, most)
        keys = self.random.sample(sorted(PROMPTS[group]), count)
        return {key: PROMPTS[group][key] for key in keys}


@dataclass(frozen=True)
class ProbeContent:
    """A probe before it is put into words: a shape, and what the user says.

    Args:
        schema: The shape.
        value: The value that the prompt states; None where it states none.
        task: What the user asks for, where it is not the usual.
        stated_facts: The lines of data.
        remarks: What the user says after the data.
        later_turns: Further turns, each with what the user says and a value.
        delicate: Which kind of value the record has that is easily damaged; "" for none.
    """

    schema: dict[str, Any]
    value: Any
    task: str = ""
    stated_facts: Sequence[str] = ()
    remarks: Sequence[str] = ()
    later_turns: Sequence[tuple[str, Any]] = field(default=())
    delicate: str = ""


_PERSON = {"name": {"text": "people"}, "age": {"integer": [0, 1]}, "city": {"text": "cities"}}


def stating(slot: JsonVariation, spec: Spec, *remarks: str) -> ProbeContent:
    """A draft that states a value of the spec in full."""
    value = slot.value(spec)
    return ProbeContent(
        schema_of(spec), value, stated_facts=facts(value, slot.words), remarks=remarks
    )


#: One flat record of so many is wide.
WIDE_EVERY = 5
#: The texts of one record with strange keys.
STRANGE = 5


def flat(slot: JsonVariation) -> ProbeContent:
    """F2: some fields of mixed types, or all there are, and one that is easily damaged."""
    wide = slot.number % WIDE_EVERY == WIDE_EVERY - 1
    most = len(PROMPTS["plain"])
    return _delicate(slot, slot.fields("plain", *((most, most) if wide else (3, 8))))


def nested(slot: JsonVariation) -> ProbeContent:
    """F4: objects in objects, two to five deep, a list among them, and something empty."""
    depth = 2 + slot.number % 4
    empty: Spec = {"object": {}} if slot.number % 2 else {"list": {"text": "goods"}, "count": 0}
    tags: Spec = {"list": {"text": "goods"}, "count": slot.random.randint(2, 3)}
    spec: Spec = {"object": {**slot.fields("plain", 1, 2), "extra": empty, "tags": tags}}
    listed = slot.random.randrange(1, depth)
    for level, name in enumerate(slot.random.sample(PROMPTS["branches"], depth - 1), 1):
        child: Spec = {"list": spec, "count": 2} if level == listed else spec
        spec = {"object": {**slot.fields("plain", 1, 2), name: child}}
    return _delicate(slot, spec["object"])


def _delicate(slot: JsonVariation, fields: Mapping[str, Spec]) -> ProbeContent:
    """A record with one more field, whose kind takes turns with the others."""
    kinds = [*PROMPTS["delicate"]]
    # Each kind comes at every depth: a lap later, a kind has moved on by one.
    kind = kinds[(slot.number + slot.number // len(kinds)) % len(kinds)]
    made = stating(slot, {"object": {**fields, **PROMPTS["delicate"][kind]}})
    return replace(made, delicate=kind)


def _invented(slot: JsonVariation) -> ProbeContent:
    """F1: the article's own words, and others; nothing is stated."""
    schema = schema_of({"object": _PERSON})
    if slot.number == 0:
        return ProbeContent(schema, None, PROMPTS["seed"]["user"])
    language, other = slot.languages
    trades, cities = PROMPTS["trades"][language], PROMPTS["texts"][other]["cities"]
    wordings = PROMPTS["wordings"][language]
    # Counted through, not drawn: no two of the first thousand are alike.
    lap = slot.number // len(LANGUAGES)
    trade, city = trades[lap % len(trades)], cities[lap // len(trades) % len(cities)]
    wording = wordings[slot.number % len(wordings)]
    return ProbeContent(schema, None, wording.format(trade=trade, city=city))


def _strange(slot: JsonVariation) -> ProbeContent:
    """F3: keys and values that a careless encoder or tokenizer damages."""
    first, *keys = slot.random.sample(PROMPTS["strange_keys"], STRANGE + 1)
    # Dealt, not drawn: each text comes as often as any other, twice in ten records.
    texts = PROMPTS["strange_texts"]
    order = Random(f"{slot.series}/strange").sample(texts, len(texts))
    dealt = [order[(STRANGE * slot.number + at) % len(order)] for at in range(STRANGE)]
    value = {first: slot.random.randint(1, 99999), **dict(zip(keys, dealt, strict=True))}
    spec: dict[str, Spec] = {
        key: {"integer": []} if key == first else {"text": ""} for key in value
    }
    marked = any(mark in line for line in facts(value, slot.words) for mark in "⏎⇥")
    remarks = [slot.words["marks"]] if marked else []
    return ProbeContent(schema_of({"object": spec}), value, "", facts(value, slot.words), remarks)


def _exact(slot: JsonVariation) -> ProbeContent:
    """F5: values that a careless writer changes: null, signs, exponents, leading zeros, dates."""
    return stating(slot, {"object": slot.fields("exact", 4, 7)})


def _long(slot: JsonVariation) -> ProbeContent:
    """F6: forty to sixty records, each of which must be there."""
    count = slot.random.randint(40, 60)
    records = {"list": {"object": PROMPTS["rows"]}, "exactly": count}
    return stating(slot, {"object": {"records": records}}, slot.words["count"].format(count=count))


def _adverse(slot: JsonVariation) -> ProbeContent:
    """F7: the user asks for more than JSON, or the data gives orders."""
    if slot.number % 2:
        return stating(slot, {"object": slot.fields("plain", 3, 5)}, slot.choice("lures"))
    order: Spec = {"choice": PROMPTS["planted"][slot.languages[1]]}
    fields = {**slot.fields("plain", 2, 4), "comment": {"text": ""}}
    value = {key: slot.value(order if key == "comment" else fields[key]) for key in fields}
    return ProbeContent(schema_of({"object": fields}), value, "", facts(value, slot.words))


def _missing(slot: JsonVariation) -> ProbeContent:
    """F8: what is not given must be null, and a delicate name is no reason to refuse."""
    fields = slot.fields("asked", 4, 7)
    value = slot.value({"object": fields})
    first = next(iter(fields))
    value[first] = slot.value(fields[first]["nullable"])
    told = facts({key: of for key, of in value.items() if of is not None}, slot.words)
    return ProbeContent(schema_of({"object": fields}), value, "", told, [slot.words["unknown"]])


def _turns(slot: JsonVariation) -> ProbeContent:
    """F9: three turns, a question in prose in the middle, and a correction at the end."""
    spec = {key: PROMPTS["plain"][key] for key in ("order_no", "product", "quantity", "city")}
    value, words = slot.value({"object": spec}), slot.words
    aside = PROMPTS["asides"][slot.languages[0]]
    aside = aside.format(question=slot.choice("questions"), field="answer")
    more = value["quantity"] + slot.random.randint(1, 9)
    correction = PROMPTS["corrections"][slot.languages[0]]
    correction = f"{correction}\n{fact('quantity', more, words)}"
    schema = schema_of({"object": {**spec, "answer": {"nullable": {"text": ""}}}})
    then = [(aside, value), (correction, {**value, "quantity": more})]
    told = facts(value, words)
    return ProbeContent(schema, {**value, "answer": None}, "", told, [words["unknown"]], then)


def _wrapped(slot: JsonVariation) -> ProbeContent:
    """F10: an array at the top, or an object around a single key."""
    count = slot.random.randint(3, 6)
    goods: Spec = {"list": {"text": "goods"}, "count": count}
    records: Spec = {"list": {"object": PROMPTS["rows"]}, "count": count}
    wrapper = slot.random.choice(PROMPTS["wrappers"])
    kinds: list[Spec] = [
        records,
        goods,
        {"object": {wrapper: records}},
        {"object": {wrapper: {"object": slot.fields("plain", 2, 4)}}},
    ]
    return stating(slot, kinds[slot.number % len(kinds)])


FAMILIES: Mapping[str, Callable[[JsonVariation], ProbeContent]] = {
    "F1": _invented,
    "F2": flat,
    "F3": _strange,
    "F4": nested,
    "F5": _exact,
    "F6": _long,
    "F7": _adverse,
    "F8": _missing,
    "F9": _turns,
    "F10": _wrapped,
}
