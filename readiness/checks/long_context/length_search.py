"""A ladder of lengths: up to which the endpoint still finds what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from readiness.chat import Chat
from readiness.checks.long_context.probes import CLAIM, LOWEST, QUESTIONS, SCALED, log_of
from readiness.checks.long_context.prompt_wording import Recipe
from readiness.checks.long_context.scoring_needles import finds, found
from readiness.checks.long_context.send_document import DocumentReply, send_document
from readiness.score import EndpointError, Measure, Outcome

RUNGS = (LOWEST, 8_192, 16_384, 32_768, 65_536, 131_072)
#: RULER's threshold: what Llama 2 7B reaches at 4K. The documents are ours, and the score is not.
ENOUGH = 0.856
DOCUMENTS = 3  # at the top, where the other checks have sent them too


@dataclass(frozen=True)
class LengthSearchResult:
    """What share of the questions was answered rightly at each length that was tried.

    Args:
        top: The longest that was to be tried.
        shares: The shares by length.
        errors: What the endpoint said where it did not answer.
        measures: What was found, by length and depth.
    """

    top: int
    shares: Mapping[int, float]
    errors: Mapping[int, str]
    measures: tuple[Measure, ...] = ()

    @property
    def effective(self) -> int:
        """The longest length that is enough, as are all tried below it; 0 where none is."""
        reached = 0
        for length in sorted(self.shares):
            if self.shares[length] < ENOUGH:
                break
            reached = length
        return reached

    @property
    def shown(self) -> str:
        """What was found at each length, in words."""
        lengths = [f"{length:,}: {share:.0%}" for length, share in sorted(self.shares.items())]
        errors = [f"{length:,}: {error}" for length, error in sorted(self.errors.items())]
        return "; ".join([", ".join(lengths), *errors])


async def search_effective_length(chat: Chat, recipe: Recipe) -> LengthSearchResult:
    """Try the lowest rung, then the top, and between them only where the top is too high.

    The rungs at which it then turns are tried with one more document: one may have been luck.
    """
    top = min(chat.context.context_window or CLAIM, SCALED if chat.context.defects_only else CLAIM)
    rungs = [*(each for each in RUNGS if each < top), top]
    readings: dict[int, list[DocumentReply]] = {rung: [] for rung in rungs}
    shares: dict[int, float] = {}
    errors: dict[int, str] = {}

    async def enough(length: int, recipe: Recipe = recipe) -> bool:
        try:
            readings[length] += await _readings(chat, recipe, length, top)
            shares[length] = sum(map(_share, readings[length])) / len(readings[length])
        except EndpointError as error:
            if error.score.outcome is Outcome.SKIPPED:
                raise
            shares[length], errors[length] = 0.0, error.score.reason
        return shares[length] >= ENOUGH

    low, high = 0, len(rungs) - 1
    if await enough(rungs[low]) and not await enough(rungs[high]):
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if await enough(rungs[middle]) else (low, middle)
        if not chat.context.defects_only:
            for length in sorted({rungs[low], rungs[high]} - {top, *errors}):
                await enough(length, replace(recipe, number=recipe.number + 1))
    measures = (each for rung in rungs for reading in readings[rung] for each in _grid(reading))
    return LengthSearchResult(top, shares, errors, tuple(measures))


async def _readings(chat: Chat, recipe: Recipe, length: int, top: int) -> list[DocumentReply]:
    """What came back at that length: at the top for the documents that the claim is on."""
    declared = chat.context.context_window
    documents = 1 if chat.context.defects_only else DOCUMENTS
    recipes = [log_of(recipe.seed, each) for each in range(documents)]
    if length < top or (declared is not None and declared < CLAIM):
        recipes = [recipe]
    return [await send_document(chat, each, length) for each in recipes]


def _grid(reading: DocumentReply) -> list[Measure]:
    """What was found of all that has a depth."""
    asked = [each for each in reading.expected.questions if each.depth is not None]
    return [found(finds(reading.reply, each), each, reading.length) for each in asked]


def _share(reading: DocumentReply) -> float:
    asked = reading.expected.questions[: len(QUESTIONS)]
    return sum(finds(reading.reply, each).passed for each in asked) / len(asked)
