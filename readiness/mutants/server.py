"""The reference endpoint as an HTTP server, with at most one flaw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web

from readiness.mutants.answer import Request
from readiness.mutants.flaw import Flaw, Refusal
from readiness.mutants.model import answer
from readiness.mutants.pace import paced
from readiness.mutants.problem import Problem
from readiness.mutants.protocol import MODEL, MOST_BYTES, WINDOW, check, parse, unknown_model
from readiness.mutants.response import Completion, chunks, encode, frames, whole
from readiness.mutants.speech import say

#: The card that the reference endpoint says it runs on, and the MiB that it takes of it.
CARD, TAKEN = "NVIDIA GeForce RTX 3060", 9216
METRICS = (
    f'# TYPE DCGM_FI_DEV_FB_USED gauge\nDCGM_FI_DEV_FB_USED{{gpu="0",modelName="{CARD}"}} {TAKEN}\n'
)

_MODELS = frozenset({MODEL})
_JSON = "application/json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(flaw: Flaw, key: str) -> web.Application:
    """The server; with a key it asks for it."""
    reference = Reference(flaw, key)
    app = web.Application(middlewares=[_problems], client_max_size=MOST_BYTES)
    app.router.add_get("/health", _health)
    app.router.add_get("/metrics", reference.metrics)
    app.router.add_get("/v1/models", reference.models)
    app.router.add_get("/v1/models/{id:.+}", reference.model)
    app.router.add_post("/v1/chat/completions", reference.complete)
    return app


class Reference:
    """The reference endpoint, which counts the chat completions that it has answered."""

    def __init__(self, flaw: Flaw, key: str) -> None:
        self._flaw = flaw
        self._bearer = f"Bearer {key}".encode() if key else b""
        self._started = int(time.time())
        self._turn = 0
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    async def metrics(self, _request: web.Request) -> web.Response:
        """Show how much memory is taken, as an exporter of NVIDIA's does."""
        return web.Response(text=self._flaw.gauges(METRICS))

    async def models(self, request: web.Request) -> web.Response:
        """List the models."""
        self._admit(request)
        listed = {"object": "list", "data": [self._model(name) for name in _MODELS]}
        return _json(encode(self._flaw.lists(listed)))

    async def model(self, request: web.Request) -> web.Response:
        """Show one model."""
        self._admit(request)
        if (name := request.match_info["id"]) not in _MODELS:
            raise unknown_model(name)
        return _json(encode(self._model(name)))

    async def complete(self, http: web.Request) -> web.StreamResponse:
        """Answer a chat completion request."""
        self._admit(http)
        if (http.content_length or 0) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES)  # Before it is read, as nginx does.
        number, body, request = self._number(http), await http.read(), None
        turn = self._turn
        self._turn += 1
        try:
            request = self._flaw.asks(parse(body))
            prompt = check(request, _MODELS)
        except Problem as problem:
            if request and (refusal := self._flaw.forgives(request, turn)):
                return await _refuse(http, refusal)
            due = Refusal(problem.status, problem.body, {"Content-Type": _JSON})
            return await _refuse(http, self._flaw.errs(request, due))
        if not self._flaw.stays(request, number):
            _hang_up(http)
        if refusal := self._flaw.refuses(request, turn):
            return await _refuse(http, refusal)
        said = self._flaw.says(request, answer(request), turn)
        completion = Completion(request, prompt, say(request, said, prompt))
        if request.get("stream"):
            return await self._stream(http, request, completion)
        body = encode(self._flaw.forms(request, whole(completion)))
        return _json(body, headers={"x-request-id": completion.id})

    async def _stream(
        self, http: web.Request, request: Request, completion: Completion
    ) -> web.StreamResponse:
        made = self._flaw.chunks(request, chunks(completion))
        sent = self._flaw.frames(request, frames(made))
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-cache",
                "x-request-id": completion.id,
            }
        )
        await response.prepare(http)
        await _write(http, response, paced(sent))
        return response

    def _number(self, http: web.Request) -> int:
        """Count the requests of a connection."""
        number = self._numbers.get(http.transport, 0) + 1
        self._numbers[http.transport] = number
        return number

    def _admit(self, request: web.Request) -> None:
        shown = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if self._bearer and not self._flaw.admits(shown, self._bearer):
            raise Problem("incorrect API key provided", None, "invalid_api_key", 401)

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


async def _write(
    http: web.Request, response: web.StreamResponse, pieces: Iterable[bytes | float]
) -> None:
    """Write the pieces, with their pauses; a pause below 0 hangs up."""
    for piece in pieces:
        if isinstance(piece, bytes):
            await response.write(piece)
        elif piece < 0:
            _hang_up(http)
        else:
            await asyncio.sleep(piece)


async def _refuse(http: web.Request, refusal: Refusal) -> web.StreamResponse:
    await asyncio.sleep(refusal.seconds)
    response = web.StreamResponse(status=refusal.status, headers=refusal.headers)
    if response.content_length is None:
        response.content_length = len(refusal.body)
    await response.prepare(http)
    await response.write(refusal.body)
    if response.content_length > len(refusal.body):
        _hang_up(http)  # More was announced than comes: the client would wait for ever.
    return response


def _hang_up(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.close()


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type=_JSON)


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer each problem with an error body, as OpenAI does."""
    try:
        return await handler(request)
    except Problem as problem:
        return _json(problem.body, problem.status)
    except ConnectionResetError:
        return web.Response()  # The client has gone, and nobody is left to read this.
    except web.HTTPRequestEntityTooLarge:
        return _json(Problem(f"the body is larger than {MOST_BYTES:,} bytes").body, 413)
    except web.HTTPMethodNotAllowed as error:
        allow = {"Allow": ", ".join(sorted(error.allowed_methods))}
        return _json(Problem(f"{request.method} is not allowed here").body, 405, allow)
    except web.HTTPNotFound:
        return _json(Problem(f"no such path: {request.method} {request.path}").body, 404)
