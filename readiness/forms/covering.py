"""Covering arrays: which form each trial has, so that every pair of levels is tried.

A row at a time, greedily, as AETG does (Cohen et al. 1997), for what no generator at hand offers
together (docs/decisions/0010): a row depends on those before it alone, so that a short plan is the
beginning of a long one; costly levels have a share of the trials; and what a probe is counted under
otherwise, such as its family, is met by every level as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, combinations, product
from operator import itemgetter
from random import Random

from readiness.forms.factors import IMPOSSIBLE, PLAIN, Form, FormSpace, Level, Share

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
    """The combinations of so many levels that some form has."""
    forbidden = (*IMPOSSIBLE, *space.forbidden)
    # A level of any other factor stands with everything, and need not be tried.
    bound = dict.fromkeys(factor for each in forbidden for factor, _ in each)

    @cache
    def completed(part: Combination) -> bool:
        if any(each <= part for each in forbidden):
            return False
        had = {factor for factor, _ in part}
        left = next((factor for factor in bound if factor not in had), None)
        levels = space.levels.get(left, [PLAIN[left]]) if left else []
        return not left or any(completed(part | {(left, level)}) for level in levels)

    found = chain.from_iterable(
        product(*([(factor, level) for level in space.levels[factor]] for factor in factors))
        for factors in combinations(space.levels, strength)
    )
    return frozenset(
        frozenset(each)
        for each in found
        if completed(frozenset(level for level in each if level[0] in bound))
    )


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
        self._costly = [
            (at, space.costly[level])
            for at, level in enumerate(self._levels)
            if level in space.costly
        ]
        forbidden = [sum(map(bits.__getitem__, each)) for each in _forbidden(space)]
        # What keeps a level out of a row that has it.
        self._excluding = [
            [each - bit for each in forbidden if each & bit] for bit in bits.values()
        ]
        everything = (1 << len(bits)) - 1
        self._pairs = [everything] * len(bits)
        self._triples = [(1 << len(bits) ** 2) - 1] * len(bits)
        self._labels: dict[tuple[str, str], int] = {}
        self._unmet = [-1] * len(bits)
        self._used = [0] * len(bits)
        self._rows, self._gained = 0, True
        self._missing: dict[tuple[int, ...], int] | None = None

    def add(self, labels: Labels) -> Form:
        """Choose the next row."""
        counted = self._bits_of(labels)
        self._rows += 1
        closed = sum(1 << at for at, share in self._costly if self._spent(at, share))
        candidates = MANY if self._gained else FEW
        start = self._start(closed) if self._rows > self._space.first else ()
        made = [self._row(counted, closed, start) for _ in range(candidates)]
        rows = [row for row in made if row] or [[numbers[0] for numbers in self._numbers]]
        gain, row = max(((self._gain_of(row, counted), row) for row in rows), key=itemgetter(0))
        self._gained = gain[0] > 0
        self._cover(row, counted)
        return {**PLAIN, **dict(self._levels[at] for at in row)}

    def _bits_of(self, labels: Labels) -> int:
        """The labels as a set."""
        return sum(1 << self._labels.setdefault(of, len(self._labels)) for of in labels.items())

    def _pairs_of(self, row: Sequence[int], had: int) -> int:
        """The pairs of the levels of a row, which are `had` as a set."""
        return had * sum([1 << at * len(self._levels) for at in row])

    def _spent(self, at: int, share: Share) -> bool:
        """Whether a costly level has had its share of the trials so far."""
        return self._used[at] >= share.of(self._rows, self._space.first)

    def _start(self, closed: int) -> Sequence[int]:
        """Three levels that may and do not stand together yet; none where all do."""
        if self._missing is None:
            numbers = {level: at for at, level in enumerate(self._levels)}
            found = (sorted(numbers[level] for level in each) for each in _possible(self._space, 3))
            self._missing = {each: _set_of(each) for each in sorted(map(tuple, found))}
        size = len(self._levels)
        for each, had in [*self._missing.items()]:
            if not self._triples[each[0]] >> (each[1] * size + each[2]) & 1:
                del self._missing[each]
            elif not closed & had:
                return each
        return ()

    def _row(self, labels: int, closed: int, start: Sequence[int]) -> list[int]:
        """A row made up level by level, each that which adds most; empty at a dead end."""
        row, had = [*start], _set_of(start)
        left = [numbers for numbers in self._numbers if not {*numbers} & {*row}]
        for numbers in self._random.sample(left, len(left)):
            pairs = self._pairs_of(row, had)
            gains = [
                (self._gain(at, had, pairs, labels), self._random.random(), at)
                for at in numbers
                if not closed >> at & 1 and self._may(at, had)
            ]
            useful = [each for each in gains if not self._wasted(each[2], each[0])]
            if not useful:
                return []
            at = max(useful)[2]
            row.append(at)
            had |= 1 << at
        return row

    def _may(self, at: int, had: int) -> bool:
        """Whether a level may join those that a row has."""
        for each in self._excluding[at]:  # noqa: SIM110 - half the time of a generator
            if each & had == each:
                return False
        return True

    def _wasted(self, at: int, gain: Gain) -> bool:
        """Whether a costly level would cover nothing."""
        pairs, _, triples, _ = gain
        return not (pairs or triples) and self._levels[at] in self._space.costly

    def _gain(self, at: int, had: int, pairs: int, labels: int) -> Gain:
        return (
            (self._pairs[at] & had).bit_count(),
            (self._unmet[at] & labels).bit_count(),
            (self._triples[at] & pairs).bit_count(),
            -self._used[at],
        )

    def _gain_of(self, row: Sequence[int], labels: int) -> Gain:
        had = _set_of(row)
        pairs_of = self._pairs_of(row, had)
        gains = zip(*[self._gain(at, had, pairs_of, labels) for at in row], strict=True)
        pairs, new, triples, used = map(sum, gains)
        return pairs, new, triples, used

    def _cover(self, row: Sequence[int], labels: int) -> None:
        had = _set_of(row)
        pairs = self._pairs_of(row, had)
        for at in row:
            self._used[at] += 1
            self._pairs[at] &= ~had
            self._triples[at] &= ~pairs
            self._unmet[at] &= ~labels


def _set_of(row: Sequence[int]) -> int:
    """The levels of a row as a set."""
    return sum([1 << at for at in row])


def _forbidden(space: FormSpace) -> list[frozenset[Level]]:
    """What levels of a space cannot stand together, the plain ones of other factors being given."""
    fixed = {(factor, level) for factor, level in PLAIN.items() if factor not in space.levels}
    left = [each - fixed for each in (*IMPOSSIBLE, *space.forbidden)]
    return [each for each in left if each <= {*space.all}]
