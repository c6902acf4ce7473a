"""Scoring of whole replies: their shape, their usage, and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from readiness.exchange import Exchange, Fault
from readiness.protocol.completion import read
from readiness.protocol.message import decode
from readiness.reply import Reply
from readiness.resources import violation
from readiness.score import PASSED, Outcome, Score, failed, scored

#: Tokens by which the forms of a conversation may differ where nothing is lost.
SLACK = 4
#: How many times as many tokens a message has that is twice as long; a template takes some, too.
GROWTH = 1.7


def answers(reply: Reply) -> Score:
    """Score a request that must be answered, whatever the words."""
    if reply.text or reply.tool_calls or reply.reasoning or reply.refusal:
        return PASSED
    # A small model may well end its turn at once; that is no fault of the protocol.
    return Score(Outcome.UNDETERMINED, f"an empty reply, finish_reason {reply.finish!r}")


def within(reply: Reply, most: int) -> Score:
    """Score a long reply that was to take no more tokens than that."""
    if reply.usage is not None and reply.usage.completion > most:
        return failed(
            f"{reply.usage.completion} tokens, asked for {most} at the most", f"{reply.text!r:.80}"
        )
    if reply.finish != "length":
        return failed(f"finish_reason is {reply.finish!r}, not 'length', after {reply.text!r:.80}")
    return PASSED


def unlimited(free: Exchange, limited: Reply, last: str) -> Score:
    """Score a reply that nobody limits, by one to the same request with room for all of it."""
    if free.fault is Fault.CLIENT_ABORTED:
        return PASSED  # It went on for longer than any limit that there is by default.
    reply = read(free)
    if last in reply.text:
        return PASSED
    if reply.finish == "length" or (last in limited.text and limited.text.startswith(reply.text)):
        return failed(f"nobody has limited it, and it ends with {reply.text[-60:]!r}")
    return scored(
        Outcome.UNDETERMINED, f"the model does not come to {last!r}", came=f"{reply.text!r:.120}"
    )


def stopped(reply: Reply, before: str, stops: Sequence[str]) -> Score:
    """Score a reply that was to end before a text."""
    text = reply.content or ""
    said = [stop for stop in stops if stop in text]
    if said:
        return failed(f"the text has {said[0]!r} in it", f"{text!r:.120}")
    begun = [stop for stop in stops if text.rstrip(" ,").endswith(stop[:1]) and len(stop) > 1]
    if begun and before in text:
        return failed(f"the text has the beginning of {begun[0]!r} in it", f"{text!r:.120}")
    if before not in text:
        return scored(
            Outcome.UNDETERMINED, f"the model does not come to {before!r}", came=f"{text!r:.120}"
        )
    return (
        PASSED
        if reply.finish == "stop"
        else failed(f"finish_reason is {reply.finish!r}, not 'stop'")
    )


def spaced(reply: Reply, before: str) -> Score:
    """Score whether the space before a stop text is still there."""
    text = reply.content or ""
    if f"{before} " in text[-len(before) - 1 :]:
        return PASSED
    if not text.endswith(before) or ", " not in text[: -len(before)]:
        return scored(
            Outcome.UNDETERMINED, f"the model does not write {before!r}", came=f"{text!r:.120}"
        )
    return failed("the last space is lost", f"{text!r:.120}")


def knows(reply: Reply, words: Sequence[str]) -> Score:
    """Score a reply that must have words of the conversation in it."""
    missing = [word for word in words if word.lower() not in reply.text.lower()]
    return failed(f"no {missing[0]!r} in {reply.text!r:.120}") if missing else PASSED


def knows_plainly(lost: Score, plain: Reply, words: Sequence[str]) -> Score:
    """Score a reply without the words once more, by what is said to the plain form of it."""
    if knows(plain, words).passed:
        return failed(f"{lost.reason}, which the reply to the plain form has")
    return _beyond(lost)


def in_prompt(lost: Score, reply: Reply, plain: Reply) -> Score:
    """Score a reply without the words once more, by how many tokens the prompt had."""
    if reply.usage is None or plain.usage is None:
        return _beyond(lost)
    tokens, whole = reply.usage.prompt, plain.usage.prompt
    if tokens + SLACK < whole:
        return failed(f"{lost.reason}; the prompt had {tokens} tokens, in its plain form {whole}")
    return _beyond(lost)


def grows(lost: Score, reply: Reply, half: Reply) -> Score:
    """Score a reply without the words once more, by the tokens of a message half as long."""
    if reply.usage is None or half.usage is None:
        return _beyond(lost)
    tokens, fewer = reply.usage.prompt, half.usage.prompt
    if tokens < GROWTH * fewer:
        return failed(f"{lost.reason}; {tokens} tokens were read, and {fewer} of half the message")
    return _beyond(lost)


def _beyond(lost: Score) -> Score:
    """All was read: that the model makes nothing of it is not the protocol's fault."""
    return scored(Outcome.UNDETERMINED, "beyond the model", came=lost.reason)


def own_code(text: str, code: str, others: Sequence[str]) -> Score:
    """Score whether a reply has the code of its own request, and of no other."""
    said = text.casefold()
    strange = [other for other in others if other in said]
    if strange:
        return failed(
            f"{strange[0]!r} is another request's, and this one's is {code!r}", f"{text!r:.120}"
        )
    if code in said:
        return PASSED
    return scored(Outcome.UNDETERMINED, f"neither {code!r} nor another's", came=f"{text!r:.120}")


def several(choices: Sequence[Mapping[str, Any]], asked: int) -> Score:
    """Score the choices of a reply, whole or from all chunks of a stream."""
    indices = sorted({choice.get("index") for choice in choices}, key=str)
    return (
        PASSED
        if indices == list(range(asked))
        else failed(f"asked for {asked} choices", got=f"{indices}")
    )


def counts_all(found: Mapping[str, Any], most: int) -> Score:
    """Score the count of tokens of a reply all of whose choices were cut off."""
    reasons = [choice.get("finish_reason") for choice in found["choices"]]
    if reasons != ["length", "length"]:
        return Score(Outcome.UNDETERMINED, f"the choices end by {reasons}")
    counted = (found.get("usage") or {}).get("completion_tokens")
    wanted = len(reasons) * most
    return PASSED if counted == wanted else failed(f"{counted} tokens for two choices of {most}")


def sure(found: Sequence[Mapping[str, Any]], content: str, top: int) -> Score:
    """Score log probabilities: the tokens are the text, and no probability is above 1."""
    if not found:
        return failed("no logprobs.content")
    tokens = "".join(str(each.get("token")) for each in found)
    raw = b"".join(bytes(each.get("bytes") or ()) for each in found)
    if content not in (tokens, raw.decode(errors="replace")):
        return failed(f"the tokens are {tokens!r:.80}, the text is {content!r:.80}")
    values = [each.get("logprob") for each in found]
    wrong = [value for value in values if not _is_logprob(value)]
    if wrong:
        return failed(f"a logprob is {wrong[0]!r:.40}")
    many = [len(each.get("top_logprobs") or ()) for each in found]
    return (
        PASSED
        if max(many) <= top and min(many)
        else failed(f"{many[:8]} alternatives, asked for {top}")
    )


def equal(first: Reply, second: Reply) -> Score:
    """Score two replies to the same request."""
    if first.text == second.text:
        return PASSED
    return failed(f"{first.text!r:.80}, then {second.text!r:.80}")


def untouched(heavy: Score, neighbour: Exchange) -> Score:
    """Score a hostile request by what became of it, and of the request beside it."""
    if not heavy.passed:
        return heavy
    read(neighbour)
    return PASSED


def _is_logprob(value: Any) -> bool:
    return type(value) in (int, float) and value <= 1e-6 and not math.isnan(value)


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
    error = violation(found, schema)
    if error is None:
        return PASSED
    return failed(f"{what}{error.json_path.removeprefix('$')}", f"{error.message:.160}")


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
    return failed(f"Content-Type is {label!r:.80}, not {kind}", f"{exchange.body[:80]!r}")


def adds_up(usage: Any) -> Score:
    """Score the token counts of a reply."""
    if not isinstance(usage, Mapping):
        return failed(f"usage is {usage!r:.80}")
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    counts = [count for count in map(usage.get, names) if type(count) is int and count >= 0]
    if len(counts) < len(names):
        return failed("usage is not in token counts", f"{dict(usage)!r:.160}")
    prompt, completion, total = counts
    if prompt == 0 or completion == 0:
        return failed("usage counts nothing", f"{dict(usage)!r:.160}")
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
    return PASSED if off <= DAY else failed(f"created is {off / DAY:,.0f} days off", f"{created}")


def complete(found: Document) -> Score:
    """Score whether every field that OpenAI's specification requires is there."""
    missing = [f"{path}.{name}" for path, names in EVERY_FIELD.items()
               for name in names if name not in _at(found, path)]  # fmt: skip
    return failed("missing", ", ".join(missing)) if missing else PASSED


def no_nulls(found: Document) -> Score:
    """Score whether fields without a value are left out, as OpenAI's specification has it."""
    nulls = [f"{path}.{name}".lstrip(".") for path, names in NEVER_NULL.items()
             for name in names if _at(found, path).get(name, 0) is None]  # fmt: skip
    return failed("null", ", ".join(nulls)) if nulls else PASSED


def differ(names: Sequence[Any]) -> Score:
    """Score the ids of replies."""
    return (
        PASSED
        if len(set(map(str, names))) == len(names)
        else failed("the same id", f"{names!r:.120}")
    )


def apart(reply: Reply) -> Score:
    """Score whether reasoning has a field of its own."""
    if (reply.content or "") == reply.text:
        return PASSED
    return failed("reasoning in the content", f"{reply.content!r:.120}")


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
