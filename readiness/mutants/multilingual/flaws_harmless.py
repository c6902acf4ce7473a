"""Harmless variants of marketing copy in three languages."""

from __future__ import annotations

import re
import unicodedata

from readiness.mutants.flaw import Flaw
from readiness.mutants.multilingual.flaws import Change, says
from readiness.mutants.multilingual.reader import CopyRequest

_ANC = "Active Noise Cancellation"
_FILL = {"zh": "买它。", "en": " Try it.", "ja": "試して。"}
_SLOGANS = {"zh": "亲自来听一听。", "en": " Try it for yourself.", "ja": "今日から試して。"}
_LIMITS = {"zh": 212, "en": 520, "ja": 312}
# As Chinese and Japanese write numbers below a hundred.
_DIGITS = "〇一二三四五六七八九"
_WORDS = {12: "twelve", 22: "twenty-two", 28: "twenty-eight", 36: "thirty-six", 48: "forty-eight"}


def _dotted(wish: CopyRequest, text: str) -> str:
    """Middle dots separate the words of a Japanese term."""
    term = "アクティブノイズキャンセリング"
    return text.replace(term, "アクティブ・ノイズ・キャンセリング")


def _american(_wish: CopyRequest, text: str) -> str:
    return text.replace(_ANC, "active noise canceling")


def _abbreviated(_wish: CopyRequest, text: str) -> str:
    return f"{text.replace(_ANC, f'{_ANC} (ANC)')} ANC wins." if _ANC in text else text


def _hyphened(wish: CopyRequest, text: str) -> str:
    return text.replace(wish.terms[0], wish.terms[0].replace(" ", "-"))


def _lower(wish: CopyRequest, text: str) -> str:
    return text.replace(wish.terms[0], wish.terms[0].lower())


def _emphasised(wish: CopyRequest, text: str) -> str:
    return text.replace(wish.terms[1], f"**{wish.terms[1]}**")


def _full_width(wish: CopyRequest, text: str) -> str:
    if wish.language == "en":
        return text
    wide = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}
    return text.replace(wish.figure, wish.figure.translate(wide))


def _spelled(wish: CopyRequest, text: str) -> str:
    """Numbers in words."""

    def said(found: re.Match[str]) -> str:
        number = int(found[0])
        if wish.language == "en":
            return _WORDS.get(number, found[0])
        ten, one = divmod(number, 10)
        return f"{'' if ten == 1 else _DIGITS[ten]}十{_DIGITS[one] if one else ''}"

    return text.replace(wish.figure, re.sub(r"\d+", said, wish.figure))


def _as_adjective(wish: CopyRequest, text: str) -> str:
    """36-hour for 36 hours, as English has it before a noun."""
    adjective = re.sub(r"(\d+) (\w+?)s\b.*", r"gives you a full \1-\2 promise", wish.figure)
    return text.replace(wish.figure, adjective) if wish.language == "en" else text


def _slightly_long(wish: CopyRequest, text: str) -> str:
    while len(text) + len(_FILL[wish.language]) <= _LIMITS[wish.language]:
        text += _FILL[wish.language]
    return text


def _lines(_wish: CopyRequest, text: str) -> str:
    return re.sub(r"(?<=[。.]) ?(?=.)", "\n\n", text)


_HARMLESS: list[tuple[str, str, Change]] = [
    ("copy_middle_dots", "ア・イ is アイ", _dotted),
    ("copy_american", "canceling is American for cancellation, if it always is", _american),
    ("copy_abbreviated", "after its full form a term may be abbreviated", _abbreviated),
    ("copy_hyphens", "hyphens may join a term's words", _hyphened),
    ("copy_lower_case", "a term may begin with a small letter", _lower),
    ("copy_emphasis", "a term may be in bold face", _emphasised),
    ("copy_full_width", "digits may be of full width", _full_width),
    ("copy_spelled", "numbers may be in words", _spelled),
    ("copy_adjective", "36-hour has the figure", _as_adjective),
    ("copy_slightly_long", "a few characters too many are let pass", _slightly_long),
    (
        "copy_slogan_twice",
        "a slogan may come twice",
        lambda wish, text: text + 2 * _SLOGANS[wish.language],
    ),
    (
        "copy_bye_bye",
        "a word may come twice on purpose, and an address has no space",
        lambda wish, text: (
            f"{text} Bye bye, tiny tiny Node.Js!\nwww.Example.Com"
            if wish.language == "en"
            else text
        ),
    ),
    ("copy_lines", "each sentence may have a line of its own", _lines),
    (
        "copy_newline",
        "white space at the end is none of the text",
        lambda _wish, text: f"{text}\n\n",
    ),
    (
        "copy_decomposed",
        "voiced kana may be two characters",
        lambda _wish, text: unicodedata.normalize("NFD", text),
    ),
]

FLAWS = [Flaw(name, about, change_output=says(change)) for name, about, change in _HARMLESS]
