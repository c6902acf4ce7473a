"""Flaws that make the official SDK fail."""

from __future__ import annotations

import json
from collections.abc import Sequence

from readiness.mutants.api.requests import (
    BRIEF,
    BRIEF_WHOLE,
    choice_of,
    chunked,
    formed,
    framed,
    listed_later,
    text,
)
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.request_form import (
    all_of,
    beside_tools,
    limited_to,
    uncounted,
    unstreamed,
)
from readiness.mutants.flaw import Body, Flaw


def _calls_as_objects(body: Body) -> Body:
    """Arguments as an object, as Ollama's own API has them."""

    def change(choice: Body) -> Body:
        message = choice["message"]
        calls = [
            {**call, "function": {**call["function"], "arguments": _read(call)}}
            for call in message.get("tool_calls") or ()
        ]
        return {**choice, "message": {**message, "tool_calls": calls}}

    return choice_of(body, change)


def _read(call: Body) -> object:
    return json.loads(call["function"]["arguments"])


def _broken(frames: list[bytes]) -> Sequence[bytes]:
    return [frames[0], b"data: {oops\n\n", *frames[1:]]


def _no_choices(made: list[Body]) -> list[Body]:
    """A chunk in the middle has no list of choices."""
    half = len(made) // 2
    return [*made[:half], {**made[half], "choices": None}, *made[half:]]


def _cut_off(body: Body) -> Body:
    return choice_of(body, lambda choice: {**choice, "finish_reason": "length"})


def _by_schema(request: Request) -> bool:
    return (request.get("response_format") or {}).get("type") == "json_schema"


#: A short reply by a schema, which is not streamed.
_SCHEMA = all_of(unstreamed, _by_schema, limited_to(128))

FLAWS = [
    Flaw(
        "api_sdk_created",
        "`created` is a date in words",
        "api.sdk_create",
        change_body=formed(BRIEF_WHOLE, lambda body: {**body, "created": "today"}),
    ),
    Flaw(
        "api_sdk_frame",
        "a frame of a stream is no JSON",
        "api.sdk_stream",
        change_frames=framed(all_of(uncounted, BRIEF), _broken),
    ),
    Flaw(
        "api_sdk_choices",
        "a chunk has null for choices",
        "api.sdk_stream_helper",
        change_chunks=chunked(all_of(uncounted, limited_to(128)), _no_choices),
        elsewhere=("tool_calling", "memory"),
    ),
    Flaw(
        "api_sdk_arguments",
        "the arguments of a call are an object",
        "api.sdk_tools",
        change_body=formed(all_of(beside_tools, limited_to(64)), _calls_as_objects),
    ),
    Flaw(
        "api_sdk_fence",
        "a fence around the JSON that was constrained by a schema",
        "api.sdk_parse",
        change_output=text(_SCHEMA, lambda content: f"```json\n{content}\n```"),
    ),
    Flaw(
        "api_sdk_length",
        "a reply that is whole is said to be cut off",
        "api.sdk_parse",
        change_body=formed(_SCHEMA, _cut_off),
    ),
    Flaw(
        "api_models_elsewhere",
        "the models are listed under another name, as in a server's own API",
        "api.models_listed",
        change_model_list=lambda body: {"object": "list", "models": body["data"]},
    ),
    Flaw(
        "api_models_by_name",
        "the models are listed by their names, without an id",
        "api.models_listed",
        change_model_list=lambda body: {
            **body,
            "data": [{"name": each["id"], "object": "model"} for each in body["data"]],
        },
    ),
    Flaw(
        "api_models_as_texts",
        "the list has names in place of models",
        "api.models_listed",
        change_model_list=lambda body: {**body, "data": [each["id"] for each in body["data"]]},
    ),
    Flaw(
        "api_sdk_models",
        "the list of models comes empty-handed, after the first time",
        "api.sdk_models_list",
        change_model_list=listed_later(lambda body: {**body, "data": None}),
    ),
]
