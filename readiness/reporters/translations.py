"""The words of the page, in each of its languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import yaml

from readiness.resources import LOADER, PACKAGE

LANGUAGES = ("en", "zh")


class Translations:
    """Looks words up by their names, and puts figures into them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = _catalogue()[language]

    def __call__(self, name: str, /, **figures: object) -> str:
        """The words of that name."""
        return self._words[name].format(**figures)


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    """All words, by language and name: a name stands once, beside all its translations."""
    path = PACKAGE / "reporters" / "translations.yaml"
    said = yaml.load(path.read_text("utf-8"), LOADER)
    return {each: {name: words[each] for name, words in said.items()} for each in LANGUAGES}
