"""Flaws of limits that are lowered: a reply is cut, says so, and is shorter than was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.api.requests import EVERYWHERE, JSON, counts, limits_at_most, with_limits
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.request_form import old_limit, streamed
from readiness.mutants.endpoint.tokens import count, prompt_tokens
from readiness.mutants.flaw import Body, Flaw

_OLDER, _NEWER = "api.max_tokens_honoured", "api.max_completion_tokens_honoured"
#: The other dimensions with replies of more than 256 tokens.
_LONG = ("json_only", "load", "long_context", "stability", "tool_calling")
#: How many numbers a model lists before it ends by itself, and a long story.
_LISTED, _STORY = 600, "The lamp was lit, and the sea was calm. " * 600
_LONG_STORY = re.compile(r"\b(?:long|endless) story\b", re.I)
_THOUGHT = "The numbers are to be listed one after the other. " * 40


def _ends_lists(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    """A model that ends a long list by itself, and writes a story as long as it is asked for."""
    numbers = (answer.content or "").split(", ")
    if len(numbers) > _LISTED and all(map(str.isdigit, numbers)):
        return replace(answer, content=", ".join(numbers[:_LISTED]))
    if _LONG_STORY.search(text_of(request["messages"][-1])):
        return replace(answer, content=_STORY)
    return answer


def _reasons_at_length(_request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    long = count(answer.content or "") > 1_000
    return replace(answer, reasoning=_THOUGHT) if long else answer


def _last_uncounted(request: Request, usage: Body) -> Body:
    """Of a reply that was cut, the last token is not counted."""
    cut = usage["completion_tokens"] == most_tokens(request)
    return {"completion_tokens": usage["completion_tokens"] - 1} if cut else {}


def _reasoning_uncounted(_request: Request, usage: Body) -> Body:
    reasoned = usage["completion_tokens_details"]["reasoning_tokens"]
    spoken = usage["completion_tokens"] - reasoned
    return {"completion_tokens": spoken, "completion_tokens_details": None}


def _reasoning_beside(_request: Request, usage: Body) -> Body:
    """The tokens of reasoning are told, and are no part of the reply's."""
    reasoned = usage["completion_tokens_details"]["reasoning_tokens"]
    return {"completion_tokens": usage["completion_tokens"] - reasoned}


def _refuses_more_than(
    tokens: int,
) -> Callable[[Request, int], SubstituteResponse | None]:
    told = RequestError(f"max_tokens must be in [1, {tokens}]", "max_tokens")
    refusal = SubstituteResponse(told.status, told.body, JSON)
    return lambda request, _turn: refusal if (most_tokens(request) or 0) > tokens else None


FLAWS = [
    Flaw(
        "limits_above_1024_lowered",
        "no reply has more than 1,024 tokens, whatever is asked for, as behind a gateway",
        _OLDER,
        change_request=limits_at_most(1_024),
        elsewhere=_LONG,
    ),
    Flaw(
        "limits_in_streams_lowered",
        "no stream has more than 256 tokens",
        _NEWER,
        change_request=limits_at_most(256, streamed),
        elsewhere=_LONG,
    ),
    Flaw(
        "older_limits_lowered",
        "max_tokens is lowered to 512, and its newer name taken as it is",
        _OLDER,
        change_request=limits_at_most(512, old_limit),
        elsewhere=_LONG,
    ),
    Flaw(
        "newer_limits_lowered",
        "where max_tokens is not sent, no reply has more than 512 tokens",
        _NEWER,
        change_request=limits_at_most(512, lambda request: not old_limit(request)),
        elsewhere=_LONG,
    ),
    Flaw(
        "limits_halved",
        "half of each limit is kept for reasoning that does not come",
        _OLDER,
        change_request=with_limits(lambda _request, limit: limit // 2),
        elsewhere=_LONG,
    ),
    Flaw(
        "limits_with_the_prompt",
        "max_tokens is taken for a limit of prompt and reply together",
        _OLDER,
        change_request=with_limits(
            lambda request, limit: limit - prompt_tokens(request) if old_limit(request) else limit
        ),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "limits_reached_by_stories",
        "a model may end long lists by itself, and go on with a story",
        change_output=_ends_lists,
    ),
    Flaw(
        "limits_above_4096_refused",
        "a limit of more than 4,096 tokens may be refused",
        intercept=_refuses_more_than(4_096),
    ),
    Flaw(
        "limits_last_token_uncounted",
        "the token at which a reply is cut may not be counted",
        **counts(_last_uncounted),
    ),
    Flaw(
        "limits_reasoning_counted",
        "reasoning takes tokens of the limit, and is counted",
        change_output=_reasons_at_length,
    ),
    Flaw(
        "limits_reasoning_uncounted",
        "reasoning takes tokens of the limit, and is not counted",
        change_output=_reasons_at_length,
        **counts(_reasoning_uncounted),
    ),
    Flaw(
        "limits_reasoning_beside",
        "reasoning takes tokens of the limit, and is counted by itself",
        change_output=_reasons_at_length,
        **counts(_reasoning_beside),
    ),
]
