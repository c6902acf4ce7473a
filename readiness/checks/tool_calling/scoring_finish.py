"""Whether a finish_reason says what the reply has: a call, a text, or one that a limit has cut."""

from __future__ import annotations

import re

from readiness.reply import Reply
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.strict_json import NotJson, strict
from readiness.scoring.usable import defective


def cut_call(reply: Reply, limit: int) -> Score:
    """Score a reply whose call is longer than the limit."""
    if broken := defective(reply.defects):
        return broken
    whole = bool(reply.tool_calls) and all(_is_json(call.arguments) for call in reply.tool_calls)
    if reply.finish == "length":
        return PASSED
    if whole or not (reply.tool_calls or _spent(reply, limit)):
        return scored(Outcome.UNDETERMINED, "no call was cut", f"{reply.text!r:.80}")
    shown = reply.tool_calls[-1].arguments[-60:] if reply.tool_calls else reply.text
    return failed(f"a call is cut, with finish_reason {reply.finish!r:.40}", f"{shown!r}")


def text(reply: Reply, last: str, limit: int | None) -> Score:
    """Score a list of numbers by the limit that it had; None for no limit.

    Args:
        reply: The reply.
        last: The last number of the list.
        limit: The limit of the reply in tokens; a whole list takes far more, or far less.
    """
    if broken := defective(reply.defects):
        return broken
    if reply.tool_calls:
        return scored(Outcome.UNDETERMINED, "a call instead of a text")
    whole = re.search(rf"\b{last}\b", reply.text) is not None
    cut = not whole and (reply.finish == "length" or _spent(reply, limit))
    if not (whole or cut):
        return scored(Outcome.UNDETERMINED, "the list ends early", f"{reply.text[-60:]!r}")
    # The token at which a reply is cut may not be counted.
    if cut and not _spent(reply, limit and limit - 1):
        return failed("finish_reason is 'length', and no limit was reached", f"{reply.text!r:.80}")
    due = "length" if cut else "stop"
    if reply.finish == due:
        return PASSED
    state = "cut" if cut else "whole"
    return failed(f"a {state} text has finish_reason {reply.finish!r:.40}", f"{reply.text[-60:]!r}")


def _spent(reply: Reply, limit: int | None) -> bool:
    """Whether a reply has taken all tokens of a limit; a token has a letter at the least."""
    arguments = sum(len(call.arguments) for call in reply.tool_calls)
    letters = len(reply.text) + len(reply.reasoning) + arguments
    used = letters if reply.usage is None else reply.usage.completion
    return limit is not None and used >= limit


def _is_json(arguments: str) -> bool:
    try:
        strict(arguments)
    except NotJson:
        return False
    return True
