"""Probes of the dimension `long_context`: each names a document, which is generated when sent.

The document's length in characters depends on the endpoint's tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import count, islice
from random import Random

from readiness.checks.long_context.needles import LOOKUPS
from readiness.checks.long_context.prompt_wording import LANGUAGES, Recipe
from readiness.forms.apply import in_form
from readiness.forms.covering import covering_forms
from readiness.forms.factors import (
    LEVELS,
    TEXT,
    Factor,
    Form,
    FormSpace,
    Language,
    Limit,
    Reply,
    Turns,
)
from readiness.probe import Message, Probe

#: The required length of prompt and reply together: 128K tokens.
CLAIM = 131_072
#: The length in a run that can show defects only (smoke).
SCALED = 16_384
#: The shortest length of a length search.
MIN_LENGTH = 4_096
#: The length of a prompt that must not fit, relative to the window; more if tokens are estimated.
BEYOND, FAR_BEYOND = 1.1, 1.6
#: The characters of a page, and of one in a run that can show defects only.
PAGE, SMALL_PAGE = 100_000, 10_000
#: The token limit of replies.
BUDGETS = {"log": 768, "report": 2048, "page": 256}


#: The labels of a log's questions, without those of its checkpoints.
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
#: The same, along which failures may gather.
PLACES = {
    label: {"depth in %": round(100 * depth)}
    for label, depth in zip(QUESTIONS, LOOKUPS, strict=False)
}
#: The language of checks with a single document, as several would cost too much.
SINGLE = "mixed"
PARAGRAPH = 5_000  # characters


#: A document fills the window in every form: no other text stands before it, nor many turns. Its
#: system message is its own, as that begins with a nonce. Its stream is timed and counted, and its
#: reply limited, as both share the window.
FORMS = FormSpace(
    {
        Factor.REPLY: [Reply.STREAMED, Reply.WHOLE],
        Factor.TURNS: [Turns.NONE, Turns.THREE, Turns.TOOL_RESULT],
        **{factor: TEXT[factor] for factor in (Factor.TOOLS, Factor.FORMAT, Factor.CONTENT)},
        Factor.SAMPLING: [*LEVELS[Factor.SAMPLING]],
        Factor.LIMIT: [Limit.USUAL, Limit.OLD_NAME],
        Factor.LANGUAGE: [Language.NONE, Language.CHINESE, Language.ENGLISH],
    }
)


def form_of(recipe: Recipe) -> Form:
    """The form of the request with a document.

    Few as they are, each kind has an array of its own, in which it meets every level.
    """
    return _forms(recipe.kind, recipe.seed, recipe.number)[recipe.number - 1]


@lru_cache(maxsize=64)
def _forms(kind: str, seed: int, documents: int) -> Sequence[Form]:
    return covering_forms(FORMS, f"long_context/{kind}/{seed}", [{}] * documents)


def formed(recipe: Recipe, form: Form, messages: Sequence[Message]) -> Probe:
    """The messages of a document in a form: earlier turns stand after the system message."""
    asked = Probe(recipe.id, messages)
    return in_form(asked, form, FORMS, Random(f"long_context/{recipe.seed}/{recipe.id}"))


def log_of(seed: int, number: int) -> Recipe:
    """The log with this number, from 0: Chinese, English and mixed in rotation."""
    return Recipe("log", LANGUAGES[number % len(LANGUAGES)], seed, number + 1)


def report_of(seed: int, number: int) -> Recipe:
    """The report with this number, from 0: Chinese and English in rotation."""
    return Recipe("report", LANGUAGES[number % 2], seed, number + 1)


def documents(seed: int, trials: int) -> list[Probe]:
    """Logs and reports, alternating."""
    makers = (log_of, report_of)
    recipes = [makers[place % 2](seed, place // 2) for place in range(trials)]
    return [_probe(recipe) for recipe in recipes]


def logs(seed: int, trials: int) -> list[Probe]:
    """Logs, each with all of its questions."""
    return [_probe(log_of(seed, number)) for number in range(trials)]


def reports(seed: int, trials: int) -> list[Probe]:
    """Reports to summarise."""
    return [_probe(report_of(seed, number)) for number in range(trials)]


def questions(seed: int, trials: int) -> list[Probe]:
    """The twelve questions of each log, which share one request."""
    pairs = ((log_of(seed, number), label) for number in count() for label in QUESTIONS)
    return [_probe(recipe, label) for recipe, label in islice(pairs, trials)]


def overflows(seed: int, trials: int) -> list[Probe]:
    """Logs longer than the context window."""
    recipes = [Recipe("log", SINGLE, seed, 100 + number) for number in range(trials)]
    return [replace(_plain(each), tokens=int(BEYOND * CLAIM), fewer=0) for each in recipes]


def length_search_probes(seed: int, trials: int) -> list[Probe]:
    """Logs for the length search."""
    recipes = [Recipe("log", SINGLE, seed, 200 + number) for number in range(trials)]
    return [replace(_plain(each), tokens=MIN_LENGTH, fewer=0) for each in recipes]


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
    """A document in its form; where the endpoint lacks what that takes, in the plain one."""
    form, plain = form_of(recipe), _plain(recipe, label)
    sent = formed(recipe, form, [])
    levels = {factor.value: str(form[factor]) for factor in FORMS.levels}
    usual = {factor.value: str(FORMS.plain[factor]) for factor in FORMS.levels}
    return replace(
        plain,
        expect={**plain.expect, "form": form},
        labels={**plain.labels, **levels},
        needs=sent.needs - {"stream"},
        plain=None if form == FORMS.plain else replace(plain, labels={**plain.labels, **usual}),
    )


def _plain(recipe: Recipe, label: str = "") -> Probe:
    question = {"question": int(label[1:]) - 1} if label else {}
    return Probe(
        f"long_context.{recipe.id}{label and f'.{label}'}@v1",
        [],
        {"recipe": recipe, **question},
        budget=BUDGETS[recipe.kind],
        family=KINDS.get(label, recipe.kind),
        labels={"language": recipe.language, **DEPTHS.get(label, {})},
        places=PLACES.get(label, {}),
        cluster=recipe.id if label else "",
        tokens=CLAIM,
        fewer=SCALED,
        shared=recipe.id,
    )
