"""A report with twenty key figures in a sea of sentences without any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from readiness.checks.long_context.document import Expected, Figure, Paper
from readiness.checks.long_context.prompt_wording import PROMPTS, Recipe

FIGURES = 20
PARAGRAPH = 6  # sentences
HEADING = 10  # paragraphs
FIRST_DAY, DAYS = date(2026, 1, 1), 700


def report(recipe: Recipe, characters: int) -> Paper:
    """A report, so many characters long in all, or as long as its figures need."""
    random = recipe.random(characters)
    system, code = recipe.system(random)
    words, frame = PROMPTS["report"], recipe.frame
    figures = _figures(random, frame)
    start, end = words["opening"][frame], words["asking"][frame]
    room = characters - len(system) - len(start) - len(end)
    said = "\n".join([start, *_paragraphs(random, frame, figures, room), end])
    messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
    return Paper(messages, Expected(code, figures=figures, end=words["end"][frame]))


def _figures(random: Random, language: str) -> tuple[Figure, ...]:
    names = random.sample(sorted(PROMPTS["report"]["names"][language]), FIGURES)
    numbers = random.sample(range(10**4, 10**5), FIGURES)
    days = random.sample(range(DAYS), FIGURES)
    return tuple(
        Figure(name, str(number), (FIRST_DAY + timedelta(day)).isoformat())
        for name, number, day in zip(names, numbers, days, strict=True)
    )


def _paragraphs(
    random: Random, language: str, figures: tuple[Figure, ...], characters: int
) -> Iterator[str]:
    """Paragraphs with headings; each figure stands in a place of its own."""
    waiting = list(reversed(figures))
    between = " " if language == "en" else ""
    written = number = 0
    while written < characters or waiting:
        if number % HEADING == 0:
            yield heading(random, language)
        sentences = [neutral(random, language) for _ in range(PARAGRAPH)]
        due = (len(figures) - len(waiting) + 0.5) / len(figures) * characters
        if written >= characters:
            # No room for more than the figures: as when tokens are counted in a short report.
            sentences = [_told(random, language, each) for each in reversed(waiting)]
            waiting.clear()
        elif waiting and written >= due:
            sentences.insert(random.randrange(PARAGRAPH), _told(random, language, waiting.pop()))
        text = between.join(sentences)
        written, number = written + len(text) + 1, number + 1
        yield text


def heading(random: Random, language: str) -> str:
    """A heading."""
    words = PROMPTS["report"]
    text: str = words["heading"][language]
    return text.format(where=random.choice(words["who"][language]))


def neutral(random: Random, language: str) -> str:
    """A sentence that says next to nothing, and no number."""
    words = PROMPTS["report"]
    who, other = random.sample(words["who"][language], 2)
    topic, after = random.choice(words["topics"][language]), random.choice(words["after"][language])
    text: str = random.choice(words["neutral"][language])
    said = text.format(who=who, other=other, topic=topic, after=after)
    return said[0].upper() + said[1:]


def _told(random: Random, language: str, figure: Figure) -> str:
    words = PROMPTS["report"]
    text: str = random.choice(words["figure"][language])
    unit = words["names"][language][figure.name]
    return text.format(name=figure.name, number=figure.number, unit=unit, date=figure.date)
