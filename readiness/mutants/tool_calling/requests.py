"""Recognition of requests that offer tools by their content, and changes of the responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request, RequestError
from readiness.mutants.endpoint.conversation import check_messages, text_of
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.surroundings import core
from readiness.mutants.endpoint.tools import check_tools
from readiness.mutants.flaw import Body
from readiness.mutants.tool_calling.reader import WORDS, last_question, tools_of

Says = Callable[[Request, ModelOutput, int], ModelOutput]
Chunks = Callable[[Request, list[Body]], list[Body]]
Forms = Callable[[Request, Body], Body]
Arguments = dict[str, Any]

#: As many tools as only a choice among similar ones offers.
MANY = 8
LONG = 30


def kind(request: Request) -> str:
    """The kind of a request that offers tools, by the check that sends such; "" if it has none."""
    request = core(request)
    tools, choice = tools_of(request), request.get("tool_choice") or "auto"
    if not {"get_weather", "create_event"} & tools.keys():
        return ""
    if isinstance(choice, dict):
        return "named"
    if choice != "auto":
        return str(choice)
    if request.get("parallel_tool_calls") is False:
        return "single"
    return _kind_by_tools(request, len(tools), "create_event" in tools)


def is_sound(request: Request) -> bool:
    """Whether the messages and tools are well-formed enough to be read."""
    try:
        check_messages(request.get("messages"))
        check_tools(request)
    except RequestError:
        return False
    return True


def _kind_by_tools(request: Request, tools: int, hard: bool) -> str:
    text, _ = last_question(request["messages"])
    if hard or tools >= MANY:
        return "hard" if hard else "many"
    if any(said in text for said in WORDS["results"]["values"].values()):
        return "results"
    if any(words["intro"] in text for words in WORDS["parallel"].values()):
        return "results" if request["messages"][-1]["role"] == "tool" else "parallel"
    if len(results_in(request)) >= LONG:
        return "history"
    return "core" if tools == 1 else "irrelevant"


def results_in(request: Request) -> list[str]:
    """The results that a request brings."""
    return [text_of(each) for each in request["messages"] if each["role"] == "tool"]


def results_read(change: Callable[[str], str]) -> Says:
    """Another text of each result reaches the model."""
    return results_changed(lambda told: [change(text) for text in told])


def results_changed(change: Callable[[list[str]], list[str]]) -> Says:
    """Other texts of the results reach the model, which are changed together."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        told = results_in(request)
        if (kept := change(told)) == told:
            return said
        left = iter(kept)
        messages = [
            {**each, "content": next(left)} if each["role"] == "tool" else each
            for each in request["messages"]
        ]
        return answer({**request, "messages": messages})

    return says


def says(of: str, change: Callable[[Request, ModelOutput], ModelOutput]) -> Says:
    """Change the output for requests of that kind."""
    return lambda request, said, _turn: change(request, said) if kind(request) == of else said


def calls(of: str, change: Callable[[ModelToolCall], ModelToolCall]) -> Says:
    """Change each call in answer to requests of that kind."""
    return says(of, lambda _, said: replace(said, calls=tuple(map(change, said.calls))))


def arguments(of: str, change: Callable[[Arguments], Arguments]) -> Says:
    """Change the arguments of each call in answer to requests of that kind."""
    return calls(
        of, lambda call: replace(call, arguments=dumped(change(json.loads(call.arguments))))
    )


def written(of: str, change: Callable[[str], str]) -> Says:
    """Change the text of each call's arguments in answer to requests of that kind."""
    return calls(of, lambda call: replace(call, arguments=change(call.arguments)))


def each_choice(change: Callable[[list[Body]], list[Body]]) -> Callable[[list[Body]], list[Body]]:
    """Change the chunks of each choice by themselves; those of no choice come last."""

    def changed(made: list[Body]) -> list[Body]:
        indices = {choice["index"]: None for each in made for choice in each["choices"]}
        if len(indices) == 1:
            return change(made)
        of = [
            [each for each in made if any(choice["index"] == at for choice in each["choices"])]
            for at in indices
        ]
        rest = [each for each in made if not each["choices"]]
        return [*(each for chunks in of for each in change(chunks)), *rest]

    return changed


def chunks(of: str, change: Callable[[list[Body]], list[Body]]) -> Chunks:
    """Change the chunks of streams with calls, in answer to requests of that kind."""
    return lambda request, made: (
        each_choice(change)(made) if kind(request) == of and any(map(fragments, made)) else made
    )


def sent_calls(of: str, change: Callable[[Body], Body]) -> tuple[Forms, Chunks]:
    """Change each call as it is sent, complete or as a fragment of a stream."""
    return (
        lambda request, body: with_calls(body, "message", change) if of_kind(request, of) else body,
        lambda request, made: (
            [with_calls(each, "delta", change) for each in made] if of_kind(request, of) else made
        ),
    )


def of_kind(request: Request, of: str) -> bool:
    """Whether a request is of that kind; any that offers tools is of the kind `any`."""
    return bool(kind(request)) if of == "any" else kind(request) == of


def fragments(chunk: Body) -> list[Body]:
    """The calls, or pieces of calls, in a chunk."""
    return [call for each in chunk["choices"] for call in each["delta"].get("tool_calls") or ()]


def with_calls(body: Body, part: str, change: Callable[[Body], Body]) -> Body:
    """A body, or a chunk, with each of its calls changed."""
    choices = []
    for choice in body["choices"]:
        sent = choice[part].get("tool_calls")
        more = {"tool_calls": list(map(change, sent))} if sent else {}
        choices.append({**choice, part: {**choice[part], **more}})
    return {**body, "choices": choices}


def dumped(value: Any) -> str:
    """JSON as models write it."""
    return json.dumps(value, ensure_ascii=False)
