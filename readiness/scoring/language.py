"""Which language a text is in, sentence by sentence: by its script, and then by its letters."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

#: The languages that a reply may be in; to choose among few is what makes short texts clear.
LANGUAGES = ("es", "pt", "it", "fr", "ca", "en", "zh", "ja")
# Below, statistics of letters are no evidence. A character says more than a letter does.
FEWEST_LETTERS, FEWEST_CHARACTERS = 20, 16
#: A sentence is of another language where its own is less likely than this. Of 96 Spanish sentences
#: the least sure had 0.27; of 31 in Portuguese, Italian or English all but one had less than 0.2.
DOUBT = 0.2

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]")
_HIRAGANA = re.compile("[\u3041-\u3096]")
_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_ENDS = re.compile(r"(?<=[.!?…])[\"'»”)*]*\s+|(?<=[。！？])|\s*[\n:;；：]\s*")
# They belong to Spanish too: 1.ª and 2.º, and µ is a unit.
_SCRIPTS = ("LATIN", "GREEK", "MICRO", "FEMININE", "MASCULINE", "MODIFIER")


def foreign(text: str, language: str, letters: int = FEWEST_LETTERS) -> str:
    """The first sentence of a text (in NFC) that is in another language; "" where there is none.

    Args:
        text: What is looked through.
        language: The one that it should be in.
        letters: How many a sentence must have for its language to be judged.
    """
    parts = [part for part in _ENDS.split(text) if part and _is_evidence(part, letters)]
    # Of a text of short sentences none is evidence, and all of it may be.
    parts += [] if parts or not _is_evidence(text, letters) else [text]
    return next((part for part in parts if _likely(part, language) < DOUBT), "")


def strays(text: str) -> str:
    """The letters of a text that no European language has, and characters that were lost."""
    return "".join(
        char
        for char in unicodedata.normalize("NFKC", text)
        if char == "\ufffd"
        or (char.isalpha() and not unicodedata.name(char, "").startswith(_SCRIPTS))
    )


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


def _is_evidence(text: str, letters: int) -> bool:
    cjk = han_in(text) + kana_in(text)
    return cjk >= FEWEST_CHARACTERS or letters_in(text) - cjk >= letters


def _likely(text: str, language: str) -> float:
    """How likely it is that a text is in a language."""
    letters, han, kana = letters_in(text), han_in(text), kana_in(text)
    if 2 * (han + kana) >= letters:
        return float(language == ("ja" if kana else "zh"))
    if 2 * len(strays(text)) >= letters:
        return 0.0
    # In capitals there is no statistics of letters.
    ranked = dict(_identifier().rank(text.lower() if text.isupper() else text))
    return float(ranked[language])


@cache
def _identifier() -> Any:
    # A second and some 80 MB, which a run without these checks does not pay.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
