"""How many trials may be in flight: fewer when the endpoint is overloaded, as TCP does."""

from __future__ import annotations


class Slots:
    """Additive increase, multiplicative decrease (Chiu & Jain 1989), up to what the user allows."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open = float(most)
        self._since_cut = 0

    @property
    def open(self) -> int:
        """How many trials may be in flight now."""
        return max(1, int(self._open))

    def note(self, *, overloaded: bool) -> None:
        """Learn from a response whether the endpoint was overloaded."""
        self._since_cut += 1
        if not overloaded:
            self._open = min(self.most, self._open + 1 / self._open)
        elif self._since_cut >= self._open:
            # One cut for each round of requests: those in flight were sent before the last.
            self._open = max(1.0, self._open / 2)
            self._since_cut = 0
