"""Token log probabilities: the model is nearly sure of all it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

_SURE = math.log(0.95)

# The runners-up share what is left, and the sum of all stays below 1.
_OTHERS = [math.log(0.025) - place for place in range(20)]


def logprobs(tokens: Sequence[str], top: int) -> dict[str, Any]:
    """What `choices[].logprobs` holds for these tokens."""
    return {"content": [_entry(token, top) for token in tokens], "refusal": None}


def _entry(token: str, top: int) -> dict[str, Any]:
    others = [_value(f" {place}", value) for place, value in enumerate(_OTHERS[: max(top - 1, 0)])]
    best = _value(token, _SURE)
    return {**best, "top_logprobs": [best, *others] if top else []}


def _value(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}
