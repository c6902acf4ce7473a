"""Needles of a log: the lines with the answers, and distractors of the same form."""

from __future__ import annotations

from itertools import cycle
from random import Random

from readiness.checks.long_context.document import NeedleQuestion
from readiness.checks.long_context.prompt_wording import (
    PROMPTS,
    Recipe,
    UniqueNames,
    line,
    question,
)

LOOKUPS = (0.02, 0.20, 0.40, 0.60, 0.80, 0.98)
CHECKPOINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
HOPS = 4
MARKER_COUNT = (5, 9)  # the range of occurrences to count


class Needles:
    """Lines with their depths, and the questions about them."""

    def __init__(self, recipe: Recipe, random: Random, names: UniqueNames) -> None:
        self.lines: list[tuple[float, str]] = []
        self.questions: list[NeedleQuestion] = []
        # Alternating, so that texts of every length have the same share of each language.
        self._next_language = cycle(recipe.languages)
        self._random = random
        self._names = names

    def add_questions(self) -> None:
        """Add twelve questions with their needles, and one question for each checkpoint."""
        for depth in LOOKUPS:
            self._ask_record(depth)
        self._ask_values()
        self._ask_names()
        self._ask_names()
        self._ask_latest()
        self._ask_count()
        self._ask_absent()
        for depth in CHECKPOINTS:
            self._ask_checkpoint(depth)

    def add_distractors(self) -> None:
        """Add lines of each kind that no question asks for."""
        language = self._language()
        self._members(language, 3)
        self._chain(language, 1)
        self._corrected(language)
        self._marks(language, self._random.randint(2, 4))

    def record(self, language: str) -> tuple[str, str, str, str]:
        """A record's line, key, attribute and value."""
        key, value = next(self._names.keys[language]), next(self._names.values)
        what = self._what(language)
        text = line("record", language, key=key, what=what, value=value, by=self._by(language))
        return text, key, what, value

    def any_record(self) -> str:
        """The line of a record in any language of the log."""
        return self.record(self._language())[0]

    def _ask_record(self, depth: float) -> None:
        language = self._language()
        text, key, what, value = self.record(language)
        self.lines.append((depth, text))
        asked = question("record", language, key=key, what=what)
        self.questions.append(
            NeedleQuestion(self._label("q"), "lookup", asked, (value,), depth=depth)
        )

    def _ask_values(self) -> None:
        language = self._language()
        key, values = self._members(language, 4)
        asked = question("member", language, key=key)
        self.questions.append(NeedleQuestion(self._label("q"), "values", asked, tuple(values)))

    def _ask_names(self) -> None:
        language = self._language()
        value, names = self._chain(language, HOPS)
        asked = question("variable", language, value=value)
        self.questions.append(NeedleQuestion(self._label("q"), "names", asked, tuple(names)))

    def _ask_latest(self) -> None:
        language = self._language()
        key, what, first, last = self._corrected(language)
        asked = question("latest", language, key=key, what=what)
        self.questions.append(NeedleQuestion(self._label("q"), "latest", asked, (last,), (first,)))

    def _ask_count(self) -> None:
        language, times = self._language(), self._random.randint(*MARKER_COUNT)
        asked = question("marker", language, key=self._marks(language, times))
        self.questions.append(NeedleQuestion(self._label("q"), "count", asked, (str(times),)))

    def _ask_absent(self) -> None:
        language = self._language()
        key, what = next(self._names.keys[language]), self._what(language)
        asked = question("record", language, key=key, what=what)
        self.questions.append(NeedleQuestion(self._label("q"), "absent", asked, ()))

    def _ask_checkpoint(self, depth: float) -> None:
        language = self._language()
        key, value = next(self._names.keys[language]), next(self._names.values)
        self.lines.append((depth, line("checkpoint", language, key=key, value=value)))
        asked = question("checkpoint", language, key=key)
        self.questions.append(
            NeedleQuestion(self._label("c"), "checkpoint", asked, (value,), depth=depth)
        )

    def _label(self, letter: str) -> str:
        """The next label with this letter: q1, q2, and for checkpoints c1, c2."""
        before = sum(each.label.startswith(letter) for each in self.questions)
        return f"{letter}{before + 1}"

    def _members(self, language: str, number: int) -> tuple[str, list[str]]:
        """Add several values of one key, anywhere in the log."""
        key = next(self._names.keys[language])
        values = [next(self._names.values) for _ in range(number)]
        for value in values:
            self._add("member", language, key=key, value=value)
        return key, values

    def _chain(self, language: str, hops: int) -> tuple[str, list[str]]:
        """Add a chain of variables, each an alias of the one before and at a greater depth."""
        names = [next(self._names.variables) for _ in range(hops + 1)]
        depths = iter(sorted(self._anywhere() for _ in names))
        value, by = next(self._names.values), self._by(language)
        text = line("variable", language, name=names[0], value=value, by=by)
        self.lines.append((next(depths), text))
        for name, other in zip(names[1:], names, strict=False):
            text = line("alias", language, name=name, other=other, by=self._by(language))
            self.lines.append((next(depths), text))
        return value, names

    def _corrected(self, language: str) -> tuple[str, str, str, str]:
        """Add a record in the first half and its correction in the second."""
        text, key, what, first = self.record(language)
        self.lines.append((self._random.uniform(0.05, 0.45), text))
        last = next(self._names.values)
        by = self._by(language)
        text = line("correction", language, key=key, what=what, value=last, by=by)
        self.lines.append((self._random.uniform(0.55, 0.95), text))
        return key, what, first, last

    def _marks(self, language: str, times: int) -> str:
        key = next(self._names.keys[language])
        for _ in range(times):
            self._add("marker", language, key=key)
        return key

    def _add(self, kind: str, language: str, **parts: str) -> None:
        text = line(kind, language, **parts, by=self._by(language))
        self.lines.append((self._anywhere(), text))

    def _anywhere(self) -> float:
        return self._random.uniform(0.03, 0.97)

    def _language(self) -> str:
        return next(self._next_language)

    def _what(self, language: str) -> str:
        text: str = self._random.choice(PROMPTS["log"]["whats"][language])
        return text

    def _by(self, language: str) -> str:
        text: str = self._random.choice(PROMPTS["log"]["by"][language])
        return text
