"""Whether a text is a licence's own, word by word, and what was added to it or left out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache

from readiness.resources import home, licenses

#: A text that lacks more of a licence's words is another text.
MOST_MISSING = 0.15
#: A text of so many times the words of a licence is another text, whatever else stands in it.
LONGEST = 4
MOST_OF_A_NAME = 14  # words
HOLE = "{holder}"
_URL = re.compile(r"https?://(?:www\.)?([^\s<>()\"'，。）]+)")
_WORD = re.compile(rf"{re.escape(HOLE)}|<<|>>|[^\W_]+")
# Han characters stand alone: no space parts the words of a rider in Chinese.
_PIECE = re.compile(r"[㐀-鿿豈-﫿]|[^㐀-鿿豈-﫿]+")


@dataclass(frozen=True)
class TextComparison:
    """A text beside the licence that it is nearest to.

    Args:
        license: The licence's SPDX id; "" where the text is none that is known.
        added: Runs of words that the licence has not.
        missing: Runs of its words that the text has not.
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
        """What was changed, in words."""
        added = [f"adds {run!r:.160}" for run in self.added]
        return ", ".join([*added, *(f"lacks {run!r:.80}" for run in self.missing)])


@dataclass(frozen=True)
class CanonicalText:
    """A licence's own words, and which of them a copy may leave out."""

    license: str
    words: tuple[str, ...]
    optional: frozenset[int]


def words(text: str) -> list[str]:
    """The words of a text: case, layout, punctuation and the numbers of lists tell nothing."""
    plain = unicodedata.normalize("NFKC", _visible(text)).casefold()
    plain = _URL.sub(lambda found: re.sub(r"[\W_]+", "", found[1]), plain)
    parts = [part for word in _WORD.findall(plain) for part in _pieces(word)]
    return [part for part in parts if len(part) > 1 or not part.isascii()]


@lru_cache(64)  # Several checks ask for the same.
def compare(text: str) -> TextComparison:
    """Hold a text against every licence that is known word by word."""
    said = words(text)
    near = [_beside(canon, said) for canon in canons() if _near(canon, said)]
    return min(
        near, key=lambda each: _size(each.added) + _size(each.missing), default=TextComparison()
    )


@cache
def canons() -> tuple[CanonicalText, ...]:
    """The licences that are known word by word."""
    paths = sorted((home("fixtures") / "licenses").glob("*.txt"))
    return tuple(_canon(path.stem, path.read_text("utf-8")) for path in paths)


def _canon(name: str, text: str) -> CanonicalText:
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
    """A text without what nobody sees: a byte order mark, soft hyphens, joiners."""
    return "".join(each for each in text if unicodedata.category(each) != "Cf")


def _pieces(word: str) -> list[str]:
    return [word] if word == HOLE else _PIECE.findall(word)


def _near(canon: CanonicalText, said: Sequence[str]) -> bool:
    """Whether a text has enough of a licence's words, in whatever order, to be held against it."""
    needed = Counter(
        word for at, word in enumerate(canon.words) if at not in canon.optional and word != HOLE
    )
    missing = (needed - Counter(said)).total()
    return len(said) <= LONGEST * len(canon.words) and missing <= MOST_MISSING * needed.total()


def _beside(canon: CanonicalText, said: Sequence[str]) -> TextComparison:
    added, missing = [], []
    for tag, a, b, c, d in SequenceMatcher(None, canon.words, said, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        places = [at for at in range(a, b) if canon.words[at] != HOLE]
        missing += [" ".join(canon.words[at] for at in places if at not in canon.optional)]
        if not (_is_name(said[c:d]) if len(places) < b - a else _is_notice(said[c:d], c == 0)):
            added.append(" ".join(said[c:d]))
    return TextComparison(canon.license, tuple(added), tuple(each for each in missing if each))


def _is_notice(run: Sequence[str], first: bool) -> bool:
    """Whether a run is but a title, where it comes first, and notices of copyright."""
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
    said = f" {' '.join(run)} "
    for part in licenses()["holders"]:
        said = said.replace(f" {part} ", " ")
    return len(run) <= MOST_OF_A_NAME and _riders().isdisjoint(said.split())


@cache
def _title() -> frozenset[str]:
    """The words of titles, which may stand before a licence or not."""
    return frozenset(licenses()["title"].split())


@cache
def _riders() -> frozenset[str]:
    """Words that no name of a holder has: a rider may hide in a line of copyright."""
    return frozenset(licenses()["riders"].split())


def _size(runs: Sequence[str]) -> int:
    return sum(len(run.split()) for run in runs)
