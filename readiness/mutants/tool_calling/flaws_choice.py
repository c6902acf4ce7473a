"""Flaws of the choice whether to call a tool, and of what is made of its result."""

from __future__ import annotations

import json
from dataclasses import replace

from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import Answer, Called, Request
from readiness.mutants.endpoint.problem import Problem
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.endpoint.response import Completion, encode, whole
from readiness.mutants.endpoint.speech import say
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.endpoint.toolbox import check_tools
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.facts import weather_asked
from readiness.mutants.tool_calling.reader import answer, last_question
from readiness.mutants.tool_calling.requests import dumped, is_sound, says

_WORDS = "I would rather tell you in words: it is going to be sunny."
_NOWHERE = {"city": "北京", "date": "2027-01-01", "days": 1, "unit": "celsius", "lang": "zh"}


def _unless_told(request: Request) -> Answer:
    """What is said to a request whose choice is lost on the way."""
    lost = ("tool_choice", "parallel_tool_calls")
    return answer({key: of for key, of in request.items() if key not in lost}) or Answer(_WORDS)


def _leaks(request: Request, _said: Answer) -> Answer:
    """As servers do that forbid the call, and not the model's wish for it."""
    calls = _unless_told(request).calls
    return Answer(
        "\n".join(
            f"<tool_call>{dumped({'name': call.name, 'arguments': json.loads(call.arguments)})}"
            for call in calls
        )
    )


def _other_first(request: Request, said: Answer) -> Answer:
    return replace(said, calls=(*_unless_told(request).calls, *said.calls))


def _senseless(request: Request | None) -> Request | None:
    """A request about the weather without the choice that makes no sense; None for any other."""
    if request is None:
        return None
    unchosen = {key: of for key, of in request.items() if key not in ("tools", "tool_choice")}
    if not is_sound(unchosen):
        return None
    asked = weather_asked(last_question(request["messages"])[0], {})[0]
    try:
        check_tools(request)
    except Problem:
        return unchosen if {"city", "days"} <= asked.keys() else None
    return None


def _accepts(request: Request | None, due: Refusal) -> Refusal:
    """Answer in words, as a server does that ignores what makes no sense."""
    if (fine := _senseless(request)) is None:
        return due
    prompt = prompt_tokens(fine)
    body = whole(Completion(fine, prompt, say(fine, Answer(_WORDS), prompt)))
    return Refusal(200, encode(body), JSON)


def _fails(request: Request | None, due: Refusal) -> Refusal:
    return due if _senseless(request) is None else replace(due, status=500)


def _asked(_request: Request, _said: Answer) -> Answer:
    return Answer(None, (Called("get_weather", dumped(_NOWHERE)),))


FLAWS = [
    Flaw(
        "tool_none_ignored",
        "a tool is called in spite of none",
        "tool_calling.when_told_not_to",
        says("none", lambda request, _: _unless_told(request)),
    ),
    Flaw(
        "tool_none_leaks",
        "the forbidden call comes as text",
        "tool_calling.when_told_not_to",
        says("none", _leaks),
    ),
    Flaw(
        "tool_none_mute",
        "forbidden to call, it says nothing",
        "tool_calling.when_told_not_to",
        says("none", lambda _, said: Answer("")),
    ),
    Flaw(
        "tool_required_ignored",
        "words in spite of required",
        "tool_calling.when_required",
        says("required", lambda _, said: Answer(_WORDS)),
    ),
    Flaw(
        "tool_named_ignored",
        "another tool than the one that is named",
        "tool_calling.when_named",
        says("named", lambda request, _: _unless_told(request)),
    ),
    Flaw(
        "tool_named_among_others",
        "the tool that is named, and another one",
        "tool_calling.when_named",
        says("named", _other_first),
    ),
    Flaw(
        "tool_bad_choice_accepted",
        "a choice without sense is ignored",
        "tool_calling.refuses_bad_choices",
        errs=_accepts,
    ),
    Flaw(
        "tool_bad_choice_500",
        "a choice without sense ends in a 500",
        "tool_calling.refuses_bad_choices",
        errs=_fails,
    ),
    Flaw(
        "tool_called_always",
        "a tool is called whatever is asked",
        "tool_calling.only_when_relevant",
        says("irrelevant", _asked),
    ),
    Flaw(
        "tool_parallel_always",
        "several calls in spite of parallel_tool_calls false",
        "tool_calling.one_at_a_time",
        says("single", lambda request, _: _unless_told(request)),
    ),
]
