"""Which language a text is in, sentence by sentence: by its script, and then by its letters."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

#: The languages that a reply may be in; to choose among few is what makes short texts clear.
LANGUAGES = ("es", "gl", "pt", "it", "fr", "ca", "en", "zh", "ja")
# Below, statistics of letters are no evidence. A character says more than a letter does.
FEWEST_LETTERS, FEWEST_CHARACTERS = 20, 16
#: A text is of another language where its own is less likely than this, by how many letters it
#: has at the least: the shorter it is, the surer one has to be. At these, of 1405 Spanish sentences
#: of the UD treebanks PUD and GSD two are called foreign, for titles in French and English; of 500
#: Galician ones of PUD 19 pass, and of those and 487 of TreeGal no four in a row.
DOUBTS = ((60, 0.4), (45, 0.3), (30, 0.1), (0, 0.05))
#: What has hardly a word beside names is judged only where its own language is less likely still.
NAMES_ALONE = 0.02
#: In Chinese and Japanese copy, so many characters weigh as much as one word in small letters.
CHARACTERS_PER_WORD = 4
#: Of Japanese so much is kana; in a clause there may be none, and in Chinese there may be a name.
LEAST_KANA = 0.1

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]")
_HIRAGANA = re.compile("[\u3041-\u3096]")
_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WIDE_MARK = re.compile("[、。，．：；？！]")
# Initials end no sentence, nor does the first half of "a. C."
_ENDS = re.compile(r"(?<=[.!?…])(?<!\b[^\W\d_]\.)[\"'»”)*]*\s+|(?<=[。！？])|\s*[\n:;；：]\s*")
# Words of no language: names, which have capitals within a sentence, figures in them, or are code.
_NAME = re.compile(r"`[^`]*`|https?://\S+|(?<=\S )[\"'“«(*_]*[^\W\d_a-zà-ÿ]\S*|\S*[\d_@/]\S*")
_LATIN_WORD = re.compile("[A-Za-zÀ-ÿ]+")
#: Small words of its neighbours that Spanish has not, for texts too short for statistics.
_OTHERS = (
    "the and of with is are you your this that answer result com não uma é em isso eles nem foi ao "
    "resposta il gli è della risposta risultato amb els és dels resultat et est avec vous réponse "
    "résultat non unha dun dunha nunha pola coa máis"
)
_NOT_SPANISH = frozenset(_OTHERS.split())
# Characters that no Japanese text has: those without a code there, and the words of Chinese.
_CHINESE_WORDS = frozenset("这這们們您你吗嗎呢吧啊很让讓它她仅也")
# They belong to Spanish too: 1.ª and 2.º, and µ is a unit.
_SCRIPTS = ("LATIN", "GREEK", "MICRO", "FEMININE", "MASCULINE", "MODIFIER")


def foreign(text: str, language: str, letters: int = FEWEST_LETTERS) -> str:
    """The first sentence of a text (in NFC) that is in another language; "" where there is none.

    A text of many short sentences is judged as a whole besides.

    Args:
        text: What is looked through.
        language: The one that it should be in.
        letters: How many a sentence must have for its language to be judged.
    """
    # Of a text of short sentences none is evidence, and all of it may be.
    parts = [*filter(None, _ENDS.split(text)), text]
    return next((part for part in parts if _is_foreign(part, language, letters, text)), "")


def strays(text: str) -> str:
    """The letters of a text that no European language has, and characters that were lost."""
    return "".join(
        char
        for char in unicodedata.normalize("NFKC", text)
        if char == "\ufffd"
        or (char.isalpha() and not unicodedata.name(char, "").startswith(_SCRIPTS))
    )


def wide_marks(text: str) -> str:
    """The marks between sentences of Chinese and Japanese in a text."""
    return "".join(_WIDE_MARK.findall(text))


def letters_in(text: str) -> int:
    """How many letters a text has, in whichever script."""
    return sum(map(str.isalpha, text))


def kana_in(text: str) -> int:
    """How many kana a text has, which are in Japanese alone."""
    return len(_KANA.findall(text))


def hiragana_in(text: str) -> int:
    """How many hiragana a text has, without which there is no sentence in Japanese."""
    return len(_HIRAGANA.findall(text))


def han_in(text: str) -> int:
    """How many Chinese characters a text has; Japanese has them too."""
    return len(_HAN.findall(text))


def has_words_of_others(text: str) -> bool:
    """Whether a text that should be Spanish has one of the small words of its neighbours."""
    return not _NOT_SPANISH.isdisjoint(re.findall(r"[^\W\d_]+", text.casefold()))


def is_written_in_characters(text: str) -> bool:
    """Whether a text is Chinese or Japanese, however many names in Latin letters it has."""
    characters = han_in(text) + kana_in(text)
    words = _LATIN_WORD.findall(text)
    small = [word for word in words if word.islower() and len(word) > 2]
    return characters > max(len(words), CHARACTERS_PER_WORD * len(small))


def is_chinese_alone(text: str) -> bool:
    """Whether a text has characters that Chinese has and Japanese has not."""
    return any(
        char in _CHINESE_WORDS or (_HAN.match(char) and not char.encode("cp932", "ignore"))
        for char in text
    )


def _is_foreign(part: str, language: str, letters: int, text: str) -> bool:
    """Whether a part of a text is surely in another language."""
    characters = han_in(part) + kana_in(part)
    if is_written_in_characters(part):
        return characters >= FEWEST_CHARACTERS and language != _language_in_characters(part, text)
    # In capitals there is no statistics of letters.
    part = part.lower() if part.isupper() else part
    words = _NAME.sub("", part)
    if letters_in(part) - characters < letters:
        return False
    if 2 * len(strays(part)) >= letters_in(part):
        return True
    others = language == "es" and has_words_of_others(words)
    if letters_in(words) < letters:
        return others or _likely(part, language) < NAMES_ALONE
    doubt = next(doubt for least, doubt in DOUBTS if others or letters_in(words) >= least)
    return max(_likely(part, language), _likely(words, language)) < doubt


def _language_in_characters(part: str, text: str) -> str:
    """Chinese or Japanese: a part without kana is Japanese where all of the text is."""
    if kana_in(part) >= LEAST_KANA * (han_in(part) + kana_in(part)):
        return "ja"
    is_japanese = kana_in(text) >= LEAST_KANA * (han_in(text) + kana_in(text))
    return "ja" if is_japanese and not is_chinese_alone(part) else "zh"


def _likely(text: str, language: str) -> float:
    """How likely it is that a text is in a language, by its letters."""
    return float(dict(_identifier().rank(text))[language])


@cache
def _identifier() -> Any:
    # A second and some 80 MB, which a run without these checks does not pay.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
