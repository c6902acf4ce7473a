"""Encoding of the model's output as a response, streamed or not."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, cycle, pairwise, takewhile
from secrets import token_hex
from typing import Any

from readiness.mutants.endpoint.answer import ModelToolCall, Request
from readiness.mutants.endpoint.output_limits import LimitedOutput
from readiness.mutants.endpoint.tokens import tokens
from readiness.mutants.flaw import Body

_SURE = math.log(0.95)

# The alternatives share the remaining probability, and the sum of all stays below 1.
_OTHERS = [math.log(0.025) - place for place in range(20)]


def logprobs(tokens: Sequence[str], top: int) -> dict[str, Any]:
    """`choices[].logprobs` for these tokens."""
    return {"content": [_entry(token, top) for token in tokens], "refusal": None}


def _entry(token: str, top: int) -> dict[str, Any]:
    others = [_value(f" {place}", value) for place, value in enumerate(_OTHERS[: max(top - 1, 0)])]
    best = _value(token, _SURE)
    return {**best, "top_logprobs": [best, *others] if top else []}


def _value(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


FINGERPRINT = "fp_reference"
DONE = b"data: [DONE]\n\n"

# Lengths of the chunks of a streamed text: they split words and graphemes.
_PIECES = (1, 3, 2, 7, 4, 1, 5)

Delta = dict[str, Any]


@dataclass(frozen=True)
class Completion:
    """One chat completion: its request, output and ids."""

    request: Request
    prompt: int
    output: LimitedOutput
    id: str = field(default_factory=lambda: f"chatcmpl-{token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def choices(self) -> range:
        """The indices of the choices."""
        return range(self.request.get("n") or 1)

    def envelope(self, kind: str, choices: Sequence[Body]) -> Body:
        """The fields around the choices, in a body and in a chunk."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.request["model"],
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        }

    @property
    def usage(self) -> Body:
        """The tokens of the prompt, and those of all choices."""
        n, output = len(self.choices), self.output
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": n * output.tokens,
            "total_tokens": self.prompt + n * output.tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": n * output.reasoned,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def whole(completion: Completion) -> Body:
    """The body of a response that is not streamed."""
    request, answer = completion.request, completion.output.answer
    message: Body = {"role": "assistant", "content": answer.content, "refusal": None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    sure = None
    if request.get("logprobs") and answer.content:
        sure = logprobs(tokens(answer.content), request.get("top_logprobs") or 0)
    choices = [
        {
            "index": index,
            "message": {**message, **_calls(answer.calls)},
            "logprobs": sure,
            "finish_reason": completion.output.finish,
        }
        for index in completion.choices
    ]
    return {**completion.envelope("chat.completion", choices), "usage": completion.usage}


def chunks(completion: Completion) -> list[Body]:
    """The chunks of a response that is streamed."""
    request, output = completion.request, completion.output
    counted = bool((request.get("stream_options") or {}).get("include_usage"))
    steps = [(delta, sure, None) for delta, sure in _deltas(request, output)]
    made = [
        _chunk(completion, {"index": index, "delta": delta, "logprobs": sure, "finish_reason": end})
        for delta, sure, end in [*steps, ({}, None, output.finish)]
        for index in completion.choices
    ]
    if not counted:
        return made
    last = {**completion.envelope("chat.completion.chunk", []), "usage": completion.usage}
    return [*({**chunk, "usage": None} for chunk in made), last]


def frames(bodies: Iterable[Body]) -> list[bytes]:
    """The frames of a stream of chunks, with the one that ends it."""
    return [*(b"data: %b\n\n" % encode(body) for body in bodies), DONE]


#: Made once: of a long stream, json.dumps would make one for each frame.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(body: Body) -> bytes:
    """JSON in UTF-8, without unnecessary escapes."""
    # A flaw may output a lone surrogate, which is sent as is.
    return _JSON.encode(body).encode(errors="surrogatepass")


def pieces(text: str) -> Iterator[str]:
    """A text in small chunks, cut within words and graphemes."""
    cuts = takewhile(lambda cut: cut < len(text), accumulate(cycle(_PIECES), initial=0))
    return (text[start:end] for start, end in pairwise([*cuts, len(text)]))


def _chunk(completion: Completion, choice: Body) -> Body:
    return completion.envelope("chat.completion.chunk", [choice])


def _calls(calls: Sequence[ModelToolCall]) -> Body:
    if not calls:
        return {}
    return {"tool_calls": [{"id": _call_id(), **_function(call, call.arguments)} for call in calls]}


def _call_id() -> str:
    return f"call_{token_hex(12)}"


def _function(call: ModelToolCall, arguments: str) -> Body:
    return {"type": "function", "function": {"name": call.name, "arguments": arguments}}


def _deltas(request: Request, output: LimitedOutput) -> Iterator[tuple[Delta, Body | None]]:
    """The delta of each chunk, with its logprobs."""
    answer = output.answer
    opening = None if answer.content is None else ""
    yield {"role": "assistant", "content": opening, "refusal": None}, None
    for piece in pieces(answer.reasoning):
        yield {"reasoning_content": piece}, None
    if request.get("logprobs"):
        top = request.get("top_logprobs") or 0
        for token in tokens(answer.content or ""):
            yield {"content": token}, logprobs([token], top)
    else:
        for piece in pieces(answer.content or ""):
            yield {"content": piece}, None
    for index, call in enumerate(answer.calls):
        opened = {"index": index, "id": _call_id(), **_function(call, "")}
        yield {"tool_calls": [opened]}, None
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
