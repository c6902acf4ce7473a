"""The wording of long documents: sentences by language, and generated names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from string import ascii_uppercase
from typing import Any

from readiness.resources import prompts

PROMPTS: Any = prompts("long_context.yaml")
LANGUAGES = ("zh", "en", "mixed")
#: The number of keys per word: the word with a suffix of five digits.
KEYS_PER_WORD = 90_000
VARIABLES = 100


@dataclass(frozen=True)
class Recipe:
    """The specification of a document, from which it is generated deterministically.

    Its repr is in evidence, as the key of a shared request: its name and fields stay.
    """

    kind: str
    language: str
    seed: int
    number: int

    @property
    def id(self) -> str:
        """The identifier in probe ids."""
        return f"{self.kind}.{self.language}.{self.number:02}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the document's lines."""
        return ("zh", "en") if self.language == "mixed" else (self.language,)

    @property
    def frame(self) -> str:
        """The language of the instructions around the document."""
        return self.languages[0]

    def random(self, characters: int) -> Random:
        """The document's random generator; documents of other lengths share no names."""
        return Random(f"long_context/{self.seed}/{self.id}/{characters}")

    def system(self, random: Random) -> tuple[str, str]:
        """The system message, headed by a nonce, and the code that replies are to begin with."""
        code = f"HC-{random.randrange(10**4, 10**5)}"
        nonce = f"{random.getrandbits(128):032x}"
        return PROMPTS["system"][self.frame].format(nonce=nonce, code=code), code


@dataclass(frozen=True)
class UniqueNames:
    """Keys, values and variable names, each used once."""

    keys: Mapping[str, Iterator[str]]
    values: Iterator[str]
    variables: Iterator[str]

    @classmethod
    def draw(cls, random: Random, recipe: Recipe, limit: int) -> UniqueNames:
        """Sample up to `limit` keys and values."""
        letters = random.sample(range(26**5), VARIABLES)
        return cls(
            {each: _keys(random, each, limit) for each in recipe.languages},
            map(str, random.sample(range(10**6, 10**7), limit)),
            map(_letters, letters),
        )


def line(kind: str, language: str, **parts: str) -> str:
    """A line of a log."""
    text: str = PROMPTS["log"]["lines"][kind][language]
    return text.format(**parts)


def question(kind: str, language: str, **parts: str) -> str:
    """A question about a log."""
    text: str = PROMPTS["log"]["questions"][kind][language]
    return text.format(**parts)


def _keys(random: Random, language: str, limit: int) -> Iterator[str]:
    words: list[str] = PROMPTS["words"][language]
    sampled = random.sample(range(len(words) * KEYS_PER_WORD), limit)
    return (f"{words[each // KEYS_PER_WORD]}-{each % KEYS_PER_WORD + 10_000}" for each in sampled)


def _letters(number: int) -> str:
    """The number as five capital letters, in base 26."""
    letters = ""
    for _ in range(5):
        number, place = divmod(number, 26)
        letters += ascii_uppercase[place]
    return letters
