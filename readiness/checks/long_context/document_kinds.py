"""The kinds of long documents: a log with needles, a report with key figures, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from readiness.checks.long_context.document import DocumentAnswers, KeyFigure, LongDocument
from readiness.checks.long_context.needles import Needles
from readiness.checks.long_context.prompt_wording import PROMPTS, Names, Recipe, line
from readiness.probe import Message

SHORTEST = 24  # characters of a line
PLANTED = 100  # More lines than are planted, however short the log is.
SECTION = 50  # lines
DISTRACTIONS = 5
#: A shorter log has no room for lines that nobody asks for, beside the records.
ROOMY = 20_000


def log(recipe: Recipe, characters: int) -> LongDocument:
    """A log, so many characters long in all, or as long as its questions need."""
    random = recipe.random(characters)
    system, code = recipe.system(random)
    names = Names.draw(random, recipe, characters // SHORTEST + PLANTED)
    plants = Needles(recipe, random, names)
    plants.add_questions()
    for _ in range(DISTRACTIONS if characters >= ROOMY else 0):
        plants.add_distractors()
    words, frame = PROMPTS["log"], recipe.frame
    asked = [words["asking"][frame]]
    asked += [f"{each.label}: {each.text}" for each in plants.questions]
    end = "\n".join([*asked, words["form"][frame]])
    room = characters - len(system) - len(words["opening"][frame]) - len(end)
    said = "\n".join([words["opening"][frame], *_lines(plants, recipe, room), end])
    messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
    return LongDocument(messages, DocumentAnswers(code, tuple(plants.questions)))


def _lines(plants: Needles, recipe: Recipe, characters: int) -> Iterator[str]:
    """What is planted, each line at its depth, and records everywhere else."""
    # Between two lines of the same depth the one that was planted first comes first.
    planted = sorted(plants.lines, key=lambda each: each[0], reverse=True)
    written = lines = 0
    while written < characters or planted:
        if (planted and planted[-1][0] * characters <= written) or written >= characters:
            text = planted.pop()[1]
        elif lines % SECTION == SECTION - 1:
            text = line("section", recipe.frame, number=f"{lines // SECTION + 1:04}")
        else:
            text = plants.any_record()
        written, lines = written + len(text) + 1, lines + 1
        yield text


FIGURES = 20
PARAGRAPH = 6  # sentences
HEADING = 10  # paragraphs
FIRST_DAY, DAYS = date(2026, 1, 1), 700


def report(recipe: Recipe, characters: int) -> LongDocument:
    """A report, so many characters long in all, or as long as its figures need."""
    random = recipe.random(characters)
    system, code = recipe.system(random)
    words, frame = PROMPTS["report"], recipe.frame
    figures = _figures(random, frame)
    start, end = words["opening"][frame], words["asking"][frame]
    room = characters - len(system) - len(start) - len(end)
    said = "\n".join([start, *_paragraphs(random, frame, figures, room), end])
    messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
    return LongDocument(messages, DocumentAnswers(code, figures=figures, end=words["end"][frame]))


def _figures(random: Random, language: str) -> tuple[KeyFigure, ...]:
    names = random.sample(sorted(PROMPTS["report"]["names"][language]), FIGURES)
    numbers = random.sample(range(10**4, 10**5), FIGURES)
    days = random.sample(range(DAYS), FIGURES)
    return tuple(
        KeyFigure(name, str(number), (FIRST_DAY + timedelta(day)).isoformat())
        for name, number, day in zip(names, numbers, days, strict=True)
    )


def _paragraphs(
    random: Random, language: str, figures: tuple[KeyFigure, ...], characters: int
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


def _told(random: Random, language: str, figure: KeyFigure) -> str:
    words = PROMPTS["report"]
    text: str = random.choice(words["figure"][language])
    unit = words["names"][language][figure.name]
    return text.format(name=figure.name, number=figure.number, unit=unit, date=figure.date)


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
