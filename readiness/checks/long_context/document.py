"""A long document as it goes out, and what a reply to it must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from readiness.probe import Message


@dataclass(frozen=True)
class NeedleQuestion:
    """A question, and its answer.

    Args:
        label: The key of its answer.
        kind: What it takes to answer it.
        text: What is asked.
        wanted: The answer, or all of its parts; empty where the document says nothing.
        stale: What the answer was before it was corrected.
        depth: Where in the document the answer stands, from 0 to 1; None where all over it.
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
    """What a reply to a document must have: of a log the answers, of a report the figures.

    Args:
        code: What stands in the first line, by order of the very first message.
        questions: What is asked, in the order of its labels.
        figures: What is to be reported.
        end: What the last line must be.
    """

    code: str
    questions: tuple[NeedleQuestion, ...] = ()
    figures: tuple[KeyFigure, ...] = ()
    end: str = ""


@dataclass(frozen=True)
class LongDocument:
    """A long document in its messages, and what a reply to it must have."""

    messages: Sequence[Message]
    expected: DocumentAnswers

    @property
    def characters(self) -> int:
        """How long the messages are."""
        return sum(len(message["content"]) for message in self.messages)
