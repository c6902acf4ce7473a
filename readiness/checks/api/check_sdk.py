"""The official SDK, without retries and with strict validation: it MUST work unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from readiness import sdk_client
from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_sdk as sdk
from readiness.checks.api.check_http import KNOWN_MODEL, MODEL_LIST
from readiness.checks.api.probes import PROMPTS, call, probes
from readiness.probe import Probe
from readiness.score import Score

if TYPE_CHECKING:
    from openai import AsyncOpenAI

TOOLS = [PROMPTS["tool_call_isolation"]["tool"]]


def sdk_request(chat: Chat, probe: Probe) -> dict[str, Any]:
    """The request as arguments of the SDK; parameters other than these go into `extra_body`."""
    body = dict(call(probe, chat.dialect).body)
    kept = {key: body.pop(key) for key in ("model", "messages")}
    return {**kept, "extra_body": body}


@check(probes("sdk_create"))
async def sdk_create(chat: Chat, probe: Probe) -> Score:
    """`chat.completions.create` of the official SDK MUST return a reply that passes its
    validation.
    """
    request = sdk_request(chat, probe)
    return sdk.score_success(
        await sdk_client.run_with_sdk(
            chat, lambda client: client.chat.completions.create(**request)
        )
    )


@check(probes("sdk_stream"), needs=["stream"])
async def sdk_stream(chat: Chat, probe: Probe) -> Score:
    """`create(stream=True)` of the official SDK MUST read the stream to its end."""
    request = sdk_request(chat, probe)

    async def read(client: AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(**request, stream=True)
        return "".join([_text(chunk) async for chunk in stream])

    return sdk.score_stream(await sdk_client.run_with_sdk(chat, read, strict=False))


@check(probes("sdk_stream_helper"), needs=["stream"])
async def sdk_stream_helper(chat: Chat, probe: Probe) -> Score:
    """The official SDK's stream helper MUST assemble the reply that was sent."""
    request = sdk_request(chat, probe)

    async def read(client: AsyncOpenAI) -> str | None:
        async with client.chat.completions.stream(**request) as stream:
            return (await stream.get_final_completion()).choices[0].message.content

    return sdk.score_stream(await sdk_client.run_with_sdk(chat, read, strict=False))


@check(probes("sdk_tools"), needs=["tools"])
async def sdk_tools(chat: Chat, probe: Probe) -> Score:
    """With tools, the official SDK MUST return a reply that passes its validation, with calls or
    without.
    """
    request = {**sdk_request(chat, probe), "tools": TOOLS}
    return sdk.score_success(
        await sdk_client.run_with_sdk(
            chat, lambda client: client.chat.completions.create(**request)
        )
    )


@check(probes("sdk_parse"), needs=["json_schema"])
async def sdk_parse(chat: Chat, probe: Probe) -> Score:
    """`parse` of the official SDK MUST return an object of the given Pydantic model."""
    from pydantic import create_model

    person = create_model("Person", name=(str, ...), age=(int, ...))
    request = {**sdk_request(chat, probe), "response_format": person}

    async def read(client: AsyncOpenAI) -> Any:
        return (await client.chat.completions.parse(**request)).choices[0].message.parsed

    return sdk.score_success(await sdk_client.run_with_sdk(chat, read))


@check(MODEL_LIST)
async def sdk_models_list(chat: Chat, probe: Probe) -> Score:
    """`models.list` of the official SDK MUST return the models."""

    async def read(client: AsyncOpenAI) -> list[str]:
        return [model.id async for model in client.models.list()]

    return sdk.score_names(await sdk_client.run_with_sdk(chat, read, strict=False))


@check(KNOWN_MODEL)
async def sdk_models_retrieve(chat: Chat, probe: Probe) -> Score:
    """`models.retrieve` of the official SDK SHOULD return the model."""
    name = chat.dialect.model

    async def read(client: AsyncOpenAI) -> list[str]:
        # If the response is no JSON, the SDK returns a string, which has no id.
        return [getattr(await client.models.retrieve(name), "id", "")]

    return sdk.score_names(await sdk_client.run_with_sdk(chat, read, strict=False))


@check(probes("sdk_error_class"))
async def sdk_error_class(chat: Chat, probe: Probe) -> Score:
    """For an invalid request, the official SDK MUST raise the exception class that its users
    catch.
    """
    request = sdk_request(chat, probe)
    return sdk.score_exception(
        await sdk_client.run_with_sdk(
            chat, lambda client: client.chat.completions.create(**request)
        )
    )


def _text(chunk: Any) -> str:
    """The text of a chunk; "" if it has no choice."""
    return "".join(choice.delta.content or "" for choice in chunk.choices)
