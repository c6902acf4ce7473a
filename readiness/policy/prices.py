"""What tokens cost."""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost.

    Args:
        prompt: Of prompts.
        completion: Of replies, reasoning included.
        currency: Of both.
    """

    prompt: float
    completion: float
    currency: str = "USD"

    def bill(self, prompt: int, completion: int) -> float:
        """What so many tokens cost."""
        return (prompt * self.prompt + completion * self.completion) / MILLION
