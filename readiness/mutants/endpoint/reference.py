"""The reference endpoint without HTTP: from the bytes of a request to those of the response."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    ServerResponse,
    SubstituteResponse,
)
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.output_limits import limited
from readiness.mutants.endpoint.protocol import MODEL, check, parse
from readiness.mutants.endpoint.response import Completion, chunks, encode, frames, whole
from readiness.mutants.flaw import Flaw

MODELS = frozenset({MODEL})
JSON, STREAM = "application/json", "text/event-stream; charset=utf-8"
HANGS_UP = -1.0


class Accepted(NamedTuple):
    """A valid request with its prompt tokens and the model's output."""

    request: Request
    prompt: int
    said: ModelOutput


class Reference:
    """The reference endpoint with at most one flaw; it counts chat completions."""

    def __init__(self, flaw: Flaw) -> None:
        self._flaw = flaw
        self._turn = 0

    def accept(self, body: bytes, number: int = 1) -> Accepted | ServerResponse | None:
        """Accept a request, or return another response; None closes the connection."""
        turn, request = self._turn, None
        self._turn += 1
        try:
            request = self._flaw.change_request(parse(self._flaw.change_bytes(body)))
            prompt = check(request, MODELS)
        except RequestError as problem:
            due = SubstituteResponse(problem.status, problem.body, {"Content-Type": JSON})
            return instead(self._flaw.change_error(request, due))
        if not self._flaw.answer_on_connection(request, number):
            return None
        if refusal := self._flaw.intercept(request, turn):
            return instead(refusal)
        return Accepted(request, prompt, self._flaw.change_output(request, answer(request), turn))

    def complete(self, accepted: Accepted) -> ServerResponse:
        """The response to an accepted request."""
        request, prompt, said = accepted
        completion = Completion(request, prompt, limited(request, said, prompt))
        named = {"x-request-id": completion.id}
        if request.get("stream"):
            made = self._flaw.change_chunks(request, chunks(completion))
            headers = {"Content-Type": STREAM, "Cache-Control": "no-cache", **named}
            sent = ServerResponse(200, headers, self._flaw.change_frames(request, frames(made)))
        else:
            body = encode(self._flaw.change_body(request, whole(completion)))
            sent = instead(SubstituteResponse(200, body, {"Content-Type": JSON, **named}))
        return replace(sent, prompt=prompt, tokens=max(completion.output.tokens, 1))


def instead(response: SubstituteResponse) -> ServerResponse:
    """A substitute as the server's response."""
    headers = {"Content-Length": str(len(response.body)), **response.headers}
    # If Content-Length exceeds the body, the client would wait forever: close the connection.
    short = int(headers["Content-Length"]) > len(response.body)
    pieces: list[bytes | float] = [response.body, *([HANGS_UP] if short else [])]
    return ServerResponse(response.status, headers, pieces, response.seconds)
