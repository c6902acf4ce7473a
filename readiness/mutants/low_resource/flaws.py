"""Flaws of speed and memory: slow, buffered, miscounted, or on another GPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.server import CARD, TAKEN
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.license.evidence import WEIGHTS
from readiness.verdict.claim import Verdict

_PACE = "low_resource.decode_speed"
_MEMORY = "low_resource.gpu_memory"
# A stream that comes later than the engine made it does not show whether an abort ends the work.
_ABORTED = ("stability",)
_PAUSE = 0.03  # seconds after each piece, of some three letters
_HELD = 3.0  # seconds
_SHOWN = 40 * 10**9  # bytes

FrameSequence = Sequence[bytes | float]


def _timed(
    change: Callable[[list[bytes]], FrameSequence],
) -> Callable[[Request, list[bytes]], FrameSequence]:
    """Change the frames of a longer stream."""
    return lambda request, frames: change(frames) if _counts(request) else frames


def _counts(request: Request) -> bool:
    """Whether a request asks for a stream of a page: more than a few lines, and no more."""
    return bool(request.get("stream")) and 200 < (most_tokens(request) or 0) <= 300


def _slowly(frames: list[bytes]) -> FrameSequence:
    return [part for frame in frames for part in (frame, _PAUSE)]


def _at_once(frames: list[bytes]) -> FrameSequence:
    return [_HELD, b"".join(frames)]


def _all_but_one(frames: list[bytes]) -> FrameSequence:
    """The first token immediately, and the rest together, much later."""
    return [*frames[:2], _HELD, b"".join(frames[2:])]


def _padded(frames: list[bytes]) -> FrameSequence:
    return [part for frame in frames for part in (b": still here\n\n", frame)]


def _larger(folder: Path) -> None:
    """Show larger weights than those that answer, as a sparse file."""
    os.truncate(folder / WEIGHTS, _SHOWN)


def _more_tokens(request: Request, chunks: list[Body]) -> list[Body]:
    if not _counts(request):
        return chunks
    *rest, last = chunks
    usage = last.get("usage") or {}
    lying = {**usage, "completion_tokens": 3 * usage.get("completion_tokens", 0)}
    lying["total_tokens"] = lying.get("prompt_tokens", 0) + lying["completion_tokens"]
    return [*rest, {**last, "usage": lying}]


FLAWS = [
    *[
        Flaw(name, about, _PACE, change_frames=_timed(change), elsewhere=_ABORTED)
        for name, about, change in (
            ("slow", "slower than the card is said to be", _slowly),
            ("held_back", "a proxy buffers the stream", _at_once),
            ("held_back_late", "all but the first token is held back", _all_but_one),
        )
    ],
    Flaw(
        "usage_triples",
        "three tokens are counted for each that is sent",
        _PACE,
        change_chunks=_more_tokens,
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "memory_above_the_limit",
        "more GPU memory is used than allowed",
        _MEMORY,
        change_metrics=lambda page: page.replace(str(TAKEN), "11008"),
    ),
    Flaw(
        "another_card",
        "the metrics are of another card than the one that is declared",
        _MEMORY,
        change_metrics=lambda page: page.replace(CARD, "NVIDIA H200"),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "smaller_than_shown",
        "weights of 40 GB are shown, and a smaller model answers",
        "low_resource.plausible_measurements",
        change_license_evidence=_larger,
    ),
    Flaw("frames_padded", "a comment before each frame is no token", change_frames=_timed(_padded)),
    Flaw(
        "metrics_in_json",
        "some builds of llama.cpp put the page into one string",
        change_metrics=lambda page: '"' + page.replace('"', '\\"').replace("\n", "\\n") + '"',
    ),
]
