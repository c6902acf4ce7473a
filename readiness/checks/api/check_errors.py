"""Errors: invalid requests are rejected promptly with a 4xx and a JSON body that says why."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_models as access
from readiness.checks.api.probes import both_forms, call, overlong, probes, refusable
from readiness.checks.api.requests import send_in_both_forms, send_invalid
from readiness.checks.api.scoring_streams import score_refused_streams
from readiness.exchange import Call
from readiness.probe import Probe
from readiness.protocol.capability import LIST_MODELS, Models
from readiness.protocol.completion import lost
from readiness.score import EndpointError, Score
from readiness.scoring.rejection import UNKNOWN, refused, tells, tells_like_openai

NO_KEY = {"Authorization": "", "api-key": "", "x-api-key": ""}
WRONG_KEY = {**NO_KEY, "Authorization": "Bearer readiness-wrong-key"}
WINDOW = [
    Probe("api.overlong@v1", [], budget=16),
    Probe("api.overlong.stream@v1", [], parameters={"stream": True}, budget=16),
]
PATHS = [
    Probe("api.path.unknown@v1", [], {"call": Call({}, "/readiness/no-such-path")}),
    Probe("api.path.method@v1", [], {"call": Call(None, method="DELETE")}),
]


@check(probes("malformed_json_rejected"))
async def malformed_json_rejected(chat: Chat, probe: Probe) -> Score:
    """JSON that was cut off or written by hand, and is broken, MUST be rejected with a client error
    such as 400 or 422.
    """
    return refused(await send_invalid(chat, probe))


@check(probes("missing_messages_rejected"))
async def missing_messages_rejected(chat: Chat, probe: Probe) -> Score:
    """A request without messages MUST be rejected with a client error such as 400 or 422."""
    return refused(await send_invalid(chat, probe))


@check(probes("mistyped_messages_rejected"))
async def mistyped_messages_rejected(chat: Chat, probe: Probe) -> Score:
    """Messages of the wrong type MUST be rejected with a client error such as 400 or 422."""
    return refused(await send_invalid(chat, probe))


@check(probes("json_error_body"))
async def json_error_body(chat: Chat, probe: Probe) -> Score:
    """An error MUST have a JSON content type and a JSON body with a message."""
    return tells(await send_invalid(chat, probe))


@check(refusable(), needs=["stream"])
async def stream_error_status(chat: Chat, probe: Probe) -> Score:
    """What is rejected whole MUST be rejected streamed, with an HTTP error and a message in JSON,
    never within a stream under status 200.
    """
    return score_refused_streams(await send_in_both_forms(chat, probe.expect["requests"]))


@check(probes("openai_error_shape"))
async def openai_error_shape(chat: Chat, probe: Probe) -> Score:
    """An error SHOULD have OpenAI's shape: message and type, and code and param as strings or
    null.
    """
    return tells_like_openai(await send_invalid(chat, probe))


async def models_served(chat: Chat) -> Models:
    """The models that are listed.

    Raises:
        EndpointError: The list did not arrive.
    """
    listed = await chat.call(LIST_MODELS)
    if (why := lost(listed)) is not None:
        raise EndpointError(why.reason, why.outcome)
    return Models.read(listed)


@check(probes("missing_model_rejected"))
async def missing_model_rejected(chat: Chat, probe: Probe) -> Score:
    """A request without a model SHOULD be rejected with 400, 404 or 422."""
    return refused(await send_invalid(chat, probe), UNKNOWN)


@check(probes("answers_unknown_models"))
async def unknown_model_rejected(chat: Chat, probe: Probe) -> Score:
    """Where several models are served, a request for an unknown one MUST be rejected with 400, 404
    or 422, not answered by another model.
    """
    served = await models_served(chat)
    return access.score_unknown_model(await send_invalid(chat, probe), len(served.windows))


@check(probes("answers_unknown_models"))
async def unknown_model_404(chat: Chat, probe: Probe) -> Score:
    """A request for an unknown model SHOULD be rejected with 404."""
    return refused(await send_invalid(chat, probe), (404,))


@check(probes("invalid_conversation_rejected"))
async def invalid_conversation_rejected(chat: Chat, probe: Probe) -> Score:
    """An empty list of messages, an unknown role, or a result of a tool that was not called SHOULD
    be rejected with a client error such as 400 or 422.
    """
    return refused(await send_invalid(chat, probe))


@check(probes("missing_key_rejected"))
async def missing_key_rejected(chat: Chat, probe: Probe) -> Score:
    """Where a key is used, a request without it MUST be rejected with 401 or 403."""
    valid = call(probe, chat.dialect)
    return access.score_key_required(
        await chat.call(valid), await chat.call(Call(valid.body, headers=NO_KEY, valid=False))
    )


@check(both_forms("missing_key_rejected"))
async def wrong_key_rejected(chat: Chat, probe: Probe) -> Score:
    """Where a key is used, a request with a wrong one MUST be rejected with 401 or 403."""
    valid = call(probe, chat.dialect)
    other = Call(valid.body, headers=WRONG_KEY, valid=False)
    return access.score_key_required(await chat.call(valid), await chat.call(other))


@check(WINDOW, alone=True)
async def overlong_prompt_rejected(chat: Chat, probe: Probe) -> Score:
    """A prompt longer than the declared context window MUST be rejected with a client error such as
    400 or 422, neither truncated nor left hanging.
    """
    served = await models_served(chat)
    window = access.window_to_exceed(served.windows.get(chat.dialect.model))
    return refused(await chat.call(overlong(window, chat.dialect, probe.parameters)))


@check(PATHS)
async def unknown_route_rejected(chat: Chat, probe: Probe) -> Score:
    """An unknown path or an unsupported method SHOULD be rejected with 404 or 405."""
    return refused(await chat.call(probe.expect["call"]), (404, 405))
