"""A flaw: the one way in which a mutant differs from the reference endpoint."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.webui.interface import Interface
from readiness.verdict.claim import Verdict

Body = dict[str, Any]


def _as_asked(request: Request) -> Request:
    return request


def _as_said(request: Request, answer: ModelOutput, turn: int) -> ModelOutput:
    return answer


def _as_read(body: bytes) -> bytes:
    return body


def _as_formed(request: Request, body: Body) -> Body:
    return body


def _as_chunked(request: Request, chunks: list[Body]) -> list[Body]:
    return chunks


def _as_framed(request: Request, frames: list[bytes]) -> Sequence[bytes | float]:
    return frames


def _let_pass(request: Request, turn: int) -> SubstituteResponse | None:
    return None


def _as_listed(body: Body) -> Body:
    return body


def _as_wrong(_request: Request | None, refusal: SubstituteResponse) -> SubstituteResponse:
    return refusal


def _by_key(shown: bytes, key: bytes) -> bool:
    return hmac.compare_digest(shown, key)


def _as_given(_folder: Path) -> None:
    return


def _as_metered(page: str) -> str:
    return page


def _as_met(_method: str, _path: str, _headers: Mapping[str, str]) -> SubstituteResponse | None:
    return None


def _always(_request: Request, _number: int) -> bool:
    return True


@dataclass(frozen=True)
class Flaw:
    """The one way in which a mutant differs from the reference endpoint.

    Hooks get the request, so that a flaw can be limited to one kind of request; `turn` is the
    number of chat completions that the server has answered before.

    Args:
        name: Its name for `--mutant`, as in `json_fence`.
        about: The defect in a sentence; for a harmless variant, why it is correct.
        check: The id of the check that must detect it; "" for a harmless variant.
        change_output: Changes the model's output.
        change_body: Changes the JSON body of a response that is not streamed.
        change_chunks: Changes the JSON of a stream's chunks (without `[DONE]`).
        change_frames: Changes the bytes of a stream's frames (with `[DONE]`); a float is a pause
            in s, and a negative one closes the connection.
        intercept: Sends another response instead.
        change_request: Changes the request before it is checked.
        change_bytes: Changes the bytes of a request before they are parsed.
        change_error: Changes the error response to an invalid request, which is None if it is no
            JSON.
        change_model_list: Changes the list of models.
        accept_key: Whether the API key sent is accepted.
        intercept_http: Sends another response, by the request's method, path and headers, before
            the body is read.
        answer_on_connection: Whether the n-th request on a connection, from 1, is answered.
        change_license_evidence: Changes the licence evidence in its folder.
        change_deployment: Changes the files of the deployment in their folder.
        expected_verdict: The verdict that the check must reach.
        change_metrics: Changes the page of metrics.
        elsewhere: The other dimensions whose requests it changes as well, which may show it too;
            its own as well where other checks of it may, and its check is advice.
        engine: Makes the engine, whose subclasses have flaws of concurrent requests.
        webui: Makes the web interface in front of it, whose subclasses have flaws of their own.
    """

    name: str
    about: str
    check: str = ""
    change_output: Callable[[Request, ModelOutput, int], ModelOutput] = _as_said
    change_body: Callable[[Request, Body], Body] = _as_formed
    change_chunks: Callable[[Request, list[Body]], list[Body]] = _as_chunked
    change_frames: Callable[[Request, list[bytes]], Sequence[bytes | float]] = _as_framed
    intercept: Callable[[Request, int], SubstituteResponse | None] = _let_pass
    change_request: Callable[[Request], Request] = _as_asked
    change_bytes: Callable[[bytes], bytes] = _as_read
    change_error: Callable[[Request | None, SubstituteResponse], SubstituteResponse] = _as_wrong
    change_model_list: Callable[[Body], Body] = _as_listed
    accept_key: Callable[[bytes, bytes], bool] = _by_key
    intercept_http: Callable[[str, str, Mapping[str, str]], SubstituteResponse | None] = _as_met
    answer_on_connection: Callable[[Request, int], bool] = _always
    change_license_evidence: Callable[[Path], None] = _as_given
    change_deployment: Callable[[Path], None] = _as_given
    expected_verdict: Verdict = Verdict.NOT_READY
    change_metrics: Callable[[str], str] = _as_metered
    elsewhere: Sequence[str] = ()
    engine: Callable[[], Engine] = Engine
    webui: Callable[[], Interface] = Interface

    @property
    def harmless(self) -> bool:
        """Whether the variant is correct, and must be ready."""
        return not self.check

    @property
    def dimension(self) -> str:
        """The dimension that must detect the flaw."""
        return self.check.partition(".")[0]
