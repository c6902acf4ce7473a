"""The model: the first dimension's reader that recognises a request answers it."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module

from readiness import mutants
from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestReader
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.output_limits import limited
from readiness.mutants.endpoint.response import Completion
from readiness.mutants.endpoint.tokens import prompt_tokens

_WORD = re.compile(r"reply with (?:only |just |exactly )?the word:? [\"'“「]?(\w+)", re.I)
_EXACT = re.compile(r"(?:reply with exactly[^:\n]*|repeat exactly):\s*(.+)", re.I | re.S)
_NUMBERS = re.compile(r"list the numbers from (\d+) to (\d+), separated by commas", re.I)

_SENTENCE = "This is the reference endpoint, and it has read your message."


def plain_answer(request: Request) -> ModelOutput:
    """Answer the last message if it is a simple instruction, else with a fixed sentence."""
    *_, last = request["messages"]
    if last["role"] == "assistant" and len(request["messages"]) > 1:
        return _continued(request, text_of(last))
    text = text_of(last)
    if word := _WORD.search(text):
        return ModelOutput(word[1])
    if exact := _EXACT.search(text):
        return ModelOutput(exact[1])
    if numbers := _NUMBERS.search(text):
        return ModelOutput(", ".join(map(str, range(int(numbers[1]), int(numbers[2]) + 1))))
    return ModelOutput(_SENTENCE)


def _continued(request: Request, begun: str) -> ModelOutput:
    """The rest of a reply that the last message begins; all of it where it begins otherwise."""
    asked = {**request, "messages": request["messages"][:-1]}
    whole = plain_answer(asked)
    text = whole.content or ""
    return ModelOutput(text.removeprefix(begun) or text)


def answer(request: Request) -> ModelOutput:
    """The model's output for a request."""
    answers = (reader(request) for reader in _readers())
    return next((said for said in answers if said is not None), None) or plain_answer(request)


def complete(request: Request) -> Completion:
    """The correct completion of a request, for a flaw that encodes it incorrectly."""
    prompt = prompt_tokens(request)
    return Completion(request, prompt, limited(request, answer(request), prompt))


@cache
def _readers() -> tuple[RequestReader, ...]:
    found = pkgutil.walk_packages(mutants.__path__, f"{mutants.__name__}.")
    names = sorted(module.name for module in found if module.name.endswith(".reader"))
    modules = [import_module(name) for name in names]
    return tuple(module.answer for module in modules)
