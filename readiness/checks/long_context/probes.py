"""Probes about long documents: each names its document, which is written when it is sent.

How many characters it takes depends on how the endpoint counts them.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count, islice

from readiness.checks.long_context.needles import LOOKUPS
from readiness.checks.long_context.prompt_wording import LANGUAGES, Recipe
from readiness.probe import Probe

#: 128K tokens: the prompt and the reply together.
CLAIM = 131_072
#: What a run that can show defects only makes do with.
SCALED = 16_384
#: The lowest rung of a ladder.
LOWEST = 4_096
#: How much longer than the window a prompt is that must not fit; more where tokens are estimated.
BEYOND, FAR_BEYOND = 1.1, 1.6
#: Characters of a page, and of one that shows defects only.
PAGE, SMALL_PAGE = 100_000, 10_000
#: What a reply may take, in tokens.
BUDGETS = {"log": 768, "report": 2048, "page": 256}


#: The questions of a log, beside those for its checkpoints.
QUESTIONS = tuple(f"q{number}" for number in range(1, 13))
KINDS = dict.fromkeys(QUESTIONS[: len(LOOKUPS)], "lookup") | dict(
    zip(
        QUESTIONS[len(LOOKUPS) :],
        ("values", "names", "names", "latest", "count", "absent"),
        strict=True,
    )
)
DEPTHS = {
    label: {"depth": f"{depth:.0%}"} for label, depth in zip(QUESTIONS, LOOKUPS, strict=False)
}
#: What is asked of a single document, where several would cost too much.
SINGLE = "mixed"
PARAGRAPH = 5_000  # characters


def log_of(seed: int, number: int) -> Recipe:
    """The log of that number, from 0: in Chinese, in English, in both, and again."""
    return Recipe("log", LANGUAGES[number % len(LANGUAGES)], seed, number + 1)


def report_of(seed: int, number: int) -> Recipe:
    """The report of that number, from 0: in Chinese, in English, and again."""
    return Recipe("report", LANGUAGES[number % 2], seed, number + 1)


def documents(seed: int, trials: int) -> list[Probe]:
    """Logs and reports by turns."""
    makers = (log_of, report_of)
    recipes = [makers[place % 2](seed, place // 2) for place in range(trials)]
    return [_probe(recipe) for recipe in recipes]


def logs(seed: int, trials: int) -> list[Probe]:
    """Logs, of each of which all is asked at once."""
    return [_probe(log_of(seed, number)) for number in range(trials)]


def reports(seed: int, trials: int) -> list[Probe]:
    """Reports that are to be summed up."""
    return [_probe(report_of(seed, number)) for number in range(trials)]


def questions(seed: int, trials: int) -> list[Probe]:
    """Twelve questions of each log, which share one request."""
    asked = ((log_of(seed, number), label) for number in count() for label in QUESTIONS)
    return [_probe(recipe, label) for recipe, label in islice(asked, trials)]


def overflows(seed: int, trials: int) -> list[Probe]:
    """Logs that are longer than any window."""
    recipes = [Recipe("log", SINGLE, seed, 100 + number) for number in range(trials)]
    return [replace(_probe(each), tokens=int(BEYOND * CLAIM), fewer=0) for each in recipes]


def length_search_probes(seed: int, trials: int) -> list[Probe]:
    """Logs that are tried at the lowest length, and at more where the top is too high."""
    recipes = [Recipe("log", SINGLE, seed, 200 + number) for number in range(trials)]
    return [replace(_probe(each), tokens=LOWEST, fewer=0) for each in recipes]


def pages(seed: int, trials: int) -> list[Probe]:
    """A hundred thousand Chinese characters without a line break."""
    return [_page(seed, number, 0) for number in range(trials)]


def paragraphs(seed: int, trials: int) -> list[Probe]:
    """A hundred thousand Chinese characters in paragraphs."""
    return [_page(seed, number, PARAGRAPH) for number in range(trials)]


def _page(seed: int, number: int, paragraph: int) -> Probe:
    recipe = Recipe("paragraphs" if paragraph else "page", "zh", seed, number + 1)
    return Probe(
        f"long_context.{recipe.id}@v1",
        [],
        {"recipe": recipe, "paragraph": paragraph},
        budget=BUDGETS["page"],
        family=recipe.kind,
        tokens=PAGE,
        fewer=SMALL_PAGE,
    )


def _probe(recipe: Recipe, label: str = "") -> Probe:
    asked = {"question": int(label[1:]) - 1} if label else {}
    return Probe(
        f"long_context.{recipe.id}{label and f'.{label}'}@v1",
        [],
        {"recipe": recipe, **asked},
        budget=BUDGETS[recipe.kind],
        family=KINDS.get(label, recipe.kind),
        labels={"language": recipe.language, **DEPTHS.get(label, {})},
        cluster=recipe.id if label else "",
        tokens=CLAIM,
        fewer=SCALED,
        shared=recipe.id,
    )
