"""The model: the first reader that knows what a request is about answers it."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from readiness.mutants import readers
from readiness.mutants.answer import Answer, Reader, Request
from readiness.mutants.readers import plain
from readiness.mutants.response import Completion
from readiness.mutants.speech import say
from readiness.mutants.tokens import prompt_tokens


def answer(request: Request) -> Answer:
    """What the model says to a request."""
    answers = (reader(request) for reader in _readers())
    return next((said for said in answers if said is not None), None) or plain.answer(request)


def complete(request: Request) -> Completion:
    """The rightful completion of a request, for a flaw that wraps it wrongly."""
    prompt = prompt_tokens(request)
    return Completion(request, prompt, say(request, answer(request), prompt))


@cache
def _readers() -> tuple[Reader, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(readers.__path__))
    modules = [import_module(f"{readers.__name__}.{name}") for name in names if name != "plain"]
    return tuple(module.answer for module in modules)
