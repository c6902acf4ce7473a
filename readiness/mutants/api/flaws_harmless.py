"""Harmless variants of the protocol: what real servers send, and existing clients accept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from readiness.mutants.api.flaws_replies import CONTROL_TOKEN
from readiness.mutants.api.requests import JSON, Errs, choice_of
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.request_form import Where, called_with, cut_call
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.requests import with_calls

_VLLM_MESSAGE = ("refusal", "annotations", "audio", "function_call", "reasoning")
_VLLM_CHOICE = ("stop_reason", "token_ids", "routed_experts")
_VLLM_BODY = ("service_tier", "prompt_logprobs", "prompt_token_ids", "kv_transfer_params")
_ODD_ROLES = ("alien",)
_UNKNOWN = "readiness-no-such-model"


def _needs_temperature(request: Request, _turn: int) -> SubstituteResponse | None:
    """As vLLM does: without sampling, all choices would be the same."""
    if (request.get("n") or 1) == 1 or request.get("temperature") != 0:
        return None
    told = f"n must be 1 when using greedy sampling, got {request['n']}."
    return SubstituteResponse(400, RequestError(told, "n").body, JSON)


def _half_a_word(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """As a small model does: after odd characters, what is joined to a word is left away."""
    odd = any(CONTROL_TOKEN.search(text_of(each)) for each in request["messages"])
    return replace(said, content=_JOINED.sub("", said.content or "")) if odd else said


_JOINED = re.compile(r"(?<=[a-z])-\d+")


def _nulls(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


def _as_vllm(_request: Request, body: Body) -> Body:
    """Every field there is, null or not."""

    def change(choice: Body) -> Body:
        message = {**_nulls(*_VLLM_MESSAGE), **choice["message"]}
        return {**_nulls(*_VLLM_CHOICE), **choice, "message": message}

    counts = {"prompt_tokens_details": None, "completion_tokens_details": None}
    usage = {**body["usage"], **counts}
    return {
        **choice_of(body, change),
        **_nulls(*_VLLM_BODY),
        "system_fingerprint": None,
        "usage": usage,
    }


def _as_llama(_request: Request, body: Body) -> Body:
    """No refusal, no logprobs, and timings; the model's name is the file's."""

    def change(choice: Body) -> Body:
        kept = {key: choice[key] for key in choice if key != "logprobs" or choice[key]}
        message = {key: choice["message"][key] for key in choice["message"] if key != "refusal"}
        return {**kept, "message": message}

    timings = {"prompt_n": 7, "predicted_per_second": 42.5}
    return {**choice_of(body, change), "model": "models/reference.gguf", "timings": timings}


def _as_ollama(_request: Request, chunks: list[Body]) -> list[Body]:
    """The time of a chunk is its own, and each repeats the role."""

    def change(choice: Body) -> Body:
        return {**choice, "delta": {"role": "assistant", "content": "", **choice["delta"]}}

    return [
        {**choice_of(chunk, change), "created": chunk["created"] + place // 9}
        for place, chunk in enumerate(chunks)
    ]


def _usage_on_a_choice(_request: Request, chunks: list[Body]) -> list[Body]:
    """As LiteLLM: the chunk with usage has an empty choice."""
    empty = {"index": 0, "delta": {}, "finish_reason": None}
    return [chunk if chunk["choices"] else {**chunk, "choices": [empty]} for chunk in chunks]


def _no_finish_key(_request: Request, chunks: list[Body]) -> list[Body]:
    """As dasllama: finish_reason is there on the last chunk alone."""

    def change(choice: Body) -> Body:
        keys = [key for key in choice if key != "finish_reason" or choice[key]]
        return {key: choice[key] for key in keys if key != "logprobs" or choice[key]}

    return [choice_of(chunk, change) for chunk in chunks]


def _errors(change: Callable[[Body, int], Mapping[str, Any]], status: int = 0) -> Errs:
    """A shape of errors, for every error that the reference sends."""

    def errs(_request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
        error = json.loads(refusal.body)["error"]
        answered = status if status and refusal.status == 400 else refusal.status
        return SubstituteResponse(
            answered, json.dumps(change(error, answered)).encode(), refusal.headers
        )

    return errs


def _nested(error: Body, status: int) -> Body:
    return {"error": {"code": status, "message": error["message"], "type": error["type"]}}


def _flat(error: Body, status: int) -> Body:
    return {"object": "error", "message": error["message"], "type": "BadRequest", "code": status}


def _fastapi(error: Body, _status: int) -> Body:
    return {"detail": [{"type": "missing", "loc": ["body"], "msg": error["message"], "input": {}}]}


def _tgi(error: Body, _status: int) -> Body:
    return {"error": error["message"], "error_type": "validation"}


def _lenient(request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    """As a server with one model answers a request for another, or with an unknown role."""
    messages = (request or {}).get("messages")
    known = isinstance(messages, list) and all(isinstance(each, dict) for each in messages)
    if request is None or not known:
        return refusal
    other = request.get("model") in (_UNKNOWN, "", None)
    odd = [each for each in messages or () if each.get("role") in _ODD_ROLES]
    if not messages or not (other or odd):
        return refusal
    said = [{**each, "role": "user"} if each in odd else each for each in messages]
    done = complete({**request, "model": "reference", "messages": said})
    return SubstituteResponse(200, encode(whole(done)), JSON)


def _no_old_limit(request: Request, _turn: int) -> SubstituteResponse | None:
    if "max_tokens" not in request:
        return None
    told = "Unsupported parameter: 'max_tokens' is not supported with this model."
    problem = RequestError(f"{told} Use 'max_completion_tokens' instead.", "max_tokens")
    return SubstituteResponse(400, problem.body, JSON)


def _nine_letters(request: Request, _turn: int) -> SubstituteResponse | None:
    calls = [call for each in request["messages"] for call in each.get("tool_calls") or ()]
    if all(re.fullmatch(r"[a-zA-Z0-9]{9}", call["id"]) for call in calls):
        return None
    told = "Tool call id has to be defined: a-z, A-Z, 0-9, with a length of 9"
    return SubstituteResponse(400, RequestError(told, "messages").body, JSON)


def _refusing(where: Where, told: str) -> Callable[[Request, int], SubstituteResponse | None]:
    refusal = SubstituteResponse(400, RequestError(told, "messages").body, JSON)
    return lambda request, _turn: refusal if where(request) else None


def _id_of_nine(call: Body) -> Body:
    """A call, or its first fragment, with an id that is taken back."""
    return {**call, "id": call["id"][-9:]} if "id" in call else call


def _blank_lines_first(request: Request, _turn: int) -> SubstituteResponse | None:
    if request.get("stream"):
        return None
    return SubstituteResponse(200, b"\n\n\n" + encode(whole(complete(request))), JSON)


def _prefill_echoed(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    last = request["messages"][-1]
    if last["role"] != "assistant" or not said.content:
        return said
    return replace(said, content=f"{text_of(last)} {said.content}")


FLAWS = [
    Flaw(
        "api_prefill_echoed",
        "a reply may begin with what the assistant has begun",
        change_output=_prefill_echoed,
    ),
    Flaw(
        "api_cut_call_refused",
        "an earlier call that a limit has cut may be refused",
        intercept=_refusing(cut_call, "Unterminated string starting at: line 1 column 10 (char 9)"),
    ),
    Flaw(
        "api_null_arguments_refused",
        "an earlier call whose arguments are null may be refused",
        intercept=_refusing(called_with("null"), "Can only get item pairs from a mapping."),
    ),
    Flaw(
        "api_empty_arguments_refused",
        "an earlier call whose arguments are an empty text may be refused",
        intercept=_refusing(called_with(""), "Expecting value: line 1 column 1 (char 0)"),
    ),
    Flaw("api_vllm", "vLLM sends every field, null or not", change_body=_as_vllm),
    Flaw("api_llama", "llama.cpp sends few fields, and the file's name", change_body=_as_llama),
    Flaw(
        "api_ollama",
        "Ollama's chunks tell their own times and repeat the role",
        change_chunks=_as_ollama,
    ),
    Flaw(
        "api_litellm",
        "LiteLLM's usage comes beside an empty choice",
        change_chunks=_usage_on_a_choice,
    ),
    Flaw(
        "api_dasllama",
        "dasllama's chunks have no finish_reason but the last",
        change_chunks=_no_finish_key,
    ),
    Flaw(
        "api_integer_code",
        "vLLM's and llama.cpp's error codes are integers",
        change_error=_errors(_nested),
    ),
    Flaw("api_flat_error", "SGLang's error object is flat", change_error=_errors(_flat)),
    Flaw(
        "api_fastapi_error",
        "FastAPI answers 422, with details",
        change_error=_errors(_fastapi, 422),
    ),
    Flaw("api_tgi_error", "TGI's error is a text", change_error=_errors(_tgi, 422)),
    Flaw(
        "api_new_limit_alone",
        "max_tokens is refused, as by OpenAI's own reasoning models",
        intercept=_no_old_limit,
    ),
    Flaw(
        "api_list_without_object",
        "a list of models need not say that it is one",
        change_model_list=lambda body: {"data": [{"id": each["id"]} for each in body["data"]]},
    ),
    Flaw(
        "api_strict_ids",
        "Mistral's ids of calls have nine letters and digits",
        change_body=lambda _, body: with_calls(body, "message", _id_of_nine),
        change_chunks=lambda _, made: [with_calls(each, "delta", _id_of_nine) for each in made],
        intercept=_nine_letters,
    ),
    Flaw(
        "api_blank_lines_first",
        "blank lines keep a connection alive while a reply is generated, as DeepSeek's",
        intercept=_blank_lines_first,
    ),
    Flaw(
        "api_n_needs_temperature",
        "several choices are refused at temperature 0, as by vLLM",
        intercept=_needs_temperature,
    ),
    Flaw(
        "api_half_a_word",
        "a small model leaves the number of a code word away, and has read it",
        change_output=_half_a_word,
    ),
    Flaw("api_lenient", "a server with one model may answer for any", change_error=_lenient),
]
