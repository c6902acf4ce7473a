"""HTTP: connections, request bodies, the model list, and isolation of concurrent requests."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from urllib.parse import quote

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_models as models
from readiness.checks.api.probes import (
    call,
    equivalent,
    isolation_probes,
    probes,
    tool_call_isolation_probes,
    with_code_words,
)
from readiness.checks.api.requests import reproduced, send_beside_another
from readiness.checks.api.scoring_replies import (
    score_answered,
    score_equivalent,
    score_own_codes,
    tells_words,
)
from readiness.exchange import Call, Exchange
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import PASSED, Score
from readiness.scoring.rejection import survived


@check(probes("keep_alive"), trials=20, in_order=True)
async def keep_alive(chat: Chat, probe: Probe) -> Score:
    """Twenty consecutive requests on one connection MUST all be answered."""
    return score_answered(read(await chat.call(call(probe, chat.dialect))))


@check(probes("connection_close_accepted"))
async def connection_close_accepted(chat: Chat, probe: Probe) -> Score:
    """A request with `Connection: close` SHOULD be answered."""
    closing = replace(call(probe, chat.dialect), headers={"Connection": "close"}, valid=False)
    return score_answered(read(await chat.call(closing)))


@check(probes("expect_continue_accepted"))
async def expect_continue_accepted(chat: Chat, probe: Probe) -> Score:
    """A request with `Expect: 100-continue` SHOULD be told to continue, and answered."""
    expecting = replace(call(probe, chat.dialect), headers={"Expect": "100-continue"}, valid=False)
    return score_answered(read(await chat.call(expecting)))


@check(with_code_words("equivalent_requests_read"), trials=4)
async def equivalent_requests_read(chat: Chat, probe: Probe) -> Score:
    """A request MUST be read the same however its client writes and labels it: with escapes for
    what is not ASCII, indented with its model last, with a charset, or accepting a stream.
    """

    async def attempt() -> Score:
        other = await chat.call(equivalent(probe, chat.dialect))
        if tells_words(other, probe.expect["words"]):
            return PASSED
        usual = await chat.call(call(probe, chat.dialect))
        return score_equivalent(other, usual, probe.expect["words"])

    return await reproduced(attempt)


@check(probes("chunked_body_accepted"))
async def chunked_body_accepted(chat: Chat, probe: Probe) -> Score:
    """A request body in chunked transfer encoding SHOULD be read."""
    chunked = replace(call(probe, chat.dialect), chunked=True, valid=False)
    return score_answered(read(await chat.call(chunked)))


@check(probes("gzip_body_handled"))
async def gzip_body_handled(chat: Chat, probe: Probe) -> Score:
    """A gzip-compressed request body SHOULD be either read or rejected with a 4xx."""
    body = gzip.compress(json.dumps(call(probe, chat.dialect).body).encode(), mtime=0)
    zipped = Call(body, headers={"Content-Encoding": "gzip"}, valid=False)
    return survived(await chat.call(zipped))


@check(isolation_probes, trials=32)
async def conversation_isolation(chat: Chat, probe: Probe) -> Score:
    """Of many concurrent requests, each MUST get its own code word back, and never another's, not
    even where it has none.
    """
    replies = await send_beside_another(chat, probe)
    return score_own_codes([(reply.text, expect) for reply, expect in replies])


@check(tool_call_isolation_probes, trials=16, needs=["tools"])
async def tool_call_isolation(chat: Chat, probe: Probe) -> Score:
    """Of many concurrent requests, each MUST get its own tool call back, and never another's."""
    replies = await send_beside_another(chat, probe)
    return score_own_codes([(_with_arguments(reply), expect) for reply, expect in replies])


def _with_arguments(reply: Reply) -> str:
    return "\n".join([reply.text, *(each.arguments for each in reply.tool_calls)])


MODEL_LIST = [Probe("api.models@v1", [])]
KNOWN_MODEL = [Probe("api.model.known@v1", [], {"id": ""})]
UNKNOWN_MODEL = [Probe("api.model.unknown@v1", [], {"id": "readiness-no-such-model"})]


async def get(chat: Chat, path: str) -> Exchange:
    """Send a GET request."""
    return await chat.call(Call(None, path, "GET"))


@check(MODEL_LIST)
async def models_listed(chat: Chat, probe: Probe) -> Score:
    """GET /models MUST return a list of models in `data`, each with an id."""
    return models.score_list(await get(chat, "/models"))


@check(MODEL_LIST)
async def requested_model_listed(chat: Chat, probe: Probe) -> Score:
    """GET /models SHOULD list the model that requests name; a gateway's alias may be missing."""
    return models.score_listed(await get(chat, "/models"), chat.dialect.model)


@check(MODEL_LIST)
async def model_metadata(chat: Chat, probe: Probe) -> Score:
    """The list SHOULD have the object `list`, and each model the object `model`, `created` and
    `owned_by`, which strict clients require.
    """
    return models.score_metadata(await get(chat, "/models"))


@check(KNOWN_MODEL)
async def model_retrieved(chat: Chat, probe: Probe) -> Score:
    """GET /models/{id} SHOULD return that model."""
    name = chat.dialect.model
    return models.score_retrieved(await get(chat, f"/models/{quote(name, safe='')}"), name)


@check(UNKNOWN_MODEL)
async def unknown_model_lookup_rejected(chat: Chat, probe: Probe) -> Score:
    """GET /models/{id} for an unknown model SHOULD be rejected with 400, 404 or 422."""
    return models.score_unknown_lookup(await get(chat, f"/models/{probe.expect['id']}"))
