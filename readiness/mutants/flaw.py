"""A flaw: the one way in which a mutant differs from the reference endpoint."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine
from readiness.verdict.claim import Verdict

Body = dict[str, Any]


def _as_asked(request: Request) -> Request:
    return request


def _as_said(request: Request, answer: ModelOutput, turn: int) -> ModelOutput:
    return answer


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

    Every hook gets the request, so that a flaw can keep to its own kind of request; `turn` counts
    the chat completions that the server has answered before, from 0.

    Args:
        name: What `--mutant` calls it, as in `json_fence`.
        about: The defect in a sentence; for a harmless variant, why it is right all the same.
        check: The id of the check that must catch it; "" for a harmless variant.
        change_output: Changes what the model says.
        change_body: Changes the JSON body of a whole response.
        change_chunks: Changes the JSON of a stream's chunks (without `[DONE]`).
        change_frames: Changes the bytes of a stream's frames (with `[DONE]`); a float is a pause
            in s, and one below 0 hangs up.
        intercept: Sends something else instead.
        change_request: Changes the request before it is checked.
        change_error: Changes the error that a request is due; the request is None where it is no
            JSON.
        change_model_list: Changes the list of models.
        accept_key: Says whether the key that was shown opens the door.
        intercept_http: Sends something else, by the request's method, path and headers, before it
            is read.
        answer_on_connection: Says whether the n-th request on a connection, from 1, gets an answer.
        change_license_evidence: Changes the evidence of the licence, in the folder where it stands.
        expected_verdict: The verdict that the check must come to.
        change_metrics: Changes the page of metrics.
        engine: What is busy behind it: a flaw of what many requests do together is one of these.
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
    change_error: Callable[[Request | None, SubstituteResponse], SubstituteResponse] = _as_wrong
    change_model_list: Callable[[Body], Body] = _as_listed
    accept_key: Callable[[bytes, bytes], bool] = _by_key
    intercept_http: Callable[[str, str, Mapping[str, str]], SubstituteResponse | None] = _as_met
    answer_on_connection: Callable[[Request, int], bool] = _always
    change_license_evidence: Callable[[Path], None] = _as_given
    expected_verdict: Verdict = Verdict.NOT_READY
    change_metrics: Callable[[str], str] = _as_metered
    engine: Callable[[], Engine] = Engine

    @property
    def harmless(self) -> bool:
        """Whether the variant is right all the same, and must stay ready."""
        return not self.check

    @property
    def dimension(self) -> str:
        """The dimension that must catch the flaw."""
        return self.check.partition(".")[0]
