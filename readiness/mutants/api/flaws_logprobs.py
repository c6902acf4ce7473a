"""Flaws of the logarithmic probabilities of tokens, and what clients tolerate in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from readiness.mutants.api.requests import Forms, choice_of, counts, in_both
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.request_form import with_logprobs
from readiness.mutants.flaw import Body, Flaw

_LOGPROBS = "api.logprobs_returned"
_END = {"token": "<|im_end|>", "logprob": -0.01, "bytes": list(b"<|im_end|>")}
_HALF = "\ufffd"

Entries = Callable[[list[Body]], list[Body]]


def _of_entries(change: Entries) -> Forms:
    """Change what is listed of the tokens of a choice."""

    def of_choice(choice: Body) -> Body:
        given = choice.get("logprobs")
        if not given:
            return choice
        return {**choice, "logprobs": {**given, "content": change(given["content"])}}

    return lambda _request, body: choice_of(body, of_choice)


def _of_each(change: Callable[[Body], Body]) -> Entries:
    return lambda entries: [change(each) for each in entries]


def _of_alternatives(change: Callable[[Body, list[Body]], list[Body]]) -> dict[str, Any]:
    """Hooks by which tokens have other alternatives, of which the first is the token itself."""

    def of_entry(entry: Body) -> Body:
        top = entry["top_logprobs"]
        return {**entry, "top_logprobs": change(entry, top) if top else top}

    return in_both(_of_entries(_of_each(of_entry)))


def _of_bytes(change: Callable[[str], list[int] | None]) -> dict[str, Any]:
    """Hooks by which tokens have other bytes."""
    return in_both(_of_entries(_of_each(lambda each: {**each, "bytes": change(each["token"])})))


def _in_streams(change: Forms) -> dict[str, Any]:
    return {
        "change_chunks": lambda request, made: [change(request, each) for each in made],
    }


def _bare(chunk: Body) -> Body:
    return choice_of(chunk, lambda choice: {**choice, "logprobs": None})


def _of_two_in_three(_request: Request, made: list[Body]) -> list[Body]:
    return [_bare(chunk) if at % 3 == 2 else chunk for at, chunk in enumerate(made)]


def _not_of_held_back(request: Request, made: list[Body]) -> list[Body]:
    """What is kept back, as a stop sequence may have begun, comes without."""
    stop = request.get("stop") or []
    stops = [stop] if isinstance(stop, str) else stop
    begun = tuple({each[:end] for each in stops for end in range(2, len(each))})
    sent, text = list[Body](), ""
    for chunk in made:
        text += "".join(each["delta"].get("content") or "" for each in chunk["choices"])
        sent.append(_bare(chunk) if begun and text.endswith(begun) else chunk)
    return sent


def _joined_with_held_back(request: Request, made: list[Body]) -> list[Body]:
    """What is kept back comes without, and is part of the token that ends the waiting."""
    sent, held = list[Body](), ""
    for chunk in _not_of_held_back(request, made):
        if any(each.get("logprobs") for each in chunk["choices"]):
            chunk = _of_entries(_of_each(partial(_after, held)))(request, chunk)
            held = ""
        else:
            held += "".join(each["delta"].get("content") or "" for each in chunk["choices"])
        sent.append(chunk)
    return sent


def _after(before: str, entry: Body) -> Body:
    token = before + entry["token"]
    return {**entry, "token": token, "bytes": list(token.encode())}


def _in_one_piece(entries: list[Body]) -> list[Body]:
    token = "".join(each["token"] for each in entries)
    return [{**entries[0], "token": token, "bytes": list(token.encode())}] if entries else []


def _less_likely(value: Body) -> Body:
    lower = [{**each, "logprob": each["logprob"] - 3} for each in value["top_logprobs"]]
    return {**value, "logprob": value["logprob"] - 3, "top_logprobs": lower}


def _with_end(_request: Request, body: Body) -> Body:
    """The token that ends a text is listed as well."""

    def of_choice(choice: Body) -> Body:
        given = choice.get("logprobs")
        whole = "message" in choice
        if not (given and (whole or choice["finish_reason"])):
            return choice
        last = {**_END, "top_logprobs": [_END]}
        return {**choice, "logprobs": {**given, "content": [*given["content"], last]}}

    return choice_of(body, of_choice)


def _end_in_chunks(request: Request, made: list[Body]) -> list[Body]:
    ending: Body = {"content": [], "refusal": None}
    if not with_logprobs(request):
        return made
    return [
        _with_end(request, choice_of(chunk, lambda choice: {**choice, "logprobs": ending}))
        if any(choice["finish_reason"] for choice in chunk["choices"]) else chunk
        for chunk in made
    ]  # fmt: skip


def _in_halves(entries: list[Body]) -> list[Body]:
    """Letters beyond ASCII take a token for each of their bytes, which is no text."""
    return [part for entry in entries for part in _halves(entry)]


def _halves(entry: Body) -> Sequence[Body]:
    token, listed = entry["token"], entry["top_logprobs"]
    if token.isascii():
        return [entry]
    parts = list[tuple[str, bytes]]()
    for letter in token:
        if letter.isascii():
            parts.append((letter, letter.encode()))
        else:
            parts += [(_HALF, bytes([byte])) for byte in letter.encode()]
    return [
        {**entry, "token": text, "bytes": list(raw), "top_logprobs":
         [{**listed[0], "token": text, "bytes": list(raw)}, *listed[1:]] if listed else []}
        for text, raw in parts
    ]  # fmt: skip


def _chosen_outside(entry: Body) -> Body:
    """As with a penalty: the likeliest tokens are others, and the chosen one comes in addition."""
    listed = entry["top_logprobs"]
    if len(listed) < 2:
        return entry
    own = {**listed[0], "logprob": listed[-1]["logprob"] - 2}
    last = {**listed[-1], "token": " other", "bytes": list(b" other")}
    likeliest = [{**each, "logprob": each["logprob"] + 1} for each in (*listed[1:], last)]
    return {**entry, "logprob": own["logprob"], "top_logprobs": [own, *likeliest]}


def _advice(name: str, about: str, **hooks: Any) -> Flaw:
    return Flaw(f"logprobs_{name}", about, _LOGPROBS, **hooks)


def _twin(name: str, about: str, **hooks: Any) -> Flaw:
    return Flaw(f"logprobs_{name}", about, **hooks)


FLAWS = [
    _advice(
        "of_two_in_three", "every third chunk has no logprobs", change_chunks=_of_two_in_three
    ),
    _advice(
        "not_of_held_back",
        "what a stream keeps back as a stop sequence may have begun has no logprobs",
        change_chunks=_not_of_held_back,
    ),
    _advice(
        "joined_with_held_back",
        "in streams, what was kept back is part of the token that comes next, as by llama.cpp",
        change_chunks=_joined_with_held_back,
    ),
    _advice("ascending", "the likeliest come last", **_of_alternatives(lambda _, top: top[::-1])),
    _advice(
        "without_chosen",
        "the alternatives leave out the token, which is the likeliest",
        **_of_alternatives(lambda _, top: top[1:]),
    ),
    _advice(
        "latin_bytes",
        "bytes are Latin-1",
        **_of_bytes(lambda token: list(token.encode("latin-1", "replace"))),
    ),
    _advice(
        "bytes_without_space",
        "bytes lack the space before a word",
        **_of_bytes(lambda token: list(token.strip().encode())),
    ),
    _advice(
        "streamed_lower",
        "in streams, all tokens are a twentieth as likely",
        **_in_streams(_of_entries(_of_each(_less_likely))),
    ),
    _advice(
        "in_one_piece",
        "a whole reply has them of all of its text, as one token",
        change_body=_of_entries(_in_one_piece),
    ),
    _advice(
        "hardly_counted",
        "where they are asked for, usage counts every fourth token",
        **counts(
            lambda request, usage: {
                "completion_tokens": -(-usage["completion_tokens"] // 4)
                if with_logprobs(request)
                else usage["completion_tokens"]
            }
        ),
    ),
    _twin(
        "of_the_end",
        "the token that ends a text is listed, too",
        change_body=_with_end,
        change_chunks=_end_in_chunks,
    ),
    _twin(
        "of_halves",
        "a token that is half a character has no text of its own",
        **in_both(_of_entries(_in_halves)),
    ),
    _twin("without_bytes", "bytes may be null", **_of_bytes(lambda _token: None)),
    _twin(
        "chosen_outside",
        "a token that is not among the likeliest comes in addition to them, as by vLLM",
        **in_both(_of_entries(_of_each(_chosen_outside))),
    ),
    _twin(
        "of_minus_9999",
        "what is impossible has -9999, as JSON knows no infinity",
        **_of_alternatives(lambda _, top: [*top[:-1], {**top[-1], "logprob": -9999.0}]),
    ),
    _twin(
        "chosen_first",
        "the chosen token comes first, though another is as likely",
        **_of_alternatives(
            lambda entry, top: [
                top[0], *({**each, "logprob": entry["logprob"] + 0.001} for each in top[1:2]),
                *top[2:],
            ]
        ),
    ),
]  # fmt: skip
