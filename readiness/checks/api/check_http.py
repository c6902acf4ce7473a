"""HTTP: what clients and proxies may do by the standard."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api.probes import call, probes
from readiness.checks.api.scoring_replies import answers
from readiness.exchange import Call
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.score import Score
from readiness.scoring.rejection import survived


@check(probes("answers_on_one_connection"), trials=20, in_order=True)
async def answers_on_one_connection(chat: Chat, probe: Probe) -> Score:
    """Twenty requests one after another on a connection MUST all be answered."""
    return answers(read(await chat.call(call(probe, chat.dialect))))


@check(probes("takes_connection_close"))
async def takes_connection_close(chat: Chat, probe: Probe) -> Score:
    """A request with `Connection: close` SHOULD be answered."""
    closing = replace(call(probe, chat.dialect), headers={"Connection": "close"})
    return answers(read(await chat.call(closing)))


@check(probes("takes_expect_continue"))
async def takes_expect_continue(chat: Chat, probe: Probe) -> Score:
    """A request with `Expect: 100-continue` SHOULD be told to go on, and answered."""
    expecting = replace(call(probe, chat.dialect), headers={"Expect": "100-continue"})
    return answers(read(await chat.call(expecting)))


@check(probes("takes_chunked_bodies"))
async def takes_chunked_bodies(chat: Chat, probe: Probe) -> Score:
    """A request body that comes in chunks SHOULD be read."""
    return answers(read(await chat.call(replace(call(probe, chat.dialect), chunked=True))))


@check(probes("takes_gzip"))
async def takes_gzip(chat: Chat, probe: Probe) -> Score:
    """A compressed request body MAY be read, and else SHOULD be refused with a 4xx."""
    body = gzip.compress(json.dumps(call(probe, chat.dialect).body).encode())
    return survived(await chat.call(Call(body, headers={"Content-Encoding": "gzip"})))
