"""Whether a reply calls the tools that it should, and as it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import permutations
from typing import Any

from readiness.checks.tool_calling.scoring_arguments import (
    Expected,
    Tool,
    misformed,
    mistaken,
    parameters_of,
)
from readiness.reply import Reply, ToolCall
from readiness.score import PASSED, Score, failed
from readiness.scoring.strict_json import NotJson, strict

__all__ = ["Expected", "calls", "forced", "one_of", "says", "silent"]

CALLED = ("tool_calls",)
# OpenAI says "stop" where the choice names the function (vLLM pull request 25054).
FORCED = ("tool_calls", "stop")
#: More calls than this are compared in their own order, for want of time.
MOST_MATCHED = 6


def calls(replies: Sequence[Reply], expected: Sequence[Expected], tools: Collection[Tool]) -> Score:
    """Score the replies of a conversation that together must make these calls, in any order."""
    for reply in replies:
        if wrong := _malformed(reply, tools):
            return failed(wrong)
    made = [call for reply in replies for call in reply.tool_calls]
    names = [call.name for call in made]
    if Counter(names) != Counter(call.name for call in expected):
        return failed(f"expected {_wanted(expected)}, got {names!r:.200}")
    if wrong := _misformed(made, tools) or _repeated(made):
        return failed(wrong)
    if wrong := _unmatched(made, expected, tools):
        return failed(wrong)
    return _finished([reply for reply in replies if reply.tool_calls], CALLED)


def forced(reply: Reply, tools: Collection[Tool], only: str = "") -> Score:
    """Score a reply that must call some tool that is offered, or the one that is named."""
    if wrong := _malformed(reply, tools):
        return failed(wrong)
    names = [call.name for call in reply.tool_calls]
    offered = [only] if only else _names(tools)
    if not names or not set(names) <= set(offered):
        return failed(f"expected a call of {' or '.join(offered)}, got {names!r:.200}")
    if wrong := _misformed(reply.tool_calls, tools):
        return failed(wrong)
    return _finished([reply], FORCED)


def silent(reply: Reply, tools: Collection[Tool]) -> Score:
    """Score a reply that must call nothing, and must be in words."""
    if wrong := _malformed(reply, tools):
        return failed(wrong)
    if reply.tool_calls:
        return failed(f"expected no call, got {[call.name for call in reply.tool_calls]!r:.200}")
    if not reply.text.strip():
        return failed("no call, and no words either")
    if _is_json(reply.text):
        return failed(f"expected words, got JSON: {reply.text!r:.120}")
    return _finished([reply], ("stop",))


def says(reply: Reply, word: str, tools: Collection[Tool]) -> Score:
    """Score a reply that must call nothing, and say a word."""
    score = silent(reply, tools)
    if score.passed and not re.search(rf"\b{word}\b", reply.text, re.IGNORECASE):
        return failed(f"expected {word!r}, got {reply.text!r:.120}")
    return score


def one_of(reply: Reply, expected: Sequence[Expected], tools: Collection[Tool]) -> Score:
    """Score a reply that must make one of these calls, and no more than one."""
    scores = [calls([reply], [each], tools) for each in expected]
    return next((score for score in scores if score.passed), scores[0])


def _malformed(reply: Reply, tools: Collection[Tool]) -> str:
    """What is wrong with the form of a reply, apart from the arguments of its calls."""
    if reply.defects:
        return "; ".join(reply.defects)
    if marks := reply.leaks or _calls_in(reply.text, tools):
        return f"a call leaks into the text, with {', '.join(marks)}: {reply.text!r:.120}"
    types = [call.type for call in reply.tool_calls if call.type != "function"]
    return f"expected calls of type function, got {types!r:.120}" if types else ""


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


def _misformed(made: Sequence[ToolCall], tools: Collection[Tool]) -> str:
    for call in made:
        parameters = parameters_of(tools, call.name)
        if parameters is not None and (wrong := misformed(call, parameters)):
            return wrong
    return ""


def _repeated(made: Sequence[ToolCall]) -> str:
    """The id that two calls of a conversation share, whose results could not be told apart."""
    repeated = [name for name, count in Counter(call.id for call in made).items() if count > 1]
    return f"calls of one conversation share the id {repeated[0]!r:.60}" if repeated else ""


def _unmatched(
    made: Sequence[ToolCall], expected: Sequence[Expected], tools: Collection[Tool]
) -> str:
    """What is wrong in the best of the ways to pair calls with expectations; "" if nothing."""
    wrong = {
        (at, to): _mistake(call, wanted, tools)
        for at, call in enumerate(made)
        for to, wanted in enumerate(expected)
    }
    orders = permutations(range(len(made))) if len(made) <= MOST_MATCHED else [range(len(made))]
    pairings = ([wrong[at, to] for to, at in enumerate(order)] for order in orders)
    best = min(pairings, key=lambda pairing: sum(map(bool, pairing)), default=[])
    return next((mistake for mistake in best if mistake), "")


def _mistake(call: ToolCall, wanted: Expected, tools: Collection[Tool]) -> str:
    if call.name != wanted.name:
        return f"expected a call of {wanted.name}, got one of {call.name}"
    parameters: Mapping[str, Any] | None = parameters_of(tools, call.name)
    return "" if parameters is None else mistaken(call, wanted, parameters)


def _finished(replies: Sequence[Reply], reasons: Sequence[str]) -> Score:
    wrong = [reply.finish for reply in replies if reply.finish not in reasons]
    if not wrong:
        return PASSED
    return failed(f"expected finish_reason {' or '.join(reasons)}, got {wrong[0]!r:.60}")


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
