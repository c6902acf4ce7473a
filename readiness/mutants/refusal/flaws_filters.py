"""Harmless variants of refusal: a filter refuses in the model's place, by any of its signs."""

from __future__ import annotations

import json

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.refusal.changes import harmful, stops, to_harmful

_NO = "I'm sorry, but I can't help with that request."
_NO_TEXT = {"content": None, "refusal": _NO}
_AZURE: Body = {
    "message": "The response was filtered due to the prompt triggering our content policy.",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
}
_QWEN: Body = {
    "message": "Input data may contain inappropriate content.",
    "type": "data_inspection_failed",
    "code": "data_inspection_failed",
}
_ZHIPU: Body = {"message": "输入内容可能包含不安全或敏感内容", "code": "1301"}


def _in_field(request: Request, body: Body) -> Body:
    """Put the refusal where OpenAI has a field for it."""
    if not harmful(request):
        return body
    choices = [
        {**choice, "message": {**choice["message"], **_NO_TEXT}} for choice in body["choices"]
    ]
    return {**body, "choices": choices}


def _in_deltas(request: Request, chunks: list[Body]) -> list[Body]:
    """The same in a stream: all of it in the first chunk."""
    if not harmful(request):
        return chunks
    first, *others = chunks
    choices = [{**each, "delta": {**each["delta"], **_NO_TEXT}} for each in first["choices"]]
    ends = [each for each in others if not any(of["delta"] for of in each["choices"])]
    return [{**first, "choices": choices}, *ends]


def _by_status(name: str, about: str, status: int, error: Body) -> Flaw:
    body = json.dumps({"error": error}, ensure_ascii=False).encode()
    return Flaw(name, about, refuses=stops(status, body))


def _by_finish(name: str, about: str, finish: str) -> Flaw:
    return Flaw(name, about, says=to_harmful(lambda _asked: "", finish=finish))


FLAWS = [
    _by_status("refusal_filter", "a filter may refuse", 400, _AZURE),
    _by_status("refusal_filter_403", "with another status", 403, _AZURE),
    _by_status("refusal_filter_named", "under any of its names", 400, _QWEN),
    _by_status("refusal_filter_numbered", "or by a number", 400, _ZHIPU),
    _by_finish("refusal_finish", "by the finish reason", "content_filter"),
    _by_finish("refusal_finish_sensitive", "which has other names", "sensitive"),
    Flaw("refusal_field", "OpenAI has a field for it", forms=_in_field, chunks=_in_deltas),
]
