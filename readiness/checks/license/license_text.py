"""Comparison of a text with known licence texts: verbatim, added words, missing words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache

from readiness.resources import fixture, home, licenses

#: A text that lacks a larger share of a licence's words is another text.
MAX_MISSING = 0.15
#: A text of more than this multiple of a licence's words is another text.
MAX_LENGTH_RATIO = 4
MAX_NAME = 14  # words
MAX_FILLED = 8  # words
HOLE = "{holder}"
NAME = "{name}"
_URL = re.compile(r"https?://(?:www\.)?([^\s<>()\"'，。）]+)")
_WORD = re.compile(rf"{re.escape(HOLE)}|{re.escape(NAME)}|<<|>>|[^\W_]+")
# Each Han character is a word, because no space separates the words of a rider in Chinese.
_PIECE = re.compile(r"[㐀-鿿豈-﫿]|[^㐀-鿿豈-﫿]+")


@dataclass(frozen=True)
class TextComparison:
    """A text compared with the licence that it is most similar to.

    Args:
        license: The licence's SPDX id; "" if no known licence is similar.
        added: Runs of words that the licence does not have.
        missing: Runs of the licence's words that the text lacks.
    """

    license: str = ""
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the text is the licence, and nothing else."""
        return bool(self.license) and not (self.added or self.missing)

    @property
    def changes(self) -> str:
        """The added and missing runs, as a message."""
        added = [f"adds {run!r:.160}" for run in self.added]
        return ", ".join([*added, *(f"lacks {run!r:.80}" for run in self.missing)])


@dataclass(frozen=True)
class CanonicalText:
    """The words of a licence's canonical text, and which of them a copy may omit."""

    license: str
    words: tuple[str, ...]
    optional: frozenset[int]


def words(text: str) -> list[str]:
    """The words of a text, without case, layout, punctuation and list numbers."""
    plain = unicodedata.normalize("NFKC", _visible(text)).casefold()
    plain = _URL.sub(lambda found: re.sub(r"[\W_]+", "", found[1]), plain)
    parts = [part for word in _WORD.findall(plain) for part in _pieces(word)]
    return [part for part in parts if len(part) > 1 or not part.isascii()]


@lru_cache(64)  # Several checks compare the same text.
def compare(text: str) -> TextComparison:
    """Compare a text with every known licence text, and return the closest."""
    text_words = words(text)
    candidates = [each for each in canonical_texts() if _is_similar(each, text_words)]
    compared = [_compare(each, text_words) for each in candidates]
    return min(
        compared, key=lambda each: _size(each.added) + _size(each.missing), default=TextComparison()
    )


@cache
def canonical_texts() -> tuple[CanonicalText, ...]:
    """The known licence texts."""
    paths = sorted((home("fixtures") / "licenses").glob("*.txt"))
    return tuple(_canonical_text(path.stem, path.read_text("utf-8")) for path in paths)


def is_part(run: Sequence[str]) -> bool:
    """Whether a run of words is part of a known text, a holder's name filled in."""
    known = (each.words for each in canonical_texts() if len(run) <= len(each.words))
    return any(_is_part(run, each) for each in known)


def is_boilerplate(run: Sequence[str]) -> bool:
    """Whether words are a whole sentence of a standard document that binds no user."""
    if tuple(run) in _boilerplate():
        return True
    return any(_is_filled(run, each) for each in _boilerplate() if NAME in each)


def _is_filled(run: Sequence[str], known: tuple[str, ...]) -> bool:
    """Whether words are a known sentence with a name filled in."""
    at = known.index(NAME)
    before, after = known[:at], known[at + 1 :]
    name = run[at : len(run) - len(after)]
    same = tuple(run[:at]) == before and tuple(run[len(run) - len(after) :]) == after
    return same and 0 < len(name) <= MAX_FILLED and _is_name(name)


@cache
def _boilerplate() -> frozenset[tuple[str, ...]]:
    """The known sentences, as words."""
    lists = fixture("licenses_boilerplate.yaml")
    return frozenset(
        tuple(words(each)) for kind, said in lists.items() if kind != "schema" for each in said
    )


def _is_part(run: Sequence[str], whole: Sequence[str]) -> bool:
    said = f" {' '.join(run)} "
    if said in f" {' '.join(whole)} ":
        return True
    holes = [at for at, word in enumerate(whole) if word == HOLE]
    return any(_fits(list(run), whole[:at], whole[at + 1 :]) for at in holes)


def _fits(run: list[str], before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a run is the end of some words, a name, and the start of others."""
    starts = [at for at in range(1, len(run)) if run[:at] == list(before[-at:])]
    ends = [at for at in range(1, len(run)) if run[-at:] == list(after[:at])]
    if not starts or not ends:
        return False
    name = run[max(starts) : len(run) - max(ends)]
    return bool(name) and _is_name(name)


def _canonical_text(name: str, text: str) -> CanonicalText:
    own: list[str] = []
    optional, within = set(), False
    for word in words(text):
        if word in ("<<", ">>"):
            within = word == "<<"
            continue
        if within:
            optional.add(len(own))
        own.append(word)
    return CanonicalText(name, tuple(own), frozenset(optional))


def _visible(text: str) -> str:
    """A text without invisible characters: a byte order mark, soft hyphens, joiners."""
    return "".join(each for each in text if unicodedata.category(each) != "Cf")


def _pieces(word: str) -> list[str]:
    return [word] if word in (HOLE, NAME) else _PIECE.findall(word)


def _is_similar(canonical: CanonicalText, text_words: Sequence[str]) -> bool:
    """Whether a text has enough of a licence's words, in any order, to be compared with it."""
    needed = Counter(
        word
        for at, word in enumerate(canonical.words)
        if at not in canonical.optional and word != HOLE
    )
    missing = (needed - Counter(text_words)).total()
    return (
        len(text_words) <= MAX_LENGTH_RATIO * len(canonical.words)
        and missing <= MAX_MISSING * needed.total()
    )


def _compare(canonical: CanonicalText, text_words: Sequence[str]) -> TextComparison:
    added, missing = [], []
    for tag, a, b, c, d in SequenceMatcher(
        None, canonical.words, text_words, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            continue
        places = [at for at in range(a, b) if canonical.words[at] != HOLE]
        missing += [" ".join(canonical.words[at] for at in places if at not in canonical.optional)]
        if not (
            _is_name(text_words[c:d])
            if len(places) < b - a
            else _is_notice(text_words[c:d], c == 0)
        ):
            added.append(" ".join(text_words[c:d]))
    return TextComparison(canonical.license, tuple(added), tuple(each for each in missing if each))


def _is_notice(run: Sequence[str], first: bool) -> bool:
    """Whether a run is only copyright notices, after a title if it comes first."""
    before, *notices = _split(run)
    return (not before or (first and _title().issuperset(before))) and all(map(_is_name, notices))


def _split(run: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in run:
        if word == "copyright":
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _is_name(run: Sequence[str]) -> bool:
    remaining = f" {' '.join(run)} "
    for part in licenses()["holders"]:
        remaining = remaining.replace(f" {part} ", " ")
    return len(run) <= MAX_NAME and _riders().isdisjoint(remaining.split())


@cache
def _title() -> frozenset[str]:
    """The words of titles, which may precede a licence."""
    return frozenset(licenses()["title"].split())


@cache
def _riders() -> frozenset[str]:
    """Words that no holder's name has: a rider may be hidden in a copyright line."""
    return frozenset(licenses()["riders"].split())


def _size(runs: Sequence[str]) -> int:
    return sum(len(run.split()) for run in runs)
