"""What flaws of long documents have in common: which requests they are about, and what they cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import check_messages, text_of
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.problem import Problem
from readiness.mutants.flaw import Body
from readiness.mutants.long_context.facts import Prompt, prompt_of

#: Bytes; what is shorter is only sent to have its tokens counted.
LONG = 24_000

Asks = Callable[[Request], Request]
Says = Callable[[Request, Answer, int], Answer]
Chunks = Callable[[Request, list[Body]], list[Body]]


def long_prompt(request: Request, *kinds: str) -> Prompt | None:
    """The prompt, where it is about a long document of these kinds; odd requests are about none."""
    try:
        check_messages(request.get("messages"))
    except Problem:
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
    """Answer as if the cut had been made, whatever is counted."""

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        return answer(cut(request)) if long_prompt(request) else said

    return says


def in_answers(change: Callable[[Any], Any]) -> Says:
    """Change each answer to the questions about a long log."""

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        if long_prompt(request, "log") is None:
            return said
        code, _, answers = (said.content or "").rpartition("\n")
        changed = {label: change(value) for label, value in json.loads(answers).items()}
        return Answer(f"{code}\n{json.dumps(changed, ensure_ascii=False)}")

    return says


def in_text(kind: str, change: Callable[[str], str]) -> Says:
    """Change the reply to a long document of that kind."""

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        return Answer(change(said.content or "")) if long_prompt(request, kind) else said

    return says


def in_usage(change: Callable[[Body], Body]) -> Chunks:
    """Change the usage at the end of the stream that answers a long document."""

    def changed(request: Request, made: list[Body]) -> list[Body]:
        if long_prompt(request) is None:
            return made
        return [
            {**each, "usage": change(each["usage"])} if each.get("usage") else each for each in made
        ]

    return changed
