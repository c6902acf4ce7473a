"""Harmless variants: they differ from OpenAI in ways that clients accept or expect."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate, cycle, pairwise, takewhile
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.request_form import instructed, only, streamed
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.memory.reader import language_asked
from readiness.mutants.multilingual.reader import wish_in
from readiness.mutants.refusal.flaws import to_harmful, to_harmless
from readiness.mutants.refusal.reader import asked_in
from readiness.mutants.spanish.reader import in_spanish

_PAUSE = 0.0005
_BURSTS = (7, 1, 400, 33, 2_000, 2, 150)
_MOST_CUTS = 24
_BARE = {"refusal", "logprobs", "system_fingerprint"}
_THOUGHT = "I read what is asked of me, and then I answer."

Frames = Sequence[bytes | float]


def _each_frame(change: Callable[[int, bytes], bytes]) -> Callable[[Request, list[bytes]], Frames]:
    return lambda _request, frames: [change(*numbered) for numbered in enumerate(frames)]


def _each_chunk(change: Callable[[Body], Body]) -> Callable[[Request, list[Body]], list[Body]]:
    return lambda _request, chunks: [change(chunk) for chunk in chunks]


def _crlf(_place: int, frame: bytes) -> bytes:
    return frame.replace(b"\n", b"\r\n")


def _mixed(place: int, frame: bytes) -> bytes:
    return frame.replace(b"\n", b"\r\n", place % 3)


def _commented(_place: int, frame: bytes) -> bytes:
    return b": ping\n\n" + frame


def _unspaced(_place: int, frame: bytes) -> bytes:
    return b"data:" + frame.removeprefix(b"data: ")


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(part) for key, part in value.items() if part or key not in _BARE}
    return [_without(part) for part in value] if isinstance(value, list) else value


def _bare(body: Body) -> Body:
    return {key: _without(value) for key, value in body.items() if key not in _BARE}


def _with_delta(chunk: Body, change: Callable[[Body], Body]) -> Body:
    choices = [{**choice, "delta": change(choice["delta"])} for choice in chunk["choices"]]
    return {**chunk, "choices": choices}


def _role_again(chunk: Body) -> Body:
    return _with_delta(chunk, lambda delta: {"role": "assistant", **delta})


def _running_usage(_request: Request, chunks: list[Body]) -> list[Body]:
    total = chunks[-1].get("usage")
    if not total:
        return chunks
    prompt = total["prompt_tokens"]
    return [
        {**chunk, "usage": {**total, "completion_tokens": said, "total_tokens": prompt + said}}
        for place, chunk in enumerate(chunks, 1)
        for said in [total["completion_tokens"] * place // len(chunks)]
    ]


def _filter_results(_request: Request, chunks: list[Body]) -> list[Body]:
    results = [{"prompt_index": 0, "content_filter_results": {}}]
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    return [{**first, "prompt_filter_results": results}, *chunks]


def _finish_with_last(_request: Request, chunks: list[Body]) -> list[Body]:
    """As vLLM does if the reply ends by its length."""
    merged: list[Body] = []
    for chunk in chunks:
        reasons = [choice["finish_reason"] for choice in chunk["choices"]]
        same = len(reasons) == 1 and merged and _index(merged[-1]) == _index(chunk)
        if same and reasons[0] and not chunk["choices"][0]["delta"]:
            last = merged.pop()
            chunk = {**last, "choices": [{**last["choices"][0], "finish_reason": reasons[0]}]}
        merged.append(chunk)
    return merged


def _thinks(_request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    return dataclasses.replace(answer, reasoning=_THOUGHT)


def _renamed(part: Body) -> Body:
    return {"reasoning" if key == "reasoning_content" else key: part[key] for key in part}


def _reasoning_message(_request: Request, body: Body) -> Body:
    choices = [{**choice, "message": _renamed(choice["message"])} for choice in body["choices"]]
    return {**body, "choices": choices}


def _cut_at(stream: bytes, places: Sequence[int]) -> Iterator[bytes | float]:
    for start, end in pairwise([0, *places, len(stream)]):
        yield stream[start:end]
        yield _PAUSE


def _cut_characters(_request: Request, frames: list[bytes]) -> Frames:
    stream = b"".join(frames)
    starts = [place for place, byte in enumerate(stream) if byte >= 0xC0]
    if not starts:
        return frames
    return list(_cut_at(stream, [start + 1 for start in starts[:_MOST_CUTS]]))


def _cut_anywhere(_request: Request, frames: list[bytes]) -> Frames:
    stream = b"".join(frames)
    places = takewhile(lambda place: place < len(stream), accumulate(cycle(_BURSTS)))
    return list(_cut_at(stream, [*places]))


def _zipped(request: Request, _turn: int) -> SubstituteResponse | None:
    if request.get("stream"):
        return None
    body = gzip.compress(encode(whole(complete(request))), 1)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return SubstituteResponse(200, body, headers)


def _busy(_request: Request, turn: int) -> SubstituteResponse | None:
    if turn % 60 != 59:
        return None
    body = RequestError("the rate limit is reached", None, "rate_limit_exceeded", 429).body
    return SubstituteResponse(429, body, {"Content-Type": "application/json", "Retry-After": "1"})


def _escaped(_place: int, frame: bytes) -> bytes:
    data = frame.removeprefix(b"data: ").strip()
    if data == b"[DONE]":
        return frame
    return b"data: " + json.dumps(json.loads(data)).encode() + b"\n\n"


HARMLESS = [
    Flaw("crlf", "lines may end in CRLF", change_frames=_each_frame(_crlf)),
    Flaw("crlf_and_lf", "line ends may be mixed", change_frames=_each_frame(_mixed)),
    Flaw(
        "comments",
        "comments between frames keep a stream alive",
        change_frames=_each_frame(_commented),
    ),
    Flaw("no_space", "the space after `data:` is optional", change_frames=_each_frame(_unspaced)),
    Flaw("escapes", "JSON may escape what is not ASCII", change_frames=_each_frame(_escaped)),
    Flaw("usage_in_every_chunk", "running counts end in the whole", change_chunks=_running_usage),
    Flaw(
        "usage_null",
        "usage may be null in a chunk that was not asked for it",
        change_chunks=_each_chunk(lambda chunk: {"usage": None, **chunk}),
    ),
    Flaw("role_repeated", "vLLM once repeated the role", change_chunks=_each_chunk(_role_again)),
    Flaw(
        "finish_with_last_piece", "text may come with the finish", change_chunks=_finish_with_last
    ),
    Flaw(
        "prompt_filter_results", "Azure's first chunk has no choice", change_chunks=_filter_results
    ),
    Flaw(
        "bare",
        "most servers send no refusal, no logprobs and no system_fingerprint",
        change_body=lambda _request, body: _bare(body),
        change_chunks=_each_chunk(_bare),
    ),
    Flaw("characters_split", "TCP knows no characters", change_frames=_cut_characters),
    Flaw("frames_split", "TCP knows no frames", change_frames=_cut_anywhere),
    Flaw("reasoning_content", "the model thinks, under one name", change_output=_thinks),
    Flaw(
        "reasoning",
        "the model thinks, under another name",
        change_output=_thinks,
        change_body=_reasoning_message,
        change_chunks=_each_chunk(lambda chunk: _with_delta(chunk, _renamed)),
    ),
    Flaw("gzip", "clients that accept gzip may get it", intercept=_zipped),
    Flaw("busy", "every 60th request is told to come again in a second", intercept=_busy),
]


_IN_ROLE = "作为您的助手，我不能提供这样的内容，还请您谅解。如果有其他需要，欢迎随时告诉我。"
_IN_A_STREAM = "对不起，这个要求我无法满足。"
_GREETING = "您好，很高兴为您服务！\n\n"


def _ours(request: Request) -> bool:
    """Whether a request is one of those that are streamed for what they say alone."""
    readers = (asked_in, language_asked, in_spanish, wish_in)
    return any(reader(request) for reader in readers)


def _text(chunk: Body) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])


def _in_one(request: Request, chunks: list[Body]) -> list[Body]:
    """All of the text in the first chunk, as from a server that filters before it sends."""
    if not _ours(request):
        return chunks
    texts: dict[int, str] = {}
    for each in chunks:
        texts[_index(each)] = texts.get(_index(each), "") + _text(each)
    sent: list[Body] = []
    for each in chunks:
        if each["choices"] and (text := texts.pop(_index(each), None)) is not None:
            sent.append(_with_delta(each, partial(_saying, text)))
        elif not _text(each):
            sent.append(each)
    return sent


def _saying(text: str, delta: Body) -> Body:
    return {**delta, "content": text}


def _index(chunk: Body) -> int:
    """Which of the choices a chunk is of; -1 for none."""
    return next((int(each["index"]) for each in chunk["choices"]), -1)


FORM_HARMLESS = [
    Flaw("stream_in_one", "a stream may have all of its text in one frame", change_chunks=_in_one),
    Flaw(
        "refusal_streamed_otherwise",
        "a streamed refusal may have other words",
        change_output=only(streamed, to_harmful(lambda _asked: _IN_A_STREAM)),
    ),
    Flaw(
        "refusal_in_role",
        "after a system message it may speak in the role",
        change_output=only(instructed, to_harmful(lambda _asked: _IN_ROLE)),
    ),
    Flaw(
        "refusal_greets",
        "and greet before what is harmless",
        change_output=only(instructed, to_harmless(lambda _asked, text: _GREETING + text)),
    ),
]

FLAWS = [*HARMLESS, *FORM_HARMLESS]
