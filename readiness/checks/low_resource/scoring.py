"""Whether a server is as quick, and as small, as the hardware that is declared makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from readiness.checks.low_resource.plausibility import counts, measured
from readiness.checks.low_resource.timing import StreamBurst, TimedStream
from readiness.load.meters.meter import PeakUsage
from readiness.policy.hardware import HardwareProfile
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored

GB = 1e9
NO_HARDWARE = "no hardware profile is declared (--hardware), and nothing is asked for"


def decodes(timed: Sequence[TimedStream], hardware: HardwareProfile | None) -> Score:
    """Score the pace of one stream: the median of a series."""
    paces = [each.decode for each in timed]
    measures = [*_both("decode", paces, "tokens/s", timed), *_first(timed)]
    if wrong := next(filter(None, map(counts, timed)), ""):
        return Score(Outcome.UNDETERMINED, wrong, tuple(measures))
    return _asked("decode", median(paces), hardware, measures)


def reads(timed: Sequence[TimedStream], hardware: HardwareProfile | None) -> Score:
    """Score how fast a long prompt is read that no cache has seen."""
    paces = [each.prefill for each in timed]
    measures = _both("prefill", paces, "tokens/s", timed) + _first(timed)
    measures += _both("decode", [each.decode for each in timed], "tokens/s", timed)
    return _asked("prefill", median(paces), hardware, measures)


def serves(bursts: Sequence[StreamBurst], hardware: HardwareProfile | None) -> Score:
    """Score what several streams make together, where they make the most."""
    measures = [
        Measure("aggregate", each.aggregate, "tokens/s", {"at once": each.at_once})
        for each in bursts
    ]
    most = max(each.aggregate for each in bursts)
    return _asked("aggregate", most, hardware, measures)


def fits(peak: PeakUsage, hardware: HardwareProfile | None, window: int | None) -> Score:
    """Score the most memory that was taken under load."""
    at = {"window": window} if window else {}
    measures = [Measure(name, value, "", at) for name, value in peak.gauges.items()]
    if peak.gpu is not None:
        measures.append(Measure("GPU memory", peak.gpu / GB, "GB", at))
    if peak.host is not None:
        measures.append(Measure("main memory", peak.host / GB, "GB", at))
    return replace(_within(peak, hardware), measures=tuple(measures))


def adds_up(
    timed: Sequence[TimedStream],
    bursts: Sequence[StreamBurst],
    hardware: HardwareProfile | None,
    weights: int,
) -> Score:
    """Score whether all that was measured can be true together."""
    wrong = measured(timed, bursts, hardware.bandwidth if hardware else 0, weights)
    return failed("; ".join(wrong)) if wrong else PASSED


def _within(peak: PeakUsage, hardware: HardwareProfile | None) -> Score:
    if hardware is None or not hardware.most_memory:
        figures = [f"{each / GB:.2f} GB" for each in (peak.gpu, peak.host) if each is not None]
        return scored(Outcome.UNSUPPORTED, " and ".join(figures) or "no figure", came=NO_HARDWARE)
    if peak.gpu is None:
        why = "; ".join(f"{name}: {error}" for name, error in peak.errors.items())
        return _unsettled(f"no source tells of GPU memory ({why or 'name one with --metrics'})")
    if peak.gpu == 0:
        return _unsettled("no GPU memory is taken: the model does not run on the card")
    strangers = [each for each in peak.devices if hardware.gpu not in each]
    if strangers:
        return _unsettled(f"{hardware.name} is declared, and the GPU is {strangers[0]!r:.60}")
    taken = f"{peak.gpu / GB:.2f} GB of GPU memory"
    if peak.gpu / GB < hardware.most_memory:
        return PASSED
    if peak.doubts:
        return _unsettled(f"{taken}, but {'; '.join(peak.doubts)}")
    return failed(f"{taken}, not below {hardware.most_memory:g}")


def _asked(
    figure: str, value: float, hardware: HardwareProfile | None, measures: Sequence[Measure]
) -> Score:
    """Hold a figure against the floor that the declared hardware has for it."""
    floor = hardware.floors.get(figure) if hardware else None
    if hardware is None or floor is None:
        asked = NO_HARDWARE if hardware is None else f"{hardware.name} asks for no {figure}"
        untold = scored(Outcome.UNSUPPORTED, f"{value:,.1f} tokens/s", asked)
        return replace(untold, measures=tuple(measures))
    met = PASSED if value >= floor else failed(f"{value:,.1f} tokens/s, below {floor:g}")
    return replace(met, measures=tuple(measures))


def _both(
    name: str, values: Sequence[float], unit: str, timed: Sequence[TimedStream]
) -> list[Measure]:
    at = {"prompt": median(each.prompt for each in timed), "runs": len(timed)}
    return [
        Measure(f"{name}, median", median(values), unit, at),
        Measure(f"{name}, worst", min(values), unit, at),
    ]


def _first(timed: Sequence[TimedStream]) -> list[Measure]:
    at = {"prompt": median(each.prompt for each in timed), "runs": len(timed)}
    firsts = [each.first for each in timed]
    return [
        Measure("time to first token, median", median(firsts), "s", at),
        Measure("time to first token, worst", max(firsts), "s", at),
    ]


def _unsettled(reason: str) -> Score:
    return Score(Outcome.UNDETERMINED, reason)
