"""Flaws of decimals and of empty results, of many calls at once, and harmless differences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import (
    ModelToolCall,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.requests import Says, results_read
from readiness.verdict.claim import Verdict

_RESULT = "tool_calling.tool_result_grounding"
_PARALLEL = "tool_calling.parallel_calls"


def _empty_fails(request: Request, _turn: int) -> SubstituteResponse | None:
    if any(each["role"] == "tool" and not text_of(each) for each in request["messages"]):
        return SubstituteResponse(500, RequestError("no content", status=500).body, JSON)
    return None


def _calls(change: Callable[[tuple[ModelToolCall, ...]], tuple[ModelToolCall, ...]]) -> Says:
    return lambda _request, said, _turn: replace(said, calls=change(said.calls))


def _first_name(made: tuple[ModelToolCall, ...]) -> tuple[ModelToolCall, ...]:
    return tuple(replace(each, name=made[0].name) for each in made)


def _compact(text: str) -> str:
    try:
        return json.dumps(json.loads(text), separators=(",", ":"))
    except ValueError:
        return text


_HUNDREDTHS = re.compile(r"\b(\d+\.\d)(\d)\b")

_BROKEN: list[tuple[str, str, str, Says]] = [
    (
        "tenths_read",
        "of the decimals in a result, one is read",
        _RESULT,
        results_read(lambda text: _HUNDREDTHS.sub(r"\1", text)),
    ),
    (
        "fifth_lost",
        "of several calls the first four are made",
        _PARALLEL,
        _calls(lambda of: of[:4]),
    ),
    ("first_name", "several calls have the name of the first", _PARALLEL, _calls(_first_name)),
]
FLAWS = [
    *(
        Flaw(f"tools_{name}", about, check, change_output=change)
        for name, about, check, change in _BROKEN
    ),
    Flaw(
        "tools_empty_result_500",
        "a result that is empty crashes the server",
        _RESULT,
        intercept=_empty_fails,
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "tools_hundredths_read",
        "decimals in a result may be read with a zero more",
        change_output=results_read(lambda text: _HUNDREDTHS.sub(r"\g<0>0", text)),
    ),
    Flaw(
        "tools_results_compact",
        "results may be read without the spaces and letters that JSON does not need",
        change_output=results_read(_compact),
    ),
]
