"""What measures many requests is scored again from evidence, and forgeries of it are refused."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from numpy import array

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.low_resource.timing import StreamBurst, TimedStream
from readiness.checks.stability.abort_cycles import AbortCyclesResult, IdleReading
from readiness.checks.stability.long_replies import LongRequest
from readiness.checks.stability.soak import SoakLength, SoakResult, SoakRound
from readiness.cli.rescore import rescore
from readiness.load.latency import Latency
from readiness.load.meters.meter import MeterReading, PeakUsage
from readiness.load.saturation import ClientSaturation
from readiness.load.step import RequestMeasurement, Shape, StepResult
from readiness.load.traffic import UserScript
from readiness.mutants.endpoint.server import serving as reference
from readiness.probe import Probe
from readiness.runner.measurements import from_json, to_json
from readiness.runner.record import measures
from readiness.score import PASSED, Measure, Score
from readiness.statistics.histogram import Histogram
from readiness.verdict.claim import Claim
from readiness.verdict.result import Result, Trial
from tests.runner.test_rescoring import rewritten
from tests.user_checks import alone, prepare

Json = dict[str, Any]
UNSOUND = 11


def histogram(*seconds: float) -> Histogram:
    made = Histogram()
    made.add(array(seconds))
    return made


SATURATION = ClientSaturation(histogram(0.001, 0.02), 0.5)
SAMPLES = [
    RequestMeasurement(0.0, 0.1, 1.5, "word", "a word", "", "", Latency(0.2, 1.3, 9), True, 6, 0.1),
    RequestMeasurement(0.5, 0.5, 0.6, error="HTTP 500", limiter="nginx", turn=1, exchange=7),
]
STEP = StepResult(
    Shape("code", 8, 100, 12.0, seed="s", part=(1, 2), known=("word", "json")),
    SAMPLES,
    histogram(0.01, 0.5),
    SATURATION,
    0.2,
    9.5,
    [UserScript(["Hi"], 24, "word", "json", 7)],
    ["other"],
    kept_requests=[(UserScript(["Hi", "Ho"], 24), 7)],
    lengths=[(6, 7)],
)
CYCLES = AbortCyclesResult(
    [0.1], {"GPU memory": 1e9}, [IdleReading(0.2, {"requests running": 0.0}, 0.1)], ["OK"],
    client_saturation=SATURATION, long=LongRequest("long", {"ignore_eos": True}, 512, 8.0, 0.1, 512)
)  # fmt: skip
TIMED = [TimedStream(20, 200, 256, 800, 0.05, 1.5, 0.01)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (StepResult, STEP),
        (AbortCyclesResult, CYCLES),
        (SoakResult, SoakResult(SoakLength(2), 1.5, CYCLES, [SoakRound(9, ["HTTP 500"])])),
        (list[TimedStream], TIMED),
        (list[StreamBurst], [StreamBurst(2, TIMED, 1.5)]),
        (
            PeakUsage,
            PeakUsage({"nvml": [MeterReading(5, None, ("A",), "", {"x": 0.5})]}, {"b": "c"}),
        ),
        (tuple[str, ...], ("word", "json")),
    ],
)
def test_a_measurement_comes_back_from_json_as_it_was(kind: Any, value: object) -> None:
    again = from_json(kind, json.loads(json.dumps(to_json(value))))
    assert type(again) is type(value)
    assert to_json(again) == to_json(value)


def test_a_step_that_was_read_again_has_the_same_figures() -> None:
    again = from_json(StepResult, json.loads(json.dumps(to_json(STEP))))
    assert (again.window, again.errors, again.throughput) == (
        STEP.window,
        STEP.errors,
        STEP.throughput,
    )
    assert again.gaps.quantile(0.5) == STEP.gaps.quantile(0.5)
    assert again.client_saturation.shown == SATURATION.shown


# A run of load


def samples(change: Callable[[list[Json]], list[Json]]) -> Callable[[Sequence[Json]], list[Json]]:
    """Change the samples of each step."""

    def changed(entry: Json) -> Json:
        if entry["kind"] != "measurement" or "samples" not in entry["value"]:
            return entry
        value = entry["value"]
        return {**entry, "value": {**value, "samples": change(value["samples"])}}

    return lambda entries: [changed(each) for each in entries]


def failed_meanwhile(entries: Sequence[Json]) -> list[Json]:
    """The exchange of one request under load failed."""
    (first, *_) = [each["seq"] for each in entries if each.get("crowd")]
    return [{**each, "status": 500} if each.get("seq") == first else each for each in entries]


def without_measurements(entries: Sequence[Json]) -> list[Json]:
    return [each for each in entries if each["kind"] != "measurement"]


def ill_made(entries: Sequence[Json]) -> list[Json]:
    return [{**each, "value": 3} if each["kind"] == "measurement" else each for each in entries]


def burst_of_one(entries: Sequence[Json]) -> list[Json]:
    """All requests of a burst are the first of them."""

    def same(entry: Json) -> Json:
        value = entry.get("value")
        if (
            entry["kind"] != "measurement"
            or not isinstance(value, list)
            or "exchange" not in value[0]
        ):
            return entry
        return {**entry, "value": value[:1] * len(value)}

    return [same(each) for each in entries]


FORGERIES = {
    "took": samples(lambda found: [{**each, "sent": each["end"] - 1e-9} for each in found]),
    "is not measured": samples(lambda found: found[1:]),
    "failed, and is measured as answered": failed_meanwhile,
    "it passed, and no measurement is in the evidence": without_measurements,
    "it cannot be read": ill_made,
}


def tried(own: pytest.Pytester, dimension: str, *args: str) -> tuple[Path, list[str]]:
    """A smoke run of a dimension, and the options by which it is scored again."""
    (own.path / "own.yaml").write_text(alone(dimension), "utf-8")
    named = ["--policy", "own.yaml", "--profile", "smoke", "--seed", "0", *args]
    with reference() as url:
        own.runpytest("--pyargs", *named, "--endpoint", url, f"readiness.checks.{dimension}")
    run = (own.path / "reports/latest").resolve()
    return run, [str(run), "--policy", str(own.path / "own.yaml")]


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def test_a_run_of_stability_is_scored_again(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    run, options = tried(own, "stability")
    capsys.readouterr()
    assert rescore(options) == 0
    assert "were taken as recorded" not in capsys.readouterr().out
    for why, forgery in {
        "of 4 exchanges 1 are measured": burst_of_one,
        "it passed, and no measurement is in the evidence": without_measurements,
    }.items():
        assert refused(run, options, forgery, capsys, why) == (UNSOUND, True)


def test_a_run_of_load_is_scored_again_and_no_forgery_of_it_is_believed(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    run, options = tried(own, "load")
    capsys.readouterr()
    assert rescore(options) == 0
    assert capsys.readouterr().out == (
        "2 trials were scored again, and the record follows from them\n"
    )
    assert {why: refused(run, options, each, capsys, why) for why, each in FORGERIES.items()} == (
        dict.fromkeys(FORGERIES, (UNSOUND, True))
    )


def refused(
    run: Path,
    options: list[str],
    forgery: Callable[[Sequence[Json]], list[Json]],
    capsys: pytest.CaptureFixture[str],
    why: str,
) -> tuple[int, bool]:
    """The status of a forgery, and whether it is refused for its reason."""
    kept = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    rewritten(run, forgery)
    status = rescore(options)
    for path, content in kept.items():
        path.write_bytes(content)
    return status, why in capsys.readouterr().err


def test_the_record_marks_what_is_implausible_and_nothing_else() -> None:
    found = [Measure("throughput", 4.9, "1/s"), Measure("off by", 0.41, implausible=True)]
    probe = Probe("p.1", [])
    trial = Trial.of(probe, 0, PASSED.measured(*found))
    judged = Result(check([probe])(passing), Claim(1.0, 0.05, 0.05, 1), [trial])
    assert [each.get("implausible", False) for each in measures(judged)] == [False, True]


async def passing(chat: Chat, probe: Probe) -> Score:
    """It MUST pass."""
    return PASSED
