"""Flaws of long documents that show in one form of request only, and harmless differences."""

from __future__ import annotations

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    after_turns,
    all_of,
    beside_tools,
    in_parts,
    old_limit,
    only,
    sampled,
    text_format,
    unstreamed,
)
from readiness.mutants.flaw import Flaw
from readiness.mutants.long_context.flaws import long_prompt, unnoticed, without

_ARRIVES = "long_context.no_silent_truncation"
_SUMMARISES = "long_context.summary_accuracy"
_HEAD, _TAIL = without(0, 0.4), without(0.6, 1)


def _cut(where: Where) -> Says:
    """A summary ends half-way, with the finish_reason of a whole one."""

    def half(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        text = said.content or ""
        return ModelOutput(text[: len(text) // 2]) if long_prompt(request, "report") else said

    return only(where, half)


_BROKEN: list[tuple[str, str, str, Says]] = [
    (
        "long_whole_head_lost",
        "the head of a long prompt is lost where the reply is not streamed, and counted",
        _ARRIVES,
        only(unstreamed, unnoticed(_HEAD)),
    ),
    (
        "long_parts_tail_lost",
        "the tail of a long document is lost where content is in parts",
        _ARRIVES,
        only(in_parts, unnoticed(_TAIL)),
    ),
    (
        "long_turns_head_lost",
        "in a later turn the head of a long prompt is lost",
        _ARRIVES,
        only(after_turns, unnoticed(_HEAD)),
    ),
    (
        "long_sampled_tail_lost",
        "the tail of a long document is lost where the reply is sampled",
        _ARRIVES,
        only(sampled, unnoticed(_TAIL)),
    ),
    (
        "long_tools_head_lost",
        "beside tools the head of a long prompt is lost",
        _ARRIVES,
        only(beside_tools, unnoticed(_HEAD)),
    ),
    (
        "long_summary_old_limit_cut",
        "a summary ends half-way where max_tokens limits it",
        _SUMMARISES,
        _cut(old_limit),
    ),
    (
        "long_summary_text_format_cut",
        "a summary ends half-way where the response format says text",
        _SUMMARISES,
        _cut(text_format),
    ),
]


def _spaced(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return ModelOutput(f"\n{said.content}\n") if said.content else said


FLAWS = [
    *(Flaw(name, about, check, change_output=says) for name, about, check, says in _BROKEN),
    Flaw(
        "long_spaced_whole",
        "a whole reply about a long document may have blank lines around",
        change_output=only(
            all_of(unstreamed, lambda request: long_prompt(request) is not None), _spaced
        ),
    ),
]
