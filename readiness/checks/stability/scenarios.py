"""Stability scenarios: a burst, a long reply, an idle session, bad input, a restart."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

from readiness.chat import Chat
from readiness.checks.stability.abort_cycles import CONCURRENT_TOKENS, SMALL_CONCURRENT_TOKENS
from readiness.checks.stability.long_replies import LongRequest, longest_request
from readiness.checks.stability.probes import PROMPTS
from readiness.exchange import Call, Exchange, Repeated
from readiness.load.latency import (
    ends_at,
    ends_early,
    incomplete_reply_reason,
    require_not_limited,
    tokens,
)
from readiness.load.traffic import nonce
from readiness.protocol.completion import read
from readiness.score import EndpointError

#: The number of simultaneous requests: the burst size of the article's nginx rate limit.
BURST, SMALL_BURST = 20, 4
#: The token limit of a long reply.
MAX_REPLY_TOKENS, SMALL_MAX_REPLY_TOKENS = 4096, 64
#: The tokens from which on a reply shows anything about long ones.
LONG_REPLY_TOKENS = 1000
#: How often a reply must end early in one form only to fail: models cut long lists short at times.
EARLY_END_REPEATS = 3
#: How often a list must have gaps in one form only to fail, and the numbers that make it a list.
GAP_REPEATS, MIN_NUMBERS = 2, 50
CONCURRENT_STREAMS = 4
MEGABYTE = 2**20
UPLOAD, SMALL_UPLOAD = 50, 1
#: How long a restart may take, and how often to poll for it, in seconds.
RESTART_TIMEOUT, POLL_INTERVAL = 300.0, 1.0
REQUESTS_AFTER_RESTART = 20


@dataclass
class RestartResult:
    """The result of a restart.

    Args:
        status: The exit status of the command.
        interrupted: The streams that were in flight at the restart.
        seconds: Seconds until a request was answered again; None if none was.
        errors_after: Why each later request failed; "" for one that was answered.
    """

    status: int
    interrupted: list[Exchange] = field(default_factory=list)
    seconds: float | None = None
    errors_after: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class BadInput:
    """A malformed or oversized request, and its response.

    Args:
        name: What is wrong with the request.
        exchange: The request and its response.
        oversized: Whether the body is larger than any server has to accept.
    """

    name: str
    exchange: Exchange
    oversized: bool = False


async def send_burst(chat: Chat) -> list[Exchange]:
    """Send BURST short requests simultaneously."""
    count = SMALL_BURST if chat.context.defects_only else BURST
    return await asyncio.gather(*(send_prompt(chat, "control") for _ in range(count)))


async def long_reply(
    chat: Chat, *, stream: bool, repeat: int = 0, budget: int = MAX_REPLY_TOKENS
) -> Exchange:
    """Request a reply as long as replies get; each repeat is sent once and shared by the trials."""
    small = chat.context.defects_only
    asked = (
        LongRequest(budget=SMALL_MAX_REPLY_TOKENS)
        if small
        else await chat.measure_once("long request", longest_request, LongRequest)
    )
    work = partial(_long_reply, asked, stream, SMALL_MAX_REPLY_TOKENS if small else budget)
    return await chat.measure_once(("long reply", stream, repeat), work, Exchange)


async def early_ends(chat: Chat, *, stream: bool) -> Sequence[int]:
    """Return where a long reply ends early, in characters, for each time that it does.

    A reply ends early if the other form (streamed, not streamed) is longer. It is requested again,
    with a limit half as large again as what arrived, while it ends at the same place.
    """
    found: list[int] = []
    budget = MAX_REPLY_TOKENS
    while len(found) < EARLY_END_REPEATS:
        own = await long_reply(chat, stream=stream, repeat=len(found), budget=budget)
        if found and not ends_at(own, found[0]):
            break
        other = await long_reply(chat, stream=not stream, repeat=len(found), budget=budget)
        if (at := ends_early(own, other)) is None:
            break
        found.append(at)
        if at:  # Of a reply that is lost, no smaller one need be.
            budget = min(budget, max(tokens(own) * 3 // 2, SMALL_MAX_REPLY_TOKENS))
    return found


async def gaps(chat: Chat, *, stream: bool) -> Sequence[str]:
    """Where a long list has gaps or repeats, for each time that it has and the other form has none.

    Asked to count or to number copies, the numbers of a reply follow one another; a model that
    loses its way does so in both forms.
    """
    found: list[str] = []
    while len(found) < GAP_REPEATS:
        own = await long_reply(chat, stream=stream, repeat=len(found))
        if not (gap := first_gap(own)):
            break
        if first_gap(await long_reply(chat, stream=not stream, repeat=len(found))) != "":
            break
        found.append(gap)
    return found


def first_gap(exchange: Exchange) -> str | None:
    """Two numbers of a list that do not follow one another; "" for none, None for no list."""
    try:
        found = re.findall(r"\d+", read(exchange).text)
    except EndpointError:
        return None
    numbers = [*map(int, found[:-1])]  # The last one may be cut.
    if len(numbers) < MIN_NUMBERS:
        return None
    return next((f"{one}, {two}" for one, two in pairwise(numbers) if two != one + 1), "")


async def _long_reply(asked: LongRequest, stream: bool, budget: int, chat: Chat) -> Exchange:
    text = PROMPTS[asked.prompt].format(nonce=nonce(Random()))
    parameters = {"min_tokens": budget} if asked.parameters else {}
    parameters = {**asked.parameters, **parameters, **({"stream": True} if stream else {})}
    body = chat.dialect.request([{"role": "user", "content": text}], budget, parameters)
    return require_not_limited(await chat.call(Call(body, crowd=True, whole=True)))


async def run_session(chat: Chat, about: Mapping[str, float]) -> list[Exchange]:
    """Send the requests of one user in sequence, with an idle pause half-way."""
    exchanges, count = [], int(about["requests"])
    for number in range(count):
        if number == count // 2:
            await asyncio.sleep(about["idle"])
        exchanges.append(require_not_limited(await send_prompt(chat, "session", number=number + 1)))
    return exchanges


async def send_bad_input(chat: Chat) -> tuple[list[BadInput], list[Exchange]]:
    """Send malformed and oversized bodies concurrently with streams; return both."""
    tokens_each = SMALL_CONCURRENT_TOKENS if chat.context.defects_only else CONCURRENT_TOKENS
    streams = [
        asyncio.ensure_future(send_prompt(chat, "neighbour", tokens_each, stream=True))
        for _ in range(CONCURRENT_STREAMS)
    ]
    try:
        bodies = [*_bodies(chat)]
        calls = [Call(each, crowd=True, valid=False, whole=True) for _, each in bodies]
        responses = await asyncio.gather(*map(chat.call, calls))
        completed = [require_not_limited(each) for each in await asyncio.gather(*streams)]
    finally:
        for each in streams:
            each.cancel()
    inputs = [
        BadInput(name, each, isinstance(body, Repeated))
        for (name, body), each in zip(bodies, responses, strict=True)
    ]
    return inputs, completed


async def restart_endpoint(chat: Chat) -> RestartResult:
    """Restart the endpoint with the user's command while streams are in flight."""
    now = asyncio.get_running_loop().time
    streams = [
        asyncio.ensure_future(send_prompt(chat, "long", MAX_REPLY_TOKENS, stream=True, valid=False))
        for _ in range(CONCURRENT_STREAMS)
    ]
    await asyncio.sleep(POLL_INTERVAL)
    process = await asyncio.create_subprocess_exec(*shlex.split(chat.context.restart_command))
    restart = RestartResult(await process.wait())
    begun = now()
    restart.interrupted = await asyncio.gather(*streams)
    while now() - begun < RESTART_TIMEOUT and restart.seconds is None:
        if not incomplete_reply_reason(await send_prompt(chat, "control", valid=False)):
            restart.seconds = now() - begun
        else:
            await asyncio.sleep(POLL_INTERVAL)
    if restart.seconds is not None:
        restart.errors_after = [
            incomplete_reply_reason(require_not_limited(await send_prompt(chat, "control")))
            for _ in range(REQUESTS_AFTER_RESTART)
        ]
    return restart


async def send_prompt(
    chat: Chat,
    prompt: str,
    budget: int = 8,
    *,
    stream: bool = False,
    number: int = 0,
    valid: bool = True,
) -> Exchange:
    """Send the named prompt of stability.yaml, as one of many users."""
    text = PROMPTS[prompt].format(nonce=nonce(Random()), number=number)
    parameters: dict[str, Any] = {"stream": True} if stream else {}
    messages = [{"role": "user", "content": text}]
    body = chat.dialect.request(messages, budget, parameters)
    return await chat.call(Call(body, crowd=True, valid=valid, whole=True))


def _bodies(chat: Chat) -> Sequence[tuple[str, Any]]:
    """The malformed and oversized bodies, each with its name."""
    usual = chat.dialect.request([{"role": "user", "content": "Hello"}], 8, {})
    bodies = [(each["name"], malformed_body(each, usual)) for each in PROMPTS["odd"]]
    others = {key: value for key, value in usual.items() if key != "messages"}
    head = json.dumps(others)[:-1] + ', "messages": [{"role": "user", "content": "'
    size = SMALL_UPLOAD if chat.context.defects_only else UPLOAD
    return [*bodies, (f"{size} MB of text", Repeated(head, "a" * MEGABYTE, size, '"}]}'))]


def malformed_body(change: Mapping[str, Any], usual: Mapping[str, Any]) -> Any:
    """A valid body, changed as an entry of `odd` in stability.yaml says."""
    if raw := change.get("raw"):
        return raw.replace("$MODEL", json.dumps(usual["model"])).encode()
    body = {**usual, **change.get("set", {})}
    return {key: value for key, value in body.items() if key not in change.get("drop", ())}
