"""What the prose of a card or a notice says of the licence: restrictions, and other licences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import takewhile
from typing import Any
from urllib.parse import unquote

from readiness.checks.license.license_terms import Standing, spellings, terms
from readiness.checks.license.license_text import canons, words
from readiness.resources import fixture

_HAN = "㐀-鿿豈-﫿぀-ヿ"
_LATIN = r"[a-z0-9à-ÿ]"
_SPACE_IN_HAN = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")
_LINK = re.compile(
    r"""!?\]\(\s*<?([^)\s>]+)[^)]*\)|<[^>]*?\b(?:href|src)\s*=\s*["']([^"']+)["'][^>]*>"""
    r"""|(https?://[^\s<>()\"'，。）]+)""",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"</?(?:p|br|div|td|th|tr|li|ul|h\d|summary|details|center)\b[^>]*>", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<!--|-->")
_PICTURE = re.compile(r"\.(?:svg|png|jpe?g|gif|webp)$", re.IGNORECASE)
_TITLE = re.compile(r"(?:title|journal|booktitle)\s*=\s*[{\"].*", re.IGNORECASE)  # BibTeX
_TARGET = re.compile(r"⟦(.*?)⟧")
_ITEM = re.compile(r"\s*(?:[#>*+|-]|\d+[.)、])")
_END = re.compile(
    r"(?<!Inc\.)(?<!Ltd\.)(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])\s+|(?<=[。！？；])|\n", re.I
)
_BRACKET = re.compile(r"[\[\]|,:;⟦⟧，：；、]")
_ANCHOR = re.compile(r"\[[^\]]*\]\(#[^)]*\)")
_CLAUSE = re.compile(r"[,，;；]")
_LABEL = re.compile(
    r"[\W_]*(?:model |weights? )?(?:licen[cs]es?|licencia|terms|许可证?|协议|ライセンス)"
    r"[*_`\s]*[:：|][*_`\s]*(.+)",
    re.IGNORECASE,
)
_NOUN = re.compile(r"(?<![^\W_])licen[cs]e(?![^\W_])")
_MODEL = re.compile(r"(?<![\w-])[A-Za-z][\w.]*(?:-[\w.]+)+")
_NO = str.maketrans(dict.fromkeys("❌✗✘✖🚫", " no "))
#: Lists of which one phrase each, in one sentence, restricts the use.
TOGETHER = (
    ("commercial", "duties"),
    ("scale", "bounds"),
    ("registering", "weights"),
    ("firms", "payment"),
    ("must", "naming"),
    ("usage", "barred"),
)
#: The names of files that any licence may have.
COMMON_FILES = ("license", "licence", "copying")
SHORTEST_OF_A_LICENSE = 4  # words
LONGEST_LABEL = 8  # words
LONGEST_QUALIFIER = 6  # words


@dataclass(frozen=True)
class LicenseFacts:
    """What the rest of the evidence shows, in whose light prose is read.

    Args:
        licenses: The licences that other sources name.
        files: The files that are a free licence word by word.
        models: What the evidence calls the model.
    """

    licenses: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    models: tuple[str, ...] = ()


NOTHING = LicenseFacts()


@dataclass(frozen=True)
class Sentence:
    """A sentence, an item of a list, a heading or a row of a table.

    Args:
        text: Its words as they stand there, and the names of the files that it links to in ⟦⟧.
    """

    text: str

    @property
    def said(self) -> str:
        """Its words as they are shown."""
        return _TARGET.sub(r"(\1)", self.text)

    @property
    def links(self) -> tuple[str, ...]:
        """The names of the files that it links to."""
        return tuple(each for each in _TARGET.findall(self.text) if each)

    @cached_property
    def plain(self) -> str:
        """Its words in lower case, without harmless turns."""
        return _read(self.text)

    @property
    def heading(self) -> bool:
        """Whether it is a heading."""
        return self.text.startswith("#")


def restriction(text: str, facts: LicenseFacts = NOTHING) -> str:
    """The first sentence that restricts the use, or names a licence that no other source does."""
    own = _own_models(text, facts.models)
    heard = (each for each in sentences(text) if not _of_another_model(each, own))
    return next(
        (
            each.said
            for each in heard
            if _restricts(_unnamed(each, facts.licenses), facts.files) and not _standard(each)
        ),
        "",
    )


def licensing(text: str) -> str:
    """The first sentence that says what licence the weights are under; "" where none does."""
    said = (each for each in sentences(text) if not _of_code(each.plain))
    return next((each.said for each in said if _frees(each) or _names_another(each)), "")


def free_license(text: str) -> str:
    """The first sentence that puts the weights under a free licence; "" where none does."""
    said = (each for each in sentences(text) if _frees(each) and not _of_code(each.plain))
    return next((each.said for each in said if not _restricts(each, ())), "")


def derivation(text: str) -> str:
    """The first sentence that tells of another model that the weights were made from."""
    return next((each.said for each in sentences(text) if _has(each.plain, "derived")), "")


def _unnamed(sentence: Sentence, licenses: Collection[str]) -> Sentence:
    """A sentence without the names of licences that other sources name as well."""
    text = sentence.text
    for name in (name for each in licenses for name in spellings(each)):
        spelt = r"[\W_]*".join(map(re.escape, name))
        noun = r"(?:[\W_]*licen[cs]e)?(?:[\W_]*agreement)?"
        text = re.sub(f"{spelt}{noun}", " ", text, flags=re.IGNORECASE)
    return Sentence(text)


def _standard(sentence: Sentence) -> bool:
    """Whether a sentence is a free licence's own, as notices have them in full."""
    said = words(sentence.text)
    return len(said) >= SHORTEST_OF_A_LICENSE and any(
        f" {' '.join(said)} " in each for each in _standards()
    )


@cache
def _standards() -> tuple[str, ...]:
    return tuple(f" {' '.join(each.words)} " for each in canons())


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text in Markdown or HTML."""
    text = _ANCHOR.sub(" ", _TITLE.sub(" ", text.translate(_NO)))
    text = _LINK.sub(_target, text)
    paragraph = ""
    for line in [*_TAG.sub(" ", _BLOCK.sub("\n", text)).splitlines(), ""]:
        # A list's item, a heading and a row begin anew; other lines go on in a paragraph.
        if not line.strip() or _ITEM.match(line):
            yield from _split(paragraph)
            paragraph = ""
        paragraph += f" {line.strip()}"
        if line.lstrip().startswith(("#", "|")):
            yield from _split(paragraph)
            paragraph = ""
    yield from _split(paragraph)


def _split(paragraph: str) -> Iterator[Sentence]:
    for part in _END.split(paragraph):
        if said := " ".join(part.split()):
            yield Sentence(said)


def _target(found: re.Match[str]) -> str:
    """A link by the name of the file that it leads to; of pictures, those of licences alone."""
    link = found[1] or found[2] or found[3]
    name = unquote(link.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2])
    if _PICTURE.search(name):
        name = _PICTURE.sub("", name) if "licen" in name.casefold() else ""
    if link.startswith("http") and name.partition(".")[0].casefold() in COMMON_FILES:
        name = f"…/{name}"  # The one beside a card may be another.
    return f"{']' if found[1] else ''}⟦{name}⟧"


def _restricts(sentence: Sentence, free: Collection[str]) -> bool:
    """Whether a sentence restricts the use of the weights; `free` are files of free licences."""
    sentence = _of_weights(sentence)
    plain = sentence.plain
    shown = bool(sentence.links) and set(sentence.links) <= set(free)
    return (
        _unnegated(plain, _phrases("restricting"))
        or _unnegated(plain, _exclusive())
        or any(_has(plain, one) and _has(plain, other) for one, other in TOGETHER)
        or _gratis(plain)
        or (_has(plain, "modals") and _has(plain, "uses") and _has(plain, "weights"))
        or (not shown and _names_another(sentence))
    )


def _gratis(plain: str) -> bool:
    """Whether the weights are said to be free for some, and nothing is said of firms."""
    told = _has(plain, "gratis") and _has(plain, "purpose")
    return told and not (_has(plain, "commercial") or _has(plain, "firms"))


def _names_another(sentence: Sentence) -> bool:
    """Whether a sentence names or points to a licence that is not free."""
    label = _LABEL.match(sentence.said)
    plain, whole = sentence.plain, _plain(sentence.text)
    free = _has(whole, "free") or _has(whole, "open")
    clauses = map(_read, _CLAUSE.split(sentence.text)) if _has(plain, "binding") else ()
    return (
        (label is not None and _labels_another(label[1]))
        or (not free and _has_terms(plain))
        or _unnegated(plain, _phrases("named"))
        or any(map(_binds, clauses))
        or _qualified(sentence)
    )


def _has_terms(plain: str) -> bool:
    """Whether a sentence that names no free licence tells of terms."""
    duty = _has(plain, "legal") and _has(_phrases("legal").sub(" ", plain), "duties")
    return duty or _has(plain, "alien") or _has(plain, "under")


def _binds(clause: str) -> bool:
    """Whether a clause binds one to terms that it does not name, or that are not free."""
    bound = _has(clause, "binding") and _has(clause, "nouns")
    return bound and not (_has(clause, "free") or _has(clause, "open"))


def _qualified(sentence: Sentence) -> bool:
    """Whether a sentence names a licence, as in `the Llama 3.1 Community License`."""
    if not _NOUN.search(sentence.plain):
        return False
    # What stands in brackets or before a comma qualifies nothing that follows it.
    plain = " / ".join(map(_read, _BRACKET.split(sentence.text)))
    return any(
        _qualifies(plain[: noun.start()], plain[noun.end() :].strip(), sentence.heading)
        and not _negated(plain, noun.start(), noun.end())
        for noun in _NOUN.finditer(plain)
    )


def _labels_another(value: str) -> bool:
    """Whether the value of a label, as in `License: X`, is a licence that is not free."""
    plain = _plain(value)
    if len(plain.split()) > LONGEST_LABEL or _has(plain, "free") or _has(plain, "pointing"):
        return False
    return bool(plain) and terms(value.strip(" *_`|.")).standing is not Standing.FREE


def _qualifier(before: str) -> str:
    """The words that qualify a noun, as in `the Llama 3.1 Community License`."""
    stops = set(_lists()["stops"])
    words = before.split()[-LONGEST_QUALIFIER:]
    return " ".join(reversed(list(takewhile(lambda each: each not in stops, reversed(words)))))


def _qualifies(before: str, after: str, heading: bool) -> bool:
    """Whether the words before a noun name a licence that is not free."""
    qualifier = _qualifier(before)
    unnamed = {*_lists()["qualifiers"], *(_lists()["weights"] if heading else ())}
    if _phrases("objects").match(after) or unnamed.issuperset(qualifier.split()):
        return False
    if _has(qualifier, "free") or _has(qualifier, "open"):
        return False
    negated = _negator().search(before.removesuffix(" ").removesuffix(qualifier).rstrip())
    return not negated and terms(qualifier).standing is not Standing.FREE


def _frees(sentence: Sentence) -> bool:
    """Whether a sentence says that something is under a free licence."""
    plain = _plain(sentence.text)
    return _has(plain, "free") and (_has(plain, "nouns") or _has(plain, "granting"))


def _of_code(plain: str) -> bool:
    """Whether a sentence speaks of a hosted service or of code, and not of weights."""
    return (_has(plain, "hosted") or _has(plain, "code")) and not _has(plain, "weights")


def _of_weights(sentence: Sentence) -> Sentence:
    """What a sentence does not say of a service or of code: weights have terms of their own."""
    if not _of_code(sentence.plain):
        return sentence
    clauses = (each for each in _CLAUSE.split(sentence.text) if not _of_code(_read(each)))
    return Sentence(", ".join(clauses))


def _own_models(text: str, models: Iterable[str]) -> frozenset[str]:
    """Those names of the model that the text itself uses."""
    named = {_letters(each) for each in _MODEL.findall(text)}
    return frozenset(named) & {_letters(each.rpartition("/")[2]) for each in models}


def _of_another_model(sentence: Sentence, own: Collection[str]) -> bool:
    """Whether a sentence names siblings of the model alone: a card may tell of a whole family."""
    named = {_letters(each) for each in _MODEL.findall(_TARGET.sub(" ", sentence.text))}
    named = {each for each in named if re.search(r"\d", each)}
    about_own = any(each.startswith(name) for each in own for name in named)
    return bool(own and named) and not about_own


def _unnegated(plain: str, pattern: re.Pattern[str]) -> bool:
    """Whether a pattern is there that nothing negates."""
    return any(not _negated(plain, found.start(), found.end()) for found in pattern.finditer(plain))


def _negated(plain: str, start: int, end: int) -> bool:
    """Whether the words before negate a phrase, or those after it lift it."""
    before, after = plain[:start].rstrip(), plain[end:]
    return bool(_negator().search(before) or _phrases("lifted").search(after))


def _has(plain: str, kind: str) -> bool:
    return bool(_phrases(kind).search(plain))


def _read(text: str) -> str:
    """The words of a text without turns that are harmless."""
    plain = _phrases("trade").sub(" ", _plain(text))
    return _collapse(_negated_restriction().sub(" ", _phrases("harmless").sub(" ", plain)))


def _plain(text: str) -> str:
    """The words of a text in lower case, with one space between, and none within Han and kana."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if not text.isascii():
        text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    return _collapse(re.sub(r"[\W_]+", " ", text))


def _collapse(text: str) -> str:
    return _SPACE_IN_HAN.sub("", " ".join(text.split()))


def _letters(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())


def _lists() -> Any:
    return fixture("licenses_prose.yaml")


@cache
def _phrases(kind: str) -> re.Pattern[str]:
    """A pattern of the phrases of a list."""
    return re.compile(_one_of(kind))


@cache
def _exclusive() -> re.Pattern[str]:
    """A purpose that is said to be the only one, before or after the word that says so."""
    only, purpose = _one_of("exclusive"), _one_of("purpose")
    between = rf"(?: ?{_one_of('between')}){{0,7}} ?"
    more = rf"(?: ?{_one_of('purpose')})*"
    return re.compile(
        rf"{only}{between}{purpose}(?! ?{_one_of('things')})|{purpose}{more}{between}{only}"
    )


@cache
def _negator() -> re.Pattern[str]:
    """A negator that ends a text, with nothing but fillers after it."""
    return re.compile(rf"{_one_of('negators')}(?: ?{_one_of('fillers')}){{0,4}}$")


@cache
def _negated_restriction() -> re.Pattern[str]:
    """A restriction with its negator: it restricts nothing."""
    fillers = rf"(?: ?{_one_of('fillers')}){{0,4}} ?"
    return re.compile(_one_of("negators") + fillers + _one_of("restricting"))


def _one_of(kind: str) -> str:
    """An alternation of a list's phrases. Latin words end at spaces, Han and kana anywhere."""
    phrases = sorted(_lists()[kind], key=len, reverse=True)
    latin = [re.escape(each) for each in phrases if re.match(_LATIN, each)]
    others = [re.escape(each) for each in phrases if not re.match(_LATIN, each)]
    words = rf"(?<!{_LATIN})(?:{'|'.join(latin)})(?!{_LATIN})" if latin else ""
    return f"(?:{'|'.join(filter(None, [words, *others]))})"
