"""Length search: the longest prompt at which needle retrieval is still accurate enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from readiness.chat import Chat
from readiness.checks.long_context.probes import CLAIM, MIN_LENGTH, QUESTIONS, SCALED, log_of
from readiness.checks.long_context.prompt_wording import Recipe
from readiness.checks.long_context.scoring_needles import found_measure, score_answer
from readiness.checks.long_context.send_document import DocumentReply, send_document
from readiness.score import EndpointError, Measure, Outcome

LENGTHS = (MIN_LENGTH, 8_192, 16_384, 32_768, 65_536, 131_072)
#: RULER's threshold (arXiv 2404.06654): the accuracy of Llama 2 7B at 4K. The documents are ours.
MIN_ACCURACY = 0.856
DOCUMENTS = 3  # at the maximum length, shared with the other checks


@dataclass(frozen=True)
class LengthSearchResult:
    """Needle retrieval accuracy at each length tried.

    Args:
        max_length: The longest length to try, in tokens.
        accuracy: The share of correct answers, by length.
        errors: The endpoint's error, by length, where it did not answer.
        measures: Whether each needle was found, by length and depth.
    """

    max_length: int
    accuracy: Mapping[int, float]
    errors: Mapping[int, str]
    measures: tuple[Measure, ...] = ()

    @property
    def effective_length(self) -> int:
        """The longest length that reaches MIN_ACCURACY with all shorter ones tried; 0 if none."""
        reached = 0
        for length in sorted(self.accuracy):
            if self.accuracy[length] < MIN_ACCURACY:
                break
            reached = length
        return reached

    @property
    def shown(self) -> str:
        """The accuracy and errors at each length, as a message."""
        lengths = [f"{length:,}: {share:.0%}" for length, share in sorted(self.accuracy.items())]
        errors = [f"{length:,}: {error}" for length, error in sorted(self.errors.items())]
        return "; ".join([", ".join(lengths), *errors])


async def search_effective_length(chat: Chat, recipe: Recipe) -> LengthSearchResult:
    """Try the shortest length, then the longest, and bisect between them if the longest fails.

    The two lengths where accuracy drops are tried with one more document, to rule out luck.
    """
    longest = min(
        chat.context.context_window or CLAIM, SCALED if chat.context.defects_only else CLAIM
    )
    lengths = [*(each for each in LENGTHS if each < longest), longest]
    readings: dict[int, list[DocumentReply]] = {length: [] for length in lengths}
    accuracy: dict[int, float] = {}
    errors: dict[int, str] = {}

    async def is_accurate(length: int, recipe: Recipe = recipe) -> bool:
        try:
            readings[length] += await _readings(chat, recipe, length, longest)
            accuracy[length] = sum(map(_share_correct, readings[length])) / len(readings[length])
        except EndpointError as error:
            if error.score.outcome is Outcome.SKIPPED:
                raise
            accuracy[length], errors[length] = 0.0, error.score.reason
        return accuracy[length] >= MIN_ACCURACY

    low, high = 0, len(lengths) - 1
    if await is_accurate(lengths[low]) and not await is_accurate(lengths[high]):
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if await is_accurate(lengths[middle]) else (low, middle)
        if not chat.context.defects_only:
            for length in sorted({lengths[low], lengths[high]} - {longest, *errors}):
                await is_accurate(length, replace(recipe, number=recipe.number + 1))
    measures = (
        each for length in lengths for reading in readings[length] for each in _grid(reading)
    )
    return LengthSearchResult(longest, accuracy, errors, tuple(measures))


async def _readings(chat: Chat, recipe: Recipe, length: int, longest: int) -> list[DocumentReply]:
    """The replies at a length: at the longest, to the documents that the other checks send."""
    declared = chat.context.context_window
    documents = 1 if chat.context.defects_only else DOCUMENTS
    recipes = [log_of(recipe.seed, each) for each in range(documents)]
    if length < longest or (declared is not None and declared < CLAIM):
        recipes = [recipe]
    return [await send_document(chat, each, length) for each in recipes]


def _grid(reading: DocumentReply) -> list[Measure]:
    """Whether each needle with a depth was found."""
    questions = [each for each in reading.expected.questions if each.depth is not None]
    scored = [(each, score_answer(reading.reply, each)) for each in questions]
    return [found_measure(score, each, reading.length) for each, score in scored]


def _share_correct(reading: DocumentReply) -> float:
    questions = reading.expected.questions[: len(QUESTIONS)]
    return sum(score_answer(reading.reply, each).passed for each in questions) / len(questions)
