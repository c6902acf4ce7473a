"""Scoring of the official SDK's results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.protocol.errors import unsupported_parameter
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.sdk_client import SdkResult

#: The exception class that the SDK raises for each status.
ERRORS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
CUT = "LengthFinishReasonError"


def score_success(result: SdkResult) -> Score:
    """Score a call of the SDK that must succeed."""
    if result.error == CUT:
        return _score_cut_off(result.exchange)
    if result.error:
        _raise_if_rejected(result)
        sent = result.exchange.body[:120]
        return failed(
            result.error, f"{' '.join(result.error_message.split())!r:.200}; it was sent {sent!r}"
        )
    return PASSED if result.value is not None else failed("the SDK returned nothing")


def score_stream(result: SdkResult) -> Score:
    """Score the text that the SDK assembled from a stream, by what was sent."""
    score = score_success(result)
    sent = read(result.exchange).content or ""
    if not score.passed or result.value == sent:
        return score
    return failed(f"the SDK read {result.value!r:.80}, but {sent!r:.80} was sent")


def score_names(result: SdkResult) -> Score:
    """Score a list of model names that the SDK returned."""
    score = score_success(result)
    if not score.passed:
        return score
    right = result.value and all(isinstance(name, str) and name for name in result.value)
    return score if right else failed(f"the SDK lists {result.value!r:.120}")


def score_exception(result: SdkResult) -> Score:
    """Score a call of the SDK that must fail, by the exception that existing code catches."""
    status = result.exchange.status or 0
    if not result.error:
        return failed("the SDK raised nothing", f"HTTP {status}, {result.exchange.body[:120]!r}")
    if status >= 500:
        return failed(f"{result.error} for HTTP {status}", f"{result.error_message!r:.160}")
    wanted = ERRORS.get(status, "APIStatusError")
    return (
        PASSED
        if result.error == wanted
        else failed(f"{result.error} for HTTP {status}, not {wanted}")
    )


def _score_cut_off(exchange: Exchange) -> Score:
    """Score a reply cut off, on which the SDK raises: at our token limit, or without reason."""
    reply, limit = read(exchange), _budget(exchange.request)
    if reply.usage is not None and reply.usage.completion < limit:
        tokens = reply.usage.completion
        return failed(f"finish_reason is 'length' after {tokens} tokens of {limit}")
    text = reply.content or ""
    return scored(
        Outcome.UNDETERMINED, f"the model does not end in {limit} tokens", came=f"{text!r:.80}"
    )


def _budget(request: Mapping[str, Any]) -> int:
    stated = [request.get(name) for name in ("max_completion_tokens", "max_tokens")]
    return next((each for each in stated if each), 0)


def _raise_if_rejected(result: SdkResult) -> None:
    """Raise a plain rejection of the request.

    Raises:
        EndpointError: The endpoint rejected the request; the message has its reason.
    """
    status = result.exchange.status or 0
    if not 200 <= status < 300 or unsupported_parameter(result.exchange):
        read(result.exchange)
