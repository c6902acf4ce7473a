"""The texts of reports, in each language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

import yaml

from readiness.resources import LOADER, PACKAGE

LANGUAGES = ("en", "zh")
#: What parts the phrases of a reason, and what does so in Chinese.
PARTED = {": ": "：", ", ": "，", "; ": "；", " ": ""}
_PARTED = re.compile("|".join(PARTED))
_END = r"(?=$|[:,;] | \()"
#: It may be cut, also where a remark follows: then it has no end.
_CUT = r"(?=; would pass without )|$"
_QUOTED = rf"""'(?:[^'\\]|\\.)*?(?:'|{_CUT})|"(?:[^"\\]|\\.)*?(?:"|{_CUT})"""
_FIGURE = rf"""({_QUOTED}|[^'":;]+?)"""
#: What no phrase is known for: an excerpt, or words up to what parts them from the next.
_OTHER = re.compile(rf"(?:{_QUOTED})[:;,]? ?|.[^'\":;,(]*[:;,]? ?", re.DOTALL)
MAX_REASON = 400  # characters that are looked up


class Translations:
    """Looks up texts by name, and formats figures into them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = _catalogue()[language]

    def __call__(self, name: str, /, **figures: object) -> str:
        """The text of a name, with figures inserted."""
        return self._words[name].format(**figures)

    def holds(self, dimension: str) -> str:
        """What must hold in a dimension; "" for a user's own."""
        return self._words.get(f"holds_{dimension}", "")

    def requirement(self, check: Mapping[str, str]) -> str:
        """What a check requires; as it was recorded where the language has no text of it."""
        own = check["requirement"]
        return _texts(f"requirements_{self.language}.yaml").get(check["id"], own)

    def control(self, text: str) -> str:
        """A text of the controls; as it is where the language has none."""
        return _texts(f"controls_{self.language}.yaml").get(text, text)

    def reason(self, text: str) -> str:
        """Why a trial did not pass, by its known phrases; what else it says is kept."""
        if not self._phrases:
            return text
        said, rest = "", text[:MAX_REASON]
        while rest:
            part, end = self._phrase(rest)
            said, rest = said + part, rest[end:]
        return said + text[MAX_REASON:]

    def _phrase(self, text: str) -> tuple[str, int]:
        """The first phrase of a reason with what parts it from the next, and where that begins."""
        for pattern, template in self._phrases:
            if found := pattern.match(text):
                parted = _PARTED.match(text, found.end())
                mark, end = (PARTED[parted[0]], parted.end()) if parted else ("", found.end())
                return template.format(*found.groups()) + mark, end
        other = _OTHER.match(text)
        assert other is not None  # It matches any text.
        return other[0], other.end()

    @property
    def _phrases(self) -> Sequence[tuple[re.Pattern[str], str]]:
        return _reasons(self.language)


@cache
def _reasons(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """The phrases of reasons and their texts, those with the most words first."""
    known = sorted(_texts(f"reasons_{language}.yaml").items(), key=lambda pair: -len(pair[0]))
    return [
        (re.compile(_FIGURE.join(map(re.escape, phrase.split("{}"))) + _END, re.DOTALL), text)
        for phrase, text in known
    ]


@cache
def _texts(name: str) -> Mapping[str, str]:
    """The texts of a file by what they stand for; none in English, which the program has."""
    path = PACKAGE / "reporters" / name
    found: Mapping[str, str] = yaml.load(path.read_text("utf-8"), LOADER) if path.exists() else {}
    return found


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    """All texts, by language and name."""
    path = PACKAGE / "reporters" / "translations.yaml"
    texts = yaml.load(path.read_text("utf-8"), LOADER)
    return {each: {name: words[each] for name, words in texts.items()} for each in LANGUAGES}
