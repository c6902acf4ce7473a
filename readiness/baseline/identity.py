"""The identity of an endpoint, as it reports it, and its drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from readiness.protocol.capability import Capabilities

#: Not part of the identity: an endpoint may move.
IGNORED_KEYS = frozenset({"endpoint"})


class Drift(NamedTuple):
    """A change in what an endpoint reports about itself."""

    what: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.what}: {_shown(self.before)} → {_shown(self.now)}"


def identity(model: str, found: Capabilities | None) -> dict[str, Any]:
    """What the endpoint reports about itself; only the model's name where it could not be tried."""
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
    """The changes between two identities; for unsupported features, only their names count."""
    keys = [each for each in {**before, **now} if each not in IGNORED_KEYS]
    pairs = [Drift(each, _plain(before.get(each)), _plain(now.get(each))) for each in keys]
    return [each for each in pairs if each.before != each.now]


def _plain(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return sorted(value) if all(isinstance(each, str) for each in value.values()) else dict(value)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list) else f"{value!s:.80}"
