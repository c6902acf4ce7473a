"""Flaws that end streams before their replies do, as a gateway's time limit or buffer does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from readiness.mutants.endpoint.answer import Request, RequestError
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.flaw import Body, Flaw

_COMPLETES = "stability.abort_isolation"
_KEPT = 20  # frames
_PATIENCE = 48  # tokens: whoever asks for fewer is answered in time

Frames = Sequence[bytes | float]


def _long(request: Request, frames: Sequence[bytes]) -> bool:
    return len(frames) > _KEPT + 3 and (most_tokens(request) or _PATIENCE) >= _PATIENCE


def _cut(end: Callable[[list[bytes]], Frames]) -> Callable[[Request, list[bytes]], Frames]:
    """End a long stream after twenty frames, with others in place of the rest."""
    return lambda request, frames: (
        [*frames[:_KEPT], *end(frames)] if _long(request, frames) else frames
    )


def _frame(document: Body) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def _time_is_over(frames: list[bytes]) -> Frames:
    """As a web interface ends a stream whose time is over."""
    error = RequestError("the response took too long", status=504).body
    return [b"data: " + error + b"\n\n", frames[-1]]


def _told_by_event(frames: list[bytes]) -> Frames:
    detail = json.dumps({"detail": "upstream closed"}).encode()
    return [b"event: error\ndata: " + detail + b"\n\n", frames[-1]]


def _done(frames: list[bytes]) -> Frames:
    return [frames[-1]]


def _finished(reason: str) -> Callable[[list[bytes]], Frames]:
    """The usual end of a stream after twenty frames, with this finish_reason."""

    def end(frames: list[bytes]) -> Frames:
        last = json.loads(frames[_KEPT].removeprefix(b"data: "))
        choices = [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason}]
        counts = {"prompt_tokens": 30, "completion_tokens": _KEPT, "total_tokens": 30 + _KEPT}
        counted = [_frame({**last, "choices": [], "usage": counts})]
        asked = "usage" in last
        return [_frame({**last, "choices": choices}), *(counted if asked else []), frames[-1]]

    return end


def _null_error(_request: Request, chunks: list[Body]) -> list[Body]:
    return [{**chunk, "error": None} for chunk in chunks]


def _done_twice(_request: Request, frames: list[bytes]) -> Frames:
    return [*frames, frames[-1]]


def _done_at_once(_request: Request, frames: list[bytes]) -> Frames:
    return [*frames[:-1], frames[-1].rstrip()]


FLAWS = [
    Flaw(
        "cut_by_error_frame",
        "a long stream ends in an error and [DONE] under HTTP 200",
        _COMPLETES,
        change_frames=_cut(_time_is_over),
    ),
    Flaw(
        "cut_by_error_event",
        "a long stream ends in an event `error` and [DONE]",
        _COMPLETES,
        change_frames=_cut(_told_by_event),
    ),
    Flaw(
        "cut_before_finish",
        "a long stream ends with [DONE] and without a finish_reason",
        _COMPLETES,
        change_frames=_cut(_done),
    ),
    Flaw(
        "cut_as_length",
        "a long stream ends by its length after a tenth of the tokens that were allowed",
        _COMPLETES,
        change_frames=_cut(_finished("length")),
    ),
    Flaw(
        "cut_as_abort",
        "a long stream is given up, and says so in its finish_reason",
        _COMPLETES,
        change_frames=_cut(_finished("abort")),
    ),
    Flaw("null_errors", "each chunk says that there is no error", change_chunks=_null_error),
    Flaw("done_twice", "two layers each end the stream", change_frames=_done_twice),
    Flaw("done_at_once", "no blank line follows the last frame", change_frames=_done_at_once),
]
