"""A server that accepts requests before all of its workers are ready; run with its port."""

from __future__ import annotations

import sys

from aiohttp import web

from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw

#: By requests and not by a clock, so that a busy machine changes nothing.
LOADING_REQUESTS = 60


class Loading(Engine):
    """One of two workers still loads its weights, and gets every other request."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Answer 503 for the worker that is not ready."""
        await super().begin(request)
        if self.begun % 2 or self.begun > LOADING_REQUESTS:
            return None
        return SubstituteResponse(
            503, RequestError("loading", status=503).body, {"Content-Type": "application/json"}
        )


FLAW = Flaw("half_ready", "one of two workers is not ready", engine=Loading)

if __name__ == "__main__":
    web.run_app(application(FLAW, ""), host="127.0.0.1", port=int(sys.argv[1]), print=None)
