"""What clients rely on beside completions: HTTP itself, the list of models, no mixed-up replies."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from urllib.parse import quote

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_models as models
from readiness.checks.api.probes import apart, call, calls_apart, probes
from readiness.checks.api.requests import ask
from readiness.checks.api.scoring_replies import answers, own_code
from readiness.exchange import Call, Exchange
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


@check(apart, trials=32)
async def keeps_conversations_apart(chat: Chat, probe: Probe) -> Score:
    """Of many requests at once, each MUST get its own code word back, and no other's."""
    reply = await ask(chat, probe)
    return own_code(reply.text, probe.expect["code"], probe.expect["others"])


@check(calls_apart, trials=16, needs=["tools"])
async def keeps_calls_apart(chat: Chat, probe: Probe) -> Score:
    """Of many requests at once, each MUST get its own tool call, and no other's."""
    reply = await ask(chat, probe)
    said = "\n".join([reply.text, *(each.arguments for each in reply.tool_calls)])
    return own_code(said, probe.expect["code"], probe.expect["others"])


LISTED = [Probe("api.models@v1", [])]
KNOWN = [Probe("api.model.known@v1", [], {"id": ""})]
UNKNOWN = [Probe("api.model.unknown@v1", [], {"id": "readiness-no-such-model"})]


async def get(chat: Chat, path: str) -> Exchange:
    """Send a GET."""
    return await chat.call(Call(None, path, "GET"))


@check(LISTED)
async def lists_models(chat: Chat, probe: Probe) -> Score:
    """GET /models MUST return a list of models, each with its id."""
    return models.lists(await get(chat, "/models"))


@check(LISTED)
async def lists_this_model(chat: Chat, probe: Probe) -> Score:
    """GET /models SHOULD list the model that requests name; a gateway's alias may be missing."""
    return models.has_model(await get(chat, "/models"), chat.dialect.model)


@check(LISTED)
async def dates_its_models(chat: Chat, probe: Probe) -> Score:
    """Each listed model SHOULD have `created` and `owned_by`, which strict clients require."""
    return models.dated(await get(chat, "/models"))


@check(KNOWN)
async def shows_a_model(chat: Chat, probe: Probe) -> Score:
    """GET /models/{id} SHOULD return that model."""
    name = chat.dialect.model
    return models.shows(await get(chat, f"/models/{quote(name, safe='')}"), name)


@check(UNKNOWN)
async def hides_what_is_not_there(chat: Chat, probe: Probe) -> Score:
    """GET /models/{id} SHOULD answer 404 for a model that is not there."""
    return models.hides(await get(chat, f"/models/{probe.expect['id']}"))
