"""Scoring of an agent's calls, one reply after another, and of what it says at the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.checks.tool_calling.scoring import Expected, Tool, calls, silent
from readiness.checks.tool_calling.scoring_tool_results import tells
from readiness.reply import Reply, ToolCall
from readiness.score import PASSED, Score, failed

#: How often a tool may be called: again after it has failed, or to make sure.
MOST_CALLS = 3

ToolCalls = Sequence[ToolCall]
# Some models write a code with a hyphen that does not break.
_DASHES = re.compile("[\u2010-\u2015]")


@dataclass(frozen=True)
class Step:
    """A step of an errand.

    Args:
        call: The call that it takes.
        result: What the tool tells.
    """

    call: Expected
    result: Mapping[str, Any]

    @property
    def fails(self) -> bool:
        """Whether the tool fails, so that another has to be called."""
        return "error" in self.result


Steps = Mapping[str, Step]


def wrong_calls(
    reply: Reply, made: ToolCalls, steps: Steps, tools: Collection[Tool]
) -> Score | None:
    """Score the calls of a reply, after those made before; None where nothing is wrong."""
    expected = [steps[call.name].call for call in reply.tool_calls if call.name in steps]
    score = calls([reply], expected, tools)
    if not score.passed:
        return score
    times = Counter(call.name for call in (*made, *reply.tool_calls))
    again = next((name for name, count in times.items() if count > MOST_CALLS), "")
    return failed(f"{again} is called again and again") if again else None


def finished(
    reply: Reply, made: ToolCalls, expect: Mapping[str, Any], tools: Collection[Tool]
) -> Score:
    """Score the reply that ends an errand: all is done, and it tells what was asked."""
    score = silent(reply, tools)
    if not score.passed:
        return score
    done = {call.name for call in made}
    steps: Steps = expect["steps"]
    left = [name for name, step in steps.items() if name not in done and not step.fails]
    if left:
        return failed("ends before all is done", f"without {', '.join(left)}: {reply.text!r:.120}")
    said = _DASHES.sub("-", reply.text)
    if lost := [code for code in expect["told"] if code not in said]:
        return failed(f"expected {lost[0]} in the text", got=f"{reply.text!r:.200}")
    return tells(reply, {"told": expect["figures"]}, [], tools)


def same_as_sent(read: Any, sent: Reply) -> Score:
    """Score what the SDK's stream helper made of a reply by what was sent.

    Args:
        read: The message as the SDK has it.
        sent: The reply as it was sent.
    """
    theirs = [(of.id, of.function.name, of.function.arguments) for of in read.tool_calls or ()]
    ours = [(of.id, of.name, of.arguments) for of in sent.tool_calls]
    pairs = zip(theirs, ours, strict=False)
    other = next(((one, two) for one, two in pairs if one != two), None)
    if other:
        return failed("the SDK read another call", f"{other[0]!r:.120}, and {other[1]!r:.120} came")
    if len(theirs) != len(ours):
        return failed(f"the SDK read {len(theirs)} calls", f"{len(ours)} were sent")
    if (read.content or "") != (sent.content or ""):
        return failed(
            "the SDK read another text", f"{read.content!r:.80}, not {sent.content!r:.80}"
        )
    return PASSED
