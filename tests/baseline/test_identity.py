"""What an endpoint says of itself, and how that has changed."""

from __future__ import annotations

from typing import Any

import pytest

from readiness.baseline.identity import drift, identity
from readiness.protocol.capability import Capabilities
from readiness.protocol.dialect import Dialect

FOUND = Capabilities(
    dialect=Dialect("mini", "max_tokens", sampling={"temperature": 0}),
    window=4096,
    unsupported={"tools": "HTTP 400"},
    reasoning=True,
    server="b",
    fingerprint="fp",
    answers_as="mini-1",
)


def test_an_endpoint_is_told_by_what_it_says_of_itself() -> None:
    assert identity("mini", FOUND) == {
        "model": "mini",
        "answers_as": "mini-1",
        "fingerprint": "fp",
        "server": "b",
        "window": 4096,
        "reasoning": True,
        "budget_parameter": "max_tokens",
        "sampling": {"temperature": 0},
        "lacking": {"tools": "HTTP 400"},
    }
    assert identity("mini", None) == {"model": "mini"}


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({"server": "a", "window": 9}, {"server": "a", "window": 9}, []),
        ({"server": "a"}, {"server": "b", "window": 9}, ["server: a → b", "window: None → 9"]),
        ({"endpoint": "here"}, {"endpoint": "there"}, []),
        # Of what is lacking, only the names count.
        ({"lacking": {"tools": "400"}}, {"lacking": {"tools": "422"}}, []),
        (
            {"lacking": {"tools": "400", "stop": "400"}},
            {"lacking": {}},
            ["lacking: stop, tools → nothing"],
        ),
        (
            {"sampling": {"temperature": 0}},
            {"sampling": {"temperature": 1}},
            ["sampling: {'temperature': 0} → {'temperature': 1}"],
        ),
    ],
)
def test_what_has_changed_is_drift_in_words(
    before: dict[str, Any], now: dict[str, Any], said: list[str]
) -> None:
    assert [str(each) for each in drift(before, now)] == said
