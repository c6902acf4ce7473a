"""Reading of prose in model cards and notices: restrictions of use, and other licences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import takewhile
from typing import Any
from urllib.parse import unquote

from readiness.checks.license.license_terms import LicensePermission, spellings, terms
from readiness.checks.license.license_text import is_boilerplate, is_part, words
from readiness.resources import fixture

_HAN = "㐀-鿿豈-﫿぀-ヿ"
_LATIN = r"[a-z0-9à-ÿ]"
_SPACE_IN_HAN = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")
# Every run is bounded and stops where the next may start: a hostile text takes linear time.
_LINK = re.compile(
    r"""!?\]\(\s{0,9}<?((?:[^()\s>]|\([^()\s]{0,200}\)){1,2000}+)[^()\n]{0,300}+\)"""
    r"""|<[^<>]{0,2000}?\b(?:href|src)\s{0,3}=\s{0,3}["']([^"'<>]{1,2000}+)["'][^<>]{0,2000}+>"""
    r"""|(https?://[^\s<>()\"'，。）]+)""",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"</?(?:p|br|div|td|th|tr|li|ul|h\d|summary|details|center)\b[^<>]{0,5000}+>", re.IGNORECASE
)
# Words in angle brackets without an attribute are no tag.
_TAG = re.compile(
    r"</?[a-zA-Z][\w:-]{0,40}+(?:\s[^<>=]{0,200}+=[^<>]{0,5000}+|\s{0,9}/?)>|<!--|-->"
)
_PICTURE = re.compile(r"\.(?:svg|png|jpe?g|gif|webp)$", re.IGNORECASE)
_TITLE = re.compile(r"(?:title|journal|booktitle)\s*=\s*[{\"].*", re.IGNORECASE)  # BibTeX
_TARGET = re.compile(r"⟦([^⟦⟧]*+)⟧")
_ITEM = re.compile(r"\s*(?:[#>*+|-]|\d+[.)、])")
_END = re.compile(
    r"(?<!Inc\.)(?<!Ltd\.)(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])\s+|(?<=[。！？；])|\n", re.I
)
_BRACKET = re.compile(r"[\[\]|,:;⟦⟧，：；、]")
_ANCHOR = re.compile(r"\[([^\[\]\n]{0,300}+)\]\(#([^()\s]{0,300}+)\)")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(.+)", re.MULTILINE)
_CLAUSE = re.compile(r"[,，;；]")
# What follows is chosen by the reader: `MIT or, at your option, X`.
_CHOICE = re.compile(
    r"\bor\s*[,(]?\s*at your (?:option|choice)\s*[,)]?|或(?:由您)?任选", re.IGNORECASE
)
_LABEL = re.compile(
    r"[\W_]*(?:model |weights? )?(?:licen[cs]es?|licencia|terms|许可证?|协议|ライセンス)"
    r"[*_`\s]*[:：|][*_`\s]*(.+)",
    re.IGNORECASE,
)
_NOUN = re.compile(r"(?<![^\W_])licen[cs]e(?![^\W_])")
_MODEL = re.compile(r"(?<![\w-])[A-Za-z][\w.]*(?:-[\w.]+)+")
_NO_CELL = re.compile(r"(?<=\|)[ \t]*(?:否|不行|×|いいえ|nein|non)[ \t]*(?=\|)", re.IGNORECASE)
# A clause about earlier releases or other models, before a clause about this one.
_ASIDE = re.compile(
    r"\b(?:unlike|in contrast to)\b[^,;]{0,300}\b(?:earlier|previous|prior|older|former)\b"
    r"[^,;]{0,300}(?:,\s*which\s+(?:was|were|had)\b[^,;]{0,300})?,"
    r"|\b(?:earlier|previous|prior|older)\s+(?:versions?|releases?)\b[^,;]{0,300}"
    r"\b(?:was|were|had|used)\b[^,;]{0,300}[,;](?=[^,;]{0,300}\b(?:since|now|this)\b)"
    r"|\bcompared?\s+(?:to|with|against)\b[^,;]{0,300};(?=\s*(?:ours|this)\b)",
    re.IGNORECASE,
)
_NO = str.maketrans({**dict.fromkeys("❌✗✘✖🚫", " no "), "⟦": "[", "⟧": "]"})
#: Pairs of phrase lists: a sentence with a phrase of each restricts the use.
TOGETHER = (
    ("commercial", "duties"),
    ("scale", "bounds"),
    ("registering", "weights"),
    ("firms", "payment"),
    ("must", "naming"),
    ("usage", "barred"),
    ("bans", "acts"),
    ("deploying", "barring"),
    ("places", "bounded"),
    ("granted", "persons"),
    ("kept", "weights"),
    ("copyleft", "governs"),
)
#: File names that say nothing about which licence it is.
COMMON_FILES = ("license", "licence", "copying")
MIN_LICENSE_SENTENCE = 4  # words
MAX_REMEMBERED = 2**12  # sentences: a long document repeats itself
MAX_NEAR = 300  # characters
MAX_LABEL = 8  # words
MAX_QUALIFIER = 6  # words


@dataclass(frozen=True)
class LicenseFacts:
    """Facts from the other evidence, by which prose is interpreted.

    Args:
        licenses: The licences that other sources name.
        files: The files that are a free licence verbatim.
        models: The model's names in the evidence.
    """

    licenses: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    models: tuple[str, ...] = ()


NOTHING = LicenseFacts()


@dataclass(frozen=True)
class Sentence:
    """A sentence, an item of a list, a heading or a row of a table.

    Args:
        text: Its text, with the names of the files that it links to in ⟦⟧.
    """

    text: str

    @property
    def shown(self) -> str:
        """Its text as shown in messages."""
        return _TARGET.sub(r"(\1)", self.text)

    @property
    def links(self) -> tuple[str, ...]:
        """The names of the files that it links to."""
        return tuple(each for each in _TARGET.findall(self.text) if each)

    @cached_property
    def plain(self) -> str:
        """Its words in lower case, without harmless phrases."""
        return _without_harmless(self.text)

    @property
    def chosen(self) -> Sentence:
        """The sentence without what its reader may choose instead of a free licence."""
        return Sentence(_without_alternatives(self.text))

    @property
    def heading(self) -> bool:
        """Whether it is a heading."""
        return self.text.startswith("#")


def restriction(text: str, facts: LicenseFacts = NOTHING) -> str:
    """The first sentence that restricts the use, or names a licence that no other source does."""
    own = _own_models(text, facts.models)
    relevant = (each for each in sentences(text) if not _of_another_model(each, own))
    return next(
        (
            each.shown
            for each in relevant
            if _restricts(_without_names(each, facts.licenses), facts.files)
            and not is_known_text(each)
        ),
        "",
    )


def licensing(text: str) -> str:
    """The first sentence that states the licence of the weights; "" if none does."""
    relevant = (each for each in sentences(text) if not _of_code(each.plain))
    return next(
        (
            each.shown
            for each in relevant
            if (_grants_free_license(each) or _names_another(each)) and not is_known_text(each)
        ),
        "",
    )


def free_license(text: str) -> str:
    """The first sentence that puts the weights under a free licence; "" if none does."""
    relevant = (
        each for each in sentences(text) if _grants_free_license(each) and not _of_code(each.plain)
    )
    return next((each.shown for each in relevant if not _restricts(each, frozenset())), "")


def code_license(text: str) -> str:
    """The first sentence that puts the project's own code alone under a free licence."""
    return next(
        (
            each.shown
            for each in sentences(text)
            if _grants_free_license(each) and _has(each.plain, "code")
            if not (_has(each.plain, "weights") or _has(each.plain, "adapted"))
        ),
        "",
    )


def derivation(text: str) -> str:
    """The first sentence that states that the weights are derived from another model."""
    return next((each.shown for each in sentences(text) if _is_derivation(each.plain)), "")


def _is_derivation(plain: str) -> bool:
    """Whether a sentence says that the weights are made from another model's."""
    origin = _has(plain, "origin") and _has(plain, "parent") and not _has(plain, "advice")
    return origin or _has(plain, "derived")


def _without_names(sentence: Sentence, licenses: Collection[str]) -> Sentence:
    """A sentence without the names of licences that other sources name too."""
    text = sentence.text
    for name in (name for each in licenses for name in spellings(each)):
        spelt = r"[\W_]*".join(map(re.escape, name))
        noun = r"(?:[\W_]*licen[cs]e)?(?:[\W_]*agreement)?"
        text = re.sub(f"{spelt}{noun}", " ", text, flags=re.IGNORECASE)
    return Sentence(text)


def is_known_text(sentence: Sentence) -> bool:
    """Whether a sentence is of a free licence's text, which notices quote, or of boilerplate."""
    said = words(_TARGET.sub(" ", sentence.text))
    whole = words(sentence.text)
    return len(whole) >= MIN_LICENSE_SENTENCE and (is_part(whole) or is_boilerplate(said))


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text in Markdown or HTML."""
    text = _without_contents(_TITLE.sub(" ", text.translate(_NO)))
    text = _LINK.sub(_target, _NO_CELL.sub(" no ", text))
    paragraph = ""
    for line in [*_TAG.sub(" ", _BLOCK.sub("\n", text)).splitlines(), ""]:
        # A list item, a heading and a row start a sentence; other lines continue a paragraph.
        if not line.strip() or _ITEM.match(line):
            yield from _split(paragraph)
            paragraph = ""
        paragraph += f" {line.strip()}"
        if line.lstrip().startswith(("#", "|")):
            yield from _split(paragraph)
            paragraph = ""
    yield from _split(paragraph)


def _without_contents(text: str) -> str:
    """A text without links to its own headings; what another link within the text says stays."""
    headings = {_letters(each) for each in _HEADING.findall(text)}
    return _ANCHOR.sub(
        lambda found: (
            " " if _letters(found[1]) in headings | {_letters(found[2])} else f" {found[1]} "
        ),
        text,
    )


def _split(paragraph: str) -> Iterator[Sentence]:
    for part in _END.split(paragraph):
        if text := " ".join(part.split()):
            yield Sentence(text)


def _target(found: re.Match[str]) -> str:
    """Replace a link by the name of its target file; pictures only if of a licence."""
    link = found[1] or found[2] or found[3]
    name = unquote(link.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2])
    if _PICTURE.search(name):
        name = _PICTURE.sub("", name) if "licen" in name.casefold() else ""
    if link.startswith("http") and name.partition(".")[0].casefold() in COMMON_FILES:
        name = f"…/{name}"  # The file of this name next to the card may be another.
    return f"{']' if found[1] else ''}⟦{name}⟧"


def _without_alternatives(text: str) -> str:
    """A sentence without the licences that a reader may choose instead of a free one."""
    found = _CHOICE.search(text)
    if not found or not _has(_plain(text[: found.start()]), "free"):
        return text
    other, _, rest = _CLAUSE.sub("\n", text[found.end() :]).partition("\n")
    return f"{text[: found.start()]} {rest}" if _is_license_name(other) else text


def _is_license_name(said: str) -> bool:
    """Whether words are only the name of a licence."""
    name = re.sub(r"^\s*(?:under )?(?:the |a |an )?", "", said).strip(" .)")
    called = _NOUN.search(name.casefold()) and len(name.split()) <= MAX_QUALIFIER
    known = terms(name).permission is not LicensePermission.UNKNOWN
    return bool(called or known) and not _has(_plain(said), "exclusive")


@lru_cache(MAX_REMEMBERED)
def _restricts(sentence: Sentence, free: frozenset[str]) -> bool:
    """Whether a sentence restricts the use of the weights; `free` are files of free licences."""
    sentence = sentence.chosen
    sentence = _of_weights(Sentence(_ASIDE.sub(" ", sentence.text)))
    plain = sentence.plain
    is_free = bool(sentence.links) and set(sentence.links) <= set(free)
    return (
        _unnegated(plain, _phrases("restricting"))
        or _unnegated(plain, _exclusive())
        or any(_has(plain, one) and _has(plain, other) for one, other in TOGETHER)
        or _gratis(sentence)
        or _omitted().search(plain) is not None
        or (_has(plain, "modals") and _has(plain, "uses") and _has(plain, "weights"))
        or (not is_free and _names_another(sentence))
    )


def _gratis(sentence: Sentence) -> bool:
    """Whether the weights are said to be free for some purposes, without mention of companies."""
    plain = _plain(sentence.text)
    is_gratis = _has(plain, "gratis") and _has(plain, "purpose")
    return is_gratis and not (_has(plain, "commercial") or _has(plain, "firms"))


def _names_another(sentence: Sentence) -> bool:
    """Whether a sentence names or points to a licence that is not free."""
    label = _LABEL.match(sentence.shown)
    plain, whole = sentence.plain, _plain(sentence.text)
    free = _has(whole, "free") or _has(whole, "open")
    clauses = map(_without_harmless, _CLAUSE.split(sentence.text)) if _has(plain, "binding") else ()
    return (
        (label is not None and _labels_another(label[1]))
        or (not free and _has_terms(plain))
        or _unnegated(plain, _phrases("named"))
        or any(map(_binds, clauses))
        or _qualified(sentence)
    )


def _has_terms(plain: str) -> bool:
    """Whether a sentence that names no free licence mentions terms."""
    duty = _has(plain, "legal") and _has(_phrases("legal").sub(" ", plain), "duties")
    return duty or _has(plain, "alien") or _has(plain, "under")


def _binds(clause: str) -> bool:
    """Whether a clause binds the user to terms that are unnamed or not free."""
    bound = _has(clause, "binding") and _has(clause, "nouns")
    return bound and not (_has(clause, "free") or _has(clause, "open"))


def _qualified(sentence: Sentence) -> bool:
    """Whether a sentence names a licence, as in `the Llama 3.1 Community License`."""
    if not _NOUN.search(sentence.plain):
        return False
    # Words in brackets or before a comma do not qualify what follows.
    plain = " / ".join(map(_without_harmless, _BRACKET.split(sentence.text)))
    return any(
        _qualifies(
            plain[max(0, noun.start() - MAX_NEAR) : noun.start()],
            plain[noun.end() : noun.end() + MAX_NEAR].strip(),
            sentence.heading,
        )
        and not _negated(plain, noun.start(), noun.end())
        for noun in _NOUN.finditer(plain)
    )


def _labels_another(value: str) -> bool:
    """Whether the value of a label, as in `License: X`, is a licence that is not free."""
    plain = _plain(value)
    if len(plain.split()) > MAX_LABEL or _has(plain, "free") or _has(plain, "pointing"):
        return False
    return bool(plain) and terms(value.strip(" *_`|.")).permission is not LicensePermission.FREE


def _qualifier(before: str) -> str:
    """The words that qualify a noun, as in `the Llama 3.1 Community License`."""
    stops = set(_lists()["stops"])
    words = before.split()[-MAX_QUALIFIER:]
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
    return not negated and terms(qualifier).permission is not LicensePermission.FREE


def _grants_free_license(sentence: Sentence) -> bool:
    """Whether a sentence states that something is under a free licence."""
    plain = _plain(sentence.text)
    return _has(plain, "free") and (_has(plain, "nouns") or _has(plain, "granting"))


def _of_code(plain: str) -> bool:
    """Whether a sentence is about a hosted service, code or data, and not about weights."""
    others = ("hosted", "code", "measured")
    return any(_has(plain, each) for each in others) and not _has(plain, "weights")


def _of_weights(sentence: Sentence) -> Sentence:
    """A sentence without its clauses about a service or code, whose terms are separate."""
    if not _of_code(sentence.plain):
        return sentence
    clauses = (
        each for each in _CLAUSE.split(sentence.text) if not _of_code(_without_harmless(each))
    )
    return Sentence(", ".join(clauses))


def _own_models(text: str, models: Iterable[str]) -> frozenset[str]:
    """The names of the model that occur in the text."""
    named = {_letters(each) for each in _MODEL.findall(text)}
    return frozenset(named) & {_letters(each.rpartition("/")[2]) for each in models}


def _of_another_model(sentence: Sentence, own: Collection[str]) -> bool:
    """Whether a sentence names only other models: a card may describe a whole family."""
    named = {_letters(each) for each in _MODEL.findall(_TARGET.sub(" ", sentence.text))}
    named = {each for each in named if re.search(r"\d", each)}
    about_own = any(each.startswith(name) for each in own for name in named)
    return bool(own and named) and not about_own


def _unnegated(plain: str, pattern: re.Pattern[str]) -> bool:
    """Whether a pattern occurs without a negation."""
    return any(not _negated(plain, found.start(), found.end()) for found in pattern.finditer(plain))


def _negated(plain: str, start: int, end: int) -> bool:
    """Whether a phrase is negated by the words before it, or lifted by those after."""
    # A negation stands near; to look at all that precedes would take quadratic time.
    before, after = plain[max(0, start - MAX_NEAR) : start].rstrip(), plain[end : end + MAX_NEAR]
    return bool(_negator().search(before) or _phrases("lifted").search(after))


def _has(plain: str, kind: str) -> bool:
    return bool(_phrases(kind).search(plain))


def _without_harmless(text: str) -> str:
    """The words of a text without harmless phrases."""
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
    """The pattern of a list's phrases."""
    return re.compile(_one_of(kind))


@cache
def _exclusive() -> re.Pattern[str]:
    """The pattern of an exclusive purpose, before or after the word for `only`."""
    only, purpose = _one_of("exclusive"), _one_of("purpose")
    between = rf"(?: ?{_one_of('between')}){{0,7}} ?"
    more = rf"(?: ?{_one_of('purpose')})*"
    return re.compile(
        rf"{only}{between}{purpose}(?! ?{_one_of('things')})|{purpose}{more}{between}{only}"
    )


@cache
def _omitted() -> re.Pattern[str]:
    """The pattern of an exclusion of the weights at the end of a sentence."""
    return re.compile(rf"{_one_of('omitted')}$")


@cache
def _negator() -> re.Pattern[str]:
    """The pattern of a negator at the end of a text, followed only by fillers."""
    return re.compile(rf"{_one_of('negators')}(?: ?{_one_of('fillers')}){{0,4}}$")


@cache
def _negated_restriction() -> re.Pattern[str]:
    """The pattern of a negated restriction, which restricts nothing."""
    fillers = rf"(?: ?{_one_of('fillers')}){{0,4}} ?"
    return re.compile(_one_of("negators") + fillers + _one_of("restricting"))


def _one_of(kind: str) -> str:
    """An alternation of a list's phrases."""
    return one_of(_lists()[kind])


def one_of(phrases: Iterable[str]) -> str:
    """An alternation of phrases, the longest first; Latin ones match whole words, others anywhere.

    A star is any ending of a word. Phrases share their beginnings: thousands of alternatives
    at each word of a document would take ten times as long.
    """
    latin: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for each in phrases:
        node = latin if re.match(_LATIN, each) else others
        for letter in (*each, ""):
            node = node.setdefault(letter, {})
    words = rf"(?<!{_LATIN}){_branches(latin)}(?!{_LATIN})" if latin else ""
    return f"(?:{'|'.join(filter(None, [words, _branches(others) if others else '']))})"


def _branches(node: dict[str, Any]) -> str:
    """The pattern of a tree of letters."""
    parts = [
        (f"{_LATIN}*" if letter == "*" else re.escape(letter)) + _branches(rest)
        for letter, rest in sorted(node.items(), key=lambda each: each[0] == "*")
        if letter
    ]
    if not parts:
        return ""
    return f"(?:{'|'.join(parts)}){'?' if '' in node else ''}"
