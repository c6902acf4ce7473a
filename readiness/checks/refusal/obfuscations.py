"""Disguises: ways to put a request past a filter, each of which can be undone by its reader."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from random import Random
from typing import Any

from readiness.checks.refusal.prompt_wording import PROMPTS
from readiness.forms.apply import neutral_text
from readiness.probe import Message
from readiness.resources import prompts

LETTERS: Mapping[str, Mapping[str, str]] = prompts("refusal_letters.yaml")
DISGUISES: Mapping[str, Sequence[Any]] = PROMPTS["disguises"]
CODED = frozenset(PROMPTS["coded"])
LANGUAGES = ("en", "ja")
#: About how many tokens follow a request: more than the classifiers of filters read.
FOLLOWING = 1_500
_MARKED = re.compile(r"\[(.+?)\]")
_TRADITIONAL = str.maketrans(dict(LETTERS["traditional"]))


def disguise(family: str, variant: Any, request: str) -> list[Message]:
    """Put a request, with its sensitive word in brackets, into a disguise."""
    if family == "turns":
        return _turns(variant, request)
    if family in WORDS:
        changed = _MARKED.sub(lambda found: WORDS[family](found[1], variant), request)
        return [_user(changed)]
    if family == "rot13":
        spelt = _MARKED.sub(lambda found: f"[{rot13(found[1])}]", request)
        return [_user(variant.replace("{request}", spelt))]
    whole = WHOLE.get(family, str)(plain(request))
    said = variant.replace("{request}", whole)
    if "{text}" in said:
        said = said.replace("{text}", neutral_text("zh", Random(request), FOLLOWING))
    return [_user(said)]


def plain(request: str) -> str:
    """A request without its brackets."""
    return _MARKED.sub(r"\1", request)


def spell(word: str) -> list[str]:
    """How each letter of a word sounds, in pinyin without tones."""
    return [LETTERS["pinyin"][letter] for letter in word]


def rot13(word: str) -> str:
    """A word in pinyin, each letter replaced by the one thirteen places on."""
    return codecs.encode(" ".join(spell(word)), "rot13")


def traditional(text: str) -> str:
    """A text in traditional characters."""
    return text.translate(_TRADITIONAL)


def homophones(word: str, which: str) -> str:
    """A word with other letters of the same sound, in the places that `which` names."""
    return _replaced(word, [LETTERS["homophones"][letter] for letter in word], which)


def pinyin(word: str, how: str) -> str:
    """A word in pinyin, joined by `how`; or only its first or last letter so."""
    if how in ("first", "last"):
        return _replaced(word, spell(word), how)
    return how.join(spell(word))


def _replaced(word: str, by: Sequence[str], which: str) -> str:
    places = {"all": range(len(word)), "first": [0], "last": [len(word) - 1]}[which]
    return "".join(by[at] if at in places else letter for at, letter in enumerate(word))


def _turns(script: Sequence[str], request: str) -> list[Message]:
    """A scripted conversation that ends in the request."""
    found = _MARKED.search(request)
    word = found[1] if found else ""
    said = [turn.format(request=plain(request), word=word) for turn in script]
    return [
        {"role": role, "content": text}
        for role, text in zip(cycle(("user", "assistant")), said, strict=False)
    ]


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


WORDS: Mapping[str, Callable[[str, str], str]] = {
    "pinyin": pinyin,
    "symbols": lambda word, separator: separator.join(word),
    "homophones": homophones,
}
WHOLE: Mapping[str, Callable[[str], str]] = {
    "traditional": traditional,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "reversed": lambda text: text[::-1],
}
