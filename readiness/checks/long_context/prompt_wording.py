"""The words of long documents: the sentences of a language, and names that nobody has heard of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from string import ascii_uppercase
from typing import Any

from readiness.resources import prompts

PROMPTS: Any = prompts("long_context.yaml")
LANGUAGES = ("zh", "en", "mixed")
#: How many names a word has, each with a number of five digits behind it.
EACH = 90_000
VARIABLES = 100


@dataclass(frozen=True)
class Recipe:
    """Which document: it is written anew wherever it is needed, and always the same."""

    kind: str
    language: str
    seed: int
    number: int

    @property
    def id(self) -> str:
        """What its probes are called by."""
        return f"{self.kind}.{self.language}.{self.number:02}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of its lines."""
        return ("zh", "en") if self.language == "mixed" else (self.language,)

    @property
    def frame(self) -> str:
        """The language of what stands around the document."""
        return self.languages[0]

    def random(self, characters: int) -> Random:
        """The dice of the document at that length; at another it shares not one name with it."""
        return Random(f"long_context/{self.seed}/{self.id}/{characters}")

    def system(self, random: Random) -> tuple[str, str]:
        """The first message, which begins with a nonce, and the code that replies begin with."""
        code = f"HC-{random.randrange(10**4, 10**5)}"
        nonce = f"{random.getrandbits(128):032x}"
        return PROMPTS["system"][self.frame].format(nonce=nonce, code=code), code


@dataclass(frozen=True)
class Names:
    """Names and numbers, none of which comes twice."""

    keys: Mapping[str, Iterator[str]]
    values: Iterator[str]
    variables: Iterator[str]

    @classmethod
    def draw(cls, random: Random, recipe: Recipe, most: int) -> Names:
        """Draw no more than so many keys and values."""
        letters = random.sample(range(26**5), VARIABLES)
        return cls(
            {each: _keys(random, each, most) for each in recipe.languages},
            map(str, random.sample(range(10**6, 10**7), most)),
            map(_letters, letters),
        )


def line(kind: str, language: str, **parts: str) -> str:
    """A line of a log."""
    text: str = PROMPTS["log"]["lines"][kind][language]
    return text.format(**parts)


def question(kind: str, language: str, **parts: str) -> str:
    """A question that is asked of a log."""
    text: str = PROMPTS["log"]["questions"][kind][language]
    return text.format(**parts)


def _keys(random: Random, language: str, most: int) -> Iterator[str]:
    words: list[str] = PROMPTS["words"][language]
    drawn = random.sample(range(len(words) * EACH), most)
    return (f"{words[each // EACH]}-{each % EACH + 10_000}" for each in drawn)


def _letters(number: int) -> str:
    """Five capital letters."""
    letters = ""
    for _ in range(5):
        number, place = divmod(number, 26)
        letters += ascii_uppercase[place]
    return letters
