"""Plausibility: whether figures can be true together. What cannot is said, with the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from readiness.checks.low_resource.timing import StreamBurst, TimedStream

#: How far a closed loop's own figures may be apart: the ends of a measurement are not steady.
LITTLE = 0.15
ROOFLINE = 1.05
FEWEST_LETTERS, MOST_LETTERS = 0.2, 6.0  # letters a token, over all languages
COUNTED = 2  # tokens beyond the limit that a server may count, as for the end of the text


def little(at_once: float, per_second: float, seconds: float) -> str:
    """Little's law: as many are under way as come in, times how long each stays."""
    under_way = per_second * seconds
    if abs(at_once - under_way) <= LITTLE * at_once:
        return ""
    shown = f"{per_second:.3g} a second × {seconds:.3g} s = {under_way:.3g} under way"
    return f"implausible: {shown}, not {at_once:g} (Little's law)"


def roofline(decode: float, bandwidth: float, weights: float) -> str:
    """A token reads all weights once, and no faster than the memory gives them (GB/s, GB)."""
    if not (bandwidth and weights) or decode <= ROOFLINE * bandwidth / weights:
        return ""
    most = f"{bandwidth:g} GB/s ÷ {weights:.3g} GB = {bandwidth / weights:.3g} tokens/s"
    return f"implausible: {decode:.4g} tokens/s in one stream, above the memory's {most}"


def prefill(prompt: int, per_second: float, model: Mapping[str, float], most: float) -> str:
    """A token of the prompt takes two operations a parameter, and looks at all before it.

    Args:
        prompt: The tokens of one prompt.
        per_second: How many prompts are read in a second.
        model: Its parameters in billions, its layers and their width.
        most: What the machine can do, in TFLOPS.
    """
    weights = 2e-3 * model["billions"] * prompt
    looks = 2e-12 * model["layers"] * model["width"] * prompt**2
    needed = (weights + looks) * per_second
    if needed <= most:
        return ""
    shown = f"({weights:,.0f} + {looks:,.0f}) TFLOP × {per_second:.3g} a second = {needed:,.0f}"
    return f"implausible: {prompt:,} tokens of prompt, {shown} TFLOPS of {most:g}: cached?"


def counts(timed: TimedStream) -> str:
    """As many tokens as were allowed at the most, and as many letters as tokens may have."""
    if timed.tokens > timed.allowed + COUNTED:
        return f"implausible: {timed.tokens} tokens are counted where {timed.allowed} are allowed"
    letters = timed.characters / max(1, timed.tokens)
    # The reply is numbers and commas: each of its tokens has a letter or more.
    if not 1.0 <= letters <= MOST_LETTERS:
        shown = f"{timed.characters} letters ÷ {timed.tokens} tokens = {letters:.2g}"
        return f"implausible: {shown} letters a token"
    return ""


def measured(
    timed: Sequence[TimedStream], bursts: Sequence[StreamBurst], bandwidth: float, weights: int
) -> list[str]:
    """What cannot be true of what was measured here."""
    found = [counts(each) for each in [*timed, *(one for each in bursts for one in each.timed)]]
    found += [roofline(each.decode, bandwidth, weights / 1e9) for each in timed]
    return [*dict.fromkeys(filter(None, found))]


def audit(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Hold each claim against what its machine could do: the claim's name, and what is wrong."""
    for claim in claims["claims"]:
        machine, model = claims["machines"][claim["machine"]], claims["models"][claim["model"]]
        yield claim["name"], "; ".join(filter(None, _wrong(claim, machine, model)))


def _wrong(
    claim: Mapping[str, Any], machine: Mapping[str, float], model: Mapping[str, float]
) -> Iterator[str]:
    bandwidth, weights = machine["bandwidth"], model["weights"]
    if at_once := claim.get("concurrency"):
        rate = claim.get("per_minute", 0) / 60 or claim["per_second"] / claim["tokens_out"]
        yield little(at_once, rate, claim["seconds"])
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
