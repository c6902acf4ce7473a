"""Scoring of reasoning beside tools: that it is there, kept apart, and taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.checks.tool_calling.scoring import Tool, calls
from readiness.checks.tool_calling.scoring_tool_results import tells
from readiness.protocol.message import TAGS
from readiness.reply import Reply
from readiness.score import PASSED, Outcome, Score, failed, scored

#: So many letters from the beginning of the reasoning are in no text by chance.
VERBATIM = 60


@dataclass(frozen=True)
class HardReplies:
    """The replies to hard questions, each asked without tools and then beside one."""

    plain: Sequence[Reply]
    beside: Sequence[Reply]


def has_reasoning(reply: Reply) -> bool:
    """Whether a reply has reasoning, which some servers count and do not show."""
    return bool(reply.reasoning) or (reply.usage is not None and bool(reply.usage.reasoning))


def beside_tools(hard: HardReplies) -> Score:
    """Score whether questions that take reasoning take it beside a tool, too.

    A model may do without at times: that it never reasons beside a tool is what fails.
    """
    if any(map(has_reasoning, hard.beside)):
        return PASSED
    if not any(map(has_reasoning, hard.plain)):
        return scored(Outcome.UNDETERMINED, "no reasoning without tools either")
    return failed("no reasoning where a tool is offered", f"{hard.beside[0].text!r:.120}")


def across_turns(
    turns: Sequence[Sequence[Reply]], asked: Sequence[Mapping[str, Any]], tools: Collection[Tool]
) -> Score:
    """Score each turn: one call as asked, and an answer that tells its result."""
    for replies, turn in zip(turns, asked, strict=False):
        score = calls(replies[:1], [turn["call"]], tools)
        if score.passed:
            score = tells(replies[-1], {"told": [turn["result"]["figure"]]}, [], tools)
        if not score.passed:
            return score
    return PASSED if len(turns) == len(asked) else failed("a turn is missing")


def kept_apart(replies: Sequence[Reply]) -> Score:
    """Score whether none of the reasoning is in the content of any reply."""
    if not any(map(has_reasoning, replies)):
        return scored(Outcome.UNDETERMINED, "no reasoning came")
    if not any(reply.reasoning_field for reply in replies):
        # Hidden, or, by a server without a parser for it, part of the text: api says so.
        return PASSED
    heads = {" ".join(reply.reasoning.split())[:VERBATIM] for reply in replies}
    told = [*(mark for tags in TAGS for mark in tags), *(of for of in heads if len(of) == VERBATIM)]
    for reply in replies:
        content = " ".join((reply.content or "").split())
        if leaked := [each for each in told if each in content]:
            return failed("reasoning in the content", f"{leaked[0]!r} in {content!r:.120}")
    return PASSED
