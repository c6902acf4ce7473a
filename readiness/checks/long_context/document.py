"""A long document as its messages, and the answers that a reply to it must contain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from readiness.probe import Message


@dataclass(frozen=True)
class NeedleQuestion:
    """A question about a document, and its answer.

    Args:
        label: The key of its answer.
        kind: The kind of needle: lookup, values, names, latest, count, absent or checkpoint.
        text: The question.
        wanted: The answer, or all of its parts; empty if the document does not contain it.
        stale: Earlier values, before a correction.
        depth: The needle's place in the document, from 0 to 1; None if it has several places.
    """

    label: str
    kind: str
    text: str
    wanted: tuple[str, ...]
    stale: tuple[str, ...] = ()
    depth: float | None = None


@dataclass(frozen=True)
class KeyFigure:
    """A key figure of a report."""

    name: str
    number: str
    date: str


@dataclass(frozen=True)
class DocumentAnswers:
    """What a reply must contain: the answers about a log, or the figures of a report.

    Args:
        code: The code that the system message orders the reply to begin with.
        questions: The questions, in the order of their labels.
        figures: The figures that a summary must contain.
        end: The last line of a complete summary.
    """

    code: str
    questions: tuple[NeedleQuestion, ...] = ()
    figures: tuple[KeyFigure, ...] = ()
    end: str = ""


@dataclass(frozen=True)
class LongDocument:
    """A long document in its messages, and what a reply to it must contain."""

    messages: Sequence[Message]
    expected: DocumentAnswers

    @property
    def characters(self) -> int:
        """The length of the messages, in characters."""
        return sum(len(message["content"]) for message in self.messages)
