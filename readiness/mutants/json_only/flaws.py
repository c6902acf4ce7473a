"""Flaws of JSON replies, of a model, a parser or a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from readiness.mutants.api.requests import CRASH, JSON, Errs
from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.conversation import check_messages, text_of
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.endpoint.response_format import check_format
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only.reader import answer, facts_of, shape_of, wanted_format
from readiness.verdict.claim import Verdict

Says = Callable[[Request, ModelOutput, int], ModelOutput]


def is_asked(request: Request) -> bool:
    """Whether the request asks for JSON, in its prompt or by response_format."""
    return answer(request) is not None


def is_told(request: Request) -> bool:
    """Whether only the prompt asks for JSON."""
    return not wanted_format(request) and answer(request) is not None


def dumped(value: Any) -> str:
    """JSON as a model writes it."""
    return json.dumps(value, ensure_ascii=False)


def leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change every leaf, at any depth."""
    if isinstance(value, dict):
        return {key: leaves(part, change) for key, part in value.items()}
    return [leaves(part, change) for part in value] if isinstance(value, list) else change(value)


def objects(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Change the objects at the top: the one, or those of the array."""
    if isinstance(value, list):
        return [objects(part, change) for part in value]
    return change(value) if isinstance(value, dict) else value


def lists(value: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Change every list of several objects, at any depth."""
    if isinstance(value, dict):
        return {key: lists(part, change) for key, part in value.items()}
    records = isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict)
    return change(value) if records else value


def members_of(said: ModelOutput) -> dict[str, Any]:
    """The members of the object that was answered; none where it was anything else."""
    value = json.loads(said.content or "null")
    return value if isinstance(value, dict) else {}


def _said(change: Callable[[ModelOutput], ModelOutput]) -> Says:
    """Change the reply if only the prompt asks for JSON."""
    return lambda request, said, _turn: change(said) if is_told(request) else said


def _text(change: Callable[[str], str]) -> Says:
    """Change the text of such a reply."""
    return _said(lambda said: _changed(said, change))


def _changed(said: ModelOutput, change: Callable[[str], str]) -> ModelOutput:
    return replace(said, content=change(said.content or ""))


def _value(change: Callable[[Any], Any]) -> Says:
    """Change the value of such a reply."""
    return _text(lambda text: dumped(change(json.loads(text))))


def _rarely(change: Callable[[str], str]) -> Says:
    """Change every sixth reply to prompts that state no data: two of a hundred."""
    seen = count(1)

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        system = request["messages"][0]["role"] == "system"
        counted = system and is_told(request) and not facts_of(request).any
        return _changed(said, change) if counted and not next(seen) % 6 else said

    return says


def _reasoned(said: ModelOutput) -> ModelOutput:
    return replace(said, content=None, reasoning=said.content or "")


def _endless_space(said: ModelOutput) -> ModelOutput:
    return replace(said, content=(said.content or "")[:1] + "\n  " * 100, finish="length")


def _out_of_budget(said: ModelOutput) -> ModelOutput:
    text = said.content or ""
    return replace(said, content=text[: len(text) // 2], finish="length")


def _doubled_key(text: str) -> str:
    value = json.loads(text)
    if not isinstance(value, dict):
        return text
    key, first = next(iter(value.items()))
    return f"{{{dumped(key)}: {dumped(first)}, {text[1:]}"


def _swapped(records: list[Any]) -> list[Any]:
    """The first field of the first two records changes places."""
    key = next(iter(records[0]))
    first, second, *rest = records
    return [{**first, key: second[key]}, {**second, key: first[key]}, *rest]


def _without_last(members: dict[str, Any]) -> dict[str, Any]:
    return dict(list(members.items())[:-1])


def _lowered(value: Any) -> Any:
    """Every key in small letters, at any depth."""
    if isinstance(value, dict):
        return {key.lower(): _lowered(part) for key, part in value.items()}
    return list(map(_lowered, value)) if isinstance(value, list) else value


def _one_fewer(records: list[Any]) -> list[Any]:
    return records[:-1] if len(records) > 30 else records


def _next(leaf: Any) -> Any:
    return leaf + 1 if type(leaf) is int else leaf


def _quoted(leaf: Any) -> Any:
    return str(leaf) if type(leaf) is int else leaf


def _unquoted(leaf: Any) -> Any:
    digits = isinstance(leaf, str) and leaf.isascii() and leaf.isdecimal()
    return int(leaf) if digits else leaf


def _first_number(by: str) -> Callable[[str], str]:
    """Replace the first number."""
    return lambda text: re.sub(r'(?<=": )-?\d[\d.e+-]*', by, text, count=1)


def _half_character(text: str) -> str:
    """The last string ends in a lone surrogate."""
    head, quote, tail = text.rpartition('"')
    return f"{head}\\ud83d{quote}{tail}"


def _raw_control(text: str) -> str:
    head, quote, tail = text.rpartition('"')
    return f"{head}\n{quote}{tail}"


def _other_case(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Values of an enumeration come in capitals and with a mark."""
    if not is_told(request):
        return said
    members = (shape_of(request) or {}).get("properties", {})
    changed = {
        key: f"{part.upper()}!" if "enum" in members.get(key, {}) else part
        for key, part in members_of(said).items()
    }
    return replace(said, content=dumped(changed)) if changed else said


_BROKEN = [
    ("json_fence", "a fence around the JSON", _text(lambda text: f"```json\n{text}\n```")),
    ("json_preamble", "a sentence before the JSON", _text(lambda text: f"Sure: {text}")),
    ("json_preamble_rarely", "the same in two of a hundred", _rarely(lambda text: f"Sure: {text}")),
    ("json_postscript", "a sentence after the JSON", _text(lambda text: f"{text}\n\nThat is it.")),
    ("json_comment", "a comment after the JSON", _text(lambda text: f"{text} // as you asked")),
    (
        "json_trailing_comma",
        "a comma after the last member",
        _text(lambda text: f"{text[:-1]},{text[-1]}"),
    ),
    ("json_single_quotes", "Python's quotes", _text(lambda text: repr(json.loads(text)))),
    ("json_nan", "NaN for a number", _text(_first_number("NaN"))),
    ("json_infinite", "a number beyond any float", _text(_first_number("1e999"))),
    ("json_duplicate_key", "a key that comes twice", _text(_doubled_key)),
    ("json_lone_surrogate", "half a character in a string", _text(_half_character)),
    ("json_raw_control", "a line break in a string", _text(_raw_control)),
    ("json_bom", "a byte order mark", _text(lambda text: f"\ufeff{text}")),
    ("json_no_break_space", "a space unknown to JSON", _text(lambda text: f"\xa0{text}")),
    ("json_think", "reasoning before the JSON", _text(lambda text: f"<think>Well.</think>{text}")),
    ("json_half_think", "the end of reasoning", _text(lambda text: f"Well.\n</think>\n{text}")),
    ("json_reasoning_only", "the JSON stands in the reasoning alone", _said(_reasoned)),
    ("json_template", "a token of the template", _text(lambda text: f"{text}<|im_end|>")),
    ("json_cut", "the last tenth is missing", _text(lambda text: text[: len(text) * 9 // 10])),
    ("json_out_of_budget", "half of it, finished by length", _said(_out_of_budget)),
    ("json_endless_space", "white space to the end of the budget", _said(_endless_space)),
    ("json_empty", "no text at all", _text(lambda text: "")),
    ("json_too_deep", "a thousand brackets", _text(lambda text: "[" * 1000 + text + "]" * 1000)),
    ("json_in_array", "an array around it", _value(lambda value: [value])),
    (
        "json_missing_key",
        "the last member is missing",
        _value(lambda value: objects(value, _without_last)),
    ),
    (
        "json_extra_key",
        "a member more",
        _value(lambda value: objects(value, lambda of: {**of, "explanation": "as asked"})),
    ),
    (
        "json_wide_cut",
        "the members beyond the twelfth are missing",
        _value(lambda value: objects(value, lambda of: dict(list(of.items())[:12]))),
    ),
    ("json_lower_keys", "keys lose their capitals", _value(_lowered)),
    ("json_number_as_text", "integers in quotes", _value(lambda value: leaves(value, _quoted))),
    (
        "json_text_as_number",
        "digits without quotes",
        _value(lambda value: leaves(value, _unquoted)),
    ),
    (
        "json_null_as_text",
        '"null" for null',
        _value(lambda value: leaves(value, lambda leaf: "null" if leaf is None else leaf)),
    ),
    (
        "json_one_fewer",
        "of many records, one is missing",
        _value(lambda value: lists(value, _one_fewer)),
    ),
    ("json_wrong_choice", "a value that is none of the choices", _other_case),
]


def _leaves(change: Callable[[Any], Any]) -> Says:
    """Change every value of any JSON that is asked for, with a format or without."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        if not is_asked(request):
            return said
        return _changed(said, lambda text: dumped(leaves(json.loads(text), change)))

    return says


def _texts(change: Callable[[str], str]) -> Says:
    """Change every text that is a value."""
    return _leaves(lambda of: change(of) if isinstance(of, str) else of)


def _rounded(value: Any) -> Any:
    """As JavaScript reads it: a float."""
    return int(float(value)) if type(value) is int else value


#: What is damaged in texts of one kind only: a small part of all values, and all of its kind.
_TEXTS: list[tuple[str, str, Callable[[str], str]]] = [
    ("doubles_apostrophes", "apostrophes are doubled", lambda text: text.replace("'", "''")),
    ("collapses_spaces", "several spaces are one", lambda text: re.sub(" {2,}", " ", text)),
    ("loses_breaks", "line breaks in values are spaces", lambda text: text.replace("\n", " ")),
    (
        "reverses_letters",
        "Hebrew and Arabic words come reversed",
        lambda text: re.sub(r"[\u0590-\u06ff]+", lambda found: found[0][::-1], text),
    ),
    (
        "cleans_up_spaces",
        "spaces before punctuation are lost",
        lambda text: re.sub(r" (?=[?!.,])", "", text),
    ),
    ("loses_tags", "tags in values are lost", lambda text: re.sub(r"<[^<>]*>", "", text)),
]
_WRONG = [
    ("json_wrong_value", "integers are off by one", _value(lambda value: leaves(value, _next))),
    (
        "json_swapped",
        "two records have each other's first value",
        _value(lambda value: lists(value, _swapped)),
    ),
]

GENERAL_FLAWS = [
    *(
        Flaw(name, about, "json_only.prompted_json", change_output=says)
        for name, about, says in _BROKEN
    ),
    *(
        Flaw(name, about, "json_only.values_preserved", change_output=says)
        for name, about, says in _WRONG
    ),
    # So large are those of four in fifty texts, and of one in five with a format.
    Flaw(
        "json_integers_rounded",
        "whole numbers above 2**53 are rounded",
        "json_only.values_preserved_in_format",
        change_output=_leaves(_rounded),
    ),
    # So few texts have them that it takes more trials to fail them.
    *(
        Flaw(
            f"json_{name}",
            about,
            "json_only.values_preserved",
            change_output=_texts(change),
            expected_verdict=Verdict.INCONCLUSIVE,
        )
        for name, about, change in _TEXTS
    ),
]


_POEM = "Rain on the roof,\nrain on the leaves,\nautumn is here,\nand so am I."
_KEYWORDS = {"title", "format"}
_POEMS = ("poem", "诗", "詩")


def _ignoring(kind: str) -> Says:
    """Answer as if no response format had been sent."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        ignored = wanted_format(request) == kind and facts_of(request).any
        return replace(said, content=f"Here you are:\n{said.content}") if ignored else said

    return says


def _loosely(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """The reply is JSON of another shape."""
    loose = wanted_format(request) == "json_schema" and facts_of(request).any
    return replace(said, content=dumped({"record": members_of(said)})) if loose else said


def _cleaned(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Members are lost that are named like keywords, as where a schema is cleaned of these."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: changed(of) for key, of in value.items() if key not in _KEYWORDS}
        return list(map(changed, value)) if isinstance(value, list) else value

    cleaned = wanted_format(request) == "json_schema" and facts_of(request).any
    return replace(said, content=dumped(changed(members_of(said)))) if cleaned else said


def _poem(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """The reply follows the topic instead of the schema."""
    asked = text_of(request["messages"][-1]).lower()
    wins = wanted_format(request) == "json_schema" and any(word in asked for word in _POEMS)
    return replace(said, content=_POEM) if wins else said


def _is_bad(request: Request) -> bool:
    """Whether nothing but the response format of a request with data is wrong."""
    try:
        check_messages(request.get("messages"))
    except RequestError:
        return False
    try:
        check_format(request)
    except RequestError:
        return facts_of(request).any
    return False


def _for_bad_formats(status: int) -> Errs:
    """Answer a bad response format with that status, and with 200 as if it were not there."""

    def errs(request: Request | None, due: SubstituteResponse) -> SubstituteResponse:
        if request is None or not _is_bad(request):
            return due
        plain = {key: part for key, part in request.items() if key != "response_format"}
        body = encode(whole(complete(plain))) if status == 200 else CRASH.body
        return SubstituteResponse(status, body, JSON)

    return errs


_FORMATS = [
    ("json_object_ignored", "json_object_mode", "json_object is ignored", _ignoring("json_object")),
    ("json_schema_ignored", "json_schema_mode", "json_schema is ignored", _ignoring("json_schema")),
    ("json_schema_loose", "json_schema_mode", "JSON comes, of another shape", _loosely),
    (
        "json_schema_cleaned",
        "json_schema_mode",
        "members named title or format are lost, as cleaners of schemas do",
        _cleaned,
    ),
    ("json_poem", "schema_over_topic", "the topic wins over the schema", _poem),
]

FORMATS_FLAWS = [
    *(
        Flaw(name, about, f"json_only.{check}", change_output=says)
        for name, check, about, says in _FORMATS
    ),
    Flaw(
        "json_bad_format_taken",
        "a bad response format is taken for none",
        "json_only.invalid_format_rejected",
        change_error=_for_bad_formats(200),
    ),
    Flaw(
        "json_bad_format_crashes",
        "a bad response format ends in a 500",
        "json_only.invalid_format_rejected",
        change_error=_for_bad_formats(500),
    ),
]


def _anywhere(change: Callable[[Any], Any]) -> Says:
    """Change every part of a reply that words alone asked for as JSON, the innermost first."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return change({key: changed(part) for key, part in value.items()})
        return change([changed(part) for part in value]) if isinstance(value, list) else value

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        if not is_told(request):
            return said
        return replace(said, content=dumped(changed(json.loads(said.content or "null"))))

    return says


def _flat(value: Any) -> Any:
    """A list of lists becomes one list of all that is in them."""
    nested = isinstance(value, list) and all(isinstance(part, list) for part in value)
    return [each for part in value for each in part] if nested else value


def _unprototyped(value: Any) -> Any:
    """As servers do that guard JavaScript's objects against pollution."""
    if not isinstance(value, dict):
        return value
    return {key: part for key, part in value.items() if key != "__proto__"}


_CHECK = "json_only.property_based_json"
INVENTED_FLAWS = [
    Flaw("json_lists_flat", "a list of lists comes as one list", _CHECK, _anywhere(_flat)),
    Flaw("json_proto_lost", "a member is lost by its name", _CHECK, _anywhere(_unprototyped)),
]

FLAWS = [*GENERAL_FLAWS, *FORMATS_FLAWS, *INVENTED_FLAWS]
