"""Endurance: what real users, gateways and mishaps do to an endpoint, one thing at a time."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from readiness.chat import Chat
from readiness.checks.stability.abort_cycles import SMALL_STAY, STAY
from readiness.checks.stability.probes import PROMPTS
from readiness.exchange import Call, Exchange, Repeated
from readiness.load.latency import (
    ends_at,
    ends_early,
    incomplete_reply_reason,
    require_not_rate_limited,
    tokens,
)
from readiness.load.traffic import nonce

#: The article's nginx lets so many through at once beyond its rate, and so many are sent.
BURST, SMALL_BURST = 20, 4
#: The longest reply that is asked for, in tokens.
LONGEST, SMALL_LONGEST = 4096, 64
#: How often it must come short in one form alone: models tire of a list at times.
TIMES = 3
NEIGHBOURS = 4
MEGABYTE = 2**20
UPLOAD, SMALL_UPLOAD = 50, 1
#: How long an endpoint may take to come back, and how often it is asked, in seconds.
BACK, ASK = 300.0, 1.0
AFTER = 20


@dataclass
class RestartResult:
    """What came of a restart.

    Args:
        status: The exit status of the command.
        interrupted: The streams that were under way, as they ended.
        seconds: How long it took until a request was answered again; None where none was.
        after: How the requests ended that came then.
    """

    status: int
    interrupted: list[Exchange] = field(default_factory=list)
    seconds: float | None = None
    after: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OddInput:
    """What came of a body that nobody should send.

    Args:
        name: What is odd about it.
        exchange: What came back.
        oversized: Whether it is larger than any server need take.
    """

    name: str
    exchange: Exchange
    oversized: bool = False


async def burst(chat: Chat) -> Sequence[Exchange]:
    """Send requests all at once."""
    many = SMALL_BURST if chat.context.defects_only else BURST
    return await asyncio.gather(*(ask(chat, "control") for _ in range(many)))


async def long_reply(chat: Chat, *, stream: bool, time: int = 0, most: int = LONGEST) -> Exchange:
    """Ask for a reply that takes as long as replies do, for the first time or again."""
    most = SMALL_LONGEST if chat.context.defects_only else most
    return await chat.fetch_once(("long reply", stream, time), partial(_long_reply, stream, most))


async def shortened(chat: Chat, *, stream: bool) -> Sequence[int]:
    """After how many characters a long reply ends that goes on in the other form, each time.

    It is asked for again, with room for half as much more, so long as it ends at the same place.
    """
    found: list[int] = []
    most = LONGEST
    while len(found) < TIMES:
        own = await long_reply(chat, stream=stream, time=len(found), most=most)
        if found and not ends_at(own, found[0]):
            break
        other = await long_reply(chat, stream=not stream, time=len(found), most=most)
        if (at := ends_early(own, other)) is None:
            break
        found.append(at)
        most = min(most, max(tokens(own) * 3 // 2, SMALL_LONGEST))
    return found


async def _long_reply(stream: bool, most: int, chat: Chat) -> Exchange:
    return require_not_rate_limited(await ask(chat, "long", most, stream=stream))


async def session(chat: Chat, about: Mapping[str, float]) -> list[Exchange]:
    """A session of one user, who is silent for a while in the middle of it."""
    came, many = [], int(about["requests"])
    for number in range(many):
        if number == many // 2:
            await asyncio.sleep(about["idle"])
        came.append(require_not_rate_limited(await ask(chat, "session", number=number + 1)))
    return came


async def odd_input(chat: Chat) -> tuple[list[OddInput], Sequence[Exchange]]:
    """Send odd and oversized bodies while others are being answered; what came of both."""
    stay = SMALL_STAY if chat.context.defects_only else STAY
    beside = [
        asyncio.ensure_future(ask(chat, "neighbour", stay, stream=True)) for _ in range(NEIGHBOURS)
    ]
    try:
        bodies = [*_bodies(chat)]
        came = await asyncio.gather(*(chat.call(Call(each, crowd=True)) for _, each in bodies))
        others = [require_not_rate_limited(each) for each in await asyncio.gather(*beside)]
    finally:
        for each in beside:
            each.cancel()
    odd = [
        OddInput(name, each, isinstance(body, Repeated))
        for (name, body), each in zip(bodies, came, strict=True)
    ]
    return odd, others


async def restart_endpoint(chat: Chat) -> RestartResult:
    """Restart the endpoint by the user's own command, while streams are under way."""
    now = asyncio.get_running_loop().time
    streams = [
        asyncio.ensure_future(ask(chat, "long", LONGEST, stream=True)) for _ in range(NEIGHBOURS)
    ]
    await asyncio.sleep(ASK)
    process = await asyncio.create_subprocess_exec(*shlex.split(chat.context.restart_command))
    found = RestartResult(await process.wait())
    begun = now()
    found.interrupted = await asyncio.gather(*streams)
    while now() - begun < BACK and found.seconds is None:
        if not incomplete_reply_reason(await ask(chat, "control")):
            found.seconds = now() - begun
        else:
            await asyncio.sleep(ASK)
    if found.seconds is not None:
        found.after = [incomplete_reply_reason(await ask(chat, "control")) for _ in range(AFTER)]
    return found


async def ask(
    chat: Chat, what: str, budget: int = 8, *, stream: bool = False, number: int = 0
) -> Exchange:
    """Send one of the prompts, as one of many users."""
    text = PROMPTS[what].format(nonce=nonce(Random()), number=number)
    parameters: dict[str, Any] = {"stream": True} if stream else {}
    messages = [{"role": "user", "content": text}]
    return await chat.call(Call(chat.dialect.request(messages, budget, parameters), crowd=True))


def _bodies(chat: Chat) -> Sequence[tuple[str, Any]]:
    """What nobody should send: a name, and a body."""
    usual = chat.dialect.request([{"role": "user", "content": "Hello"}], 8, {})
    bodies = [(each["name"], make_odd_body(each, usual)) for each in PROMPTS["odd"]]
    others = {key: value for key, value in usual.items() if key != "messages"}
    head = json.dumps(others)[:-1] + ', "messages": [{"role": "user", "content": "'
    size = SMALL_UPLOAD if chat.context.defects_only else UPLOAD
    return [*bodies, (f"{size} MB of text", Repeated(head, "a" * MEGABYTE, size, '"}]}'))]


def make_odd_body(about: Mapping[str, Any], usual: Mapping[str, Any]) -> Any:
    """A usual body, made odd as is said of it."""
    if raw := about.get("raw"):
        return raw.replace("$MODEL", json.dumps(usual["model"])).encode()
    body = {**usual, **about.get("set", {})}
    return {key: value for key, value in body.items() if key not in about.get("drop", ())}
