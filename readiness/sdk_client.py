"""The official SDK as reference client, over our own measured transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from readiness.chat import Chat
from readiness.exchange import Call, Exchange
from readiness.protocol.completion import read

if TYPE_CHECKING:
    from httpx2 import AsyncBaseTransport
    from openai import AsyncOpenAI

#: The SDK's base URL, which the endpoint's own replaces.
BASE = "http://readiness/v1"
#: The headers that our transport sends itself.
OURS = frozenset(("host", "authorization", "content-length", "connection", "accept-encoding"))
#: The headers that do not apply to a decoded body.
FRAMING = frozenset(("content-encoding", "content-length", "transfer-encoding"))
TYPES = {"completion": "ChatCompletion", "chunk": "ChatCompletionChunk"}
#: What the SDK raises on malformed responses, some of them by accident.
MALFORMED_RESPONSE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, AssertionError)


@dataclass(frozen=True)
class SdkResult:
    """The SDK's result for the endpoint's response.

    Args:
        value: The value that it returned.
        error: The class name of the exception that it raised; "" if it returned.
        error_message: The exception's message.
        exchange: The last exchange.
    """

    value: Any
    error: str
    error_message: str
    exchange: Exchange


async def run_with_sdk(
    chat: Chat, work: Callable[[AsyncOpenAI], Awaitable[Any]], *, strict: bool = True
) -> SdkResult:
    """Run work with the SDK, and return its result or error.

    Raises:
        EndpointError: There was no response; our message says more than the SDK's.
    """
    # The import takes two seconds, which must not block the event loop.
    await asyncio.to_thread(_load)
    from openai import APIConnectionError, OpenAIError

    exchanges: list[Exchange] = []
    async with _client(_transport(chat, exchanges), strict) as client:
        try:
            return SdkResult(await work(client), "", "", exchanges[-1])
        except APIConnectionError as error:
            if exchanges and exchanges[-1].fault is not None:
                read(exchanges[-1])
            raise (error.__cause__ or error) from None
        except (OpenAIError, *MALFORMED_RESPONSE_ERRORS) as error:
            return SdkResult(None, type(error).__name__, str(error), exchanges[-1])


async def schema(name: str) -> Mapping[str, Any]:
    """The JSON Schema of one of the SDK's own types: a `completion` or a `chunk`."""
    await asyncio.to_thread(_load)
    return _schema(name)


@cache
def _schema(name: str) -> Mapping[str, Any]:
    from openai.types import chat
    from pydantic import TypeAdapter

    found: Mapping[str, Any] = TypeAdapter(getattr(chat, TYPES[name])).json_schema()
    return found


def _load() -> None:
    import openai.resources.chat.completions
    import openai.types.chat

    assert openai


def _client(transport: AsyncBaseTransport, strict: bool) -> AsyncOpenAI:
    from httpx2 import AsyncClient
    from openai import AsyncOpenAI

    return AsyncOpenAI(
        api_key="the endpoint's own",
        base_url=BASE,
        max_retries=0,
        http_client=AsyncClient(transport=transport, trust_env=False),
        _strict_response_validation=strict,
    )


def _transport(chat: Chat, exchanges: list[Exchange]) -> AsyncBaseTransport:
    """A transport that sends each request through the chat, so that it is in evidence."""
    from httpx2 import ConnectError, MockTransport, Request, Response

    async def handle(request: Request) -> Response:
        exchange = await chat.call(_call(request.method, str(request.url), request))
        exchanges.append(exchange)
        if exchange.fault is not None or exchange.status is None:
            raise ConnectError(f"{exchange.fault}: {exchange.detail}")
        kept = {key: value for key, value in exchange.headers.items() if key not in FRAMING}
        return Response(exchange.status, headers=kept, content=exchange.body)

    return MockTransport(handle)


def _call(method: str, url: str, request: Any) -> Call:
    headers = {key: value for key, value in request.headers.items() if key not in OURS}
    body = json.loads(request.content) if request.content else None
    # One check sends messages that are no list, to see the SDK's exception.
    valid = body is None or isinstance(body.get("messages"), list)
    return Call(body, url.removeprefix(BASE), method, headers, valid=valid)
