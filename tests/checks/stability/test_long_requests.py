"""The request for a long reply: as long as the endpoint accepts, of a model that may end early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from readiness.chat import Chat
from readiness.checks.stability.long_replies import MOST_TOKENS, LongRequest, longest_request
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect
from tests.reference_in_process import fresh, reference


@pytest.mark.parametrize(
    ("variant", "budget"),
    [("reference", MOST_TOKENS), ("limits_above_4096_refused", MOST_TOKENS // 2)],
)
def test_a_limit_that_is_too_large_is_halved(variant: str, budget: int) -> None:
    async def asked() -> tuple[int, bool]:
        found = await longest_request(Chat(reference(find(variant)), Dialect(MODEL), fresh()))
        return found.budget, found.tokens > 0

    assert asyncio.run(asked()) == (budget, True)


def ends_lists(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
    """The output of a model that tires of a list, unless it may not end."""
    return said if request.get("ignore_eos") else replace(said, content="1, 2, 3")


def copies(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
    """The output of one that tires of lists anyway, and of copies does not."""
    copied = "1. The red box is in hall seven.\n" * 2_000
    asked = "Copy" in text_of(request["messages"][-1])
    return replace(said, content=copied if asked else "1, 2, 3")


@pytest.mark.parametrize(
    ("change", "prompt", "parameters"),
    [
        (ends_lists, "long", {"ignore_eos": True, "min_tokens": MOST_TOKENS}),
        (copies, "copied", {}),
    ],
)
def test_a_model_that_ends_lists_early_is_kept_from_it_or_asked_for_copies(
    change: Callable[[Request, ModelOutput, int], ModelOutput],
    prompt: str,
    parameters: Mapping[str, object],
) -> None:
    flaw = Flaw("ends", "a model ends lists early", change_output=change)

    async def asked() -> LongRequest:
        return await longest_request(Chat(reference(flaw), Dialect(MODEL), fresh()))

    found = asyncio.run(asked())
    assert (found.prompt, found.parameters, found.is_long) == (prompt, parameters, True)
