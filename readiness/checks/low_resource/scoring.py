"""Scoring of speed and memory against the limits of the declared hardware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from readiness.checks.low_resource.plausibility import counts, implausible_measurements
from readiness.checks.low_resource.timing import StreamBurst, TimedStream
from readiness.load.meters.meter import PeakUsage
from readiness.policy.hardware import HardwareProfile
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.lateness import excuse_if_late

GB = 1e9
NO_HARDWARE = "no hardware profile is declared (--hardware), so no limit applies"


def score_decode_speed(timed: Sequence[TimedStream], hardware: HardwareProfile | None) -> Score:
    """Score the decode speed of a single stream: the median of several."""
    speeds = [each.decode for each in timed]
    measures = [*_median_and_worst("decode", speeds, "tokens/s", timed), *_first_token(timed)]
    if wrong := next(filter(None, map(counts, timed)), ""):
        return Score(Outcome.UNDETERMINED, wrong, tuple(measures))
    error = max(each.error for each in timed)
    if error:
        measures.append(Measure("decode, error at most", error))
    score = _against_floor("decode", median(speeds), hardware, measures, error)
    return _excused(score, "decode", hardware, [(each.tokens, each.decode, each) for each in timed])


def score_prefill_speed(timed: Sequence[TimedStream], hardware: HardwareProfile | None) -> Score:
    """Score the prefill speed of a long prompt that is not cached."""
    speeds = [each.prefill for each in timed]
    measures = _median_and_worst("prefill", speeds, "tokens/s", timed) + _first_token(timed)
    measures += _median_and_worst("decode", [each.decode for each in timed], "tokens/s", timed)
    score = _against_floor("prefill", median(speeds), hardware, measures)
    read = [(each.prompt - each.cached, each.prefill, each) for each in timed]
    return _excused(score, "prefill", hardware, read)


def score_aggregate_throughput(
    bursts: Sequence[StreamBurst], hardware: HardwareProfile | None
) -> Score:
    """Score the aggregate throughput of concurrent streams, at its highest."""
    measures = [
        Measure("aggregate", each.aggregate, "tokens/s", {"at once": each.at_once})
        for each in bursts
    ]
    best = max(bursts, key=lambda each: each.aggregate)
    score = _against_floor("aggregate", best.aggregate, hardware, measures)
    total = sum(each.tokens for each in best.timed)
    read = [(total, best.aggregate, each) for each in best.timed]
    return _excused(score, "aggregate", hardware, read)


def score_memory(peak: PeakUsage, hardware: HardwareProfile | None, window: int | None) -> Score:
    """Score the peak memory under load."""
    at = {"window": window} if window else {}
    measures = [Measure(name, value, "", at) for name, value in peak.gauges.items()]
    if peak.gpu is not None:
        measures.append(Measure("GPU memory", peak.gpu / GB, "GB", at))
    if peak.host is not None:
        measures.append(Measure("main memory", peak.host / GB, "GB", at))
    return replace(_within_limit(peak, hardware), measures=tuple(measures))


def score_plausibility(
    timed: Sequence[TimedStream],
    bursts: Sequence[StreamBurst],
    hardware: HardwareProfile | None,
    weights: int,
) -> Score:
    """Score whether the measurements are consistent with each other."""
    found = implausible_measurements(timed, bursts, hardware.bandwidth if hardware else 0, weights)
    return failed("; ".join(found)) if found else PASSED


def _within_limit(peak: PeakUsage, hardware: HardwareProfile | None) -> Score:
    if hardware is None or not hardware.most_memory:
        figures = [f"{each / GB:.2f} GB" for each in (peak.gpu, peak.host) if each is not None]
        return scored(Outcome.UNSUPPORTED, " and ".join(figures) or "no figure", came=NO_HARDWARE)
    if peak.gpu is None:
        why = "; ".join(f"{name}: {error}" for name, error in peak.errors.items())
        return _undetermined(f"no source reports GPU memory ({why or 'name one with --metrics'})")
    if peak.gpu == 0:
        return _undetermined("no GPU memory is used: the model does not run on the card")
    others = [each for each in peak.devices if hardware.gpu not in each]
    if others:
        return _undetermined(f"{hardware.name} is declared, and the GPU is {others[0]!r:.60}")
    used = f"{peak.gpu / GB:.2f} GB of GPU memory"
    if peak.gpu / GB < hardware.most_memory:
        return PASSED
    if peak.doubts:
        return _undetermined(f"{used}, but {'; '.join(peak.doubts)}")
    return failed(f"{used}, not below {hardware.most_memory:g}")


def _against_floor(
    figure: str,
    value: float,
    hardware: HardwareProfile | None,
    measures: Sequence[Measure],
    error: float = 0.0,
) -> Score:
    """Compare a figure, which may be off by a share, with the declared hardware's floor for it."""
    floor = hardware.floors.get(figure) if hardware else None
    if hardware is None or floor is None:
        why = NO_HARDWARE if hardware is None else f"{hardware.name} has no floor for {figure}"
        score = scored(Outcome.UNSUPPORTED, f"{value:,.1f} tokens/s", why)
        return replace(score, measures=tuple(measures))
    if error and value * (1 - error) < floor <= value * (1 + error):
        shown = f"{value:,.1f} tokens/s by short replies, give or take {error:.1%}, and {floor:g}"
        return Score(Outcome.UNDETERMINED, shown, tuple(measures))
    score = PASSED if value >= floor else failed(f"{value:,.1f} tokens/s, below {floor:g}")
    return replace(score, measures=tuple(measures))


def _excused(
    score: Score,
    figure: str,
    hardware: HardwareProfile | None,
    read: Sequence[tuple[int, float, TimedStream]],
) -> Score:
    """The score of a speed; undetermined where this machine may explain what is below the floor.

    Args:
        score: The score.
        figure: The name of the floor.
        hardware: The declared hardware.
        read: Of each stream the tokens that are counted, their speed, and its times.
    """
    floor = hardware.floors.get(figure, 0.0) if hardware else 0.0
    if score.outcome is not Outcome.FAIL or not floor:
        return score
    excess = median(tokens / max(speed, 1e-9) - tokens / floor for tokens, speed, _ in read)
    return excuse_if_late(score, excess, median(each.late for *_, each in read))


def _median_and_worst(
    name: str, values: Sequence[float], unit: str, timed: Sequence[TimedStream]
) -> list[Measure]:
    at = {"prompt": median(each.prompt for each in timed), "runs": len(timed)}
    return [
        Measure(f"{name}, median", median(values), unit, at),
        Measure(f"{name}, worst", min(values), unit, at),
    ]


def _first_token(timed: Sequence[TimedStream]) -> list[Measure]:
    at = {"prompt": median(each.prompt for each in timed), "runs": len(timed)}
    firsts = [each.first for each in timed]
    return [
        Measure("time to first token, median", median(firsts), "s", at),
        Measure("time to first token, worst", max(firsts), "s", at),
    ]


def _undetermined(reason: str) -> Score:
    return Score(Outcome.UNDETERMINED, reason)
