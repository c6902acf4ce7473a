"""The reference endpoint as an HTTP server, with at most one flaw."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web

from readiness.mutants.endpoint.answer import RequestError, ServerResponse
from readiness.mutants.endpoint.batching import Pace
from readiness.mutants.endpoint.protocol import MOST_BYTES, WINDOW, unknown_model
from readiness.mutants.endpoint.reference import (
    JSON,
    MODELS,
    Accepted,
    Reference,
    instead,
)
from readiness.mutants.endpoint.response import encode
from readiness.mutants.flaw import Flaw

#: The path below which the web interface is served.
WEBUI = "/webui"
#: The GPU that the reference endpoint reports, and the MiB used on it.
CARD, TAKEN = "NVIDIA GeForce RTX 3060", 9216
#: The key-value cache, under vLLM's names: room for four requests of the whole window.
CACHE_CONFIG = (
    'vllm:cache_config_info{block_size="16",cache_dtype="auto",gpu_memory_utilization="0.85",'
    f'kv_cache_max_concurrency="4.0",kv_cache_size_tokens="{4 * WINDOW}",'
    f'num_gpu_blocks="{WINDOW // 4}"}} 1.0\n'
)
METRICS = (
    f'# TYPE DCGM_FI_DEV_FB_USED gauge\nDCGM_FI_DEV_FB_USED{{gpu="0",modelName="{CARD}"}} {TAKEN}\n'
    + CACHE_CONFIG
)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(flaw: Flaw, key: str, pace: Pace | None = None) -> web.Application:
    """The server; it requires the API key, and has the pace, if one is given."""
    server = ReferenceServer(flaw, key, pace)
    app = web.Application(middlewares=[_problems, server.meet], client_max_size=MOST_BYTES)
    app.router.add_get("/health", _health)
    app.router.add_get("/metrics", server.metrics)
    app.router.add_get("/v1/models", server.models)
    app.router.add_get("/v1/models/{id:.+}", server.model)
    app.router.add_post("/v1/chat/completions", server.complete)
    app.add_subapp(WEBUI, flaw.webui().application(server.answer))
    return app


class ReferenceServer:
    """The HTTP handlers: API key, model list, metrics, chat completions."""

    def __init__(self, flaw: Flaw, key: str, pace: Pace | None) -> None:
        self._flaw = flaw
        self._reference = Reference(flaw)
        self._engine = flaw.engine()
        self._engine.pace = pace or self._engine.pace
        self._bearer = f"Bearer {key}".encode() if key else b""
        self._started = int(time.time())
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    @web.middleware
    async def meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request, unless the flaw sends another response."""
        if met := self._flaw.intercept_http(request.method, request.path, request.headers):
            await request.read()
            return web.Response(status=met.status, body=met.body, headers=met.headers)
        return await handler(request)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Serve metrics: GPU memory as NVIDIA's exporter does, and the engine's."""
        return web.Response(text=self._flaw.change_metrics(METRICS + self._engine.metrics()))

    async def models(self, request: web.Request) -> web.Response:
        """List the models."""
        self._admit(request)
        listed = {"object": "list", "data": [self._model(name) for name in MODELS]}
        return _json(encode(self._flaw.change_model_list(listed)))

    async def model(self, request: web.Request) -> web.Response:
        """Retrieve one model."""
        self._admit(request)
        if (name := request.match_info["id"]) not in MODELS:
            raise unknown_model(name)
        return _json(encode(self._model(name)))

    async def complete(self, http: web.Request) -> web.StreamResponse:
        """Answer a chat completion request with the API key."""
        self._admit(http)
        return await self.answer(http)

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Answer a chat completion request."""
        if (http.content_length or 0) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES)  # Before reading it, as nginx does.
        number = self._number(http)
        due = self._reference.accept(await http.read(), number)
        if isinstance(due, Accepted):
            return await self._run(http, due)
        if due is None:
            _hang_up(http)
            return web.Response()
        return await _send(http, due)

    async def _run(self, http: web.Request, due: Accepted) -> web.StreamResponse:
        """Answer a request that the engine counts as running."""
        engine, ended = self._engine, False
        try:
            if refusal := await engine.begin(due.request):
                response = await _send(http, instead(refusal))
            else:
                said = engine.says(due.request, due.said)
                sent = self._reference.complete(due._replace(said=said))
                pieces = engine.pieces(due.request, sent, partial(_has_gone, http))
                async with aclosing(pieces) as pieces:
                    goes_on = partial(engine.goes_on, due.request)
                    response = await _send(http, sent, pieces, goes_on)
            ended = True
            return response
        finally:
            engine.end(aborted=not ended)

    def _number(self, http: web.Request) -> int:
        """Count the requests of a connection."""
        number = self._numbers.get(http.transport, 0) + 1
        self._numbers[http.transport] = number
        return number

    def _admit(self, request: web.Request) -> None:
        shown = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if self._bearer and not self._flaw.accept_key(shown, self._bearer):
            raise RequestError("incorrect API key provided", None, "invalid_api_key", 401)

    def _model(self, name: str) -> dict[str, str | int]:
        return {
            "id": name,
            "object": "model",
            "created": self._started,
            "owned_by": "readiness",
            "max_model_len": WINDOW,
        }


async def _health(_request: web.Request) -> web.Response:
    return web.Response()


async def _send(
    http: web.Request,
    sent: ServerResponse,
    pieces: AsyncIterator[bytes | float] | None = None,
    goes_on: Callable[[], bool] = lambda: True,
) -> web.StreamResponse:
    """Write the pieces when they are due; a negative pause closes the connection."""
    await asyncio.sleep(sent.seconds)
    response = web.StreamResponse(status=sent.status, headers=sent.headers)
    if sent.streamed or pieces is None:
        await response.prepare(http)
    async for piece in pieces or _at_once(sent):
        if not goes_on() or (isinstance(piece, float) and piece < 0):
            _hang_up(http)
        elif isinstance(piece, bytes):
            if not response.prepared:
                await response.prepare(http)
            await response.write(piece)
        else:
            await asyncio.sleep(piece)
    return response


async def _at_once(sent: ServerResponse) -> AsyncIterator[bytes | float]:
    for piece in sent.pieces:
        yield piece


def _has_gone(http: web.Request) -> bool:
    return http.transport is None or http.transport.is_closing()


def _hang_up(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.close()


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type=JSON)


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer each RequestError with an error body, as OpenAI does."""
    try:
        return await handler(request)
    except RequestError as problem:
        return _json(problem.body, problem.status)
    except ConnectionResetError:
        return web.Response()  # The client has disconnected.
    except web.HTTPRequestEntityTooLarge:
        return _json(RequestError(f"the body is larger than {MOST_BYTES:,} bytes").body, 413)
    except web.HTTPMethodNotAllowed as error:
        allow = {"Allow": ", ".join(sorted(error.allowed_methods))}
        return _json(RequestError(f"{request.method} is not allowed here").body, 405, allow)
    except web.HTTPNotFound:
        return _json(RequestError(f"no such path: {request.method} {request.path}").body, 404)


_PATIENCE = 5.0


@contextmanager
def serving(mutant: str | None = None, *, key: str = "", pace: str = "") -> Iterator[str]:
    """Serve within a context, whose value is the base URL.

    The process ends with its standard input, and so it ends however this one does.

    Raises:
        RuntimeError: The process ended before it served; it has said why on standard error.
    """
    command = [sys.executable, "-m", "readiness.mutants", "--until-eof", "--key", key]
    command += ["--mutant", mutant] if mutant else []
    command += ["--pace", pace] if pace else []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not (url := process.stdout.readline().strip()):
                raise RuntimeError(f"{mutant or 'the reference endpoint'} did not start")
            yield url
        finally:
            process.stdin.close()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
