"""Flaws of reasoning beside tools: suppressed, mishandled in the history, or in the content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from readiness.mutants.any_dimension.reasoning import FIELD, since_user
from readiness.mutants.api.requests import CRASH, JSON
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    beside_tools,
    streamed,
)
from readiness.mutants.flaw import Body, Flaw

_BESIDE = "tool_calling.reasoning_with_tools"
_ACROSS = "tool_calling.reasoning_across_calls"
_APART = "tool_calling.reasoning_kept_from_content"

_THOUGHT = (
    "The user wants something done, and I ask myself what is known and what is not. First I look "
    "at the request as a whole, then at each of its parts, and then I decide."
)


def _thinks(where: Where) -> Says:
    """The model reasons where that holds."""
    return lambda request, said, _turn: (
        replace(said, reasoning=_THOUGHT) if where(request) else said
    )


def _thinking(where: Where, change: Callable[[Request, ModelOutput], ModelOutput]) -> Says:
    """The model reasons always, and its output is changed where that holds."""

    def changed(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        thought = replace(said, reasoning=_THOUGHT)
        return change(request, thought) if where(request) else thought

    return changed


def _no_tools(request: Request) -> bool:
    return not beside_tools(request)


def _no_tools_streamed(request: Request) -> bool:
    return not (beside_tools(request) and streamed(request))


def _no_tools_whole(request: Request) -> bool:
    return not beside_tools(request) or streamed(request)


def sent_back(request: Request) -> bool:
    """Whether reasoning comes back along with the calls that it led to."""
    return any(FIELD in each for each in since_user(request))


def own_calls_before(request: Request) -> list[Mapping[str, Any]]:
    """The calls of this server before the user's last turn."""
    old = request["messages"][: len(request["messages"]) - len(since_user(request))]
    made = [each for each in old if each.get("tool_calls")]
    return [
        each for each in made if any(call["id"].startswith("call_") for call in each["tool_calls"])
    ]


def _crashes_streamed(request: Request, _turn: int) -> SubstituteResponse | None:
    return CRASH if sent_back(request) and streamed(request) else None


def _demands_old(request: Request, _turn: int) -> SubstituteResponse | None:
    if all(each.get(FIELD) for each in own_calls_before(request)):
        return None
    body = RequestError(f"'{FIELD}' is missing in an earlier message", "messages").body
    return SubstituteResponse(400, body, JSON)


def _result_lost(request: Request, said: ModelOutput) -> ModelOutput:
    """What follows reasoning in the history is lost: the result, as if there were none."""
    users = [each for each in request["messages"] if each["role"] in ("system", "user")]
    return replace(answer({**request, "messages": users}), reasoning=said.reasoning)


def _in_content(_request: Request, said: ModelOutput) -> ModelOutput:
    return replace(said, content=f"{said.reasoning}\n\n{said.content or ''}")


def _tagged(_request: Request, said: ModelOutput) -> ModelOutput:
    text = f"<think>\n{said.reasoning}\n</think>\n\n{said.content or ''}"
    return replace(said, content=text, reasoning="")


def _closing_tag(_request: Request, said: ModelOutput) -> ModelOutput:
    return replace(said, content=f"</think>\n\n{said.content or ''}")


def _calling(
    change: Callable[[Request, ModelOutput], ModelOutput],
) -> Callable[[Request, ModelOutput], ModelOutput]:
    """Change the output only where it has a call."""
    return lambda request, said: change(request, said) if said.calls else said


def told_last(request: Request) -> bool:
    """Whether the last message is a tool's result."""
    return bool(request["messages"][-1]["role"] == "tool")


def _last_sentence(_request: Request, said: ModelOutput) -> ModelOutput:
    """The text begins with the last words of the reasoning."""
    return said if said.calls else replace(said, content=f"Then I decide: {said.content}")


def _always(_request: Request) -> bool:
    return True


def _doubled(part: Body) -> Body:
    return {**part, "reasoning": part[FIELD]} if FIELD in part else part


def _twice(name: str) -> Callable[[Body], Body]:
    """The reasoning under two names."""
    return lambda body: {
        **body,
        "choices": [{**each, name: _doubled(each[name])} for each in body["choices"]],
    }


_BROKEN: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "reasoning_lost_beside_tools",
        "no reasoning where tools are offered",
        _BESIDE,
        {"change_output": _thinks(_no_tools)},
    ),
    (
        "reasoning_lost_beside_tools_streamed",
        "nor in a stream with tools",
        _BESIDE,
        {"change_output": _thinks(_no_tools_streamed)},
    ),
    (
        "reasoning_lost_beside_tools_whole",
        "nor in a whole reply with tools",
        _BESIDE,
        {"change_output": _thinks(_no_tools_whole)},
    ),
    (
        "reasoning_back_500",
        "reasoning that is sent back crashes a stream",
        _ACROSS,
        {"change_output": _thinks(_always), "intercept": _crashes_streamed},
    ),
    (
        "reasoning_back_hides_result",
        "a result behind reasoning is not read",
        _ACROSS,
        {"change_output": _thinking(sent_back, _result_lost)},
    ),
    (
        "reasoning_demanded_for_ever",
        "earlier turns are refused without the reasoning of their calls",
        _ACROSS,
        {"change_output": _thinks(_always), "intercept": _demands_old},
    ),
    (
        "reasoning_in_content_of_streams",
        "in streams with a call the reasoning is in the content as well",
        _APART,
        {"change_output": _thinking(streamed, _calling(_in_content))},
    ),
    (
        "reasoning_tagged_after_result",
        "after a result the reasoning comes in tags in the content",
        _APART,
        {"change_output": _thinking(told_last, _tagged)},
    ),
    (
        "reasoning_closing_tag_beside_calls",
        "beside a call the content is the closing tag",
        _APART,
        {"change_output": _thinking(_always, _calling(_closing_tag))},
    ),
]
_HARMLESS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "reasoning_twice_named",
        "reasoning may come under two names",
        {
            "change_output": _thinks(_always),
            "change_body": lambda _request, body: _twice("message")(body),
            "change_chunks": lambda _request, made: list(map(_twice("delta"), made)),
        },
    ),
    (
        "reasoning_ends_in_text",
        "a text may begin with what the reasoning ended in",
        {"change_output": _thinking(told_last, _last_sentence)},
    ),
    (
        "reasoning_not_for_calls",
        "a simple call takes no reasoning",
        {
            "change_output": lambda request, said, _turn: (
                said if said.calls else replace(said, reasoning=_THOUGHT)
            )
        },
    ),
]

FLAWS = [
    *(Flaw(name, about, check, **hooks) for name, about, check, hooks in _BROKEN),
    *(Flaw(name, about, **hooks) for name, about, hooks in _HARMLESS),
]
