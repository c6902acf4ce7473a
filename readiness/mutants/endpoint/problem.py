"""A problem: what is wrong with a request, as OpenAI would say it."""

from __future__ import annotations

import json


class Problem(Exception):
    """What is wrong with a request; the client reads it in the error body.

    Args:
        message: What is wrong, in words.
        param: The parameter that is wrong.
        code: What a program may go by.
        status: The HTTP status.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    @property
    def body(self) -> bytes:
        """The error body."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}, ensure_ascii=False).encode()
