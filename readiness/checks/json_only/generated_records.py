"""Invented records: fields of any name and type, with any data, that no prompt of ours has had."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from readiness.checks.json_only.probe_families import PROMPTS
from readiness.checks.json_only.prompt_wording import facts, shown
from readiness.probe import Probe
from readiness.search import GeneratedCase

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Schema = Mapping[str, Any]

LANGUAGES = ("en", "zh", "es", "ja")
BUDGET = 2048
#: About what the prompts of a whole search have.
TOKENS = 15_000
MOST_FIELDS, MOST_INNER, DEPTH = 8, 3, 3
#: Most items of a list, and of one of records: more of them would be stated as a table, which has
#: no room for lists in it.
MOST_LISTED, MOST_NESTED = 4, 2
ALPHABETS = ("abcdefghij", "aeéèêñçøß", "数据城市名称", "ありがとう", "😀🚲🎈")
#: Names that programs take for their own.
KEYWORDS = ("null", "type", "__proto__", "constructor", "$ref", "0")
#: Words that a careless writer of JSON does not escape, or takes for JSON.
MARKS = ('"', "'", "\\", "</b>", "{}", "[0]", "007", "true")
#: What the data say of something else than a text.
TAKEN = {"null"}
TAKEN |= {words[name] for words in PROMPTS["words"].values() for name in ("yes", "no", "empty")}


def searches(seed: int, trials: int) -> list[Probe]:
    """A seed for each search; what it sends is made up as it goes."""
    random = Random(f"json_only.any/{seed}")
    seeds = [random.randrange(2**32) for _ in range(trials)]
    return [
        Probe(f"json_only.any.{at:02}@v1", [], {"seed": each}, tokens=TOKENS, budget=30 * BUDGET)
        for at, each in enumerate(seeds)
    ]


def probe(case: GeneratedCase) -> Probe:
    """The prompt of a case: the schema is pasted, and the data are stated."""
    language, schema = case["language"], case["schema"]
    system = PROMPTS["only"]["schema"][language] + shown("schema", schema)
    told = [PROMPTS["tasks"][language][0], *facts(case["value"], PROMPTS["words"][language])]
    messages = [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n".join(told)},
    ]
    return Probe("json_only.any@v1", messages, case, budget=BUDGET)


def told(case: GeneratedCase) -> str:
    """What the endpoint is told in a case, for a reader who sends it again."""
    return json.dumps([each["content"] for each in probe(case).messages], ensure_ascii=False)


def cases() -> SearchStrategy[dict[str, Any]]:
    """A language, a schema of up to eight fields, and a value of it."""
    from hypothesis import strategies as st

    def field(schema: Schema) -> SearchStrategy[tuple[Schema, Any]]:
        return st.tuples(st.just(schema), _value(schema))

    # A field and its value are drawn together, so that the search can take one out with the other.
    fields = _typed(DEPTH - 1).flatmap(field)
    members = st.dictionaries(_names(), fields, min_size=1, max_size=MOST_FIELDS)
    return st.builds(_case, st.sampled_from(LANGUAGES), members)


def _case(language: str, members: Mapping[str, tuple[Schema, Any]]) -> dict[str, Any]:
    schema = _closed({key: schema for key, (schema, _) in members.items()})
    value = {key: value for key, (_, value) in members.items()}
    return {"language": language, "schema": schema, "value": value}


def _typed(depth: int) -> SearchStrategy[Schema]:
    """The schema of a field; lists and objects go no deeper than that."""
    from hypothesis import strategies as st

    plain = st.sampled_from(list(_leaves())).map(lambda kind: {"type": kind})
    choices = st.lists(_texts(), min_size=2, max_size=4, unique=True)
    leaf = st.one_of(plain, choices.map(lambda of: {"type": "string", "enum": of}))
    if not depth:
        return leaf
    inner = _typed(depth - 1)
    listed = inner.map(lambda items: {"type": "array", "items": items})
    members = st.dictionaries(_names(), inner, min_size=1, max_size=MOST_INNER)
    return st.one_of(leaf, listed, members.map(_closed))


def _closed(members: Mapping[str, Schema]) -> Schema:
    """An object of which every member is required, and no other is allowed."""
    found = {"type": "object", "properties": members, "required": list(members)}
    return {**found, "additionalProperties": False}


def _value(schema: Schema) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    kind = schema["type"]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if kind == "object":
        members = schema["properties"]
        return st.fixed_dictionaries({key: _value(part) for key, part in members.items()})
    if kind == "array":
        nested = schema["items"]["type"] in ("array", "object")
        most = MOST_NESTED if nested else MOST_LISTED
        return st.lists(_value(schema["items"]), max_size=most)
    return _leaves()[kind]


def _leaves() -> Mapping[str, SearchStrategy[Any]]:
    """The values of each type that has no parts."""
    from hypothesis import strategies as st

    return {
        "string": _texts(),
        "integer": st.integers(-(10**9), 10**9),
        "number": st.integers(-(10**6), 10**6).map(lambda hundredths: hundredths / 100),
        "boolean": st.booleans(),
        "null": st.none(),
    }


def _texts() -> SearchStrategy[str]:
    """Up to three words, none of which says something else in the data."""
    from hypothesis import strategies as st

    words = st.one_of(*map(_word, ALPHABETS), st.sampled_from(MARKS))
    texts = st.lists(words, min_size=1, max_size=3).map(" ".join)
    return texts.filter(lambda text: text not in TAKEN)


def _names() -> SearchStrategy[str]:
    from hypothesis import strategies as st

    return st.one_of(*map(_word, ALPHABETS), st.sampled_from(KEYWORDS))


def _word(letters: str) -> SearchStrategy[str]:
    from hypothesis import strategies as st

    words = st.text(st.sampled_from(letters), min_size=1, max_size=6)
    return words.map(partial(unicodedata.normalize, "NFC"))
