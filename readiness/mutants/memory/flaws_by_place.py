"""Flaws that lose a place of a history: a stretch of turns, what is old, what came before tools.

They are triggered by the number of turns, by the length of the prompt and its roles, and by what
kind a question is of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import Where, after_tool_result, longer_than
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.memory.reader import answer, each_answer, language_asked, question_in
from readiness.verdict.claim import Verdict

Messages = Sequence[Any]

_RECALL = "memory.recall_at_turn_50"
_HISTORY = "memory.history_not_truncated"
_LONG = "memory.long_history_recall"
_SUMMARY = {"role": "user", "content": "(The conversation so far was about several matters.)"}


def _starts(messages: Messages) -> list[int]:
    """Where each turn of the user's starts."""
    return [at for at, each in enumerate(messages) if each["role"] == "user"]


def _without_turns_back(nearest: int, farthest: int) -> Callable[[Messages], Messages]:
    """Lose the turns that are so far from the last."""

    def left(messages: Messages) -> Messages:
        starts = _starts(messages)
        if len(starts) <= farthest:
            return messages
        return [*messages[: starts[-1 - farthest]], *messages[starts[-nearest] :]]

    return left


def _without_first(turns: int, where: int) -> Callable[[Messages], Messages]:
    """Lose the first turns of more than so many."""

    def left(messages: Messages) -> Messages:
        starts = _starts(messages)
        system = [each for each in messages if each["role"] == "system"]
        return [*system, *messages[starts[turns] :]] if len(starts) > where else messages

    return left


def _last_with(turns: int, *before: Any) -> Callable[[Messages], Messages]:
    """Keep the last turns, after what stands in place of the others."""

    def left(messages: Messages) -> Messages:
        starts = _starts(messages)
        return [*before, *messages[starts[-1 - turns] :]] if len(starts) > turns + 1 else messages

    return left


def _since_tool(messages: Messages) -> Messages:
    """Keep what came after the last result of a tool."""
    told = [at for at, each in enumerate(messages) if each["role"] == "tool"]
    return messages[told[-1] + 1 :] if told else messages


def _reads(left: Callable[[Messages], Messages], where: Where) -> dict[str, Any]:
    """Answer, and count the prompt, from what is left of a long conversation."""

    def short(request: Request) -> Request:
        if not (language_asked(request) and where(request)):
            return request
        return {**request, "messages": left(request["messages"])}

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        read = short(request)
        return said if read is request else answer(read) or said

    return {"change_output": says, **counting(lambda request: prompt_tokens(short(request)))}


def counting(tokens: Callable[[Request], int]) -> dict[str, Any]:
    """Count the prompts of conversations in another way, whole and streamed."""

    def counted(request: Request, body: Body) -> Body:
        if not (language_asked(request) and body.get("usage")):
            return body
        usage, prompt = body["usage"], tokens(request)
        total = prompt + usage["completion_tokens"]
        return {**body, "usage": {**usage, "prompt_tokens": prompt, "total_tokens": total}}

    return {
        "change_body": counted,
        "change_chunks": lambda request, chunks: [counted(request, each) for each in chunks],
    }


def _always(_request: Request) -> bool:
    return True


def _kind_lost(kind: str) -> dict[str, Any]:
    """Answer questions of a kind as if nothing had been said."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        language = language_asked(request)
        asked = question_in(text_of(request["messages"][-1]), language) if language else None
        lost = asked is not None and asked.kind == kind
        return ModelOutput("没有提到" if language == "zh" else "not mentioned") if lost else said

    return {"change_output": each_answer(says)}


def _doubled(request: Request) -> int:
    tokens = prompt_tokens(request)
    return tokens + max(0, tokens - 900)


def _of_last(turns: int, request: Request) -> int:
    return prompt_tokens({**request, "messages": request["messages"][-2 * turns :]})


_AFTER: dict[str, Where] = {"8K": longer_than(8_000), "30K": longer_than(30_000)}

FLAWS = [
    Flaw(
        "memory_gap",
        "six turns in a row, 40 to 45 back, are lost",
        _RECALL,
        **_reads(_without_turns_back(40, 45), _always),
    ),
    Flaw(
        "memory_order_lost",
        "what was told next after something is not known",
        _RECALL,
        **_kind_lost("ask_next"),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "memory_first_turns_dropped",
        "of more than forty turns the first five are dropped",
        _HISTORY,
        **_reads(_without_first(5, 40), _always),
    ),
    Flaw(
        "memory_first_turns_dropped_early",
        "of more than twenty turns the first five are dropped, so that prompts grow the faster",
        _HISTORY,
        **_reads(_without_first(5, 20), _always),
    ),
    Flaw(
        "memory_summarised_turns",
        "of more than thirty turns the older ones are a summary",
        _HISTORY,
        **_reads(_last_with(30, _SUMMARY), _always),
    ),
    Flaw(
        "memory_counted_twice",
        "tokens beyond 900 are counted twice",
        _HISTORY,
        **counting(_doubled),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "memory_last_turns_counted",
        "only the last twenty turns are counted",
        _HISTORY,
        **counting(partial(_of_last, 20)),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "memory_summarised_long",
        "beyond 8,000 tokens all but the last eight turns are a summary",
        _LONG,
        **_reads(_last_with(8, _SUMMARY), _AFTER["8K"]),
    ),
    Flaw(
        "memory_window_of_turns_long",
        "beyond 8,000 tokens the first thirty turns are dropped",
        _LONG,
        **_reads(_without_first(30, 30), _AFTER["8K"]),
    ),
    Flaw(
        "memory_forgets_after_tools",
        "beyond 8,000 tokens what came before a tool's result is forgotten",
        _LONG,
        **_reads(_since_tool, lambda request: after_tool_result(request) and _AFTER["8K"](request)),
    ),
    Flaw(
        "memory_forgets_at_60k",
        "beyond 30,000 tokens all but the last twelve turns are lost",
        _LONG,
        **_reads(_last_with(12), _AFTER["30K"]),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
]
