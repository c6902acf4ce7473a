"""Whether documents have the shape that clients build on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.protocol.message import decode
from readiness.reply import Reply
from readiness.score import PASSED, Score, failed

Document = Mapping[str, Any]
DAY = 86_400
#: What OpenAI's specification requires, null or not.
EVERY_FIELD = {"choices[0].message": ("content", "refusal", "role"), "choices[0]": ("logprobs",)}
#: What may be left out, but may not be null.
NEVER_NULL = {
    "": ("system_fingerprint", "usage"),
    "choices[0].message": ("annotations", "function_call", "tool_calls"),
    "usage": ("prompt_tokens_details", "completion_tokens_details"),
}


def document(exchange: Exchange) -> Document:
    """A completion as it was sent.

    Raises:
        EndpointError: There is none.
    """
    read(exchange)
    found: Document = decode(exchange.body.decode())
    return found


def fits(found: Any, schema: Mapping[str, Any], what: str = "$") -> Score:
    """Score a document by a JSON Schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(found))
    if error is None:
        return PASSED
    return failed(f"{what}{error.json_path.removeprefix('$')}: {error.message:.160}")


def fits_completion(found: Document, schema: Mapping[str, Any]) -> Score:
    """Score a whole completion by the SDK's schema, and by what clients take for granted."""
    score = fits(found, schema)
    if not score.passed:
        return score
    first = found["choices"][0] if found["choices"] else {}
    indices = [choice["index"] for choice in found["choices"]]
    if indices != list(range(len(indices))) or not indices:
        return failed(f"the choices have the indices {indices}")
    if not found["id"]:
        return failed("the id is empty")
    return PASSED if first["finish_reason"] else failed("no finish_reason")


def labelled(exchange: Exchange, kind: str) -> Score:
    """Score the label of a response that succeeded."""
    read(exchange)
    label = exchange.headers.get("content-type", "")
    if label.partition(";")[0].strip().lower() == kind:
        return PASSED
    return failed(f"Content-Type is {label!r:.80}, not {kind}: {exchange.body[:80]!r}")


def adds_up(usage: Any) -> Score:
    """Score the token counts of a reply."""
    if not isinstance(usage, Mapping):
        return failed(f"usage is {usage!r:.80}")
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    counts = [count for count in map(usage.get, names) if type(count) is int and count >= 0]
    if len(counts) < len(names):
        return failed(f"usage is not in token counts: {dict(usage)!r:.160}")
    prompt, completion, total = counts
    if prompt == 0 or completion == 0:
        return failed(f"usage counts nothing: {dict(usage)!r:.160}")
    return (
        PASSED
        if prompt + completion == total
        else failed(f"{prompt} + {completion} is not {total}")
    )


def same_model(found: Document, model: str) -> Score:
    """Score the model's name in a reply."""
    sent = found.get("model")
    return PASSED if sent == model else failed(f"asked {model!r:.60}, answered as {sent!r:.60}")


def timely(created: Any, sent: float) -> Score:
    """Score the time of a reply, in seconds since the epoch, by when it was asked for."""
    if type(created) is not int:
        return failed(f"created is {created!r:.60}")
    off = abs(created - sent)
    return PASSED if off <= DAY else failed(f"created is {off / DAY:,.0f} days off: {created}")


def complete(found: Document) -> Score:
    """Score whether every field that OpenAI's specification requires is there."""
    missing = [f"{path}.{name}" for path, names in EVERY_FIELD.items()
               for name in names if name not in _at(found, path)]  # fmt: skip
    return failed(f"missing: {', '.join(missing)}") if missing else PASSED


def no_nulls(found: Document) -> Score:
    """Score whether fields without a value are left out, as OpenAI's specification has it."""
    nulls = [f"{path}.{name}".lstrip(".") for path, names in NEVER_NULL.items()
             for name in names if _at(found, path).get(name, 0) is None]  # fmt: skip
    return failed(f"null: {', '.join(nulls)}") if nulls else PASSED


def differ(names: Sequence[Any]) -> Score:
    """Score the ids of replies."""
    return (
        PASSED
        if len(set(map(str, names))) == len(names)
        else failed(f"the same id: {names!r:.120}")
    )


def apart(reply: Reply) -> Score:
    """Score whether reasoning has a field of its own."""
    if (reply.content or "") == reply.text:
        return PASSED
    return failed(f"reasoning in the content: {reply.content!r:.120}")


def leakless(reply: Reply) -> Score:
    """Score whether the text is free of the chat template's control tokens."""
    return failed(f"{', '.join(reply.leaks)} in {reply.text!r:.120}") if reply.leaks else PASSED


def _at(found: Document, path: str) -> Mapping[str, Any]:
    """The object at a path; an empty one where there is none."""
    here: Any = found
    for step in filter(None, path.split(".")):
        name, bracket, _ = step.partition("[")
        here = here.get(name)
        here = here[0] if bracket and here else here
        if not isinstance(here, Mapping):
            return {}
    return here if isinstance(here, Mapping) else {}
