"""What gateways and servers do to requests and streams on the way: limits, buffers, losses."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any

from readiness.mutants.api.requests import CRASH, EVERYWHERE, JSON, Errs
from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.request_form import streamed
from readiness.mutants.endpoint.response import chunks as chunks_of
from readiness.mutants.endpoint.response import frames as frames_of
from readiness.mutants.endpoint.tokens import tokens
from readiness.mutants.flaw import Body, Flaw
from readiness.verdict.claim import Verdict

Frames = Sequence[bytes | float]
Asks = Callable[[Request], Request]
_PAGE = b"<html><head><title>413 Request Entity Too Large</title></head></html>"
_HTML, _STREAM = {"Content-Type": "text/html"}, {"Content-Type": "text/event-stream"}
_DONE = b"data: [DONE]\n\n"


# Limits


def _limit(most: int) -> Asks:
    """A limit where the request states none."""
    return lambda request: (
        request if most_tokens(request) else {**request, "max_completion_tokens": most}
    )


def _ends_unasked(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    """Without a limit, the reply ends after 1,024 tokens as if it were complete."""
    if most_tokens(request) or not answer.content:
        return answer
    return dataclasses.replace(answer, content="".join(tokens(answer.content)[:1_024]))


def _too_large(most: int, status: int = 413) -> Callable[..., SubstituteResponse | None]:
    def met(_method: str, _path: str, headers: Mapping[str, str]) -> SubstituteResponse | None:
        size = int(headers.get("Content-Length", 0))
        return SubstituteResponse(status, _PAGE, _HTML) if size > most else None

    return met


_UNLIMITED, _LARGE = "api.no_default_token_limit", "api.large_bodies_accepted"
LIMITS = [
    Flaw(
        "limit_256",
        "256 tokens where none are asked",
        _UNLIMITED,
        change_request=_limit(256),
        elsewhere=("json_only", "tool_calling"),
    ),
    Flaw(
        "limit_512",
        "512 tokens where none are asked",
        _UNLIMITED,
        change_request=_limit(512),
        elsewhere=("json_only", "tool_calling"),
    ),
    Flaw("limit_1024_as_stop", "such a reply stops early", _UNLIMITED, change_output=_ends_unasked),
    Flaw("limit_4096", "a default of 4,096 tokens is room enough", change_request=_limit(4_096)),
    Flaw(
        "body_16k_500",
        "no room to store a body",
        _LARGE,
        intercept_http=_too_large(2**14, 500),
        elsewhere=EVERYWHERE,
    ),
    Flaw("body_100k", "a body parser takes 100 KB", _LARGE, intercept_http=_too_large(100 * 1024)),
    Flaw("body_1mb", "a firewall takes a million bytes", _LARGE, intercept_http=_too_large(10**6)),
    Flaw("body_1m", "nginx takes 1 MiB by default", intercept_http=_too_large(2**20)),
]


# Buffers


def _blocks(size: int, first: int = 0) -> Callable[[Request, list[bytes]], Frames]:
    """A proxy that passes on what fills its buffer; the first also held the response's head."""

    def change(_request: Request, frames: list[bytes]) -> Frames:
        stream = b"".join(frames)
        places = range(first or size, len(stream), size)
        ends = [0, *places, len(stream)]
        pieces = pairwise(ends)
        return [part for start, end in pieces for part in (stream[start:end], 0.003)]

    return change


#: The time in which a fast model generates a token, in seconds.
_PER_FRAME = 0.0003


def _kept_back(frames_kept: int) -> Callable[[Request, list[bytes]], Frames]:
    """A stream of more frames arrives when it is complete, which takes its time."""
    return lambda _request, frames: (
        [_PER_FRAME * len(frames), b"".join(frames)] if len(frames) > frames_kept else frames
    )


def _stalled(_request: Request, frames: list[bytes]) -> Frames:
    """A machine that is busy sends nothing for a while, and then all that is due."""
    return [1.0, b"".join(frames)] if len(frames) > _MANY_FRAMES else frames


def _in_tens(_request: Request, frames: list[bytes]) -> Frames:
    tens = (frames[at : at + 10] for at in range(0, len(frames), 10))
    return [part for ten in tens for part in (b"".join(ten), 0.003)]


def _played(frames: Sequence[bytes], slower: float = 1.0) -> list[bytes | float]:
    """Frames at a fast model's speed, or so many times slower, ten at once."""
    tens = [b"".join(frames[at : at + 10]) for at in range(0, len(frames), 10)]
    return [part for ten in tens for part in (ten, 10 * slower * _PER_FRAME)]


def _trickled(slower: float) -> Callable[[Request, list[bytes]], Frames]:
    """The whole reply is made, and then played back as if it were made just now."""
    return lambda _request, frames: [_PER_FRAME * len(frames), *_played(frames, slower)]


def _first_half_read(_request: Request, frames: list[bytes]) -> Frames:
    half = len(frames) // 2
    return [_PER_FRAME * half, b"".join(frames[:half]), *_played(frames[half:])]


def _slow_prefill(_request: Request, frames: list[bytes]) -> Frames:
    return [0.3, *_played(frames)]


def _flushed(_request: Request, frames: list[bytes]) -> Frames:
    """A proxy passes on what has come in every 20 ms, be it ever so little."""
    each = int(0.02 / _PER_FRAME)
    parts = [b"".join(frames[at : at + each]) for at in range(0, len(frames), each)]
    return [piece for part in parts for piece in (_PER_FRAME * part.count(b"data:"), part)]


def _drafted(_request: Request, frames: list[bytes]) -> Frames:
    """Speculative decoding: one to eight tokens a step."""
    sizes, sent, at = (1, 5, 2, 8, 1, 3), list[bytes | float](), 0
    for size in cycle(sizes):
        if at >= len(frames):
            return sent
        sent += [b"".join(frames[at : at + size]), 0.0015]
        at += size
    return sent


def _in_halves(_request: Request, frames: list[bytes]) -> Frames:
    """Each frame in two writes, as an engine makes it: a client reads what there is."""
    return [part for each in frames for part in (each[:6], 0.0, each[6:], 0.0005)]


_INCREMENTAL = "api.incremental_streaming"
_MANY_FRAMES = 100
#: Where streams come in blocks, none can be left in the middle.
_STREAMS = ("stability",)
BUFFERS = [
    Flaw(
        "blocks_of_4096",
        "a proxy's buffer",
        _INCREMENTAL,
        change_frames=_blocks(4_096),
        elsewhere=_STREAMS,
    ),
    Flaw(
        "blocks_of_16384",
        "a proxy's buffer",
        _INCREMENTAL,
        change_frames=_blocks(16_384),
        elsewhere=_STREAMS,
    ),
    Flaw(
        "blocks_after_head",
        "a proxy's buffer, the first with the head",
        _INCREMENTAL,
        change_frames=_blocks(8_192, 7_777),
        elsewhere=_STREAMS,
    ),
    Flaw(
        "kept_back_if_long",
        "a filter reads streams of more than 300 frames before it passes them on",
        _INCREMENTAL,
        change_frames=_kept_back(300),
    ),
    Flaw("kept_back", "a filter reads all of it first", _INCREMENTAL, change_frames=_kept_back(3)),
    Flaw(
        "kept_back_by_a_busy_machine",
        "a stall before longer streams, as long whatever their length",
        _INCREMENTAL,
        change_frames=_stalled,
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "trickled",
        "the whole reply is made first, and then played back as fast",
        _INCREMENTAL,
        change_frames=_trickled(1.0),
    ),
    Flaw(
        "trickled_slowly",
        "the whole reply is made first, and then played back at two thirds of the speed",
        _INCREMENTAL,
        change_frames=_trickled(1.5),
    ),
    Flaw(
        "first_half_kept_back",
        "a filter reads the first half of a stream before it passes it on",
        _INCREMENTAL,
        change_frames=_first_half_read,
    ),
    Flaw("slow_prefill", "every stream may wait for as long", change_frames=_slow_prefill),
    Flaw("flushed_by_time", "a proxy may bundle what comes", change_frames=_flushed),
    Flaw("drafted_streams", "several tokens may come at once", change_frames=_drafted),
    Flaw("frames_in_tens", "a server sends ten tokens at once", change_frames=_in_tens),
    Flaw("frames_in_halves", "a frame may come in two writes", change_frames=_in_halves),
]


# Errors in streams


def _in_stream(answer: Callable[[bytes], bytes]) -> Errs:
    """Errors of streams come under status 200, with this body."""

    def errs(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
        if request is None or not request.get("stream"):
            return refusal
        return SubstituteResponse(200, answer(refusal.body), _STREAM)

    return errs


def _as_text(body: bytes) -> bytes:
    """The error as if the model had said it."""
    told = json.loads(body)["error"]["message"]
    messages = [{"role": "user", "content": f"Repeat exactly: {told}"}]
    asked = {"model": "reference", "messages": messages, "stream": True}
    return b"".join(frames_of(chunks_of(complete(asked))))


def _other_status(status: int) -> Errs:
    def errs(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
        asks = request is not None and request.get("stream")
        return dataclasses.replace(refusal, status=status) if asks else refusal

    return errs


_REFUSED = "api.stream_error_status"
STREAM_ERRORS = [
    Flaw(
        "stream_error_frame",
        "an error of a stream is a frame of it",
        _REFUSED,
        change_error=_in_stream(lambda body: b"data: " + body + b"\n\n" + _DONE),
    ),
    Flaw(
        "stream_error_lost",
        "an error of a stream is an empty stream",
        _REFUSED,
        change_error=_in_stream(lambda _body: _DONE),
    ),
    Flaw(
        "stream_error_nothing",
        "an error of a stream is no byte",
        _REFUSED,
        change_error=_in_stream(lambda _body: b""),
    ),
    Flaw(
        "stream_error_as_text",
        "an error of a stream is said by the assistant",
        _REFUSED,
        change_error=_in_stream(_as_text),
    ),
    Flaw(
        "stream_error_500",
        "an error of a stream is one of the server",
        _REFUSED,
        change_error=_other_status(500),
    ),
    Flaw(
        "stream_error_422",
        "another layer reads streams, and says 422",
        change_error=_other_status(422),
    ),
]


# Parts that are no text


def _without_parts(
    kinds: Sequence[str], when: Callable[[Request], bool] = lambda _request: True
) -> Asks:
    """Parts of these types are dropped, and nobody is told."""

    def kept(message: Any) -> Any:
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, list):
            return message
        return {**message, "content": [each for each in content if _type(each) not in kinds]}

    def change(request: Request) -> Request:
        messages = request.get("messages")
        if not isinstance(messages, list) or not when(request):
            return request
        return {**request, "messages": [*map(kept, messages)]}

    return change


def _type(part: Any) -> Any:
    return part.get("type") if isinstance(part, dict) else None


def _sees(request: Request) -> Request:
    """As a model reads them that sees and hears: as so many tokens, before the text."""

    def is_text(part: Any) -> bool:
        return _type(part) not in ("image_url", "file", "input_audio")

    def read(message: Any) -> Any:
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, list) or all(map(is_text, content)):
            return message
        seen = ({"type": "text", "text": " so" * 64} for part in content if not is_text(part))
        return {**message, "content": [*seen, *filter(is_text, content)]}

    messages = request.get("messages")
    return (
        {**request, "messages": [*map(read, messages)]} if isinstance(messages, list) else request
    )


def _no_projector(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    """As llama.cpp's server says that it has no eyes."""
    if request is None or "image_url" not in json.dumps(request):
        return refusal
    told = RequestError("image input is not supported: you may need a projector", status=500)
    return SubstituteResponse(500, told.body, JSON)


_SILENT = "api.unread_parts_not_dropped"
PARTS = [
    Flaw(
        "pictures_dropped",
        "a picture is dropped",
        _SILENT,
        change_request=_without_parts(["image_url"]),
    ),
    Flaw("files_dropped", "a file is dropped", _SILENT, change_request=_without_parts(["file"])),
    Flaw(
        "sounds_dropped",
        "a sound is dropped",
        _SILENT,
        change_request=_without_parts(["input_audio"]),
    ),
    Flaw(
        "pictures_dropped_in_streams",
        "a picture is dropped where the reply is streamed",
        _SILENT,
        change_request=_without_parts(["image_url", "file"], streamed),
    ),
    Flaw("pictures_read", "a model may see and hear", change_request=_sees),
    Flaw("pictures_500", "llama.cpp refuses pictures with a 500", change_error=_no_projector),
]


# Nulls


def _is_null(name: str, request: Request) -> bool:
    return name in request and request[name] is None


def _replaces(name: str, value: Any) -> Asks:
    return lambda request: {**request, name: value} if _is_null(name, request) else request


def _empties(name: str) -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """A null is a limit of nothing."""
    return lambda request, answer, _turn: (
        dataclasses.replace(answer, content="") if _is_null(name, request) else answer
    )


def _crashes(name: str) -> Callable[[Request, int], SubstituteResponse | None]:
    return lambda request, _turn: CRASH if _is_null(name, request) else None


def _rejects(*names: str) -> Callable[[Request, int], SubstituteResponse | None]:
    def refuses(request: Request, _turn: int) -> SubstituteResponse | None:
        name = next((each for each in names if _is_null(each, request)), "")
        told = RequestError(f"Input should be a valid value: '{name}' is null", name, status=422)
        return SubstituteResponse(422, told.body, JSON) if name else None

    return refuses


def _nulls(_request: Request, body: Body) -> Body:
    return {**body, "service_tier": None}


_NULL = "api.null_parameters_handled"
NULLS = [
    Flaw("null_temperature_500", "a null is no number", _NULL, intercept=_crashes("temperature")),
    Flaw("null_tools_500", "a null is no list", _NULL, intercept=_crashes("tools")),
    Flaw("null_n_500", "a null is no number", _NULL, intercept=_crashes("n")),
    Flaw("null_limit", "a null is a limit of 0", _NULL, change_output=_empties("max_tokens")),
    Flaw("null_stop", "a null is a text", _NULL, change_request=_replaces("stop", "null")),
    Flaw(
        "null_stream", "a null is as good as yes", _NULL, change_request=_replaces("stream", True)
    ),
    Flaw(
        "nulls_rejected",
        "a server may reject nulls",
        intercept=_rejects("temperature", "tools", "n", "stop", "stream", "max_tokens"),
    ),
    Flaw("nulls_returned", "a server may send nulls", change_body=_nulls),
]

# Limiters in front, and keys


def _now_and_then(refusal: SubstituteResponse) -> Callable[[Request, int], Any]:
    """A limiter refuses every 40th request, as long as no second one is sent at once."""
    return lambda _request, turn: refusal if turn % 40 == 39 else None


_BUSY = RequestError("too many requests", None, "rate_limit_exceeded", 429).body
_BUSY_PAGE = b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
_NO_KEY = RequestError("incorrect API key provided", None, "invalid_api_key", 401).body
_LIMITED = "api.answers_every_request"
#: Nobody backs off for many users at once.
_MANY_USERS = ("load", "stability")
LIMITERS = [
    Flaw(
        "limiter_429_bare",
        "a limiter in front says 429 now and then, and not for how long",
        _LIMITED,
        intercept=_now_and_then(SubstituteResponse(429, _BUSY, {**JSON, "Server": "edge"})),
        expected_verdict=Verdict.INCONCLUSIVE,
        elsewhere=_MANY_USERS,
    ),
    Flaw(
        "limiter_503_page",
        "nginx says 503 in a page to what is beyond its limit",
        _LIMITED,
        intercept=_now_and_then(SubstituteResponse(503, _BUSY_PAGE, {**_HTML, "Server": "nginx"})),
        expected_verdict=Verdict.INCONCLUSIVE,
        elsewhere=_MANY_USERS,
    ),
    Flaw(
        "limiter_envoy",
        "Envoy says 503 in a line of text where too many requests are pending",
        _LIMITED,
        intercept=_now_and_then(
            SubstituteResponse(
                503, b"upstream connect error: overflow", {"Content-Type": "text/plain"}
            )
        ),
        expected_verdict=Verdict.INCONCLUSIVE,
        elsewhere=_MANY_USERS,
    ),
    Flaw(
        "key_refused_at_times",
        "every 29th request is told that its key, which is valid, is none",
        "api.answers_every_request",
        intercept=lambda _request, turn: (
            SubstituteResponse(401, _NO_KEY, JSON) if turn % 29 == 28 else None
        ),
        elsewhere=EVERYWHERE,
    ),
]

FLAWS = [*LIMITS, *BUFFERS, *STREAM_ERRORS, *PARTS, *NULLS, *LIMITERS]
