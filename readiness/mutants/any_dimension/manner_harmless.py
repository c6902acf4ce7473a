"""Harmless variants of replies that are streamed, or that come after a system message."""

from __future__ import annotations

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.manner import instructed, only, streamed
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.memory.facts import language_asked
from readiness.mutants.multilingual.facts import wish_in
from readiness.mutants.refusal.changes import to_harmful, to_harmless
from readiness.mutants.refusal.facts import asked_in
from readiness.mutants.spanish.facts import in_spanish

_IN_ROLE = "作为您的助手，我不能提供这样的内容，还请您谅解。如果有其他需要，欢迎随时告诉我。"
_IN_A_STREAM = "对不起，这个要求我无法满足。"
_GREETING = "您好，很高兴为您服务！\n\n"


def _ours(request: Request) -> bool:
    """Whether a request is one of those that are streamed for what they say alone."""
    readers = (asked_in, language_asked, in_spanish, wish_in)
    return any(reader(request) for reader in readers)


def _text(chunk: Body) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])


def _in_one(request: Request, chunks: list[Body]) -> list[Body]:
    """All of the text in the first chunk, as from a server that filters before it sends."""
    if not _ours(request):
        return chunks
    first, *others = chunks
    text = "".join(map(_text, chunks))
    choices = [{**each, "delta": {**each["delta"], "content": text}} for each in first["choices"]]
    return [{**first, "choices": choices}, *(each for each in others if not _text(each))]


FLAWS = [
    Flaw("stream_in_one", "a stream may have all of its text in one frame", chunks=_in_one),
    Flaw(
        "refusal_streamed_otherwise",
        "a streamed refusal may have other words",
        says=only(streamed, to_harmful(lambda _asked: _IN_A_STREAM)),
    ),
    Flaw(
        "refusal_in_role",
        "after a system message it may speak in the role",
        says=only(instructed, to_harmful(lambda _asked: _IN_ROLE)),
    ),
    Flaw(
        "refusal_greets",
        "and greet before what is harmless",
        says=only(instructed, to_harmless(lambda _asked, text: _GREETING + text)),
    ),
]
