"""A server that is back before all of it is; run as a program, with its port."""

from __future__ import annotations

import sys
from time import monotonic

from aiohttp import web

from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw

LOADS = 10.0  # seconds


class Loading(Engine):
    """Of two workers one still loads its weights, and every other request comes to it."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = monotonic() + LOADS

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Say 503 where the second worker would have to answer."""
        await super().begin(request)
        if self.begun % 2 or monotonic() > self.ready:
            return None
        return SubstituteResponse(
            503, RequestError("loading", status=503).body, {"Content-Type": "application/json"}
        )


FLAW = Flaw("half_ready", "one of two workers is not there yet", engine=Loading)

if __name__ == "__main__":
    web.run_app(application(FLAW, ""), host="127.0.0.1", port=int(sys.argv[1]), print=None)
