"""Flaws of streams, and of concurrent requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from readiness.mutants.api.requests import (
    BRIEF,
    BRIEF_ELSEWHERE,
    BRIEF_STREAM,
    Says,
    choice_of,
    chunked,
    each,
    framed,
    instead,
    relabelled,
)
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    SubstituteResponse,
)
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.request_form import (
    all_of,
    beside_tools,
    limited_to,
    streamed,
    uncounted,
)
from readiness.mutants.endpoint.tools import named_tool
from readiness.mutants.flaw import Body, Flaw

#: How often a request gets the answer of the one before it.
_RARELY = 7
_MOST_ON_A_CONNECTION = 12
#: The tokens of a short answer, and the seconds that it takes.
_SHORT, _MOMENT = 32, 0.02
#: A reply of a word or two.
_WORD = limited_to(16)


def _later(change: Callable[[Body], Body]) -> Callable[[list[Body]], list[Body]]:
    """Change the second half of the chunks."""
    return lambda made: [*made[: len(made) // 2], *map(change, made[len(made) // 2 :])]


def _finish(chunk: Body, reason: str | None) -> Body:
    return choice_of(chunk, lambda choice: {**choice, "finish_reason": reason})


def _twice(made: list[Body]) -> list[Body]:
    ends = [chunk for chunk in made if any(each["finish_reason"] for each in chunk["choices"])]
    return [*made, *ends]


def _early(made: list[Body]) -> list[Body]:
    """The finish_reason is sent first."""
    return [_finish(made[0], "stop"), *(_finish(chunk, None) for chunk in made[1:])]


def _no_index(chunk: Body) -> Body:
    return choice_of(chunk, lambda choice: {key: choice[key] for key in choice if key != "index"})


def _broken(frames: list[bytes]) -> Sequence[bytes]:
    half = len(frames) // 2
    return [*frames[:half], frames[half][:20] + b"\n\n", *frames[half + 1 :]]


def _no_usage(made: list[Body]) -> list[Body]:
    return [chunk for chunk in made if not chunk.get("usage")]


def _own_usage(made: list[Body]) -> list[Body]:
    usage = {**made[-1]["usage"], "completion_tokens": 1}
    usage["total_tokens"] = usage["prompt_tokens"] + 1
    return [{**chunk, "usage": usage} for chunk in made]


def _first_usage(made: list[Body]) -> list[Body]:
    """As it may be known beforehand, where the reply is not streamed by whoever made it."""
    first, *others, last = made
    return [{**first, "usage": last["usage"]}, *others]


def _wrong_total(chunk: Body) -> Body:
    usage = chunk.get("usage")
    return {**chunk, "usage": {**usage, "total_tokens": 1}} if usage else chunk


def _bytewise(content: str) -> str:
    """As a server does that decodes each byte separately."""
    beyond = any(letter > "\uffff" for letter in content)
    return content.encode().decode("latin-1") if beyond else content


def _replaced(content: str) -> str:
    return "".join(letter if letter <= "\uffff" else "\ufffd" for letter in content)


def _plane(content: str) -> str:
    return "".join(letter for letter in content if letter <= "\uffff")


def _of_any_text(change: Callable[[str], str]) -> Says:
    return lambda _request, said, _turn: (
        replace(said, content=change(said.content)) if said.content else said
    )


def _crossed() -> Says:
    """Of answers of a few words, some are those to the request before."""
    seen, last = count(1), [ModelOutput("nothing yet")]

    def says(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
        if not _short_text(request):
            return answer
        crossed = last[0] if not next(seen) % _RARELY else answer
        last[0] = answer
        return crossed

    return says


def _short_text(request: Request) -> bool:
    return limited_to(_SHORT)(request) and not beside_tools(request)


class _OneBuffer(Engine):
    """Short answers share a buffer, which another request overwrites if it is in flight, too."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = ModelOutput("nothing yet")

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Take a moment for a short answer, so that requests that are sent at once overlap."""
        refusal = await super().begin(request)
        await asyncio.sleep(_MOMENT if _short_text(request) else 0)
        return refusal

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        """The answer in the buffer."""
        if not _short_text(request):
            return answer
        overwritten = self._buffer if self.running > 1 else answer
        self._buffer = answer
        return overwritten


class _OneBufferForEach(_OneBuffer):
    """The same with a buffer for each request: nothing is overwritten."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        """The request's own answer."""
        return answer


def _shared() -> Says:
    """The arguments of calls that are forced are kept by the function's name alone."""
    kept: dict[str, str] = {}

    def says(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
        if not (named_tool(request) and answer.calls):
            return answer
        name, own = answer.calls[0].name, answer.calls[0].arguments
        return replace(answer, calls=(ModelToolCall(name, kept.setdefault(name, own)),))

    return says


def _stays(request: Request, number: int) -> bool:
    return number <= _MOST_ON_A_CONNECTION or not _WORD(request)


_USAGE = "usage_in_stream"
#: Streams with their usage that take more than a few words.
_COUNTED = all_of(streamed, limited_to(64), lambda request: not uncounted(request))
_CHUNKS = [
    ("created_text_in_chunks", "chunks_match_sdk_types", "`created` is a date in words",
     each(lambda chunk: {**chunk, "created": "today"})),
    ("index_missing", "chunks_match_sdk_types", "choices have no index", each(_no_index)),
    ("id_changes", "stable_chunk_id", "the id changes in mid-stream",
     _later(lambda chunk: {**chunk, "id": "another"})),
    ("model_changes", "stable_chunk_id", "the model changes in mid-stream",
     _later(lambda chunk: {**chunk, "model": "another"})),
    ("never_finishes", "single_finish_reason", "no finish_reason comes",
     each(lambda chunk: _finish(chunk, None))),
    ("finishes_twice", "single_finish_reason", "two chunks finish", _twice),
    ("finishes_first", "single_finish_reason", "the finish comes before the text", _early),
    ("stream_usage_missing", "usage_in_stream", "include_usage is ignored", _no_usage),
    ("stream_usage_total", "usage_in_stream", "the total is no sum", each(_wrong_total)),
    ("stream_usage_own", "usage_in_stream", "each chunk counts its own tokens", _own_usage),
    ("stream_usage_first", "usage_in_stream", "the counts come with the first chunk alone",
     _first_usage),
]  # fmt: skip
#: What happens to the text of any reply.
_ANY_TEXT = [
    ("bytes_as_characters", "where one is beyond the first plane, each byte is a character",
     _bytewise),
    ("characters_replaced", "characters beyond the first plane become U+FFFD", _replaced),
    ("characters_dropped", "characters beyond the first plane are dropped", _plane),
]  # fmt: skip

#: Frames of a stream that is kept back.
_MANY = 60
#: The time in which a fast model generates a token, in seconds.
_PER_FRAME = 0.0003


def _held(_request: Request, frames: list[bytes]) -> Sequence[bytes | float]:
    return [_PER_FRAME * len(frames), b"".join(frames)] if len(frames) > _MANY else frames


FLAWS = [
    *(
        Flaw(
            f"api_{name}",
            about,
            f"api.{check}",
            change_chunks=chunked(_COUNTED if check == _USAGE else BRIEF_STREAM, change),
            elsewhere=("memory", "tool_calling", *BRIEF_ELSEWHERE)
            if check == _USAGE
            else BRIEF_ELSEWHERE,
        )
        for name, check, about, change in _CHUNKS
    ),
    *(
        Flaw(
            f"api_{name}",
            about,
            "api.unicode_intact",
            change_output=_of_any_text(change),
            elsewhere=("json_only", "multilingual", "spanish", "tool_calling"),
        )
        for name, about, change in _ANY_TEXT
    ),
    Flaw(
        "api_stream_as_text",
        "a stream is labelled text/plain",
        "api.event_stream_content_type",
        intercept=instead(BRIEF_STREAM, relabelled("text/plain")),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_frame_broken",
        "a frame is no JSON",
        "api.chunks_match_sdk_types",
        change_frames=framed(BRIEF_STREAM, _broken),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_no_done",
        "a stream ends without [DONE]",
        "api.stream_ends_with_done",
        change_frames=framed(BRIEF_STREAM, lambda frames: frames[:-1]),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_done_with_usage",
        "a stream ends with [DONE] only where it is asked for usage",
        "api.stream_ends_with_done",
        change_frames=framed(all_of(uncounted, BRIEF), lambda frames: frames[:-1]),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_finish_with_usage",
        "a stream has a finish_reason only where it is asked for usage",
        "api.single_finish_reason",
        change_chunks=chunked(all_of(uncounted, BRIEF), each(lambda chunk: _finish(chunk, None))),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_buffered",
        "a proxy keeps the stream back until it is complete",
        "api.incremental_streaming",
        elsewhere=("stability",),
        change_frames=_held,
    ),
    Flaw(
        "api_crossed",
        "now and then a request gets the answer of another",
        "api.conversation_isolation",
        change_output=_crossed(),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_crossed_by_two",
        "two short answers at once share a buffer, and one gets the other's text",
        "api.conversation_isolation",
        engine=_OneBuffer,
        elsewhere=("json_only", *BRIEF_ELSEWHERE),
    ),
    Flaw(
        "api_two_short_answers",
        "short answers take a moment, and each has a buffer of its own",
        engine=_OneBufferForEach,
    ),
    Flaw(
        "api_calls_crossed",
        "a forced call has the arguments of another request's to the same tool",
        "api.tool_call_isolation",
        change_output=_shared(),
        elsewhere=("tool_calling",),
    ),
    Flaw(
        "api_connection_wears_out",
        "after a dozen requests, a connection is closed instead of answered on",
        "api.keep_alive",
        answer_on_connection=_stays,
        elsewhere=BRIEF_ELSEWHERE,
    ),
]
