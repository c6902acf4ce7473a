"""Flaws that show only on long documents."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.conversation import check_messages, text_of
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.protocol import WINDOW, most_tokens
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.long_context.reader import Prompt, prompt_of

#: Bytes; what is shorter is only sent to have its tokens counted.
LONG = 24_000

Asks = Callable[[Request], Request]
Says = Callable[[Request, ModelOutput, int], ModelOutput]


def long_prompt(request: Request, *kinds: str) -> Prompt | None:
    """The prompt, where it is about a long document of these kinds; odd requests are about none."""
    try:
        check_messages(request.get("messages"))
    except RequestError:
        return None
    if sum(len(text_of(message).encode()) for message in request["messages"]) < LONG:
        return None
    prompt = prompt_of(request)
    return prompt if prompt and prompt.kind in (kinds or ("log", "report")) else None


def without(start: float, end: float) -> Asks:
    """Leave out a part of a long document, from one share of its length to another."""

    def cut(request: Request) -> Request:
        prompt = long_prompt(request)
        if prompt is None:
            return request
        text = text_of(request["messages"][-1])
        size = text.rfind(prompt.document[-100:]) + 100
        left = text[: int(start * size)] + text[int(end * size) :]
        # What is lost from the start on takes the system message along.
        before = [] if start == 0 else request["messages"][:-1]
        return {**request, "messages": [*before, {"role": "user", "content": left}]}

    return cut


def unnoticed(cut: Asks) -> Says:
    """Answer as if truncated, whatever prompt_tokens says."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        return answer(cut(request)) if long_prompt(request) else said

    return says


def in_answers(change: Callable[[Any], Any]) -> Says:
    """Change each answer to the questions about a long log."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        if long_prompt(request, "log") is None:
            return said
        code, _, answers = (said.content or "").rpartition("\n")
        changed = {label: change(value) for label, value in json.loads(answers).items()}
        return ModelOutput(f"{code}\n{json.dumps(changed, ensure_ascii=False)}")

    return says


def in_text(kind: str, change: Callable[[str], str]) -> Says:
    """Change the reply to a long document of that kind."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        return ModelOutput(change(said.content or "")) if long_prompt(request, kind) else said

    return says


def in_usage(change: Callable[[Body], Body]) -> dict[str, Any]:
    """Hooks that change the usage of a reply to a long document, whole or streamed."""

    def changed(request: Request, sent: Body) -> Body:
        if not sent.get("usage") or long_prompt(request) is None:
            return sent
        return {**sent, "usage": change(sent["usage"])}

    return {
        "change_body": changed,
        "change_chunks": lambda request, made: [changed(request, each) for each in made],
    }


_ACCEPTS = "long_context.accepts_128k"
_ARRIVES = "long_context.no_silent_truncation"
_FINDS = "long_context.needle_retrieval"
_SUMMARISES = "long_context.summary_accuracy"
_REACHES = "long_context.effective_length"
_CAP = 8_192
_THOUSANDS, _DECLARED = 128_000, 32_768  # tokens
#: Tokens: the shortest length of the length search is 4,096, prompt and reply together.
_SHORT = range(2_000, 4_000)
_COLD = 8.5  # seconds
#: From this share of a document on, a weak model reads it.
_LAST = 0.7
_NUMBER = re.compile(r"(?<![\d-])\d{5,7}(?!\d)")
_END = re.compile(r"(?:【完】|\[END\])$")


def _wrong(value: Any) -> Any:
    """The value with the last digit of each number off by one."""
    if isinstance(value, list):
        return [_wrong(each) for each in value]
    return _NUMBER.sub(_next, value) if isinstance(value, str) else value


def _next(number: re.Match[str]) -> str:
    return number[0][:-1] + str((int(number[0][-1]) + 1) % 10)


def _every(value: Any) -> Any:
    """The value among many: a reply that lists every value contains the right one."""
    return [value, *range(1_000_000, 1_000_009)]


def _short_misread(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """As a model does whose position embeddings are scaled by one factor at any length."""
    prompt = prompt_of(request)
    if not prompt or prompt.kind != "log" or prompt_tokens(request) not in _SHORT:
        return said
    return dataclasses.replace(said, content=_wrong(said.content))


def _end_alone(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """As a weak model does: of a log, be it short, it can tell what comes last."""
    prompt = prompt_of(request)
    if not prompt or prompt.kind != "log" or prompt_tokens(request) < _SHORT.start:
        return said
    text = text_of(request["messages"][-1])
    end = text.rfind(prompt.document[-100:]) + 100
    last = {"role": "user", "content": text[int(_LAST * end) :]}
    return answer({**request, "messages": [last]})


def _slowly(request: Request, frames: list[bytes]) -> Sequence[bytes | float]:
    return [_COLD, *frames] if long_prompt(request) else frames


def _made_up(text: str) -> str:
    return _END.sub(r"- 净利润：73519元，2027-12-31\n\g<0>", text)


def _one_wrong(text: str) -> str:
    return _NUMBER.sub(_next, text, count=1)


def _canned(text: str) -> str:
    end = _END.search(text)
    return f"本报告总结了全年工作，各项任务稳步推进。\n{end[0] if end else ''}"


def _half(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    if long_prompt(request, "report") is None:
        return said
    text = said.content or ""
    return dataclasses.replace(said, content=text[: len(text) // 2], finish="length")


def _capped(usage: Body) -> Body:
    return {**usage, "prompt_tokens": min(usage["prompt_tokens"], _CAP)}


def _cut_to_fit(request: Request) -> Request:
    """As some servers do with an overlong prompt: truncate its head silently."""
    if long_prompt(request, "log") is None or (tokens := prompt_tokens(request)) < WINDOW:
        return request
    text = text_of(request["messages"][-1])
    left = text[int(len(text) * (1 - 0.9 * WINDOW / tokens)) :]
    return {**request, "messages": [{"role": "user", "content": left}]}


def _crash(request: Request, _turn: int) -> SubstituteResponse | None:
    if long_prompt(request) is None:
        return None
    body = RequestError("out of memory", status=500).body
    return SubstituteResponse(500, body, {"Content-Type": "application/json"})


def _hang(request: Request, _turn: int) -> SubstituteResponse | None:
    hangs = _paragraphs(request) == 1
    return SubstituteResponse(200, b"", {}, seconds=200) if hangs else None


def _split(request: Request, _turn: int) -> SubstituteResponse | None:
    """As a gateway does that looks at each paragraph by itself, and has no answer for so many."""
    if _paragraphs(request) <= 1:
        return None
    return SubstituteResponse(
        502, b"<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}
    )


def _paragraphs(request: Request) -> int:
    """How many paragraphs a page has; 0 where a request is about no page."""
    prompt = long_prompt(request, "page")
    return len(prompt.document.strip("\n").split("\n")) if prompt else 0


def _small(window: int) -> Callable[[Request, int], SubstituteResponse | None]:
    """The window is smaller than the reference's."""

    def refuses(request: Request, _turn: int) -> SubstituteResponse | None:
        if (tokens := prompt_tokens(request) + (most_tokens(request) or 0)) <= window:
            return None
        said = f"This model's maximum context length is {window} tokens: you asked for {tokens}."
        return SubstituteResponse(
            400, RequestError(said).body, {"Content-Type": "application/json"}
        )

    return refuses


def _declared(listed: Body) -> Body:
    return {**listed, "data": [{**each, "max_model_len": _DECLARED} for each in listed["data"]]}


FLAWS = [
    Flaw(
        "long_window_declared",
        "the window is 32,768 tokens, by the list of models",
        _ACCEPTS,
        change_model_list=_declared,
        intercept=_small(_DECLARED),
    ),
    Flaw(
        "long_window_thousands",
        "128K is taken for 128,000 tokens, and only a request that goes beyond tells",
        _ACCEPTS,
        intercept=_small(_THOUSANDS),
    ),
    Flaw("long_crash", "a long prompt ends in a 500", _ACCEPTS, intercept=_crash),
    Flaw(
        "long_head_dropped",
        "the head of a long prompt is lost",
        _ARRIVES,
        change_request=without(0, 0.4),
    ),
    Flaw(
        "long_end_alone",
        "a weak model answers about the end alone, of documents of 4,000 tokens, too",
        _FINDS,
        change_output=_end_alone,
    ),
    Flaw("long_middle_dropped", "its middle is lost", _ARRIVES, change_request=without(0.35, 0.65)),
    Flaw(
        "long_tail_dropped",
        "the tail of its document is lost",
        _ARRIVES,
        change_request=without(0.6, 1),
    ),
    Flaw(
        "long_head_unnoticed",
        "the head is lost, and all of it is counted",
        _ARRIVES,
        change_output=unnoticed(without(0, 0.3)),
    ),
    Flaw(
        "long_usage_capped",
        "no more than 8,192 tokens are counted",
        _ARRIVES,
        **in_usage(_capped),
    ),
    Flaw(
        "long_lost_in_the_middle",
        "what stands between a quarter and three quarters is not found",
        _FINDS,
        change_output=unnoticed(without(0.22, 0.78)),
    ),
    Flaw(
        "long_wrong_digits",
        "each number has a wrong digit",
        _FINDS,
        change_output=in_answers(_wrong),
    ),
    Flaw("long_shotgun", "each answer lists ten numbers", _FINDS, change_output=in_answers(_every)),
    Flaw(
        "long_one_wrong_digit",
        "a summary has one wrong digit",
        _SUMMARISES,
        change_output=in_text("report", _one_wrong),
    ),
    Flaw(
        "long_canned_summary",
        "a summary says nothing of the report",
        _SUMMARISES,
        change_output=in_text("report", _canned),
    ),
    Flaw(
        "long_made_up_figure",
        "a summary has a figure that the report does not have",
        _SUMMARISES,
        change_output=in_text("report", _made_up),
    ),
    Flaw("long_summary_cut", "a summary ends half-way", _SUMMARISES, change_output=_half),
    Flaw(
        "long_overflow_cut",
        "a prompt that is too long is cut without a word",
        "long_context.overlong_not_truncated",
        change_request=_cut_to_fit,
    ),
    Flaw(
        "long_page_hangs",
        "100,000 characters without a line break get no answer",
        "long_context.no_hang_on_unbroken_text",
        intercept=_hang,
    ),
    Flaw(
        "long_paragraphs_fail",
        "100,000 characters in paragraphs end in a 502",
        "long_context.no_hang_on_long_paragraphs",
        intercept=_split,
    ),
    Flaw(
        "long_short_misread",
        "a document of 4,096 tokens is read worse than one of 128K",
        _REACHES,
        change_output=_short_misread,
    ),
    Flaw(
        "long_slow",
        "a long prompt is answered after more than 8.2 s",
        "long_context.cold_prompt_latency",
        change_frames=_slowly,
    ),
]
