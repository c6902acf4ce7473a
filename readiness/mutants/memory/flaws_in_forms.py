"""Flaws of memory that show in one form of request only, and harmless differences."""

from __future__ import annotations

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.request_form import (
    Where,
    after_tool_result,
    all_of,
    beside_tools,
    from_developer,
    in_parts,
    instructed,
    longer_than,
    may_stop,
    only,
    seeded,
    streamed,
    unsampled,
)
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory.flaws import asked, of_part

_TURNS_LEFT = 2


def _since_last_turns(request: Request) -> Request:
    """Only the last turns are read."""
    return {**request, "messages": request["messages"][-1 - 2 * _TURNS_LEFT :]}


_LOST: list[tuple[str, str, str, Where]] = [
    (
        "after_result",
        "nothing before a tool's result is remembered",
        "memory.recall_at_turn_50",
        after_tool_result,
    ),
    (
        "unsampled",
        "only the last turns are remembered where no temperature is sent",
        "memory.recall_at_turn_50",
        unsampled,
    ),
    (
        "seeded_streamed",
        "only the last turns are remembered where a seeded reply is streamed",
        "memory.recall_at_turn_50",
        all_of(seeded, streamed),
    ),
    (
        "parts_beside_tools",
        "only the last turns are remembered where content is in parts beside tools",
        "memory.recall_at_turn_50",
        all_of(in_parts, beside_tools),
    ),
    (
        "three_ways",
        "only the last turns are remembered where a system message, tools and a stream meet",
        "memory.recall_at_turn_50",
        all_of(instructed, beside_tools, streamed),
    ),
    (
        "with_stop",
        "only the last turns are remembered where a stop sequence is sent",
        "memory.recall_at_turn_50",
        may_stop,
    ),
    (
        "from_developer",
        "only the last turns are remembered where a developer instructs",
        "memory.recall_at_turn_50",
        from_developer,
    ),
    (
        "long",
        "only the last turns are remembered beyond 3,000 tokens",
        "memory.recall_at_turn_50",
        longer_than(3_000),
    ),
]

FLAWS = [
    *(
        Flaw(
            f"memory_lost_{name}",
            about,
            check,
            change_output=only(where, of_part(_since_last_turns)),
        )
        for name, about, check, where in _LOST
    ),
    Flaw(
        "memory_stop_unsampled",
        "an answer may end with a full stop",
        change_output=only(
            all_of(unsampled, beside_tools),
            asked(lambda _request, said: ModelOutput(f"{said.content}.")),
        ),
    ),
]
