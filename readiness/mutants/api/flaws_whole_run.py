"""Flaws that show over a whole run alone: a share of requests, a replica, a cache, a count."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable
from itertools import count
from typing import Any

from readiness.mutants.api.requests import (
    CRASH,
    EVERYWHERE,
    JSON,
    counts,
    in_both,
    limits_at_most,
    with_end,
    with_limits,
)
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.reference import HANGS_UP
from readiness.mutants.endpoint.request_form import (
    Where,
    after_turns,
    all_of,
    beside_tools,
    longer_than,
    streamed,
    unstreamed,
)
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Body, Flaw

_BAD_GATEWAY = SubstituteResponse(
    502, b"<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}
)
_EMPTY = SubstituteResponse(200, b"", JSON)
_HOUR = 3600
_SEVERAL = 20
#: The tokens of a block of a prefix cache, and those of a long prompt.
_BLOCK, _LONG = 64, 2_000


def _one_in(share: int, at: int = 0) -> Where:
    """One request in so many, by a hash of its body, as a balancer sends it to one replica."""

    def chosen(request: Request) -> bool:
        body = json.dumps(request, sort_keys=True, default=repr)
        return zlib.crc32(body.encode(errors="surrogatepass")) % share == at

    return chosen


def _every(
    number: int, response: SubstituteResponse
) -> Callable[[Request, int], SubstituteResponse | None]:
    return lambda _request, turn: response if turn % number == number - 1 else None


def _when(
    where: Where, response: SubstituteResponse
) -> Callable[[Request, int], SubstituteResponse | None]:
    return lambda request, _turn: response if where(request) else None


def _refusal(message: str, param: str) -> SubstituteResponse:
    return SubstituteResponse(400, RequestError(message, param).body, JSON)


_NO_PARSER = _refusal("tool choice requires --enable-auto-tool-choice to be set", "tools")


def _cut_stream(request: Request, frames: list[bytes]) -> list[bytes | float]:
    half = len(frames) // 2
    return [*frames[:half], HANGS_UP] if _one_in(40)(request) else [*frames]


def _ends_early(request: Request, frames: list[bytes]) -> list[bytes]:
    """Neither a finish_reason nor [DONE]: what a proxy makes of a replica that was killed."""
    return frames[: len(frames) // 2] if _one_in(40)(request) else frames


def _says(where: Where, **fields: Any) -> dict[str, Any]:
    """Hooks by which replies to some requests have other fields, whole or streamed."""

    def body(request: Request, found: Body) -> Body:
        return {**found, **fields} if where(request) else found

    def chunks(request: Request, found: list[Body]) -> list[Body]:
        return [{**each, **fields} for each in found] if where(request) else found

    return {"change_body": body, "change_chunks": chunks}


def _older(where: Where, seconds: int) -> dict[str, Any]:
    """Hooks by which some replies are as old as that."""

    def aged(found: Body) -> Body:
        return {**found, "created": found["created"] - seconds}

    return {
        "change_body": lambda request, found: aged(found) if where(request) else found,
        "change_chunks": lambda request, found: (
            [aged(each) for each in found] if where(request) else found
        ),
    }


def _prompt(where: Where, tokens: Callable[[int], int]) -> dict[str, Any]:
    return counts(
        lambda request, usage: (
            {"prompt_tokens": tokens(usage["prompt_tokens"])} if where(request) else {}
        )
    )


def _completion(where: Where, tokens: Callable[[int], int]) -> dict[str, Any]:
    return counts(
        lambda request, usage: (
            {"completion_tokens": tokens(usage["completion_tokens"])} if where(request) else {}
        )
    )


def _seen_before() -> Where:
    """Whether the same messages came before: a prefix cache has them."""
    known: set[int] = set()

    def seen(request: Request) -> bool:
        key = hash(json.dumps(request["messages"], sort_keys=True))
        again = key in known
        known.add(key)
        return again

    return seen


def _without_usage(request: Request, found: Body) -> Body:
    if not _one_in(30)(request):
        return found
    return {key: value for key, value in found.items() if key != "usage"}


def _total_of_prompt(where: Where) -> dict[str, Any]:
    """Hooks by which the total leaves the reply out."""

    def changed(request: Request, found: Body) -> Body:
        usage = found.get("usage")
        if not usage or not where(request):
            return found
        return {**found, "usage": {**usage, "total_tokens": usage["prompt_tokens"]}}

    return in_both(changed)


def _finishes(where: Where, reason: str, instead: str) -> dict[str, Any]:
    """Hooks by which one finish reason is sent for another."""

    def changed(request: Request, found: Body) -> Body:
        if not where(request):
            return found
        choices = [
            {**each, "finish_reason": instead} if each["finish_reason"] == reason else each
            for each in found["choices"]
        ]
        return {**found, "choices": choices}

    return in_both(changed)


def _limit_beyond(tokens: int) -> Where:
    return lambda request: (most_tokens(request) or 0) > tokens


def _without_role(request: Request, found: Body) -> Body:
    if not after_turns(request):
        return found
    choices = [{**each, "message": {**each["message"], "role": None}} for each in found["choices"]]
    return {**found, "choices": choices}


def _ends_with_token(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    """A replica that was told of another end of a turn sends it."""
    struck = answer.content and not request.get("response_format") and _one_in(12)(request)
    return dataclasses.replace(answer, content=f"{answer.content}<|im_end|>") if struck else answer


def _last_turns(request: Request, usage: Body) -> Body:
    """After eight messages, the last two are counted."""
    if len(request["messages"]) < 8:
        return {}
    return {"prompt_tokens": prompt_tokens({**request, "messages": request["messages"][-2:]})}


def _rounded_cache(request: Request, usage: Body) -> Body:
    """Of long prompts, whole blocks are counted as cached, the last one as well."""
    blocks = -(-usage["prompt_tokens"] // _BLOCK)
    cached = blocks * _BLOCK if longer_than(_LONG)(request) else 0
    return {"prompt_tokens_details": {"cached_tokens": cached}}


def _some_count_more() -> Callable[[Request, Body], Body]:
    """Every seventh reply comes from a replica with another template."""
    turns = count(1)
    return lambda _request, usage: (
        {} if next(turns) % 7 else {"prompt_tokens": usage["prompt_tokens"] + 40}
    )


def _id_of(request: Request) -> str:
    return f"chatcmpl-{zlib.crc32(json.dumps(request['messages']).encode())}"


def _always(_request: Request) -> bool:
    return True


SERVICE_FLAWS = [
    Flaw(
        "api_502_now_and_then",
        "every 113th request ends in a 502",
        "api.answers_every_request",
        intercept=_every(113, _BAD_GATEWAY),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_500_on_a_replica",
        "one replica of fifty crashes",
        "api.answers_every_request",
        intercept=_when(_one_in(50), CRASH),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_replica_without_tools",
        "one replica of twelve was started without a parser of tool calls",
        "api.answers_every_request",
        intercept=_when(all_of(beside_tools, _one_in(12)), _NO_PARSER),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_empty_now_and_then",
        "every 97th reply is an empty body with status 200",
        "api.answers_every_request",
        intercept=_every(97, _EMPTY),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_connection_lost",
        "one stream of forty is cut",
        "api.answers_every_request",
        change_frames=_cut_stream,
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_halved_replies",
        "one stream of forty ends half-way, as if it were complete",
        "api.answers_every_request",
        change_frames=_ends_early,
        elsewhere=EVERYWHERE,
    ),
]

NAMES_FLAWS = [
    Flaw(
        "api_other_model",
        "one reply of twenty is another model's",
        "api.same_model_throughout",
        **_says(_one_in(_SEVERAL), model="reference-mini"),
    ),
    Flaw(
        "api_other_model_with_tools",
        "requests with tools go to another model",
        "api.same_model_throughout",
        **_says(beside_tools, model="reference-tools"),
    ),
    Flaw(
        "api_other_model_when_long",
        "long prompts go to another model",
        "api.same_model_throughout",
        **_says(longer_than(4_000), model="reference-long"),
    ),
    Flaw(
        "api_two_fingerprints",
        "replicas have other fingerprints",
        "api.same_fingerprint_throughout",
        **_says(_one_in(2), system_fingerprint="fp_other"),
    ),
    Flaw(
        "api_fingerprint_in_streams",
        "streams have another fingerprint",
        "api.same_fingerprint_throughout",
        **_says(streamed, system_fingerprint="fp_streams"),
    ),
    Flaw(
        "api_fingerprint_of_a_canary",
        "one reply of twenty has another fingerprint",
        "api.same_fingerprint_throughout",
        **_says(_one_in(_SEVERAL), system_fingerprint="fp_canary"),
    ),
    Flaw(
        "api_few_ids",
        "ids are drawn from some five hundred",
        "api.unique_ids_throughout",
        change_body=lambda request, found: {**found, "id": f"chatcmpl-{hash(found['id']) % 500}"},
    ),
    Flaw(
        "api_id_of_the_prompt",
        "the id follows from the prompt",
        "api.unique_ids_throughout",
        change_body=lambda request, found: {**found, "id": _id_of(request)},
        change_chunks=lambda request, found: [{**each, "id": _id_of(request)} for each in found],
    ),
    Flaw(
        "api_one_id_in_streams",
        "all streams have one id",
        "api.unique_ids_throughout",
        **_says(streamed, id="chatcmpl-stream"),
    ),
]

REPLAY_FLAWS = [
    Flaw(
        "api_replays",
        "one reply of forty is an hour old",
        "api.no_replayed_reply",
        **_older(_one_in(40), _HOUR),
    ),
    Flaw(
        "api_replays_streams",
        "one stream of ten is a day old",
        "api.no_replayed_reply",
        **_older(all_of(streamed, _one_in(10)), 24 * _HOUR),
    ),
    Flaw(
        "api_replays_what_it_knows",
        "what was asked before comes from a cache of five minutes ago",
        "api.no_replayed_reply",
        **_older(_seen_before(), 300),
    ),
]

_FORM = "api.well_formed_throughout"
FORM_FLAWS = [
    Flaw("form_id_with_tools", "a reply with tools has no id", _FORM, **_says(beside_tools, id="")),
    Flaw(
        "form_created_when_long",
        "after long prompts, `created` is a fraction",
        _FORM,
        **_says(longer_than(300), created=1.5e9),
    ),
    Flaw(
        "form_role_in_conversations",
        "in a conversation, a whole reply's role is null",
        _FORM,
        change_body=_without_role,
    ),
    Flaw(
        "form_finish_of_a_replica",
        "one replica of twenty ends its replies by `eos`",
        _FORM,
        **_finishes(_one_in(_SEVERAL), "stop", "eos"),
    ),
    Flaw(
        "form_token_of_a_replica",
        "one replica of twelve ends its texts with a control token",
        _FORM,
        change_output=_ends_with_token,
    ),
]

USAGE_FLAWS = [
    Flaw(
        "api_total_with_tools",
        "where there are tools, the total leaves the reply out",
        "api.usage_counts_everything",
        **_total_of_prompt(beside_tools),
    ),
    Flaw(
        "api_total_in_conversations",
        "in a conversation, the total leaves the reply out",
        "api.usage_counts_everything",
        **_total_of_prompt(after_turns),
    ),
    Flaw(
        "api_limit_rounded_up",
        "limits are rounded up to blocks of 64 tokens",
        "api.usage_counts_everything",
        # Above 16 tokens: smaller ones are looked at by checks of their own.
        change_request=with_limits(
            lambda _request, most: -(-most // 64) * 64 if most > 16 else most
        ),
        elsewhere=("stability",),
    ),
    Flaw(
        "api_long_cut_says_stop",
        "a reply that is cut beyond 40 tokens says that it was not",
        "api.usage_counts_everything",
        **_finishes(_limit_beyond(40), "length", "stop"),
    ),
    Flaw(
        "api_limit_lowered_after_turns",
        "in a conversation, no reply has more than 32 tokens",
        "api.usage_counts_everything",
        change_request=limits_at_most(32, after_turns),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_limit_lowered_beside_tools",
        "where tools are offered, no reply has more than 24 tokens",
        "api.usage_counts_everything",
        change_request=limits_at_most(24, beside_tools),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_limit_halved_by_a_replica",
        "one replica of six takes half of each limit",
        "api.usage_counts_everything",
        change_request=with_limits(
            lambda request, most: most // 2 if most > 16 and _one_in(6)(request) else most
        ),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_usage_zero_when_cached",
        "a cached prompt counts nothing",
        "api.usage_counts_everything",
        **_prompt(_seen_before(), lambda _: 0),
    ),
    Flaw(
        "api_usage_zero_for_calls",
        "a reply with tools counts nothing",
        "api.usage_counts_everything",
        **_completion(beside_tools, lambda _: 0),
    ),
    Flaw(
        "api_usage_sometimes_missing",
        "one whole reply of thirty has no usage",
        "api.usage_counts_everything",
        change_body=_without_usage,
    ),
    Flaw(
        "api_usage_of_the_limit",
        "streams count all tokens that they might have sent",
        "api.usage_counts_everything",
        **_completion(streamed, lambda tokens: tokens + 4_096),
    ),
    Flaw(
        "api_more_cached_than_sent",
        "cached tokens of long prompts are rounded up to whole blocks",
        "api.usage_counts_everything",
        **counts(_rounded_cache),
    ),
    Flaw(
        "api_usage_less_the_cache",
        "cached tokens are left out of the prompt's",
        "api.prompt_tokens_reproducible",
        **_prompt(_seen_before(), lambda tokens: tokens // 2 + 1),
    ),
    Flaw(
        "api_usage_of_replicas",
        "every seventh reply counts by another template",
        "api.prompt_tokens_reproducible",
        **counts(_some_count_more()),
    ),
    Flaw(
        "api_usage_of_the_last_turns",
        "of a long conversation, the last turns are counted",
        "api.prompt_tokens_reproducible",
        **counts(_last_turns),
        # It is by these counts that `memory` tells whether a conversation arrives complete.
        elsewhere=("memory",),
    ),
    Flaw(
        "api_usage_of_whole_replies",
        "replies that are not streamed count the template twice",
        "api.prompt_tokens_reproducible",
        **_prompt(unstreamed, lambda tokens: tokens + 7),
    ),
    Flaw(
        "api_counts_double_when_long",
        "beyond 20,000 tokens, prompts count double",
        "api.prompt_tokens_proportional",
        **_prompt(longer_than(20_000), lambda tokens: 2 * tokens),
    ),
    Flaw(
        "api_counts_double_beyond",
        "the tokens beyond 10,000 count three times",
        "api.prompt_tokens_proportional",
        **_prompt(longer_than(10_000), lambda tokens: 10_000 + 3 * (tokens - 10_000)),
    ),
    Flaw(
        "api_counts_what_is_left",
        "of prompts beyond 20,000 tokens, a third is counted",
        "api.prompt_tokens_proportional",
        **_prompt(longer_than(20_000), lambda tokens: tokens // 3),
    ),
]


def _wide_tokens(request: Request) -> int:
    """A tokenizer that takes two tokens for a wide character, and one for each digit."""
    texts = "".join(map(text_of, request["messages"]))
    wide, digits = sum(each > "\u2e7f" for each in texts), sum(map(str.isdigit, texts))
    return wide + digits // 2


def _no_logprobs(request: Request, _turn: int) -> SubstituteResponse | None:
    told = "Unsupported parameter: 'logprobs' is not supported with this model."
    return _refusal(told, "logprobs") if request.get("logprobs") else None


HARMLESS = [
    Flaw(
        "api_alias",
        "an alias is answered by the version behind it",
        **_says(_always, model="reference-2025-01"),
    ),
    Flaw("api_clock_behind", "the engine's clock is two hours slow", **_older(_always, 2 * _HOUR)),
    Flaw("api_clock_ahead", "the engine's clock is two hours fast", **_older(_always, -2 * _HOUR)),
    Flaw(
        "api_counts_special_tokens",
        "the tokens that begin and end a text count, too",
        **counts(
            lambda request, usage: {
                "prompt_tokens": usage["prompt_tokens"] + 9,
                "completion_tokens": with_end(request, usage["completion_tokens"]),
            }
        ),
    ),
    Flaw(
        "api_other_tokenizer",
        "another tokenizer takes more tokens for Chinese and for digits",
        **counts(
            lambda request, usage: {"prompt_tokens": usage["prompt_tokens"] + _wide_tokens(request)}
        ),
    ),
    Flaw(
        "api_says_what_is_cached",
        "cached tokens are told beside the prompt's",
        **counts(
            lambda _request, usage: {
                "prompt_tokens_details": {"cached_tokens": usage["prompt_tokens"] // 2}
            }
        ),
    ),
    Flaw(
        "api_cached_to_the_last",
        "all of a prompt may be cached",
        **counts(
            lambda _request, usage: {
                "prompt_tokens_details": {"cached_tokens": usage["prompt_tokens"]}
            }
        ),
    ),
    Flaw("api_no_logprobs", "logprobs are refused, always", intercept=_no_logprobs),
]

FLAWS = [*SERVICE_FLAWS, *NAMES_FLAWS, *REPLAY_FLAWS, *FORM_FLAWS, *USAGE_FLAWS, *HARMLESS]
