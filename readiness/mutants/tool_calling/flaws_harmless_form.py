"""Harmless variants of the form of tool calls: how servers send them, and clients take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.requests import Chunks, fragments, kind, with_calls


def _streamed(change: Callable[[list[Body]], list[Body]]) -> Chunks:
    return lambda request, made: change(made) if kind(request) else made


def _pieces(size: int) -> Callable[[list[Body]], list[Body]]:
    """Cut the arguments of each call into fragments of that many characters."""

    def cut(made: list[Body]) -> list[Body]:
        return [piece for each in _merged(made) for piece in _cut(each, size)]

    return cut


def _merged(made: list[Body]) -> list[Body]:
    """Each call in one chunk."""
    texts: dict[int, str] = {}
    for each in made:
        for call in fragments(each):
            text = call["function"].get("arguments") or ""
            texts[call["index"]] = texts.get(call["index"], "") + text
    opening = [each for each in made if all("id" in call for call in fragments(each))]
    return [
        with_calls(each, "delta", lambda call: _filled(call, texts[call["index"]]))
        for each in opening
    ]


def _filled(call: Body, text: str) -> Body:
    return {**call, "function": {**call["function"], "arguments": text}}


def _cut(chunk: Body, size: int) -> Iterator[Body]:
    texts = [call["function"]["arguments"] for call in fragments(chunk)]
    if not texts:
        yield chunk
        return
    yield with_calls(chunk, "delta", lambda call: _filled(call, texts[0][:size]))
    for start in range(size, len(texts[0]), size):
        piece = texts[0][start : start + size]
        yield with_calls(
            chunk,
            "delta",
            partial(_continued, piece),
        )


def _continued(piece: str, call: Body) -> Body:
    return {"index": call["index"], "function": {"arguments": piece}}


def _repeated(made: list[Body]) -> list[Body]:
    """The id, type and name of a call come with each of its fragments."""
    first = {call["index"]: call for each in made for call in fragments(each) if "id" in call}
    return [
        with_calls(each, "delta", lambda call: _filled(first[call["index"]], _text(call)))
        for each in made
    ]


def _text(call: Body) -> str:
    return str(call["function"]["arguments"])


def _all_at_once(made: list[Body]) -> list[Body]:
    """All calls in one chunk."""
    merged = _merged(made)
    calls = [call for each in merged for call in fragments(each)]
    if not calls:
        return made
    first = next(place for place, each in enumerate(merged) if fragments(each))
    choice = merged[first]["choices"][0]
    one = {**merged[first], "choices": [{**choice, "delta": {"tool_calls": calls}}]}
    return [*merged[:first], one, *(each for each in merged[first + 1 :] if not fragments(each))]


def _null_calls(request: Request, body: Body) -> Body:
    """A reply without calls says so."""
    if not kind(request):
        return body
    choices = [
        {**each, "message": {"tool_calls": None, **each["message"]}} for each in body["choices"]
    ]
    return {**body, "choices": choices}


def _numbered(request: Request, body: Body) -> Body:
    """Kimi's ids: the tool, and its place in the reply."""
    if not kind(request):
        return body
    places = count()
    return with_calls(body, "message", lambda call: {**call, "id": _place(call, next(places))})


def _numbered_stream(made: list[Body]) -> list[Body]:
    return [with_calls(each, "delta", _numbered_fragment) for each in made]


def _numbered_fragment(call: Body) -> Body:
    return {**call, "id": _place(call, call["index"])} if "id" in call else call


def _place(call: Body, place: int) -> str:
    return f"functions.{call['function']['name']}:{place}"


FLAWS = [
    Flaw(
        "tool_same_ids",
        "ids need to differ in a conversation only",
        forms=_numbered,
        chunks=_streamed(_numbered_stream),
    ),
    Flaw("tool_id_repeated", "later fragments may repeat id and name", chunks=_streamed(_repeated)),
    Flaw("tool_one_piece", "arguments may come in one piece", chunks=_streamed(_pieces(10**6))),
    Flaw("tool_tiny_pieces", "or a character at a time", chunks=_streamed(_pieces(1))),
    Flaw("tool_one_chunk", "several calls may share a chunk", chunks=_streamed(_all_at_once)),
    Flaw("tool_calls_null", "tool_calls may be null", forms=_null_calls),
]
