"""A probe: what to send, and what a check needs to score the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Probe:
    """What to send, and what a check needs to score the reply.

    Args:
        id: Stable across versions and unique within a check, as in `json.F3.017@v1`.
        messages: The conversation, in the wire's own form.
        expect: What the check's scorer compares the reply with.
        parameters: What the request holds besides messages, as in `{"stream": True}`.
        budget: Most tokens of visible text that the reply may take.
        family: The kind of probe; a plan takes its trials from all families evenly.
        labels: What else the record counts it under, as in `{"distance": "6-10"}`.
        cluster: What the probe shares with others, such as a document; "" where nothing.
        control: Whether the probe is trivially easy, and guards the check instead of counting.
        tokens: About how many tokens its requests have, where they are not made of `messages`.
        fewer: The same where the run can show defects only; 0 where it makes no difference.
        shared: What its requests are called that are sent once for several probes; "" for none.
    """

    id: str
    messages: Sequence[Message]
    expect: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    budget: int = 512
    family: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    control: bool = False
    tokens: int = 0
    fewer: int = 0
    shared: str = ""

    @property
    def slices(self) -> Mapping[str, str]:
        """What the record counts the probe under, apart from its check."""
        return {"family": self.family, **self.labels} if self.family else self.labels
