"""A page without end: Chinese text as it comes out of a PDF."""

from __future__ import annotations

from readiness.checks.long_context.document_report import neutral
from readiness.checks.long_context.prompt_wording import PROMPTS, Recipe
from readiness.probe import Message

#: What the article advises: pieces of so many characters, each with the end of the one before it.
PIECE, OVERLAP = 5_000, 500


def page(recipe: Recipe, characters: int, paragraph: int = 0) -> str:
    """So many characters without a line break, or with one after each paragraph."""
    random = recipe.random(characters)
    text, written = [f"{random.getrandbits(128):032x}"], 32
    while written < characters:
        text.append(neutral(random, "zh"))
        written += len(text[-1])
    whole = "".join(text)[:characters]
    if not paragraph:
        return whole
    starts = range(0, characters, paragraph)
    return "\n".join(whole[start : start + paragraph] for start in starts)


def asked(text: str) -> list[Message]:
    """The request to say in a sentence what a text is about; the text comes first."""
    return [{"role": "user", "content": f"{text}\n{PROMPTS['page']['asking']}"}]


def pieces(text: str) -> list[str]:
    """The text in pieces that overlap."""
    step = PIECE - OVERLAP
    return [text[start : start + PIECE] for start in range(0, max(len(text) - OVERLAP, 1), step)]
