"""How a request of one of many users ended."""

from __future__ import annotations

from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.score import EndpointError, Outcome

NS = 1e9
#: What share of what is said otherwise is early, and how near to one another places are the same.
EARLY, ALIKE = 0.8, 0.01
ANSWERED_WITHIN = 60.0  # seconds: an odd request is told so at once, or as soon as any


def ended(exchange: Exchange) -> str:
    """What is wrong with the end of a request that nobody aborted; "" where it was answered."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    if exchange.status != 200:
        return f"HTTP {exchange.status}"
    streamed = isinstance(exchange.request, dict) and exchange.request.get("stream")
    return "a stream without an end" if streamed and b"[DONE]" not in exchange.body[-200:] else ""


def ends_early(exchange: Exchange, other: Exchange) -> int | None:
    """After how many characters a reply ends though another goes on from there; None where not."""
    try:
        own, more = read(exchange), read(other)
    except EndpointError:
        return None
    if not more.text or (own.finish == "length" and own.reasoning):
        # Reasoning took what was left of the limit, and takes more one time than another.
        return None
    early = len(own.text) <= EARLY * len(more.text) and more.text.startswith(own.text)
    return len(own.text) if early else None


def ends_at(exchange: Exchange, place: int) -> bool:
    """Whether a reply has about so many characters."""
    try:
        return abs(len(read(exchange).text) - place) <= ALIKE * place
    except EndpointError:
        return False


def tokens(exchange: Exchange) -> int:
    """How many tokens a reply has; no more than it has characters, where nobody counts them."""
    reply = read(exchange)
    return reply.usage.completion if reply.usage else len(reply.text)


def upset(exchange: Exchange) -> str:
    """How odd input has upset the server; "" where it was refused or answered in a while."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    if not 200 <= (exchange.status or 0) < 500:
        return f"HTTP {exchange.status}"
    seconds = exchange.end / NS
    return f"answered after {seconds:.0f} s" if seconds > ANSWERED_WITHIN else ""


def limited(exchange: Exchange) -> bool:
    """Whether a request met a limit that the endpoint states."""
    return exchange.status == 429 and "retry-after" in exchange.headers


def unlimited(exchange: Exchange) -> Exchange:
    """An exchange that is to tell something of the endpoint.

    Raises:
        EndpointError: It met a stated limit, which is the account's and says nothing.
    """
    if limited(exchange):
        raise EndpointError("rate limited: HTTP 429", Outcome.SKIPPED)
    return exchange
