"""A gauge: how many tokens texts of a kind take, learnt from what the endpoint itself counts."""

from __future__ import annotations

#: Tokens per character where the endpoint counts none: more than tokenizers of today make.
ESTIMATES = {"zh": 1.0, "en": 0.3, "mixed": 0.7}
#: Fewer or more tokens per character than any tokenizer makes: what is counted is something else.
LEAST, MOST = 0.05, 5.0


class Gauge:
    """A straight line through what the endpoint has counted, drawn anew with each text.

    A line through two short texts misses the tokens of a text of 128K by up to 2.4 % (40 logs and
    reports, two tokenizers); once a long text has been counted, it is one of the two points.
    """

    def __init__(self, language: str) -> None:
        self._estimate = ESTIMATES[language]
        self._counted: dict[int, int] = {}

    def teach(self, characters: int, tokens: int) -> None:
        """Take in that a text of so many characters was counted as so many tokens."""
        self._counted[characters] = tokens

    @property
    def counts(self) -> bool:
        """Whether the endpoint has counted two texts, and more in the longer."""
        return len(self._counted) > 1 and self._line is not None

    def tokens(self, characters: int) -> int:
        """How many tokens a text of so many characters takes."""
        slope, start = self._line or (self._estimate, 0.0)
        return round(start + slope * characters)

    def characters(self, tokens: float) -> int:
        """How many characters take so many tokens."""
        slope, start = self._line or (self._estimate, 0.0)
        return max(0, int((tokens - start) / slope))

    @property
    def _line(self) -> tuple[float, float] | None:
        """The slope and the start of the line through the shortest text and the longest."""
        if not self._counted:
            return None
        short, long = min(self._counted), max(self._counted)
        # A single text counts from nothing: what is planted in it makes it a fifth too dense.
        start = (short, self._counted[short]) if short < long else (0, 0)
        slope = (self._counted[long] - start[1]) / (long - start[0])
        if not LEAST <= slope <= MOST:
            return None
        return slope, start[1] - slope * start[0]
