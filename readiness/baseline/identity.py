"""Who answers: what an endpoint says of itself, and how that has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from readiness.protocol.capability import Capabilities

#: An endpoint that moves stays what it is.
APART = frozenset({"endpoint"})


class Drift(NamedTuple):
    """What an endpoint says of itself otherwise than before."""

    what: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.what}: {_shown(self.before)} → {_shown(self.now)}"


def identity(model: str, found: Capabilities | None) -> dict[str, Any]:
    """What the endpoint says of itself; little where it could not be tried."""
    if found is None:
        return {"model": model}
    return {
        "model": model,
        "answers_as": found.answers_as,
        "fingerprint": found.fingerprint,
        "server": found.server,
        "window": found.window,
        "reasoning": found.reasoning,
        "budget_parameter": found.dialect.max_tokens_field,
        "sampling": dict(found.dialect.sampling),
        "lacking": dict(found.unsupported),
    }


def drift(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Drift]:
    """What has changed; of features that are lacking, which, and not in whose words."""
    keys = [each for each in {**before, **now} if each not in APART]
    told = [Drift(each, _plain(before.get(each)), _plain(now.get(each))) for each in keys]
    return [each for each in told if each.before != each.now]


def _plain(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return sorted(value) if all(isinstance(each, str) for each in value.values()) else dict(value)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list) else f"{value!s:.80}"
