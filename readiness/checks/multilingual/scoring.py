"""Whether the same copy comes in one language after another, with the terms that were agreed on."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import PASSED, Score, failed
from readiness.scoring.claims import Role, role
from readiness.scoring.language import (
    FEWEST_CHARACTERS,
    FEWEST_LETTERS,
    foreign,
    han_in,
    hiragana_in,
    is_chinese_alone,
    is_written_in_characters,
    kana_in,
    letters_in,
    wide_marks,
)
from readiness.scoring.numerals import in_digits
from readiness.scoring.units import is_unit, unit_at
from readiness.scoring.usable import unusable

#: The languages of the turns.
TURNS = ("zh", "en", "ja")
#: How much of an English text may be Chinese characters, and of a Chinese one kana: a name.
MOST_FOREIGN = 0.02
#: How much of a Japanese text must be hiragana.
LEAST_HIRAGANA = 0.05
#: Copy is full of nouns that many languages have: a short line of them is of no certain language.
NOUNS = 40
#: Models count characters badly: so much beyond the limit is let pass.
BEYOND = 1.1
#: So many times no copy says a sentence of so many characters; a slogan may come twice.
SAME_SENTENCE, SENTENCE = 3, 8

_OPENINGS, _NOTES = (
    tuple(
        unicodedata.normalize("NFKC", each).casefold() for each in prompts("multilingual.yaml")[of]
    )
    for of in ("openings", "notes")
)
_QUOTES = {"“": "”", '"': '"', "「": "」", "『": "』", "«": "»", "《": "》", "```": "```"}
_MARKS = re.compile(r"^[\s*_#>]+|[\s*_]+$")
_LABEL = re.compile(r"[^\n]{0,40}[:：]\s*[*_]*\s*\n|\s*[【\[][^】\]\n]{1,20}[】\]]")
# Of English: a word twice that nobody says twice, and two sentences without a space between them.
# What people say twice is short ("tiny tiny"), as are names of things (agar agar), or an adverb.
_SMALL_WORDS = (
    "the|an|and|of|for|with|from|into|your|our|their|its|his|this|these|those|are|was|were|has|have"
    "|will|would|should|than|then|while|where|when|which|they|them|you|not|but|each|every|any|some"
    "|just|also|only|most|make|made|been"
)
_DOUBLED = re.compile(rf"\b({_SMALL_WORDS}|[a-z]{{6,}}) \1\b(?!-)")
_TWICE = (
    "again|always|better|extra|forever|great|happy|knock|large|little|never|night|quick|quite|small"
    "|super|sweet|there|[a-z]+ly|ylang"
)
_JOINED = re.compile(
    r"(?<![\w./@-])[a-z]{3,}[.!?](?!(?:Com|Net|Org|Edu|Gov|App|Dev|Shop|Store|Info)\b)"
    r"[A-Z][a-z]+(?![\w./@-])"
)
_SENTENCE_ENDS = re.compile(r"[。！？!?\n]+|[.](?=\s|$)")
_JOINTS = re.compile(r"[\s・\-‐‑–]+")

#: The forms of a term in each language, the glossary's first.
Term = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Copy:
    """What three texts have to be.

    Args:
        name: The product's name, the same in each of them.
        figure: A number that stands in each of them.
        terms: The terms that were agreed on.
        limits: The most characters in each language.
        least: The fewest characters in any.
    """

    name: str
    figure: int
    terms: Sequence[Term]
    limits: Mapping[str, int]
    least: int


def switches(replies: Sequence[Reply], copy: Copy) -> Score:
    """Score whether each text is in the language of its turn."""
    # A name is of no language, and statistics of letters would take it for one of some.
    said = [(reply, reply.text.replace(copy.name, "")) for reply in replies]
    found = [(reply, _not_in(text, of)) for (reply, text), of in zip(said, TURNS, strict=True)]
    return _judged(found)


def keeps(replies: Sequence[Reply], copy: Copy) -> Score:
    """Score whether each text has the name, the figure, and each term as it was agreed on."""
    turns = zip(replies, TURNS, strict=True)
    found = [
        (reply, _lost(reply.text, copy) or _misnamed(reply.text, of, copy)) for reply, of in turns
    ]
    mixed = _mixed([reply.text for reply in replies], copy)
    return _judged([*found, (replies[-1], mixed)])


def alone(reply: Reply) -> Score:
    """Score whether a text comes without a word before or after it, and once."""
    return _judged([(reply, _around(reply.text) or _again(reply.text) or _mangled(reply.text))])


def fits(reply: Reply, language: str, copy: Copy) -> Score:
    """Score whether a text is neither too long nor too short."""
    length = len(unicodedata.normalize("NFC", reply.text.strip()))
    most = copy.limits[language]
    fit = copy.least <= length <= BEYOND * most
    return _judged([(reply, "" if fit else f"{length} characters, not {copy.least} to {most}")])


def _judged(found: Sequence[tuple[Reply, str]]) -> Score:
    """Score replies by the first that cannot be read, or else by the first with a fault."""
    for reply, _ in found:
        if score := unusable(reply) or _cut(reply):
            return score
    wrong = (failed(fault, got=f"{reply.text!r:.160}") for reply, fault in found if fault)
    return next(wrong, PASSED)


def _cut(reply: Reply) -> Score | None:
    return failed("no end", f"got {reply.text!r:.160}") if reply.finish == "length" else None


def _not_in(text: str, language: str) -> str:
    """Why a text is not in a language; "" where it is."""
    all_of_it, han, kana = letters_in(text), han_in(text), kana_in(text)
    characters = is_written_in_characters(text)
    told = {
        "zh": characters and kana <= MOST_FOREIGN * all_of_it,
        "en": han + kana <= MOST_FOREIGN * all_of_it and not wide_marks(text),
        "ja": characters and _is_japanese(text, han, kana),
    }
    if not (all_of_it and told[language]):
        return f"not in {language}"
    letters = NOUNS if language == "en" else FEWEST_LETTERS
    part = foreign(unicodedata.normalize("NFC", text), language, letters)
    return f"not in {language}: {part!r:.80}" if part else ""


def _is_japanese(text: str, han: int, kana: int) -> bool:
    """Whether a text has the kana of sentences, or is too short a list of nouns to have any."""
    if han + kana < FEWEST_CHARACTERS:
        return kana > 0 or not is_chinese_alone(text)
    return hiragana_in(text) >= LEAST_HIRAGANA * (han + kana)


def _lost(text: str, copy: Copy) -> str:
    if _folded(copy.name) not in _folded(text):
        return f"the name {copy.name!r} is missing"
    said = _plain(text)
    there = any(_has_figure(each, copy.figure) for each in (said, in_digits(said)))
    return "" if there else f"the figure {copy.figure} is missing"


#: Copy may say "up to 48 hours", and it does not say so much with these.
_ANOTHER = {Role.RANGE, Role.ALTERNATIVE, Role.SCALED}


def _has_figure(text: str, number: int) -> bool:
    """Whether a text has a number itself, and neither a range, a choice nor dozens of it."""
    return any(
        role(text, *found.span()) not in _ANOTHER
        and is_unit(unit_at(text, *found.span()).name, None)
        for found in _figure(number).finditer(text)
    )


def _figure(number: int) -> re.Pattern[str]:
    """What finds a number, also in 36-hour, and not as a part of another or of a name."""
    return re.compile(rf"(?<![0-9a-z])(?<![0-9][.,]){number}(?![0-9]|[.,][0-9])")


def _misnamed(text: str, language: str, copy: Copy) -> str:
    said = _folded(text)
    for term in copy.terms:
        if not any(_folded(form) in said for form in term[language]):
            return f"term {term[language][0]!r} is missing"
        source = term["zh"][0]
        if language != "zh" and source in text:
            return f"term {source!r} is not translated"
    return ""


def _mixed(texts: Sequence[str], copy: Copy) -> str:
    """A term that comes in two forms of one language, wherever in the conversation."""
    said = "\n".join(map(_folded, texts))
    for term in copy.terms:
        for forms in term.values():
            left, used = said, []
            # Of two forms one may be a part of the other.
            for form in sorted(forms, key=len, reverse=True):
                used += [form] if _folded(form) in left else []
                left = left.replace(_folded(form), "\n")
            if len(used) > 1:
                return f"one term in two forms: {used!r}"
    return ""


def _around(text: str) -> str:
    """What stands before or after the copy, or around it; "" where nothing does."""
    bare = _MARKS.sub("", text)
    first, last = bare.partition("\n")[0], bare.rpartition("\n")[2]
    if _plain(first).startswith(_OPENINGS) or _LABEL.match(bare):
        return f"a preamble: {first!r:.80}"
    if any(note in _plain(last) for note in _NOTES):
        return f"a note: {last!r:.80}"
    return "quotation marks around it" if _is_quoted(bare) else ""


def _again(text: str) -> str:
    """A sentence that comes again and again; "" where none does."""
    said = Counter(_folded(each) for each in _SENTENCE_ENDS.split(text))
    found = [each for each in said if len(each) >= SENTENCE and said[each] >= SAME_SENTENCE]
    return f"one sentence {said[found[0]]} times" if found else ""


def _mangled(text: str) -> str:
    """A word in small letters that comes twice, or two sentences joined; "" where none is."""
    doubled = (each[0] for each in _DOUBLED.finditer(text) if not re.fullmatch(_TWICE, each[1]))
    if found := next(doubled, ""):
        return f"a word twice in a row: {found!r:.60}"
    joined = _JOINED.search(text)
    return f"sentences without a space between them: {joined[0]!r:.40}" if joined else ""


def _is_quoted(text: str) -> bool:
    """Whether one pair of marks encloses all of a text, and not a name at either end of it."""
    for opening, closing in _QUOTES.items():
        inner = text.removeprefix(opening).removesuffix(closing)
        if len(text) - len(inner) == len(opening) + len(closing):
            return _encloses(inner, opening, closing)
    return False


def _encloses(inner: str, opening: str, closing: str) -> bool:
    """Whether the marks around a text are a pair: those within it are pairs of their own."""
    marks = [*re.finditer(f"{re.escape(opening)}|{re.escape(closing)}", inner)]
    if opening == closing:
        before = inner[: marks[0].start()][-1:] if marks else ""
        return len(marks) % 2 == 0 and not before.strip()
    depths = [*accumulate(1 if mark[0] == opening else -1 for mark in marks)]
    return min(depths, default=0) == 0 == (depths or [0])[-1]


def _plain(line: str) -> str:
    return unicodedata.normalize("NFKC", line).casefold()


def _folded(text: str) -> str:
    """A text in which writers differ no more: without case, width, spaces and hyphens."""
    return _JOINTS.sub("", unicodedata.normalize("NFKC", text).casefold())
