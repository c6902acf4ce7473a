"""The kinds of long documents: a log with needles, a report with key figures, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from readiness.checks.long_context.document import DocumentAnswers, KeyFigure, LongDocument
from readiness.checks.long_context.needles import Needles
from readiness.checks.long_context.prompt_wording import PROMPTS, Recipe, UniqueNames, line
from readiness.probe import Message

MIN_LINE = 24  # characters of a line
MAX_NEEDLES = 100  # more lines than the needles of any log
SECTION = 50  # lines
DISTRACTORS = 5
#: A log of fewer characters has records only as distractors.
MIN_CHARACTERS_FOR_DISTRACTORS = 20_000


def log(recipe: Recipe, characters: int) -> LongDocument:
    """A log of the given number of characters, or as many as its needles need."""
    random = recipe.random(characters)
    system, code = recipe.system(random)
    names = UniqueNames.draw(random, recipe, characters // MIN_LINE + MAX_NEEDLES)
    needles = Needles(recipe, random, names)
    needles.add_questions()
    for _ in range(DISTRACTORS if characters >= MIN_CHARACTERS_FOR_DISTRACTORS else 0):
        needles.add_distractors()
    words, frame = PROMPTS["log"], recipe.frame
    asking = [words["asking"][frame]]
    asking += [f"{each.label}: {each.text}" for each in needles.questions]
    end = "\n".join([*asking, words["form"][frame]])
    room = characters - len(system) - len(words["opening"][frame]) - len(end)
    content = "\n".join([words["opening"][frame], *_lines(needles, recipe, room), end])
    messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
    return LongDocument(messages, DocumentAnswers(code, tuple(needles.questions)))


def _lines(needles: Needles, recipe: Recipe, characters: int) -> Iterator[str]:
    """The needles, each at its depth, and records between them."""
    # Of two lines at the same depth, the one that was added first comes first.
    waiting = sorted(needles.lines, key=lambda each: each[0], reverse=True)
    written = lines = 0
    while written < characters or waiting:
        if (waiting and waiting[-1][0] * characters <= written) or written >= characters:
            text = waiting.pop()[1]
        elif lines % SECTION == SECTION - 1:
            text = line("section", recipe.frame, number=f"{lines // SECTION + 1:04}")
        else:
            text = needles.any_record()
        written, lines = written + len(text) + 1, lines + 1
        yield text


FIGURES = 20
PARAGRAPH = 6  # sentences
HEADING = 10  # paragraphs
FIRST_DAY, DAYS = date(2026, 1, 1), 700


def report(recipe: Recipe, characters: int) -> LongDocument:
    """A report of the given number of characters, or as many as its figures need."""
    random = recipe.random(characters)
    system, code = recipe.system(random)
    words, frame = PROMPTS["report"], recipe.frame
    figures = _figures(random, frame)
    start, end = words["opening"][frame], words["asking"][frame]
    room = characters - len(system) - len(start) - len(end)
    content = "\n".join([start, *_paragraphs(random, frame, figures, room), end])
    messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
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
    """Paragraphs with headings; the figures are spread evenly over them."""
    waiting = list(reversed(figures))
    between = " " if language == "en" else ""
    written = number = 0
    while written < characters or waiting:
        if number % HEADING == 0:
            yield heading(random, language)
        sentences = [neutral(random, language) for _ in range(PARAGRAPH)]
        due = (len(figures) - len(waiting) + 0.5) / len(figures) * characters
        if written >= characters:
            # The report is too short for anything but its figures.
            sentences = [_figure_sentence(random, language, each) for each in reversed(waiting)]
            waiting.clear()
        elif waiting and written >= due:
            sentences.insert(
                random.randrange(PARAGRAPH), _figure_sentence(random, language, waiting.pop())
            )
        text = between.join(sentences)
        written, number = written + len(text) + 1, number + 1
        yield text


def heading(random: Random, language: str) -> str:
    """A heading of a report."""
    words = PROMPTS["report"]
    text: str = words["heading"][language]
    return text.format(where=random.choice(words["who"][language]))


def neutral(random: Random, language: str) -> str:
    """A filler sentence without a number."""
    words = PROMPTS["report"]
    who, other = random.sample(words["who"][language], 2)
    topic, after = random.choice(words["topics"][language]), random.choice(words["after"][language])
    text: str = random.choice(words["neutral"][language])
    sentence = text.format(who=who, other=other, topic=topic, after=after)
    return sentence[0].upper() + sentence[1:]


def _figure_sentence(random: Random, language: str, figure: KeyFigure) -> str:
    words = PROMPTS["report"]
    text: str = random.choice(words["figure"][language])
    unit = words["names"][language][figure.name]
    return text.format(name=figure.name, number=figure.number, unit=unit, date=figure.date)


#: The article's advice for long pages: the characters of a piece, and of its overlap with the next.
PIECE, OVERLAP = 5_000, 500


def page(recipe: Recipe, characters: int, paragraph: int = 0) -> str:
    """Chinese text of the given length, without a line break or with one after each paragraph."""
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


def summary_request(text: str) -> list[Message]:
    """The request to summarise a text in one sentence; the text comes first."""
    return [{"role": "user", "content": f"{text}\n{PROMPTS['page']['asking']}"}]


def pieces(text: str) -> list[str]:
    """The text in overlapping pieces."""
    step = PIECE - OVERLAP
    return [text[start : start + PIECE] for start in range(0, max(len(text) - OVERLAP, 1), step)]
