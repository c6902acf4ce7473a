"""Flaws and variants that show only where an endpoint reads its own replies again."""

from __future__ import annotations

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory.changes import asked, of_part
from readiness.mutants.memory.facts import LANGUAGES, language_asked, memory_of

_CHECK = "memory.in_a_live_conversation"
_LONG = 40  # letters: no reply that is made up beforehand has as many


def _since_long_reply(request: Request) -> Request:
    messages = request["messages"]
    own = [at for at, each in enumerate(messages) if each["role"] == "assistant"]
    long = [at for at in own if len(text_of(messages[at])) > _LONG]
    return {**request, "messages": messages[max(long, default=0) :]}


def _said_before(request: Request, said: Answer) -> Answer:
    """What it answered to the question before, where there was one."""
    messages = request["messages"]
    before = [
        text_of(reply)
        for at, reply in enumerate(messages)
        if reply["role"] == "assistant" and language_asked({"messages": messages[:at]})
    ]
    return Answer(before[-1]) if before else said


def _repeats(request: Request, said: Answer, _turn: int) -> Answer:
    """Say again what a turn of a conversation about business has told."""
    messages = request["messages"]
    held = any(each["role"] == "assistant" for each in messages) and not language_asked(request)
    told = held and any(memory_of(messages, of).facts for of in LANGUAGES)
    return Answer(f"OK: {text_of(messages[-1])}") if told else said


FLAWS = [
    Flaw(
        "memory_long_reply",
        "what came before its own last long reply is lost",
        _CHECK,
        says=of_part(_since_long_reply),
    ),
    Flaw(
        "memory_self_contaminated",
        "a question gets the answer to the question before",
        _CHECK,
        says=asked(_said_before),
    ),
    Flaw("memory_repeats", "a turn that tells may be repeated in the reply", says=_repeats),
]
