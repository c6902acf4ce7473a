"""Scoring of tool calls: which were made, and with which arguments."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from readiness.reply import Reply, ToolCall
from readiness.resources import violation
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.strict_json import OPEN, UNSTATED, Difference, NotJson, differences, strict
from readiness.scoring.usable import defective

Tool = Mapping[str, Any]

#: What may follow a city's name in Chinese and Japanese.
SUFFIXES = ("市区", "市", "县")
#: The letters of a text in which models slip, and of its ends that tell a slip from a loss.
PAGE, EDGE = 2_000, 60
# Those of Latin, Greek and Cyrillic letters; the marks of kana make other letters.
_ACCENTS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True)
class Expected:
    """A tool call that is expected.

    Args:
        name: The tool's name.
        arguments: The values that were asked for.
        aliases: Other spellings of a value, by the name of its argument.
    """

    name: str
    arguments: Mapping[str, Any]
    aliases: Mapping[str, Collection[str]] = field(default_factory=dict)


def parameters_of(tools: Collection[Tool], name: str) -> Mapping[str, Any] | None:
    """The schema of a tool's arguments, without references; None where no such tool is offered."""
    found = [tool["function"] for tool in tools if tool["function"]["name"] == name]
    if not found:
        return None
    schema = {"type": "object", "properties": {}, **(found[0].get("parameters") or {})}
    return resolved(schema, schema.get("$defs", {})) if "$defs" in schema else schema


def resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema with the definitions that it refers to in place; none may refer to itself."""
    if isinstance(schema, list):
        return [resolved(part, definitions) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: resolved(part, definitions) for key, part in schema.items() if key != "$defs"}


def misformed(call: ToolCall, parameters: Mapping[str, Any]) -> Score | None:
    """Score a call whose arguments have a wrong form; None where they have not."""
    try:
        found = strict(call.arguments)
    except NotJson as error:
        return failed(f"arguments of {call.name}", str(error))
    if not isinstance(found, dict):
        return failed(f"arguments of {call.name} are no JSON object", f"{call.arguments!r:.120}")
    found = _given(found, parameters)
    if lost := [name for name in parameters.get("required", ()) if name not in found]:
        return failed(f"parameters of {call.name} lost", ", ".join(lost))
    if extra := [name for name in found if name not in parameters["properties"]]:
        return failed(f"unknown parameters of {call.name}", ", ".join(extra))
    return _violation(call.name, found, parameters)


def mistaken(call: ToolCall, expected: Expected, parameters: Mapping[str, Any]) -> Score | None:
    """Score a well-formed call with another value than expected; None where it has none."""
    found = _given(strict(call.arguments), parameters)
    asked = _given(dict(expected.arguments), parameters)
    for name, schema in parameters["properties"].items():
        default = schema.get("default", UNSTATED)
        wanted, got = asked.get(name, default), found.get(name, default)
        if spellings := expected.aliases.get(name):
            if not (isinstance(got, str) and named_alike(got, (wanted, *spellings))):
                return failed(f"wrong {name}", str(Difference(name, wanted, got)))
        elif other := next(differences(*_comparable(wanted, got), schema, name), None):
            if _slips(wanted, got):
                said = "the model slips in a long text"
                return scored(Outcome.UNDETERMINED, said, came=str(other))
            return failed(f"wrong {other.path}", str(other))
    return None


def _slips(wanted: Any, got: Any) -> bool:
    """Whether a long text has its beginning, its end and its length, and other letters inside.

    Models slip where they copy pages; what a server loses is a part, or whatever follows.
    """
    if not (isinstance(wanted, str) and isinstance(got, str)) or len(wanted) < PAGE:
        return False
    one, other = wanted.strip(), got.strip()
    ends = (one[:EDGE], one[-EDGE:]) == (other[:EDGE], other[-EDGE:])
    return ends and abs(len(one) - len(other)) <= EDGE


def _given(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value without the optional members that are null, which says that they are left out."""
    if isinstance(value, list):
        return [_given(of, schema.get("items", OPEN)) for of in value]
    if not isinstance(value, dict):
        return value
    declared = schema.get("properties", OPEN)
    optional = declared.keys() - set(schema.get("required", ()))
    return {
        key: _given(of, declared.get(key, OPEN))
        for key, of in value.items()
        if of is not None or key not in optional
    }


def _comparable(wanted: Any, got: Any) -> tuple[Any, Any]:
    """Two values without the white space around texts, unless it was asked for."""
    if isinstance(wanted, str) and wanted != wanted.strip():
        return wanted, got
    return _trimmed(wanted), _trimmed(got)


def _trimmed(value: Any) -> Any:
    """A value without the white space around its texts, and with one kind of line end and space.

    Whoever copies a text does not see which of its spaces do not break.
    """
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\u00a0", " ").strip()
    if isinstance(value, Mapping):
        return {key: _trimmed(of) for key, of in value.items()}
    return [_trimmed(of) for of in value] if isinstance(value, list) else value


def named_alike(name: str, names: Collection[str]) -> bool:
    """Whether a name is one of several, however it is written."""
    return fold(name) in {fold(each) for each in names}


def fold(name: str) -> str:
    """A name without what makes no other name of it: width, case, accents, punctuation, 市."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    bare = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))
    letters = "".join(each for each in bare if unicodedata.category(each)[0] not in "PZC")
    for suffix in SUFFIXES:
        if letters.endswith(suffix) and letters != suffix:
            return letters.removesuffix(suffix)
    return letters


def _violation(name: str, found: Any, parameters: Mapping[str, Any]) -> Score | None:
    error = violation(found, parameters)
    if error is None:
        return None
    return failed(f"arguments of {name} at {error.json_path}", f"{error.message:.200}")


__all__ = ["Expected", "calls", "forced", "one_of", "says", "silent", "tells_about"]

CALLED = ("tool_calls",)
# OpenAI says "stop" where the choice names the function (vLLM pull request 25054).
FORCED = ("tool_calls", "stop")


def calls(replies: Sequence[Reply], expected: Sequence[Expected], tools: Collection[Tool]) -> Score:
    """Score the replies of a conversation that together must make these calls, in any order."""
    for reply in replies:
        if wrong := _malformed(reply, tools):
            return wrong
    made = [call for reply in replies for call in reply.tool_calls]
    names = [call.name for call in made]
    if Counter(names) != Counter(call.name for call in expected):
        return failed(f"expected {_wanted(expected)}", got=f"{names!r:.200}")
    if wrong := _misformed(made, tools) or _repeated(made):
        return wrong
    if wrong := _unmatched(made, expected, tools):
        return wrong
    return _finished([reply for reply in replies if reply.tool_calls], CALLED)


def forced(reply: Reply, tools: Collection[Tool], only: str = "") -> Score:
    """Score a reply that must call some tool that is offered, or the one that is named."""
    if wrong := _malformed(reply, tools):
        return wrong
    names = [call.name for call in reply.tool_calls]
    offered = [only] if only else _names(tools)
    if not names or not set(names) <= set(offered):
        return failed(f"expected a call of {' or '.join(offered)}", got=f"{names!r:.200}")
    if wrong := _misformed(reply.tool_calls, tools):
        return wrong
    return _finished([reply], FORCED)


def silent(reply: Reply, tools: Collection[Tool]) -> Score:
    """Score a reply that must call nothing, and must be in words."""
    if wrong := _malformed(reply, tools):
        return wrong
    if reply.tool_calls:
        return failed("expected no call", got=f"{[call.name for call in reply.tool_calls]!r:.200}")
    if not reply.text.strip():
        return failed("no call, and no words either")
    if _is_json(reply.text):
        return failed("expected words", got=f"JSON: {reply.text!r:.120}")
    if reply.finish == "length":
        # They may be more than the limit has room for, or never end.
        return scored(Outcome.UNDETERMINED, "cut off", came=f"{reply.text[-80:]!r}")
    return _finished([reply], ("stop",))


def tells_about(reply: Reply, about: Collection[str], tools: Collection[Tool]) -> Score:
    """Score a reply that must call nothing, and have one of some words about what is asked."""
    score = silent(reply, tools)
    text = unicodedata.normalize("NFKC", reply.text).casefold()
    words = (unicodedata.normalize("NFKC", word).casefold() for word in about)
    if not score.passed or any(word in text for word in words):
        return score
    return failed("expected words about what is asked", got=f"{reply.text!r:.120}")


def says(reply: Reply, word: str, tools: Collection[Tool]) -> Score:
    """Score a reply that must call nothing, and say a word."""
    score = silent(reply, tools)
    if score.passed and not re.search(rf"\b{word}\b", reply.text, re.IGNORECASE):
        return failed(f"expected {word!r}", got=f"{reply.text!r:.120}")
    return score


def one_of(reply: Reply, expected: Sequence[Expected], tools: Collection[Tool]) -> Score:
    """Score a reply that must make one of these calls, and no more than one."""
    scores = [calls([reply], [each], tools) for each in expected]
    return next((score for score in scores if score.passed), scores[0])


def _malformed(reply: Reply, tools: Collection[Tool]) -> Score | None:
    """Score a reply of a wrong form, apart from its calls' arguments; None where it has none."""
    if broken := defective(reply.defects):
        return broken
    if marks := reply.leaks or _calls_in(reply.text, tools):
        return failed(
            f"a call leaks into the text, with {', '.join(marks)}", f"{reply.text!r:.120}"
        )
    types = [call.type for call in reply.tool_calls if call.type != "function"]
    return failed("expected calls of type function", got=f"{types!r:.120}") if types else None


def _calls_in(text: str, tools: Collection[Tool]) -> list[str]:
    """The tools that a text calls, in one of the notations that models are trained on."""
    if not text:
        return []
    return [name for name in _names(tools) if name in text and _notation(name).search(text)]


def _notation(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"""["']name["']\s*:\s*["']{name}["']"""  # JSON, in whichever wrapping
        rf"""|<(?:function|invoke|tool)[\s=](?:name=)?["']?{name}"""  # Llama, Anthropic
        rf"""|\A\W*(?:functions\.)?{name}\([^()]*\)\W*\Z"""  # Python, and nothing else
        rf"""|\bAction:\s*{name}\b""",  # ReAct
    )


def _misformed(made: Sequence[ToolCall], tools: Collection[Tool]) -> Score | None:
    for call in made:
        parameters = parameters_of(tools, call.name)
        if parameters is not None and (wrong := misformed(call, parameters)):
            return wrong
    return None


def _repeated(made: Sequence[ToolCall]) -> Score | None:
    """Score calls of a conversation that share an id, so that nobody tells their results apart."""
    repeated = [name for name, count in Counter(call.id for call in made).items() if count > 1]
    if not repeated:
        return None
    return failed(f"calls of one conversation share the id {repeated[0]!r:.60}")


def _unmatched(
    made: Sequence[ToolCall], expected: Sequence[Expected], tools: Collection[Tool]
) -> Score | None:
    """Score calls by the best of the ways to pair them with expectations; None where all fit."""
    wrong = [[_mistake(call, wanted, tools) for call in made] for wanted in expected]
    paired: dict[int, int] = {}
    left = [to for to in range(len(expected)) if not _pair(to, wrong, paired, set())]
    others = [at for at in range(len(made)) if at not in paired]
    return next((wrong[to][at] for to, at in zip(left, others, strict=True)), None)


def _pair(
    to: int, wrong: Sequence[Sequence[Score | None]], paired: dict[int, int], tried: set[int]
) -> bool:
    """Pair an expectation with a call that meets it, if need be by pairing others anew."""
    for at, mistake in enumerate(wrong[to]):
        if mistake or at in tried:
            continue
        tried.add(at)
        if at not in paired or _pair(paired[at], wrong, paired, tried):
            paired[at] = to
            return True
    return False


def _mistake(call: ToolCall, wanted: Expected, tools: Collection[Tool]) -> Score | None:
    if call.name != wanted.name:
        return failed(f"expected a call of {wanted.name}", got=f"one of {call.name}")
    parameters: Mapping[str, Any] | None = parameters_of(tools, call.name)
    return None if parameters is None else mistaken(call, wanted, parameters)


def _finished(replies: Sequence[Reply], reasons: Sequence[str]) -> Score:
    wrong = [reply.finish for reply in replies if reply.finish not in reasons]
    if not wrong:
        return PASSED
    return failed(f"expected finish_reason {' or '.join(reasons)}", got=f"{wrong[0]!r:.60}")


def _wanted(expected: Sequence[Expected]) -> str:
    if not expected:
        return "no call"
    if len(expected) == 1:
        return f"one call of {expected[0].name}"
    return f"calls of {', '.join(call.name for call in expected)}"


def _names(tools: Collection[Tool]) -> list[str]:
    return [tool["function"]["name"] for tool in tools]


def _is_json(text: str) -> bool:
    try:
        return isinstance(strict(text), dict | list)
    except NotJson:
        return False
