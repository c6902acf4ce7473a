"""Fuzzing: generated requests, which are valid but for one to three faults."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from readiness.exchange import Call
from readiness.protocol.dialect import Dialect
from readiness.search import GeneratedCase

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RequestBody = Mapping[str, Any]

#: The parameters of a request besides its messages, each with a valid value.
PARAMETERS: RequestBody = {
    "temperature": 0,
    "top_p": 1,
    "max_tokens": 4,
    "n": 1,
    "stop": ["END"],
    "seed": 1,
    "stream": False,
    "logprobs": False,
    "presence_penalty": 0,
    "response_format": {"type": "text"},
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "tool_choice": "auto",
    "user": "someone",
}
MESSAGE: RequestBody = {"role": "user", "content": "Hi"}
#: Edge cases of numbers: signs, widths, and non-integers.
EDGES = (-1, 0, 2**31, 2**63, 10**30, -0.5, 1e308)
TEXTS = ("", " ", "\x00", "null", "é", "👩‍👩‍👧‍👦", "\u202e", "<|im_end|>", "A" * 2_000)


def build_call(case: GeneratedCase, dialect: Dialect) -> Call:
    """The request of a case, which may override the model."""
    own = {dialect.max_tokens_field if name == "max_tokens" else name: case[name] for name in case}
    return Call({"model": dialect.model, **own}, valid=False)


def curl(call: Call) -> str:
    """A curl command line that sends a request again."""
    data = shlex.quote(json.dumps(call.body))
    return (
        'curl "$OPENAI_BASE_URL/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" '
        f"-H 'Content-Type: application/json' -d {data}"
    )


def cases() -> SearchStrategy[dict[str, Any]]:
    """Requests with one to three faults."""
    from hypothesis import strategies as st

    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(EDGES),
        st.sampled_from(TEXTS),
        st.text(max_size=8),
    )
    junk = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
        ),
        max_leaves=6,
    )
    valid = {"max_tokens": PARAMETERS["max_tokens"]}
    names = st.sampled_from(["model", *PARAMETERS])
    message = st.one_of(
        junk, _with_one_fault(st, MESSAGE, st.sampled_from([*MESSAGE, "name"]), junk)
    )
    conversation = st.one_of(junk, st.lists(message, max_size=3))
    wrong = st.dictionaries(names, st.one_of(junk, _valid_value(st)), min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda more: {**valid, "messages": [dict(MESSAGE)], **more}, wrong),
        st.builds(lambda messages: {**valid, "messages": messages}, conversation),
    )


def _with_one_fault(
    st: Any, valid: RequestBody, names: SearchStrategy[str], junk: SearchStrategy[Any]
) -> SearchStrategy[dict[str, Any]]:
    """A valid object with one member replaced or dropped."""
    replaced = st.builds(lambda name, value: {**valid, name: value}, names, junk)
    dropped = st.builds(lambda name: {key: valid[key] for key in valid if key != name}, names)
    strategy: SearchStrategy[dict[str, Any]] = st.one_of(replaced, dropped)
    return strategy


def _valid_value(st: Any) -> SearchStrategy[Any]:
    """The valid value of any parameter."""
    strategy: SearchStrategy[Any] = st.sampled_from(list(PARAMETERS.values()))
    return strategy
