"""The texts of reports, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import yaml

from readiness.resources import LOADER, PACKAGE

LANGUAGES = ("en", "zh")


class Translations:
    """Looks up texts by name, and formats figures into them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = _catalogue()[language]

    def __call__(self, name: str, /, **figures: object) -> str:
        """The text of a name, with figures inserted."""
        return self._words[name].format(**figures)


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    """All texts, by language and name."""
    path = PACKAGE / "reporters" / "translations.yaml"
    texts = yaml.load(path.read_text("utf-8"), LOADER)
    return {each: {name: words[each] for name, words in texts.items()} for each in LANGUAGES}
