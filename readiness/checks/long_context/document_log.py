"""A log whose haystack is made of needles: every line of it could be the one that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from readiness.checks.long_context.document import Expected, Paper
from readiness.checks.long_context.needles import Plants
from readiness.checks.long_context.prompt_wording import PROMPTS, Names, Recipe, line

SHORTEST = 24  # characters of a line
PLANTED = 100  # More lines than are planted, however short the log is.
SECTION = 50  # lines
DISTRACTIONS = 5
#: A shorter log has no room for lines that nobody asks for, beside the records.
ROOMY = 20_000


def log(recipe: Recipe, characters: int) -> Paper:
    """A log, so many characters long in all, or as long as its questions need."""
    random = recipe.random(characters)
    system, code = recipe.system(random)
    names = Names.draw(random, recipe, characters // SHORTEST + PLANTED)
    plants = Plants(recipe, random, names)
    plants.ask()
    for _ in range(DISTRACTIONS if characters >= ROOMY else 0):
        plants.distract()
    words, frame = PROMPTS["log"], recipe.frame
    asked = [words["asking"][frame]]
    asked += [f"{each.label}: {each.text}" for each in plants.questions]
    end = "\n".join([*asked, words["form"][frame]])
    room = characters - len(system) - len(words["opening"][frame]) - len(end)
    said = "\n".join([words["opening"][frame], *_lines(plants, recipe, room), end])
    messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
    return Paper(messages, Expected(code, tuple(plants.questions)))


def _lines(plants: Plants, recipe: Recipe, characters: int) -> Iterator[str]:
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
