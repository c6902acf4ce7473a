"""Whether a reply is the JSON that was asked for, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from readiness.reply import Reply
from readiness.resources import violation
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.strict_json import SPACE, UNSTATED, NotJson, differences, prefix, strict
from readiness.scoring.usable import defective

LONGEST_SPACE = 64
_LONG_SPACE = re.compile(rf"[{SPACE}]{{{LONGEST_SPACE + 1},}}")
_STRING_OR_LONG_SPACE = re.compile(rf'"(?:[^"\\]|\\.)*"|{_LONG_SPACE.pattern}', re.DOTALL)
_FENCED = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
_FROM_BRACKET = re.compile(r"[{\[].*", re.DOTALL)


def is_json(reply: Reply, schema: Mapping[str, Any], value: Any = UNSTATED) -> Score:
    """Score a reply that must be JSON of the schema alone, and state the value where one is given.

    The value may leave out members that the schema declares: those are free.
    """
    if lost := _lost(reply):
        return lost
    text = reply.content or ""
    try:
        found = strict(text)
    except NotJson as error:
        return Score(Outcome.FAIL, f"{error}{_diagnosis(text, schema)}", kind=error.kind)
    if wrong := _violation(found, schema):
        return wrong
    if value is not UNSTATED and (difference := next(differences(value, found, schema), None)):
        return failed(f"wrong value at {difference.path}", str(difference))
    return PASSED


def states(reply: Reply, schema: Mapping[str, Any], value: Any) -> Score:
    """Score a reply by the members that are known; what else an open schema lets in is free."""
    score = is_json(reply, schema)
    found = strict(reply.content or "") if score.passed else None
    if isinstance(found, dict) and isinstance(value, dict):
        found = {key: of for key, of in found.items() if key in value}
    if score.passed and (difference := next(differences(value, found, schema), None)):
        return failed(f"wrong value at {difference.path}", str(difference))
    return score


def says_cut(reply: Reply, limit: int) -> Score:
    """Score a reply that a token limit has cut, if it is no whole JSON, by its finish_reason."""
    if broken := defective(reply.defects):
        return broken
    if reply.finish == "length":
        return PASSED
    text = reply.content or ""
    if _is_whole(text) or (reply.usage is not None and reply.usage.completion < limit):
        return scored(Outcome.UNDETERMINED, "not cut", f"{text[-80:]!r}")
    return failed(
        f"cut at {limit} tokens, with finish_reason {reply.finish!r:.40}", f"{text[-80:]!r}"
    )


def _is_whole(text: str) -> bool:
    try:
        strict(text)
    except NotJson:
        return False
    return True


def _lost(reply: Reply) -> Score | None:
    """Score a reply whose text did not arrive whole; None where it did."""
    text = reply.content or ""
    if broken := defective(reply.defects):
        return broken
    if reply.finish == "content_filter":
        return scored(Outcome.BLOCKED, "blocked by a filter", came=f"{text!r:.120}")
    if not text.strip(SPACE):
        return failed(f"no content{_instead(reply)}")
    if _runs_away(text):
        return failed(f"whitespace runs away, more than {LONGEST_SPACE} in a row", f"{text!r:.120}")
    if reply.finish == "length":
        return failed("cut off", f"finish_reason is length, the text ends in {text[-80:]!r}")
    if "\ufffd" in text:
        near = text[max(0, text.index("\ufffd") - 20) :]
        return failed("a replacement character U+FFFD", f"{near!r:.120}")
    return None


def _instead(reply: Reply) -> str:
    """What came where the content should be."""
    if reply.refusal:
        return f", but a refusal: {reply.refusal!r:.120}"
    if reply.tool_calls:
        return f", but a call of {reply.tool_calls[0].name!r:.120}"
    return f", but reasoning: {reply.reasoning!r:.120}" if reply.reasoning else ""


def _runs_away(text: str) -> bool:
    if not _LONG_SPACE.search(text):
        return False
    return any(found[0][0] in SPACE for found in _STRING_OR_LONG_SPACE.finditer(text))


def _violation(value: Any, schema: Mapping[str, Any]) -> Score | None:
    """Score a value that violates the schema; None where it does not."""
    error = violation(value, schema, formats=True)
    if not error:
        return None
    said, items = error.message, error.instance
    if error.validator in ("minItems", "maxItems"):
        # The message would show all the items before it came to their number.
        said = f"{len(cast(list[Any], items))} items, {error.validator} is {error.validator_value}"
    return failed(f"not of the schema at {error.json_path}", f"{said:.200}")


def _diagnosis(text: str, schema: Mapping[str, Any]) -> str:
    """What would have to go for the text to pass: said, and never scored."""
    if _passes(text.rpartition("</think>")[2], schema):
        return "; would pass without the reasoning"
    if any(_passes(inner, schema) for inner in _FENCED.findall(text)):
        return "; would pass without the fence"
    if any(_passes(inner, schema, alone=False) for inner in _FROM_BRACKET.findall(text)):
        return "; would pass without the text around it"
    return ""


def _passes(text: str, schema: Mapping[str, Any], *, alone: bool = True) -> bool:
    try:
        value, rest = prefix(text)
    except NotJson:
        return False
    return not (alone and rest) and not _violation(value, schema)
