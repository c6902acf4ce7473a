"""Covering arrays: which form each trial has, so that every pair of levels is tried.

A row at a time, greedily, as AETG does (Cohen et al. 1997), for what no generator at hand offers
together (docs/decisions/0010): a row depends on those before it alone, so that a short plan is the
beginning of a long one; costly levels have a share of the trials; and what a probe is counted under
otherwise, such as its family, is met by every level as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, product
from random import Random

from readiness.forms.factors import IMPOSSIBLE, PLAIN, Form, FormSpace, Level

#: Of so many rows that are made up the best is taken: of many while pairs are left to cover.
MANY, FEW = 16, 2

#: What a probe is counted under, apart from its form.
Labels = Mapping[str, str]
#: Levels of as many factors that stand together.
Combination = frozenset[Level]
#: What a level or a row adds, the first first: new pairs, labels that it has not met, new triples,
#: how seldom it is used.
Gain = tuple[int, int, int, int]


@dataclass(frozen=True)
class Coverage:
    """How many combinations of levels are tried of those that are possible (NIST IR 7878)."""

    covered: int
    possible: int

    @property
    def share(self) -> float:
        """The share that is tried; all of nothing where nothing varies."""
        return self.covered / self.possible if self.possible else 1.0


def coverage(tried: Iterable[tuple[FormSpace, Iterable[Form]]], strength: int = 2) -> Coverage:
    """How many combinations of so many levels are tried, of those that some spaces have."""
    covered: set[Combination] = set()
    possible: set[Combination] = set()
    for space, forms in tried:
        levels = ([(each, form[each]) for each in space.levels] for form in forms)
        found = chain.from_iterable(combinations(each, strength) for each in levels)
        covered |= _possible(space, strength) & {frozenset(each) for each in found}
        possible |= _possible(space, strength)
    return Coverage(len(covered), len(possible))


@lru_cache(maxsize=64)
def _possible(space: FormSpace, strength: int) -> frozenset[Combination]:
    found = chain.from_iterable(
        product(*([(factor, level) for level in space.levels[factor]] for factor in factors))
        for factors in combinations(space.levels, strength)
    )
    return frozenset(frozenset(each) for each in found if _completes(space, dict(each)))


def _completes(space: FormSpace, part: Form) -> bool:
    """Whether some form has these levels."""
    if not space.allows(part):
        return False
    left = next((factor for factor in PLAIN if factor not in part), None)
    if left is None:
        return True
    levels = space.levels.get(left, [PLAIN[left]])
    return any(_completes(space, {**part, left: level}) for level in levels)


def covering_forms(space: FormSpace, key: str, trials: Sequence[Labels]) -> list[Form]:
    """The form of each trial.

    Args:
        space: The forms to choose from.
        key: What the choice follows from, with the seed of the run.
        trials: What each trial is counted under otherwise; a short plan begins a longer one.
    """
    array = _CoveringArray(space, Random(key))
    return [array.add(labels) for labels in trials]


class _CoveringArray:
    """The rows so far, as what they leave uncovered; a set of levels is the bits of a number.

    So is a set of pairs of levels, with a block of bits for the first of each: what a level adds is
    counted in one step, not level by level, which takes a third less time.
    """

    def __init__(self, space: FormSpace, random: Random) -> None:
        self._space, self._random = space, random
        self._levels = space.all
        bits = {level: 1 << at for at, level in enumerate(self._levels)}
        self._numbers = [
            [at for at, level in enumerate(self._levels) if level[0] is factor]
            for factor in space.levels
        ]
        forbidden = [sum(map(bits.__getitem__, each)) for each in _forbidden(space)]
        self._forbidden = [[each for each in forbidden if each & bit] for bit in bits.values()]
        everything = (1 << len(bits)) - 1
        self._pairs = [everything] * len(bits)
        self._triples = [(1 << len(bits) ** 2) - 1] * len(bits)
        self._labels: dict[tuple[str, str], int] = {}
        self._unmet = [-1] * len(bits)
        self._used = [0] * len(bits)
        self._rows, self._gained = 0, True
        self._missing: dict[tuple[int, ...], None] | None = None

    def add(self, labels: Labels) -> Form:
        """Choose the next row."""
        counted = self._bits_of(labels)
        self._rows += 1
        closed = sum(1 << at for at, level in enumerate(self._levels) if self._spent(at, level))
        candidates = MANY if self._gained else FEW
        start = self._start(closed) if self._rows > self._space.first else ()
        made = [self._row(counted, closed, start) for _ in range(candidates)]
        rows = [row for row in made if row] or [[numbers[0] for numbers in self._numbers]]
        row = max(rows, key=lambda row: self._gain_of(row, counted))
        self._gained = self._gain_of(row, counted)[0] > 0
        self._cover(row, counted)
        return {**PLAIN, **dict(self._levels[at] for at in row)}

    def _bits_of(self, labels: Labels) -> int:
        """The labels as a set."""
        return sum(1 << self._labels.setdefault(of, len(self._labels)) for of in labels.items())

    def _pairs_of(self, row: Sequence[int], had: int) -> int:
        """The pairs of the levels of a row, which are `had` as a set."""
        return had * sum(1 << at * len(self._levels) for at in row)

    def _spent(self, at: int, level: Level) -> bool:
        """Whether a costly level has had its share of the trials so far."""
        share = self._space.costly.get(level)
        return share is not None and self._used[at] >= share.of(self._rows, self._space.first)

    def _start(self, closed: int) -> Sequence[int]:
        """Three levels that may and do not stand together yet; none where all do."""
        if self._missing is None:
            numbers = {level: at for at, level in enumerate(self._levels)}
            found = (sorted(numbers[level] for level in each) for each in _possible(self._space, 3))
            self._missing = dict.fromkeys(sorted(map(tuple, found)))
        size = len(self._levels)
        covered = [
            each
            for each in self._missing
            if not self._triples[each[0]] >> (each[1] * size + each[2]) & 1
        ]
        for each in covered:
            del self._missing[each]
        return next((of for of in self._missing if not closed & sum(1 << at for at in of)), ())

    def _row(self, labels: int, closed: int, start: Sequence[int]) -> list[int]:
        """A row made up level by level, each that which adds most; empty at a dead end."""
        row = [*start]
        left = [numbers for numbers in self._numbers if not {*numbers} & {*row}]
        for numbers in self._random.sample(left, len(left)):
            had = sum(1 << at for at in row)
            open_to = [at for at in numbers if self._may(at, had, closed)]
            pairs = self._pairs_of(row, had)
            gains = [
                (self._gain(at, had, pairs, labels), self._random.random(), at) for at in open_to
            ]
            useful = [each for each in gains if not self._wasted(each[2], each[0])]
            if not useful:
                return []
            row.append(max(useful)[2])
        return row

    def _may(self, at: int, had: int, closed: int) -> bool:
        """Whether a level may join those that a row has."""
        now = had | 1 << at
        return not (1 << at & closed or any(each & now == each for each in self._forbidden[at]))

    def _wasted(self, at: int, gain: Gain) -> bool:
        """Whether a costly level would cover nothing."""
        pairs, _, triples, _ = gain
        return self._levels[at] in self._space.costly and not (pairs or triples)

    def _gain(self, at: int, had: int, pairs: int, labels: int) -> Gain:
        return (
            (self._pairs[at] & had).bit_count(),
            (self._unmet[at] & labels).bit_count(),
            (self._triples[at] & pairs).bit_count(),
            -self._used[at],
        )

    def _gain_of(self, row: Sequence[int], labels: int) -> Gain:
        had = sum(1 << at for at in row)
        pairs_of = self._pairs_of(row, had)
        gains = zip(*(self._gain(at, had, pairs_of, labels) for at in row), strict=True)
        pairs, new, triples, used = map(sum, gains)
        return pairs, new, triples, used

    def _cover(self, row: Sequence[int], labels: int) -> None:
        had = sum(1 << at for at in row)
        pairs = self._pairs_of(row, had)
        for at in row:
            self._used[at] += 1
            self._pairs[at] &= ~had
            self._triples[at] &= ~pairs
            self._unmet[at] &= ~labels


def _forbidden(space: FormSpace) -> list[frozenset[Level]]:
    """What levels of a space cannot stand together, the plain ones of other factors being given."""
    fixed = {(factor, level) for factor, level in PLAIN.items() if factor not in space.levels}
    left = [each - fixed for each in (*IMPOSSIBLE, *space.forbidden)]
    return [each for each in left if each <= {*space.all}]
