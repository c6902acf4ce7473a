"""The request for a long reply: as long as the endpoint accepts."""

from __future__ import annotations

import asyncio

import pytest

from readiness.chat import Chat
from readiness.checks.stability.long_replies import MOST_TOKENS, longest_request
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.protocol import MODEL
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
