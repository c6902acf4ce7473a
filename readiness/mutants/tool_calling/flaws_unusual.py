"""Flaws with tools that are unusual but allowed, after many calls, and at a token limit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import CRASH, JSON
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    all_of,
    beside_tools,
    only,
    streamed,
    unlimited,
    unstreamed,
)
from readiness.mutants.endpoint.tokens import count, tokens
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.requests import dumped

_MINIMAL = "tool_calling.minimal_tools"
_VALUES = "tool_calling.extreme_argument_values"
_TOOLS = "tool_calling.extreme_tools"
_LATER = "tool_calling.arguments_of_later_calls"
_PARTS = "tool_calling.tool_result_read_whole"
_CUT = "tool_calling.cut_call_reported"
_FINISH = "tool_calling.finish_reason_beside_tools"

_EXACT = 2**53
_MANY_TOOLS, _LONG_NAME, _MANY_CALLS = 64, 64, 10
_SILENT = ModelOutput("I am afraid I cannot do that.")


def _functions(request: Request) -> list[dict[str, Any]]:
    return [tool["function"] for tool in request.get("tools") or ()]


def undescribed(request: Request) -> bool:
    """Whether some tool has no description."""
    return any(not each.get("description") for each in _functions(request))


def bare(request: Request) -> bool:
    """Whether some tool has no properties."""
    return any(not (each.get("parameters") or {}).get("properties") for each in _functions(request))


def referring(request: Request) -> bool:
    """Whether the schema of some tool refers to a definition."""
    return '"$ref"' in json.dumps(request.get("tools") or ())


def many_tools(request: Request) -> bool:
    """Whether more tools are offered than a fixed table holds."""
    return len(_functions(request)) > _MANY_TOOLS


def long_names(request: Request) -> bool:
    """Whether the name of some tool is as long as it may be."""
    return any(len(each["name"]) >= _LONG_NAME for each in _functions(request))


def called_before(times: int) -> Where:
    """Whether the conversation has had so many calls."""
    return lambda request: (
        sum(len(each.get("tool_calls") or ()) for each in request["messages"]) >= times
    )


def strict(request: Request) -> bool:
    """Whether some tool's schema is to be kept to."""
    return any(each.get("strict") for each in _functions(request))


def results_in_parts(request: Request) -> bool:
    """Whether a tool's result is an array."""
    return any(
        each["role"] == "tool" and isinstance(each["content"], list) for each in request["messages"]
    )


def _fails(where: Where, problem: SubstituteResponse) -> Callable[..., SubstituteResponse | None]:
    return lambda request, _turn: problem if where(request) else None


def _refused(message: str) -> SubstituteResponse:
    return SubstituteResponse(400, RequestError(message, "tools").body, JSON)


def _calls(where: Where, change: Callable[[ModelToolCall], ModelToolCall]) -> Says:
    return only(
        all_of(beside_tools, where),
        lambda _request, said, _turn: replace(said, calls=tuple(map(change, said.calls))),
    )


def _written(where: Where, change: Callable[[str], str]) -> Says:
    return _calls(where, lambda call: replace(call, arguments=change(call.arguments)))


def _values(where: Where, change: Callable[[Any], Any]) -> Says:
    """Change each value of the arguments, at any depth."""

    def deep(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: deep(of) for key, of in value.items()}
        return [deep(of) for of in value] if isinstance(value, list) else change(value)

    return _written(where, lambda text: dumped(deep(json.loads(text))))


def _changed(where: Where, change: Callable[[Any], Any]) -> Says:
    """Change each argument as a whole."""
    return _written(
        where,
        lambda text: dumped({key: change(of) for key, of in json.loads(text).items()}),
    )


def _members(where: Where, keeps: Callable[[Any], bool]) -> Says:
    """Keep only some of the arguments."""
    return _written(
        where,
        lambda text: dumped({key: of for key, of in json.loads(text).items() if keeps(of)}),
    )


_NUMBERS = re.compile(r"\+\d[\d ]{8,}\d|\b\d+\.\d+\.\d+\.\d+\b")
_LINK_QUERY = re.compile(r"(https?://[^\s?]+)\?\S*")
_LINK_END = re.compile(r"\A(https?://\S+)/\Z")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
_DECIMAL = re.compile(r"(?<=: )-?\d+\.\d+(?=[,}])")


def _always(_request: Request) -> bool:
    return True


def _rounded(value: Any) -> Any:
    return int(float(value)) if type(value) is int and abs(value) > _EXACT else value


def _numeric(value: Any) -> Any:
    """Digits become a number, as YAML or a careless cast has it."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _decimal(value: Any) -> Any:
    """A text of a number becomes the number, which knows no zero at the end."""
    text = isinstance(value, str) and re.fullmatch(r"\d+\.\d+", value)
    return float(value) if text else value


def _nothing(value: Any) -> Any:
    """Words for nothing become null, as in a parser of MiniMax's calls."""
    return None if value in ("none", "nil") else value


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _parsed(value: Any) -> Any:
    """What a parser that guesses types makes of a text; numbers stay what they are."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return value if _is_number(found) else found


def _in_texts(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


def _is_free(value: Any) -> bool:
    return isinstance(value, dict) and {*map(type, value.values())} == {str}


def _null_text(value: Any) -> Any:
    return "null" if value is None else value


def _without_last(text: str) -> str:
    return dumped(dict(list(json.loads(text).items())[:-1]))


def _first_tools(request: Request) -> Request:
    """A fixed table holds the first tools only."""
    tools = request.get("tools")
    return {**request, "tools": tools[:_MANY_TOOLS]} if isinstance(tools, list) else request


def _behind_references(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Objects behind a reference come as text."""
    calls = tuple(
        replace(
            call,
            arguments=dumped(
                {
                    key: dumped(of) if isinstance(of, dict) else of
                    for key, of in json.loads(call.arguments).items()
                }
            ),
        )
        for call in said.calls
    )
    return replace(said, calls=calls)


def _first_part(request: Request) -> Request:
    """Only the first part of a result reaches the model."""
    if not isinstance(request.get("messages"), list):
        return request
    messages = [
        {**each, "content": each["content"][:1]}
        if each.get("role") == "tool" and isinstance(each.get("content"), list)
        else each
        for each in request["messages"]
        if isinstance(each, dict)
    ]
    return {**request, "messages": messages}


def _unread(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Parts of a result are dropped by the template."""
    empty = [
        {**each, "content": ""} if isinstance(each["content"], list) else each
        for each in request["messages"]
    ]
    return answer({**request, "messages": empty})


def _finishing(where: Where, change: Callable[[Body], Body]) -> dict[str, Any]:
    """Change the choices of a reply beside tools."""

    def changed(body: Body) -> Body:
        return {**body, "choices": [change(each) for each in body["choices"]]}

    asked = all_of(beside_tools, where)
    return {
        "change_body": lambda request, body: changed(body) if asked(request) else body,
        "change_chunks": lambda request, made: list(map(changed, made)) if asked(request) else made,
    }


def _if(reason: str, then: str) -> Callable[[Body], Body]:
    return lambda choice: (
        {**choice, "finish_reason": then} if choice["finish_reason"] == reason else choice
    )


def _cut_call(where: Where, finish: str) -> Says:
    """A call that exceeds the limit is sent as far as it goes, with that finish_reason."""

    def cut(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        most = most_tokens(request)
        if most is None or not said.calls or count(said.calls[0].arguments) <= most:
            return said
        begun = "".join(tokens(said.calls[0].arguments)[: most // 2])
        return replace(said, calls=(replace(said.calls[0], arguments=begun),), finish=finish)

    return only(all_of(beside_tools, where), cut)


def _without_nullable(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """What may be of several types is left out."""
    kept = {
        each["name"]: {
            name
            for name, of in ((each.get("parameters") or {}).get("properties") or {}).items()
            if "anyOf" not in of
        }
        for each in _functions(request)
    }

    def changed(call: ModelToolCall) -> ModelToolCall:
        stated = json.loads(call.arguments)
        left = {key: of for key, of in stated.items() if key in kept.get(call.name, stated)}
        return replace(call, arguments=dumped(left))

    return replace(said, calls=tuple(map(changed, said.calls)))


def _hollow(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """An object that may be null comes without its members, as where its schema lost them."""
    nullable = {
        each["name"]: {
            name
            for name, of in ((each.get("parameters") or {}).get("properties") or {}).items()
            if of.get("type") == ["object", "null"]
        }
        for each in _functions(request)
    }

    def changed(call: ModelToolCall) -> ModelToolCall:
        emptied: dict[str, Any] = {name: {} for name in nullable.get(call.name, ())}
        stated = json.loads(call.arguments)
        return replace(call, arguments=dumped({**stated, **emptied})) if emptied else call

    return replace(said, calls=tuple(map(changed, said.calls)))


#: What a cleaner of schemas takes for keywords where an argument has the name.
_KEYWORDS = {"type", "format", "default"}


def _without_keywords(text: str) -> str:
    return dumped({key: of for key, of in json.loads(text).items() if key not in _KEYWORDS})


def _without_hyphened(text: str) -> str:
    return dumped({key: of for key, of in json.loads(text).items() if "-" not in key})


def _where_braces_pair(text: str) -> str:
    """Arguments are complete where their braces pair, be they within texts or not."""
    return text if text.count("{") == text.count("}") else text[:-1]


def _with_keyword(keyword: str) -> Where:
    """Whether the schema of some tool has a keyword."""
    return lambda request: f'"{keyword}": ' in json.dumps(request.get("tools") or ())


def choosing(request: Request) -> bool:
    """Whether an argument is to be chosen from numbers."""
    return any(type(of) is int for each in _functions(request) for of in _choices(each))


def _choices(function: dict[str, Any]) -> list[Any]:
    members = ((function.get("parameters") or {}).get("properties") or {}).values()
    return [of for member in members for of in member.get("enum", ())]


def _number_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _first_item(value: Any) -> Any:
    return value[:1] if isinstance(value, list) else value


def _object_as_text(value: Any) -> Any:
    return dumped(value) if isinstance(value, dict) else value


def _elsewhere(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    text = "The ferry leaves at noon, and dogs travel on the lower deck."
    return said if said.calls else replace(said, content=text)


def _named_plainly(call: ModelToolCall) -> ModelToolCall:
    return replace(call, name=call.name.replace("-", "_"))


def _named_small(call: ModelToolCall) -> ModelToolCall:
    return replace(call, name=call.name.lower())


def _dropped(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """A call that exceeds the limit is dropped, and the reply said to have stopped."""
    cut = _cut_call(_always, "stop")(request, said, 0)
    return cut if cut is said else ModelOutput(" ".join(["..."] * 40), finish="stop")


_BROKEN: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "tools_undescribed_500",
        "a tool without a description crashes the template",
        _MINIMAL,
        {"intercept": _fails(undescribed, CRASH)},
    ),
    (
        "tools_undescribed_silent",
        "a tool without a description is never called in a reply that is not streamed",
        _MINIMAL,
        {"change_output": only(all_of(undescribed, unstreamed), lambda *_: _SILENT)},
    ),
    (
        "tools_bare_null",
        "without properties the arguments are null",
        _MINIMAL,
        {"change_output": _written(bare, lambda text: "null" if text == "{}" else text)},
    ),
    (
        "tools_bare_empty",
        "without properties the arguments are an empty text in a stream",
        _MINIMAL,
        {"change_output": _written(all_of(bare, streamed), lambda _text: "")},
    ),
    (
        "tools_bare_refused",
        "parameters are demanded",
        _MINIMAL,
        {
            "intercept": _fails(
                lambda request: any("parameters" not in each for each in _functions(request)),
                _refused("parameters: field required"),
            )
        },
    ),
    (
        "tools_integers_rounded",
        "whole numbers are floats on the way",
        _VALUES,
        {"change_output": _values(_always, _rounded)},
    ),
    (
        "tools_digits_numbers",
        "a text of digits becomes a number",
        _VALUES,
        {"change_output": _values(_always, _numeric)},
    ),
    (
        "tools_decimal_texts_numbers",
        "a text of a decimal becomes a number",
        _VALUES,
        {"change_output": _values(_always, _decimal)},
    ),
    (
        "tools_none_nothing",
        "the text none becomes null",
        _VALUES,
        {"change_output": _values(_always, _nothing)},
    ),
    (
        "tools_signs_lost",
        "numbers below 0 lose their sign",
        _VALUES,
        {"change_output": _values(_always, lambda of: abs(of) if _is_number(of) else of)},
    ),
    (
        "tools_texts_parsed",
        "a text that looks like another type becomes one",
        _VALUES,
        {"change_output": _values(_always, _parsed)},
    ),
    (
        "tools_lists_cut",
        "a list of numbers ends with the eighth",
        _VALUES,
        {"change_output": _changed(_always, lambda of: of[:8] if isinstance(of, list) else of)},
    ),
    (
        "tools_free_members_lost",
        "an object whose members no schema names comes empty",
        _VALUES,
        {"change_output": _changed(_always, lambda of: {} if _is_free(of) else of)},
    ),
    (
        "tools_falsy_lost",
        "an argument that is null or an empty text is left out",
        _VALUES,
        {"change_output": _members(_always, lambda of: of not in (None, ""))},
    ),
    (
        "tools_null_text",
        "null becomes a text",
        _VALUES,
        {"change_output": _values(_always, _null_text)},
    ),
    (
        "tools_zero_lost_streamed",
        "an argument that is 0 is left out in a stream",
        _VALUES,
        {
            "change_output": _members(
                streamed, lambda of: not (type(of) in (int, float) and of == 0)
            )
        },
    ),
    (
        "tools_ends_stripped",
        "a text loses the spaces around it, as by parsers of XML",
        _VALUES,
        {"change_output": _values(_always, _in_texts(str.strip))},
    ),
    (
        "tools_numbers_masked",
        "telephone numbers and IP addresses are masked, as by a guard of personal data",
        _VALUES,
        {"change_output": _values(_always, _in_texts(lambda of: _NUMBERS.sub("<MASKED>", of)))},
    ),
    (
        "tools_links_cut",
        "links lose their query",
        _VALUES,
        {"change_output": _values(_always, _in_texts(lambda of: _LINK_QUERY.sub(r"\1", of)))},
    ),
    (
        "tools_links_slash_lost",
        "links lose the slash at their end",
        _VALUES,
        {"change_output": _values(_always, _in_texts(lambda of: _LINK_END.sub(r"\1", of)))},
    ),
    (
        "tools_addresses_lowered",
        "addresses for mail come in small letters",
        _VALUES,
        {
            "change_output": _values(
                _always, _in_texts(lambda of: of.lower() if _ADDRESS.fullmatch(of) else of)
            )
        },
    ),
    (
        "tools_keywords_lost",
        "arguments named type, format or default are lost, as cleaners of schemas do",
        _VALUES,
        {"change_output": _written(_always, _without_keywords)},
    ),
    (
        "tools_hyphened_lost",
        "arguments whose name has a hyphen are lost, as by parsers of XML",
        _VALUES,
        {"change_output": _written(_always, _without_hyphened)},
    ),
    (
        "tools_open_brace_streamed",
        "in a stream the end is never sent where a text opens a brace",
        _VALUES,
        {"change_output": _written(streamed, _where_braces_pair)},
    ),
    (
        "tools_last_brace_streamed",
        "in a stream a text at the end loses the brace that ends it",
        _VALUES,
        {"change_output": _written(streamed, lambda text: text.replace('}"}', '"}'))},
    ),
    (
        "tools_empty_lists_lost",
        "an argument that is an empty list is left out",
        _VALUES,
        {"change_output": _members(_always, lambda of: of != [])},
    ),
    (
        "tools_hyphens_lost",
        "a hyphen in a tool's name becomes an underscore",
        _MINIMAL,
        {"change_output": _calls(_always, _named_plainly)},
    ),
    (
        "tools_capitals_lost",
        "capitals in a tool's name are lost",
        _MINIMAL,
        {"change_output": _calls(_always, _named_small)},
    ),
    (
        "tools_strict_refused",
        "a schema that is to be kept to is refused",
        "tool_calling.complex_arguments",
        {"intercept": _fails(strict, _refused("Extra inputs are not permitted: strict"))},
    ),
    (
        "tools_strict_last_lost",
        "where a schema is to be kept to, the last argument is lost",
        "tool_calling.complex_arguments",
        {"change_output": _written(strict, _without_last)},
    ),
    (
        "tools_any_of_lost",
        "an argument of several types is left out",
        _TOOLS,
        {"change_output": _without_nullable},
    ),
    (
        "tools_choice_as_text",
        "numbers that are chosen from a list come as text",
        _TOOLS,
        {"change_output": _changed(choosing, _number_as_text)},
    ),
    (
        "tools_union_as_text",
        "beside choices, an object of a union comes as text",
        _TOOLS,
        {"change_output": _changed(choosing, _object_as_text)},
    ),
    (
        "tools_first_item",
        "beside choices, of a list of objects the first is sent",
        _TOOLS,
        {"change_output": _changed(choosing, _first_item)},
    ),
    (
        "tools_bounds_refused",
        "bounds of lists are refused, as by a grammar that has none",
        _TOOLS,
        {"intercept": _fails(_with_keyword("minItems"), _refused("unsupported: minItems"))},
    ),
    (
        "tools_exclusive_bounds_refused",
        "exclusive bounds are refused, as where schemas are translated",
        _TOOLS,
        {
            "intercept": _fails(
                _with_keyword("exclusiveMinimum"), _refused("unknown name exclusiveMinimum")
            )
        },
    ),
    (
        "tools_schema_named_500",
        "a schema that names its language crashes the server",
        _TOOLS,
        {"intercept": _fails(_with_keyword("$schema"), CRASH)},
    ),
    (
        "tools_nullable_hollow",
        "an object that may be null comes without its members",
        _TOOLS,
        {"change_output": _hollow},
    ),
    (
        "tools_choices_refused",
        "a list of choices that are no texts is refused",
        _TOOLS,
        {"intercept": _fails(choosing, _refused("enum: Input should be a valid string"))},
    ),
    (
        "tools_unneeded_off_topic",
        "beside several tools, what takes none of them is answered with something else",
        "tool_calling.no_call_when_irrelevant",
        {"change_output": only(lambda request: len(_functions(request)) > 2, _elsewhere)},
    ),
    (
        "tools_sixty_four",
        "only the first 64 tools reach the model",
        _TOOLS,
        {"change_request": _first_tools},
    ),
    (
        "tools_many_500",
        "more than 64 tools crash the server",
        _TOOLS,
        {"intercept": _fails(many_tools, CRASH)},
    ),
    (
        "tools_long_name_cut",
        "names are cut at 63 letters",
        _TOOLS,
        {"change_output": _calls(long_names, lambda call: replace(call, name=call.name[:63]))},
    ),
    (
        "tools_references_text",
        "objects behind $ref come as text",
        _TOOLS,
        {"change_output": only(referring, _behind_references)},
    ),
    (
        "tools_references_refused",
        "$ref is refused",
        _TOOLS,
        {"intercept": _fails(referring, _refused("PointerToNowhere: '/$defs' does not exist"))},
    ),
    (
        "tools_tenth_loses_last",
        "after ten calls the last argument is lost",
        _LATER,
        {"change_output": _written(called_before(_MANY_CALLS), _without_last)},
    ),
    (
        "tools_ninth_cut_streamed",
        "after nine calls the arguments lack their end in a stream",
        _LATER,
        {"change_output": _written(all_of(called_before(9), streamed), lambda text: text[:-1])},
    ),
    (
        "tools_late_empty",
        "after fourteen calls the arguments are {}",
        _LATER,
        {"change_output": _written(called_before(14), lambda _text: "{}")},
    ),
    (
        "tools_first_part_only",
        "only the first part of a result is read",
        _PARTS,
        {"change_request": _first_part},
    ),
    (
        "tools_parts_unread",
        "a result in parts is not read in a reply that is not streamed",
        _PARTS,
        {
            "change_output": only(all_of(results_in_parts, unstreamed), _unread),
            "elsewhere": ("json_only", "memory", "multilingual", "refusal", "spanish"),
        },
    ),
    (
        "tools_parts_refused",
        "a result must be a string",
        _PARTS,
        {"intercept": _fails(results_in_parts, _refused("content: Input should be a string"))},
    ),
    (
        "tools_cut_call_whole",
        "a call that is cut ends with tool_calls",
        _CUT,
        {"change_output": _cut_call(unstreamed, "tool_calls")},
    ),
    (
        "tools_cut_call_streamed",
        "a call that is cut in a stream ends with tool_calls",
        _CUT,
        {"change_output": _cut_call(streamed, "tool_calls")},
    ),
    (
        "tools_cut_call_dropped",
        "a required call that is cut is dropped, and the reply ends with stop",
        _CUT,
        {"change_output": only(lambda request: request.get("tool_choice") == "required", _dropped)},
    ),
    (
        "tools_text_cut_stop",
        "beside tools, a text that is cut ends with stop once a tool was called",
        _FINISH,
        _finishing(
            called_before(1),
            _if("length", "stop"),
        ),
    ),
    (
        "tools_text_length",
        "beside tools, a text without a limit ends with length",
        _FINISH,
        {
            **_finishing(unlimited, _if("stop", "length")),
            "elsewhere": ("json_only", "multilingual"),
        },
    ),
    (
        "tools_text_tool_calls",
        "after a call, every later reply ends with tool_calls",
        _FINISH,
        _finishing(
            lambda request: called_before(1)(request) and request["messages"][-1]["role"] == "user",
            _if("stop", "tool_calls"),
        ),
    ),
]
_HARMLESS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "tools_cut_call_begun",
        "a call that is cut may come as far as it goes",
        {"change_output": _cut_call(_always, "length")},
    ),
    (
        "tools_slashes_escaped",
        "a slash may be escaped",
        {"change_output": _written(_always, lambda text: text.replace("/", "\\/"))},
    ),
    (
        "tools_bare_spaced",
        "no arguments may be written with a space",
        {"change_output": _written(bare, lambda text: "{ }" if text == "{}" else text)},
    ),
    (
        "tools_unusual_indented",
        "arguments may be indented, escaped, and in any order",
        {
            "change_output": _written(
                lambda request: (
                    referring(request) or choosing(request) or called_before(9)(request)
                ),
                lambda text: json.dumps(dict(reversed(json.loads(text).items())), indent=1),
            )
        },
    ),
    (
        "tools_lists_spaced",
        "arguments may be indented, and an empty list be written with a space",
        {
            "change_output": _written(
                _always, lambda text: json.dumps(json.loads(text), indent=2).replace("[]", "[ ]")
            )
        },
    ),
    (
        "tools_decimals_exact",
        "a decimal may be written with a zero more",
        {"change_output": _written(_always, lambda text: _DECIMAL.sub(r"\g<0>0", text))},
    ),
    (
        "tools_strict_compact",
        "arguments for a schema that is to be kept to may have no white space",
        {
            "change_output": _written(
                strict, lambda text: json.dumps(json.loads(text), separators=(",", ":"))
            )
        },
    ),
    (
        "tools_spoken_first",
        "a text may come before the call of one of many tools",
        {
            "change_output": only(
                many_tools, lambda _request, said, _turn: replace(said, content="One moment.")
            )
        },
    ),
]

FLAWS = [
    *(Flaw(name, about, check, **hooks) for name, about, check, hooks in _BROKEN),
    *(Flaw(name, about, **hooks) for name, about, hooks in _HARMLESS),
]
