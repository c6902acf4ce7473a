"""The model: the first reader that knows what a request is about answers it."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from readiness import mutants
from readiness.mutants.endpoint import plain_reader
from readiness.mutants.endpoint.answer import Answer, Reader, Request
from readiness.mutants.endpoint.response import Completion
from readiness.mutants.endpoint.speech import say
from readiness.mutants.endpoint.tokens import prompt_tokens


def answer(request: Request) -> Answer:
    """What the model says to a request."""
    answers = (reader(request) for reader in _readers())
    return next((said for said in answers if said is not None), None) or plain_reader.answer(
        request
    )


def complete(request: Request) -> Completion:
    """The rightful completion of a request, for a flaw that wraps it wrongly."""
    prompt = prompt_tokens(request)
    return Completion(request, prompt, say(request, answer(request), prompt))


@cache
def _readers() -> tuple[Reader, ...]:
    found = pkgutil.walk_packages(mutants.__path__, f"{mutants.__name__}.")
    names = sorted(module.name for module in found if module.name.endswith(".reader"))
    modules = [import_module(name) for name in names]
    return tuple(module.answer for module in modules)
