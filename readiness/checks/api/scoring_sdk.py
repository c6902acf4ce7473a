"""What the official SDK makes of the endpoint's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.checks.api.sdk_client import SdkResult
from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.protocol.errors import unsupported_parameter
from readiness.score import PASSED, Outcome, Score, failed, scored

#: What the SDK raises for each status.
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


def works(came: SdkResult) -> Score:
    """Score a use of the SDK that must succeed."""
    if came.error == CUT:
        return _cut(came.exchange)
    if came.error:
        _refused(came)
        sent = came.exchange.body[:120]
        return failed(
            came.error, f"{' '.join(came.error_message.split())!r:.200}; it was sent {sent!r}"
        )
    return PASSED if came.value is not None else failed("the SDK returned nothing")


def reads(came: SdkResult) -> Score:
    """Score a stream that the SDK put together, by what was sent."""
    score = works(came)
    sent = read(came.exchange).content or ""
    if not score.passed or came.value == sent:
        return score
    return failed(f"the SDK read {came.value!r:.80}, sent was {sent!r:.80}")


def names(came: SdkResult) -> Score:
    """Score a list of names that the SDK was to return."""
    score = works(came)
    if not score.passed:
        return score
    right = came.value and all(isinstance(name, str) and name for name in came.value)
    return score if right else failed(f"the SDK lists {came.value!r:.120}")


def raises(came: SdkResult) -> Score:
    """Score a use of the SDK that must fail, by what existing code would catch."""
    status = came.exchange.status or 0
    if not came.error:
        return failed("the SDK raised nothing", f"HTTP {status}, {came.exchange.body[:120]!r}")
    if status >= 500:
        return failed(f"{came.error} for HTTP {status}", f"{came.error_message!r:.160}")
    wanted = ERRORS.get(status, "APIStatusError")
    return (
        PASSED if came.error == wanted else failed(f"{came.error} for HTTP {status}, not {wanted}")
    )


def _cut(exchange: Exchange) -> Score:
    """Score a reply that was cut off, on which the SDK raises: by our budget, or for no reason."""
    reply, most = read(exchange), _budget(exchange.request)
    if reply.usage is not None and reply.usage.completion < most:
        tokens = reply.usage.completion
        return failed(f"finish_reason is 'length' after {tokens} tokens of {most}")
    said = reply.content or ""
    return scored(
        Outcome.UNDETERMINED, f"the model does not end in {most} tokens", came=f"{said!r:.80}"
    )


def _budget(request: Mapping[str, Any]) -> int:
    stated = [request.get(name) for name in ("max_completion_tokens", "max_tokens")]
    return next((each for each in stated if each), 0)


def _refused(came: SdkResult) -> None:
    """Let a plain refusal be one.

    Raises:
        EndpointError: The endpoint refused the request, and says why.
    """
    status = came.exchange.status or 0
    if not 200 <= status < 300 or unsupported_parameter(came.exchange):
        read(came.exchange)
