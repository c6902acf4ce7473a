"""Plausibility: figures that cannot be true together, reported with the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from readiness.checks.low_resource.timing import StreamBurst, TimedStream

#: The tolerated relative deviation from Little's law: the ends of a measurement are not steady.
LITTLE_TOLERANCE = 0.15
ROOFLINE_TOLERANCE = 1.05
MIN_CHARACTERS, MAX_CHARACTERS = 1.0, 6.0  # a token: the reply is numbers and commas
EXTRA_TOKENS = 2  # beyond the limit that a server may count, as for the end of the text


def little(concurrency: float, per_second: float, seconds: float) -> str:
    """Return how the figures violate Little's law (concurrency = rate × latency), or ""."""
    in_flight = per_second * seconds
    if abs(concurrency - in_flight) <= LITTLE_TOLERANCE * concurrency:
        return ""
    shown = f"{per_second:.3g} a second × {seconds:.3g} s = {in_flight:.3g} in flight"
    return f"implausible: {shown}, not {concurrency:g} (Little's law)"


def roofline(decode: float, bandwidth: float, weights: float) -> str:
    """Return how decode speed exceeds the roofline, or "".

    Each token reads all weights once, so decode speed is at most bandwidth (GB/s) / weights (GB).
    """
    if not (bandwidth and weights) or decode <= ROOFLINE_TOLERANCE * bandwidth / weights:
        return ""
    limit = f"{bandwidth:g} GB/s ÷ {weights:.3g} GB = {bandwidth / weights:.3g} tokens/s"
    return f"implausible: {decode:.4g} tokens/s in one stream, above the memory's {limit}"


def prefill(prompt: int, per_second: float, model: Mapping[str, float], teraflops: float) -> str:
    """Return how prefill exceeds the machine's compute, or "".

    A token of the prompt takes two operations a parameter, and attends to all tokens before it.

    Args:
        prompt: The tokens of one prompt.
        per_second: How many prompts are prefilled per second.
        model: Its parameters in billions, its layers and their width.
        teraflops: The machine's peak, in TFLOPS.
    """
    weights = 2e-3 * model["billions"] * prompt
    attention = 2e-12 * model["layers"] * model["width"] * prompt**2
    needed = (weights + attention) * per_second
    if needed <= teraflops:
        return ""
    shown = f"({weights:,.0f} + {attention:,.0f}) TFLOP × {per_second:.3g} a second = {needed:,.0f}"
    return f"implausible: {prompt:,} tokens of prompt, {shown} TFLOPS of {teraflops:g}: cached?"


def counts(timed: TimedStream) -> str:
    """Return how the token count contradicts the limit or the text of a reply, or ""."""
    if timed.tokens > timed.allowed + EXTRA_TOKENS:
        return f"implausible: {timed.tokens} tokens are counted where {timed.allowed} are allowed"
    per_token = timed.characters / max(1, timed.tokens)
    if not MIN_CHARACTERS <= per_token <= MAX_CHARACTERS:
        shown = f"{timed.characters} letters ÷ {timed.tokens} tokens = {per_token:.2g}"
        return f"implausible: {shown} letters a token"
    return ""


def implausible_measurements(
    timed: Sequence[TimedStream], bursts: Sequence[StreamBurst], bandwidth: float, weights: int
) -> list[str]:
    """The contradictions in what was measured here."""
    streams = [*timed, *(one for each in bursts for one in each.timed)]
    found = [counts(each) for each in streams]
    found += [roofline(each.decode, bandwidth, weights / 1e9) for each in timed]
    return [*dict.fromkeys(filter(None, found))]


def audit(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Compare each claim with its machine's limits; yield its name and why it is implausible."""
    for claim in claims["claims"]:
        machine, model = claims["machines"][claim["machine"]], claims["models"][claim["model"]]
        yield claim["name"], "; ".join(filter(None, _implausible(claim, machine, model)))


def _implausible(
    claim: Mapping[str, Any], machine: Mapping[str, float], model: Mapping[str, float]
) -> Iterator[str]:
    bandwidth, weights = machine["bandwidth"], model["weights"]
    if concurrency := claim.get("concurrency"):
        rate = claim.get("per_minute", 0) / 60 or claim["per_second"] / claim["tokens_out"]
        yield little(concurrency, rate, claim["seconds"])
    if stream := claim.get("decode"):
        yield roofline(stream, bandwidth, weights)
    if tokens := claim.get("tokens_in"):
        rate = claim.get("per_minute", 0) / 60 or 1 / claim["seconds"]
        yield prefill(tokens, rate, model, machine["teraflops"])
    if tokens := claim.get("tokens_out"):
        rest = claim["seconds"] - claim.get("first", 0)
        yield roofline(tokens / rest, bandwidth, weights)
    if memory := claim.get("memory"):
        needed = weights + claim["context"] * model["cache_per_token"] / 1e9
        if needed > memory:
            cache = f"{claim['context']:,} × {model['cache_per_token']:,} bytes"
            yield f"implausible: {weights:g} GB + {cache} = {needed:.3g} GB, more than {memory:g}"
