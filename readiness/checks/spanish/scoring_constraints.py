"""The rules that an order in Spanish may set, each with what tells whether a text keeps it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from readiness.scoring.strict_json import NotJson, strict

#: What is wrong with a text, in words; "" where it keeps the rule.
ConstraintRule = Callable[..., str]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Abbreviations; those that stand last, as an initial may, end a sentence besides or do not.
_MAY_END = r"ee\. ?uu|[ad]\. ?(?:de )?c|[ap]\. ?m|etc|uds?|(?-i:[A-ZÁÉÍÓÚÑ])"
_SHORT = re.compile(
    rf"\b(?:p\. ?ej|sra?s?|dra?s?|vds?|prof|av|núm|n[.º]*|{_MAY_END})\.", re.IGNORECASE
)
_AMBIGUOUS = re.compile(rf"\b(?:{_MAY_END})\.(?=\s+(?-i:[^a-záéíóúñ]))(?!\s+\w\.)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?:[.!?…]+[\"'»”)\]*]*(?=\s+[^a-záéíóúñ]|$)|\n+)\s*")
_BULLET = re.compile(r"^\s*(?:[-–—•*]\s+\S|[-–—•][\"“«¿¡(*]*[^\W_])", re.MULTILINE)
_TITLE = re.compile(r"[#*_\s]*«[^«»\n]+»[*_.\s]*")
_BLANK = re.compile(r"\[[^\[\]\n]+\]")
_QUESTION = re.compile(r"¿[^¿?]*[^\W\d_][^¿?]*\?")
_POSTSCRIPT = re.compile(r"^[*_\s]*P\. ?D\.?:?[*_]*:?\s*\S", re.IGNORECASE)
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_BARE = str.maketrans("áéíóúü", "aeiouu")
_AROUND = "\"'“”«»*_ \t\r\n"


def words_in(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def sentences_in(text: str) -> list[str]:
    """The sentences of a text; a line of its own is one, with or without a full stop."""
    text = _SHORT.sub(lambda found: found[0].replace(".", ""), text)
    return [part for part in _SENTENCE_END.split(text.strip()) if _WORD.search(part)]


def count(text: str, word: str) -> int:
    """How often a text has a word, in the singular or the plural, with its accents or without."""
    word = word.translate(_BARE)
    forms = {word, f"{word}s", f"{word}es"}
    return sum(each.translate(_BARE) in forms for each in words_in(text))


def includes(text: str, first: str, second: str) -> str:
    """Two words stand in the text."""
    missing = [word for word in (first, second) if not count(text, word)]
    return f"the words {missing!r} are missing" if missing else ""


def avoids(text: str, first: str, second: str) -> str:
    """Neither of two words stands in the text."""
    found = {first, second} & {*words_in(text)}
    return f"the words {sorted(found)!r} are there" if found else ""


def repeats(text: str, word: str, times: int) -> str:
    """A word comes so many times, at the least."""
    return _at_least(count(text, word), times, f"times {word!r}")


def sentences(text: str, n: int) -> str:
    """The text has that many sentences; where "a. C." may end one or not, either will do."""
    least = len(sentences_in(text))
    most = least + len(_AMBIGUOUS.findall(text))
    return "" if least <= n <= most else _exactly(least, n, "sentences")


def words(text: str, least: int, most: int) -> str:
    """The number of words lies between two bounds."""
    found = len(words_in(text))
    return "" if least <= found <= most else f"{found} words, not {least} to {most}"


def bullets(text: str, n: int) -> str:
    """The text is a list of that many points."""
    return _exactly(len(_BULLET.findall(text)), n, "bullets")


def paragraphs(text: str, n: int) -> str:
    """Empty lines part the text in that many paragraphs."""
    parts = [part for part in _PARAGRAPHS.split(text.strip()) if _WORD.search(part)]
    return _exactly(len(parts), n, "paragraphs")


def starts(text: str, phrase: str) -> str:
    """The text begins with a phrase."""
    begins = words_in(text)[: len(words_in(phrase))] == words_in(phrase)
    return "" if begins and text.lstrip(_AROUND)[:1].isalpha() else f"it begins {text[:40]!r}"


def ends(text: str, phrase: str) -> str:
    """The text ends with a phrase."""
    there = words_in(text)[-len(words_in(phrase)) :] == words_in(phrase)
    return "" if there else f"it ends {text[-40:]!r}"


def lower(text: str) -> str:
    """No letter is a capital."""
    found = [char for char in text if unicodedata.category(char) in ("Lu", "Lt")]
    return f"capitals: {''.join(found)!r:.40}" if found else ""


def upper(text: str) -> str:
    """Every letter is a capital."""
    found = [char for char in text if unicodedata.category(char) == "Ll"]
    return f"small letters: {''.join(found)!r:.40}" if found else ""


def no_commas(text: str) -> str:
    """The text has no comma."""
    return f"{text.count(',')} commas" if "," in text else ""


def json(text: str) -> str:
    """The text is a JSON object with a title and a summary, and nothing else."""
    try:
        value = strict(text)
    except NotJson as error:
        return str(error)
    keys = sorted(value) if isinstance(value, dict) else None
    if keys != ["resumen", "titulo"]:
        return f"no object with the keys asked for: {text!r:.80}"
    empty = [key for key in keys if not (isinstance(value[key], str) and value[key].strip())]
    return f"no text under {empty!r}" if empty else ""


def title(text: str) -> str:
    """The first line is a title in angular quotation marks, and text follows it."""
    first, _, rest = text.strip().partition("\n")
    if not _TITLE.fullmatch(first):
        return f"the first line is {first!r:.80}"
    return "" if _WORD.search(rest) else "nothing below the title"


def blanks(text: str, n: int) -> str:
    """So many blanks in brackets are left, at the least."""
    return _at_least(len(_BLANK.findall(text)), n, "blanks in brackets")


def enye(text: str, n: int) -> str:
    """So many different words have an ñ, at the least."""
    return _at_least(len({word for word in words_in(text) if "ñ" in word}), n, "words with ñ")


def accents(text: str, n: int) -> str:
    """So many different words have an accent, at the least."""
    found = {word for word in words_in(text) if re.search("[áéíóú]", word)}
    return _at_least(len(found), n, "words with an accent")


def question(text: str) -> str:
    """The text asks something, between both marks."""
    marks = text.count("¿"), text.count("?")
    if marks[0] != marks[1]:
        return f"{marks[0]} marks that open a question, {marks[1]} that close one"
    return "" if _QUESTION.search(text) else "no question between both marks"


def postscript(text: str) -> str:
    """The last paragraph that has a line of its own begins as a postscript does."""
    *before, last = [line for line in text.splitlines() if line.strip()]
    found = [line for line in (*before[-1:], last) if _POSTSCRIPT.match(line)]
    return "" if before and found else f"the last line is {last!r:.80}"


def twice(text: str) -> str:
    """Six asterisks part two texts that differ."""
    parts = re.split(r"^[ \t]*\\?\*(?:\\?\*){5}[ \t]*$", text, flags=re.MULTILINE)
    if len(parts) != 2:
        return f"{len(parts) - 1} lines of six asterisks, not 1"
    first, second = (words_in(part) for part in parts)
    if not (first and second):
        return "one of the two texts is missing"
    return "both texts are the same" if first == second else ""


def _exactly(found: int, wanted: int, what: str) -> str:
    return "" if found == wanted else f"{found} {what}, not {wanted}"


def _at_least(found: int, wanted: int, what: str) -> str:
    return "" if found >= wanted else f"{found} {what}, not {wanted} or more"


#: By the name that the prompts have for them.
RULES: Mapping[str, ConstraintRule] = {
    rule.__name__: rule
    for rule in (
        includes, avoids, repeats, sentences, words, bullets, paragraphs, starts, ends, lower,
        upper, no_commas, json, title, blanks, enye, accents, question, postscript, twice,
    )
}  # fmt: skip


def prose(text: str) -> str:
    """What a person reads of a reply: of a JSON object, its values."""
    try:
        value = strict(text)
    except NotJson:
        return text
    return "\n".join(map(str, value.values())) if isinstance(value, dict) else text


def broken(name: str, text: str, wanted: Mapping[str, Any]) -> str:
    """What of a rule a text does not keep."""
    return f"{name}: {wrong}" if (wrong := RULES[name](text, **wanted)) else ""
