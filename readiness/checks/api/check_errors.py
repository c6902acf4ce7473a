"""Errors: what is wrong is refused with a 4xx, at once, in JSON that tells why."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_models as access
from readiness.checks.api.probes import call, overlong, probes
from readiness.checks.api.requests import sent
from readiness.exchange import Call
from readiness.probe import Probe
from readiness.protocol.capability import Models
from readiness.score import Score
from readiness.scoring.rejection import UNKNOWN, refused, tells, tells_like_openai

NO_KEY = {"Authorization": "", "api-key": "", "x-api-key": ""}
WRONG_KEY = {**NO_KEY, "Authorization": "Bearer readiness-wrong-key"}
WINDOW = [Probe("api.overlong@v1", [], budget=8)]
PATHS = [
    Probe("api.path.unknown@v1", [], {"call": Call({}, "/readiness/no-such-path")}),
    Probe("api.path.method@v1", [], {"call": Call(None, method="DELETE")}),
]


@check(probes("refuses_broken_json"))
async def refuses_broken_json(chat: Chat, probe: Probe) -> Score:
    """A body that is no JSON object MUST be refused with a 4xx."""
    return refused(await sent(chat, probe))


@check(probes("refuses_missing_messages"))
async def refuses_missing_messages(chat: Chat, probe: Probe) -> Score:
    """A request without messages MUST be refused with a 4xx."""
    return refused(await sent(chat, probe))


@check(probes("refuses_wrong_types"))
async def refuses_wrong_types(chat: Chat, probe: Probe) -> Score:
    """Messages of the wrong type MUST be refused with a 4xx."""
    return refused(await sent(chat, probe))


@check(probes("tells_errors_in_json"))
async def tells_errors_in_json(chat: Chat, probe: Probe) -> Score:
    """An error MUST come as JSON with a message."""
    return tells(await sent(chat, probe))


@check(probes("tells_errors_like_openai"))
async def tells_errors_like_openai(chat: Chat, probe: Probe) -> Score:
    """An error SHOULD have OpenAI's shape: message, type, param, and a code that is a string."""
    return tells_like_openai(await sent(chat, probe))


@check(probes("refuses_a_missing_model"))
async def refuses_a_missing_model(chat: Chat, probe: Probe) -> Score:
    """A request without a model SHOULD be refused with a 4xx."""
    return refused(await sent(chat, probe), UNKNOWN)


@check(probes("answers_unknown_models"))
async def mistakes_no_model(chat: Chat, probe: Probe) -> Score:
    """Where several models are served, an unknown one MUST be refused, not answered by another."""
    served = Models.read(await chat.call(Call(None, "/models", "GET")))
    return access.mistakes(await sent(chat, probe), len(served.windows))


@check(probes("answers_unknown_models"))
async def refuses_unknown_models(chat: Chat, probe: Probe) -> Score:
    """A model that is not there SHOULD be answered with 404."""
    return refused(await sent(chat, probe), (404,))


@check(probes("refuses_senseless_conversations"))
async def refuses_senseless_conversations(chat: Chat, probe: Probe) -> Score:
    """No messages, an unknown role, or a result that nobody asked for SHOULD be refused."""
    return refused(await sent(chat, probe))


@check(probes("asks_for_the_key"))
async def asks_for_the_key(chat: Chat, probe: Probe) -> Score:
    """Where a key is used, a request without it MUST be answered with 401 or 403."""
    asked = call(probe, chat.dialect)
    return access.locked(await chat.call(asked), await chat.call(Call(asked.body, headers=NO_KEY)))


@check(probes("asks_for_the_key"))
async def refuses_a_wrong_key(chat: Chat, probe: Probe) -> Score:
    """Where a key is used, a request with a wrong one MUST be answered with 401 or 403."""
    asked = call(probe, chat.dialect)
    other = Call(asked.body, headers=WRONG_KEY)
    return access.locked(await chat.call(asked), await chat.call(other))


@check(WINDOW, alone=True)
async def refuses_overlong_prompts(chat: Chat, probe: Probe) -> Score:
    """A prompt longer than the window MUST be refused with a 4xx, and not cut or left hanging."""
    served = Models.read(await chat.call(Call(None, "/models", "GET")))
    window = access.window(served.windows.get(chat.dialect.model))
    return refused(await chat.call(overlong(window, chat.dialect)))


@check(PATHS)
async def refuses_wrong_paths(chat: Chat, probe: Probe) -> Score:
    """An unknown path SHOULD be answered with 404, and a method that is not there with 405."""
    return refused(await chat.call(probe.expect["call"]), (404, 405))
