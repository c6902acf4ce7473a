"""Sentences that may bear on the right to use the weights, and are not known to be harmless.

No list of restrictions is complete. So this is the other way round: a sentence with a word of law
is harmless if it is a plain grant, one with a word that limits is harmless if its clause is
technical, and one in a language that is not read never is. All else is left for a person.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

from readiness.checks.license.license_prose import (
    MAX_REMEMBERED,
    Sentence,
    is_known_text,
    one_of,
    sentences,
)
from readiness.resources import fixture

_LATIN = "[a-z0-9à-ÿ]"
_CLAUSE = re.compile(r"[,;:，；：、。—]|\s[-–]\s")
_PART = re.compile(
    r"[,;:.，；：、。()（）—]|\s[-–]\s|\b(?:but|while|whereas|y los|und die|et les)\b"
)
_CODE = re.compile(
    r"[=(){}\[\]<>$;\\`/|_#]"
    r"|^\s*(?:pip|git|cd|python3?|conda|docker|export|return|for|try|except|else|if)\b"
)
#: What no sentence has, though it may have brackets.
_SYMBOLS = re.compile(r"[={}<>$\\`|_]")
_COMMENT = re.compile(r"^\s*(?:#+|//+|--|%|;|\*|>)\s*")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_TARGET = re.compile(r"⟦[^⟦⟧]*+⟧")
#: What is code or a date (of May) wherever it stands.
_IDENTIFIER = re.compile(r"\bWER\b|\bMay \d|\b[A-Za-z]\w*_\w+\b|(?<!\w)--[a-z][\w-]+")
_SIZE = re.compile(r"\b\d+(?:\.\d+)?\s?[BM](?=\s+param)")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,200}\w")
_LINKED = re.compile(r"!?\[[^\[\]]{0,1000}+\]\s{0,9}⟦[^⟦⟧]*+⟧|⟦[^⟦⟧]*+⟧")
_CELL = re.compile(r"[|·•]")
_CELL_OR_LINK = re.compile(r"[|·•\]]")
_MARKS = " \t*_-+()[]|.,:;·•>"
_WEIGHTS_LABEL = re.compile(r"[\W_]*(?:model )?(?:weights?|权重)[\s*_]*[:：](.+)", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n[ \t>]*\n")
_INLINE = re.compile(r"`[^`\n]+`")
_BIBTEX = re.compile(r"^\s*(?:@\w+\s*\{|(?!src|href|alt|width|style)\w+\s*=\s*[{\"])")
_SPACED = re.compile(r"[\W_]+")
_FIRST = re.compile(r"^\W*([A-Z][\w.+-]+)")
_NAME = re.compile(r"\b[A-Z][a-z]+[A-Z]\w*|(?<=\w[ (])[A-Z][\w.+-]*")
#: Letters of scripts that are not read: none of Latin, Greek (as in formulas), Han, kana, Hangul.
_OTHER_SCRIPT = re.compile(r"[^\W\d_a-zA-ZªºµÀ-ʯʰ-˿Ͱ-ϿḀ-ỿ぀-ヿ㐀-鿿豈-﫿가-힣ㄱ-ㆎｦ-ﾟ々〆ー𝐀-𝟿ℂ-ℵ]")
_LATIN_WORD = re.compile(r"(?<!\w)[a-zà-ɏ]{2,}(?!\w)")
_ANY_WORD = re.compile(r"[A-Za-zÀ-ɏ]{2,}")
_CJK = re.compile(r"[぀-ヿ㐀-鿿豈-﫿가-힣]")
_ANY_LETTER = re.compile(r"[^\W\d_]")
MAX_OPEN = 50  # sentences: nobody reads on, and a hostile text takes no longer
MIN_WORDS = 3
MIN_LOWER = 1  # of them in lower case: others are names
MIN_SIGNS = 4  # Han, kana or Hangul
MAX_SUBJECT = 3  # words
MIN_ROW = 4  # cells
MIN_LINKED = 5  # words of a link that is a sentence
MAX_COMMENT = 25  # words of a comment in code, longer ones are samples
MAX_DENIAL = 10  # words
MIN_SENTENCE = 5  # words of a line of prose among code
MIN_FUNCTION = 2  # of them such as no code has
MIN_FOREIGN = 10  # letters
MIN_UNKNOWN = 6  # words


@dataclass(frozen=True)
class Context:
    """Where a sentence stands: in a section about rights, in a technical paragraph."""

    of_rights: bool
    technical: bool


def open_sentences(
    text: str, free_files: Collection[str] = (), *, about_weights: bool = False
) -> list[str]:
    """The first sentences of a text that a person must read; of some those on weights alone."""
    found = (
        each.shown
        for each, context in _in_context(_without_code(text))
        if not about_weights or _has(_plain(each.text), "weights")
        if not (each.links and set(each.links) <= set(free_files))
        if _is_open(each, context) and not is_known_text(each)
    )
    return list(islice(found, MAX_OPEN))


def _without_code(text: str) -> str:
    """A text without code, but with the prose that stands among code."""
    kept, fenced = [], False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not _BIBTEX.match(line) and not (fenced and _is_code(line)):
            kept.append(_INLINE.sub(_quoted_code, line))
    return "\n".join(kept)


def _quoted_code(found: re.Match[str]) -> str:
    """A stand-in for code in a sentence; words that permit or limit stay."""
    return found[0].strip("`") if _is_bound(_plain(found[0])) else " token "


def _is_code(line: str) -> bool:
    """Whether a line in a block of code is code or a sample, and says nothing of rights."""
    # What a comment says is prose, and so is a sentence with brackets.
    said = _COMMENT.sub("", line)
    plain, words = _plain(said), _ANY_WORD.findall(said)
    function = [each for each in words if _has(f" {each} ", "readable")]
    is_sentence = len(words) >= MIN_SENTENCE and len(function) >= MIN_FUNCTION
    symbols = _SYMBOLS if is_sentence or _CJK.search(said) else _CODE
    speaks = _has(plain, "legal") or _has(plain, "weights") or _has(plain, "givers")
    return bool(symbols.search(said)) or not (
        speaks or (said != line and len(words) <= MAX_COMMENT and _denies(plain))
    )


def _denies(plain: str) -> bool:
    """Whether words of users stand with one that permits or limits."""
    return _has(plain, "parties") and _is_bound(plain)


def _in_context(text: str) -> Iterator[tuple[Sentence, Context]]:
    """Each sentence of a text with its context."""
    section = 0
    for block in _PARAGRAPH.split(text):
        found = list(sentences(block))
        technical = any(_has(_plain(each.text), "technical") for each in found)
        for each in found:
            if each.heading:
                level = len(each.text) - len(each.text.lstrip("#"))
                is_of_rights = _has(_plain(each.text), "headings")
                section = level if is_of_rights else section * (level > section)
            yield each, Context(bool(section), technical)


@lru_cache(MAX_REMEMBERED)
def _is_open(sentence: Sentence, context: Context) -> bool:
    """Whether a sentence may bear on rights, and is not known to be harmless."""
    sentence = sentence.chosen
    said = bool(_LINKED.sub("", sentence.text).strip(_MARKS))
    text = html.unescape(_MAIL.sub(" email ", _TARGET.sub(" ", sentence.text)))
    text = _SIZE.sub(" token ", _IDENTIFIER.sub(" token ", text))
    if _is_unreadable(text) or any(map(_leads_to_terms, sentence.links)):
        return True
    if _denies_use(text) or _splits_weights(text):
        return True
    cells = (_CELL if said else _CELL_OR_LINK).split(text.strip("|·• "))
    if len(cells) >= MIN_ROW or not said:
        # A bar of links has words; a sentence that is the text of a link is read as any other.
        long = [each for each in cells if len(_ANY_WORD.findall(each)) >= MIN_LINKED]
        return any(_may_bear(each, context.of_rights) for each in cells) or any(
            map(_is_unknown, [] if said else long)
        )
    return _may_bear(text, context.of_rights) or (not context.technical and _is_unknown(text))


def _may_bear(text: str, in_section: bool) -> bool:
    """Whether a sentence that can be read may bear on rights, and is not known to be harmless."""
    plain = _without_names(text)
    if _labels_weights(text):
        return True
    of_data = _has(plain, "data_work") and not _has(plain, "readers")
    plain = _sub("data_terms", plain) if of_data else plain
    if _is_title(plain) or _is_of_service(plain) or _is_grant(text, plain) or _is_contact(text):
        return False
    technical, bound = _has(plain, "technical"), _is_bound(plain)
    if _has(plain, "legal") or (bound and _has(plain, "parties")):
        return True
    # The clauses of most sentences need no look.
    is_bare = not any(_has(_plain(text), each) for each in ("acts", "duties", "stakes"))
    parts = [] if is_bare else _CLAUSE.split(text)
    clauses = [_sub("elsewhere", Sentence(each).plain) for each in parts]
    clauses = [_sub("data_terms", each) for each in clauses] if of_data else clauses
    if any(map(_is_act, clauses)) or _is_between(plain):
        return True
    if in_section and (bound or not technical):
        return not text.startswith("#")
    strict = [each for each in clauses if _has(each, "duties") or _has(each, "stakes")]
    return (bound and not technical) or not all(_has(each, "technical") for each in strict)


def _is_act(clause: str) -> bool:
    """Whether a clause is on what becomes of a copy, and not of a technical thing."""
    return _has(clause, "acts") and not _has(clause, "things")


def _denies_use(text: str) -> bool:
    """Whether a short line or a row of a table says `no` of a use or of users."""
    plain = _plain(text)
    if not _has(plain, "uses"):
        return False
    cells = [_plain(each).strip() for each in re.split(r"[|:：]", text)]
    parts = [_plain(each) for each in _CLAUSE.split(text)]
    if any(each.endswith((" is not ", " are not ")) and _has(each, "uses") for each in parts):
        return True
    denied = any(each in _listed("denials") for each in cells) or plain.startswith(" no ")
    short = len(plain.split()) <= MAX_DENIAL
    return denied and short and not _has(plain, "technical")


def _splits_weights(text: str) -> bool:
    """Whether a sentence states the licence of code, and then speaks of weights without one."""
    if not _has(_plain(text), "software"):
        return False
    clauses = list(map(_plain, _PART.split(text)))
    code = [each for each in clauses if _has(each, "software") and not _has(each, "artefacts")]
    if not any(_has(each, "names") or _has(each, "open_names") for each in code):
        return False
    weights = [each for each in clauses if _has(each, "artefacts") and each not in code]
    return any(not (_has(each, "names") or _has(each, "alike")) for each in weights)


def _is_between(plain: str) -> bool:
    """Whether a sentence sets who gives the weights, or others, against who uses them."""
    rest = _sub("invited", plain)
    others = _has(plain, "others") and _has(plain, "handling") and not _has(plain, "invited")
    return _has(rest, "givers") or others or _has(plain, "afterwards")


def _labels_weights(text: str) -> bool:
    """Whether a label, as in `Weights: X`, puts the weights under what is not known."""
    if not (label := _WEIGHTS_LABEL.match(text)):
        return False
    rest = _without_names(label[1])
    known = _has(rest, "technical") or _has(rest, "ordinary")
    return not known and bool(_sub("plain", _sub("plain_scripts", rest)).strip())


def _without_names(text: str) -> str:
    """The words of a sentence without free licences' names and turns that bear on no rights."""
    return _sub("names", _sub("elsewhere", Sentence(text).plain))


def _is_unknown(text: str) -> bool:
    """Whether a sentence speaks of nothing that an ordinary card does."""
    plain = _without_names(text)
    if any(_has(plain, each) for each in ("technical", "ordinary")) or text.startswith(("#", "|")):
        return False
    if _is_title(plain) or _is_grant(text, plain):
        return False
    words = _ANY_WORD.findall(text)
    lower = [each for each in words if each.islower() and each not in ("and", "et", "al", "und")]
    is_phrase = len(words) >= MIN_WORDS and len(lower) >= MIN_LOWER
    return is_phrase or len(_CJK.findall(text)) >= MIN_SIGNS


def _is_bound(plain: str) -> bool:
    """Whether a sentence permits, obliges, limits, or speaks of money or property."""
    return any(_has(plain, each) for each in ("duties", "limits", "stakes"))


def _leads_to_terms(link: str) -> bool:
    """Whether a link leads to terms that are not the licence's text."""
    name = _sub("names", _plain(link))
    return (_has(name, "legal") or _has(name, "headings")) and not _is_title(_sub("files", name))


def _is_of_service(plain: str) -> bool:
    """Whether a sentence begins with a hosted service, whose terms are not those of weights."""
    return _has(" ".join(plain.split()[:MAX_SUBJECT]), "hosted") and not _has(plain, "weights")


def _is_contact(text: str) -> bool:
    """Whether a sentence only invites whoever has questions to ask them."""
    plain = _sub("elsewhere", _plain(text))
    return _has(plain, "questions") and not _sub("contact", plain).strip()


def _is_title(plain: str) -> bool:
    """Whether a sentence is only a title, or nothing."""
    return not plain.strip() or plain.strip() in _listed("titles")


def _is_grant(text: str, plain: str) -> bool:
    """Whether a sentence is only a plain grant, or a pointer to the licence's text."""
    if _has(plain, "limiting") or (_has(plain, "purposes") and not _has(plain, "business")):
        return False
    first = _FIRST.findall(text) if not (_is_bound(plain) or _has(plain, "parties")) else []
    names = [
        *first,
        *_NAME.findall(text),
        *(each for each in text.split() if re.search(r"\d", each)),
    ]
    own = {word for each in names for word in _plain(each).split()}
    rest = _sub("plain_scripts", _sub("purposes", _sub("plain", plain)))
    return all(word in own or word.isdigit() for word in rest.split())


def _is_unreadable(text: str) -> bool:
    """Whether a sentence is in a script or a language that is not read."""
    # A bar of links names each language in its own.
    if any(len(_OTHER_SCRIPT.findall(each)) >= MIN_FOREIGN for each in re.split(r"[|·•/]", text)):
        return True
    said = _LATIN_WORD.findall(_INLINE.sub(" ", text))
    latin = len("".join(said)) * 2 > len(_ANY_LETTER.findall(text))
    plain = f" {' '.join(said)} "
    known = _has(plain, "readable") or _has(plain, "technical")
    return latin and "|" not in text and len(said) >= MIN_UNKNOWN and not known


def _plain(text: str) -> str:
    """The words of a text in lower case, a space around each."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return f" {_SPACED.sub(' ', text).strip()} "


def _has(plain: str, kind: str) -> bool:
    return bool(_pattern(kind).search(plain))


def _sub(kind: str, plain: str) -> str:
    return f" {' '.join(_pattern(kind).sub(' ', f' {plain} ').split())} "


def _listed(kind: str) -> list[str]:
    """The phrases of a list; some are those by which restrictions are heard."""
    name, shared = (
        "licenses_words.yaml",
        {"names": "free", "weights": "weights", "hosted": "hosted", "open_names": "open"},
    )
    if kind in shared:
        name, kind = "licenses_prose.yaml", shared[kind]
    phrases: list[str] = fixture(name)[kind]
    return phrases


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    """The pattern of a list's phrases."""
    return re.compile(one_of(_listed(kind)))
