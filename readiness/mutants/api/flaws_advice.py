"""Flaws of what the protocol only advises: clients bear them, and somebody trips over each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from readiness.mutants.api.requests import (
    JSON,
    Errs,
    asked,
    choice_of,
    chunked,
    each,
    formed,
    instead,
    is_for,
    relabelled,
    text,
    without,
)
from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.problem import Problem
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Body, Flaw

_HI = [{"role": "user", "content": "Hi"}]
_ESSENTIAL = ("model", "messages", "max_tokens", "max_completion_tokens", "stream")


def refused(words: str) -> Refusal:
    """A refusal of what is right."""
    return Refusal(400, Problem(words).body, JSON)


def answered() -> Refusal:
    """An answer to anything."""
    done = complete({"model": "reference", "messages": _HI})
    return Refusal(200, encode(whole(done)), JSON)


def _bare(request: Request) -> Request:
    """The request with what every server knows, in range."""
    kept = {key: value for key, value in request.items() if key in _ESSENTIAL}
    return {**kept, "max_tokens": 16} if kept.get("max_tokens", 1) < 1 else kept


def _message(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    return lambda body: choice_of(
        body, lambda choice: {**choice, "message": change(choice["message"])}
    )


def _one_choice_counts(body: Body) -> Body:
    usage, n = body["usage"], len(body["choices"])
    tokens = usage["completion_tokens"] // n
    total = usage["prompt_tokens"] + tokens
    return {**body, "usage": {**usage, "completion_tokens": tokens, "total_tokens": total}}


def _clock(made: list[Body]) -> list[Body]:
    return [{**chunk, "created": chunk["created"] + at} for at, chunk in enumerate(made)]


def _without_role(chunk: Body) -> Body:
    def change(choice: Body) -> Body:
        delta = {key: value for key, value in choice["delta"].items() if key != "role"}
        return {**choice, "delta": delta}

    return choice_of(chunk, change)


def _usage_on_the_last_choice(made: list[Body]) -> list[Body]:
    *others, last, counted = made
    return [*others, {**last, "usage": counted["usage"]}]


def _usage_unasked(made: list[Body]) -> list[Body]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [*made, {**made[-1], "choices": [], "usage": usage}]


def _numbered() -> Callable[[Request, Answer, int], Answer]:
    """A text that is another each time."""
    turns = count()

    def says(request: Request, answer: Answer, _turn: int) -> Answer:
        if not is_for("repeats_with_a_seed", request):
            return answer
        return replace(answer, content=f"{next(turns)}: {answer.content}")

    return says


def _wrongly(name: str, change: Callable[[Refusal], Refusal]) -> Errs:
    def errs(request: Request | None, refusal: Refusal) -> Refusal:
        return change(refusal) if request is not None and is_for(name, request) else refusal

    return errs


_TAKEN = {
    "takes_a_seed": "a request with a seed is refused",
    "takes_a_prefill": "a conversation that ends with the assistant is refused",
    "takes_bookkeeping": "`user`, `metadata` and `store` are refused",
    "takes_developer_messages": "the role developer is refused",
    "takes_names": "the name of who speaks is refused",
    "takes_repeated_roles": "roles must take turns, as in some chat templates",
    "takes_sampling": "sampling is not to be touched",
}
_REPLIES: dict[str, tuple[str, Callable[[Body], Body]]] = {
    "echoes_the_model": ("a reply names another model", lambda body: {**body, "model": "base-v2"}),
    "tells_the_time": ("`created` is 0", lambda body: {**body, "created": 0}),
    "has_every_field": (
        "a choice has no `logprobs`, not even null",
        lambda body: choice_of(
            body, lambda choice: {key: choice[key] for key in choice if key != "logprobs"}
        ),
    ),
    "leaves_out_empty_fields": (
        "tool_calls is null",
        _message(lambda message: {**message, "tool_calls": None}),
    ),
    "makes_fresh_ids": ("every id is chatcmpl-1", lambda body: {**body, "id": "chatcmpl-1"}),
    "keeps_spaces": (
        "white space at the end is cut",
        _message(lambda message: {**message, "content": message["content"].rstrip()}),
    ),
    "counts_every_choice": ("of two choices, the tokens of one are counted", _one_choice_counts),
}
_STREAMS: dict[str, tuple[str, Callable[[list[Body]], list[Body]]]] = {
    "keeps_its_time": ("`created` ticks on within a stream", _clock),
    "opens_with_the_role": ("no delta tells the role", each(_without_role)),
    "sends_usage_last": ("counts come with the last choice", _usage_on_the_last_choice),
    "sends_usage_when_asked": ("a stream is counted that nobody wants counted", _usage_unasked),
}
_REFUSALS = {
    "refuses_senseless_conversations": "senseless conversations are answered",
}


def advice(name: str, about: str, **hooks: Any) -> Flaw:
    """A flaw of what a check of this name advises."""
    return Flaw(f"api_advice_{name}", about, f"api.{name}", **hooks)


FLAWS = [
    *(
        advice(name, about, refuses=instead(name, lambda _: refused("not supported here")))
        for name, about in _TAKEN.items()
    ),
    *(
        advice(name, about, forms=formed(name, change))
        for name, (about, change) in _REPLIES.items()
    ),
    *(
        advice(name, about, chunks=chunked(name, change))
        for name, (about, change) in _STREAMS.items()
    ),
    *(
        advice(name, about, errs=_wrongly(name, lambda _: answered()))
        for name, about in _REFUSALS.items()
    ),
    advice(
        "keeps_reasoning_apart",
        "thoughts stand in the content",
        says=text("keeps_reasoning_apart", lambda said: f"<think>\nWell.\n</think>\n\n{said}"),
    ),
    advice("repeats_with_a_seed", "a seed changes nothing", says=_numbered()),
    advice(
        "gives_several_choices",
        "of two choices comes one",
        asks=without("gives_several_choices", "n"),
    ),
    advice(
        "gives_logprobs",
        "log probabilities are left out",
        asks=without("gives_logprobs", "logprobs", "top_logprobs"),
    ),
    advice(
        "refuses_out_of_range",
        "what is out of range is ignored",
        asks=asked("refuses_out_of_range", _bare),
    ),
    advice(
        "refuses_contradictions",
        "what contradicts itself is ignored",
        asks=asked("refuses_contradictions", _bare),
    ),
    advice(
        "names_the_request",
        "a proxy drops x-request-id",
        refuses=instead("names_the_request", relabelled("application/json")),
    ),
]
