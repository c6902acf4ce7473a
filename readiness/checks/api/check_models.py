"""The list of models, by which clients find out what there is."""

from __future__ import annotations

from urllib.parse import quote

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_models as models
from readiness.exchange import Call, Exchange
from readiness.probe import Probe
from readiness.score import Score

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
