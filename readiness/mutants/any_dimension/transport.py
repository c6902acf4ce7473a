"""Flaws of responses and streams, in replies that should be JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import count

from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.reference import HANGS_UP
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Body, Flaw

_CHECK = "json_only.prompted_json"
_JSON = {"Content-Type": "application/json"}
_HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
_RARELY = 25


def told_json(request: Request) -> bool:
    """Whether a system message, rather than response_format, asks for JSON."""
    told = any(
        message["role"] == "system" and "json" in text_of(message).lower()
        for message in request["messages"]
    )
    return told and not request.get("tools") and not request.get("response_format")


def _plain(request: Request) -> bool:
    return told_json(request) and not request.get("stream")


def _streamed(request: Request) -> bool:
    return told_json(request) and bool(request.get("stream"))


def _rarely(
    refuse: Callable[[Request], SubstituteResponse],
) -> Callable[[Request, int], SubstituteResponse | None]:
    """Refuse every 25th of the plain requests; this server's own count, not the turn, decides."""
    seen = count(1)

    def refuses(request: Request, _turn: int) -> SubstituteResponse | None:
        return refuse(request) if _plain(request) and not next(seen) % _RARELY else None

    return refuses


def _chunks(
    change: Callable[[list[Body]], list[Body]],
) -> Callable[[Request, list[Body]], list[Body]]:
    return lambda request, chunks: change(chunks) if _streamed(request) else chunks


Frames = Sequence[bytes | float]


def _frames(change: Callable[[list[bytes]], Frames]) -> Callable[[Request, list[bytes]], Frames]:
    return lambda request, frames: change(frames) if _streamed(request) else frames


def _with_choice(chunk: Body, **changes: object) -> Body:
    return {**chunk, "choices": [{**choice, **changes} for choice in chunk["choices"]]}


def _finishes(chunk: Body) -> bool:
    return any(choice["finish_reason"] for choice in chunk["choices"])


def _speaks(chunk: Body) -> bool:
    return any(choice["delta"].get("content") for choice in chunk["choices"])


def _new_id(chunks: list[Body]) -> list[Body]:
    half = len(chunks) // 2
    return [*chunks[:half], *({**chunk, "id": f"{chunk['id']}x"} for chunk in chunks[half:])]


def _no_finish(chunks: list[Body]) -> list[Body]:
    return [_with_choice(chunk, finish_reason=None) for chunk in chunks]


def _two_finishes(chunks: list[Body]) -> list[Body]:
    return [twin for chunk in chunks for twin in [chunk] * (1 + _finishes(chunk))]


def _no_last_piece(chunks: list[Body]) -> list[Body]:
    last = [place for place, chunk in enumerate(chunks) if _speaks(chunk)][-1:]
    return [chunk for place, chunk in enumerate(chunks) if place not in last]


def _lost_characters(chunks: list[Body]) -> list[Body]:
    """As a server does that decodes each token separately."""

    def lose(text: str) -> str:
        return "".join(letter if letter.isascii() else "\ufffd" for letter in text)

    return [
        _with_choice(chunk, delta={**delta, "content": lose(delta["content"])})
        if _speaks(chunk) and (delta := chunk["choices"][0]["delta"])
        else chunk
        for chunk in chunks
    ]


def _broken_frame(frames: list[bytes]) -> Frames:
    half = len(frames) // 2
    return [*frames[:half], frames[half][: len(frames[half]) // 2] + b"\n\n", *frames[half + 1 :]]


def _error_frame(frames: list[bytes]) -> Frames:
    error = b"data: " + RequestError("the engine has died", status=500).body + b"\n\n"
    return [*frames[: len(frames) // 2], error, frames[-1]]


def _cut(frames: list[bytes]) -> Frames:
    return [*frames[: len(frames) // 2], HANGS_UP]


def _one_body(request: Request, _turn: int) -> SubstituteResponse | None:
    return (
        SubstituteResponse(200, encode(whole(complete(request))), _JSON)
        if _streamed(request)
        else None
    )


def _too_long(request: Request, _turn: int) -> SubstituteResponse | None:
    if not _plain(request):
        return None
    body = encode(whole(complete(request)))
    return SubstituteResponse(200, body, {**_JSON, "Content-Length": str(len(body) + 16)})


def _html(_request: Request) -> SubstituteResponse:
    return SubstituteResponse(200, _HTML, {"Content-Type": "text/html"})


def _error(status: int) -> Callable[[Request], SubstituteResponse]:
    body = json.dumps({"error": {"message": "the engine has died", "type": "server_error"}})
    return lambda _request: SubstituteResponse(status, body.encode(), _JSON)


FLAWS = [
    Flaw(
        "stream_without_done",
        "a stream ends without [DONE]",
        _CHECK,
        change_frames=_frames(lambda frames: frames[:-1]),
    ),
    Flaw(
        "stream_changes_id", "the id changes in mid-stream", _CHECK, change_chunks=_chunks(_new_id)
    ),
    Flaw(
        "stream_never_finishes", "no finish_reason comes", _CHECK, change_chunks=_chunks(_no_finish)
    ),
    Flaw(
        "stream_finishes_twice", "two chunks finish", _CHECK, change_chunks=_chunks(_two_finishes)
    ),
    Flaw(
        "stream_loses_end", "the last piece is lost", _CHECK, change_chunks=_chunks(_no_last_piece)
    ),
    Flaw(
        "stream_loses_characters",
        "characters beyond ASCII come out as U+FFFD",
        _CHECK,
        change_chunks=_chunks(_lost_characters),
    ),
    Flaw(
        "stream_breaks_frame", "one frame is no JSON", _CHECK, change_frames=_frames(_broken_frame)
    ),
    Flaw(
        "stream_fails_midway",
        "an error frame and then [DONE] end the stream half-way",
        _CHECK,
        change_frames=_frames(_error_frame),
    ),
    Flaw(
        "stream_cut_midway", "the connection is cut half-way", _CHECK, change_frames=_frames(_cut)
    ),
    Flaw("stream_as_one_body", "a stream comes as one JSON body", _CHECK, intercept=_one_body),
    Flaw(
        "length_too_long", "Content-Length announces more than comes", _CHECK, intercept=_too_long
    ),
    Flaw(
        "html_with_200",
        "every 25th reply is HTML with status 200",
        _CHECK,
        intercept=_rarely(_html),
    ),
    Flaw(
        "error_with_200", "every 25th is an error, with 200", _CHECK, intercept=_rarely(_error(200))
    ),
    Flaw("error_500", "every 25th request ends in a 500", _CHECK, intercept=_rarely(_error(500))),
]
