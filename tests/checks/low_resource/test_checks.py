"""The dimension low_resource: speed by usage, memory by meters, and implausible figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated import simulated
from readiness.chat import Chat
from readiness.checks.low_resource import checks as low_resource
from readiness.checks.low_resource import scoring
from readiness.checks.low_resource.plausibility import audit, counts, little, roofline
from readiness.checks.low_resource.timing import (
    RUNS,
    SHORT,
    StreamBurst,
    TimedStream,
    measure_memory_under_load,
    time_bursts,
    time_streams,
)
from readiness.context import Context
from readiness.load.meters.meter import CACHE, QUEUED, RUNNING, MeterError, MeterReading, PeakUsage
from readiness.load.meters.metrics_page import read_metrics
from readiness.load.meters.nvml import GpuDevice, server_memory
from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.batching import PACES
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.server import serving
from readiness.mutants.endpoint.tokens import tokens
from readiness.mutants.flaw import Flaw
from readiness.policy.hardware import HardwareProfile
from readiness.policy.policy import PolicyError, load
from readiness.score import Measure, Outcome
from readiness.verdict.claim import Gate
from tests import ROOT
from tests.load_driver import tried
from tests.user_checks import alone

DECODE_SPEED = "low_resource.decode_speed"
CARD = load().hardware["rtx-3060-12g"]
RUN = TimedStream(20, 256, 256, 500, first=0.1, last=2.1, early=1 / 256)
METRICS = 'DCGM_FI_DEV_FB_USED{gpu="0",modelName="NVIDIA GeForce RTX 3060"} 9216\n'
ENGINES = """vllm:num_requests_running{engine="0",model_name="q"} 2.0
vllm:num_requests_running{engine="1",model_name="q"} 1.0
vllm:kv_cache_usage_perc{engine="0"} 1.5e-02
vllm:kv_cache_usage_perc{engine="1"} 0.0
"""


def peak(*readings: MeterReading) -> PeakUsage:
    return PeakUsage({"a": readings}, {})


def test_the_articles_gpu_is_declared_with_its_limits() -> None:
    assert (
        HardwareProfile(
            "rtx-3060-12g", "RTX 3060", frozenset({"low_resource"}), 360, {"decode": 112}, 11.2
        )
        == CARD
    )


def test_declared_hardware_makes_its_dimension_required() -> None:
    policy = load()
    assert policy.gate("low_resource") is Gate.ADVISORY
    assert policy.on("rtx-3060-12g").gate("low_resource") is Gate.REQUIRED
    with pytest.raises(
        PolicyError, match=r"^hardware rtx-3060 is unknown: did you mean rtx-3060-12g"
    ):
        policy.on("rtx-3060")


def test_decode_speed_is_of_the_tokens_after_the_first() -> None:
    assert RUN.decode == pytest.approx(255 / 2)
    assert scoring.score_decode_speed([RUN], CARD).passed


@pytest.mark.parametrize(
    ("first", "early"),
    [(2.1, 1.0), (0.1, 0.6), (2.0, 0.01)],
    ids=["all at once", "most at once", "late and fast"],
)
def test_a_buffered_stream_is_timed_as_a_whole(first: float, early: float) -> None:
    assert replace(RUN, first=first, early=early).decode == 256 / 2.1


def test_a_decode_speed_below_the_floor_fails() -> None:
    slow = replace(RUN, last=4.1)
    score = scoring.score_decode_speed([slow] * 5, CARD)
    assert (score.outcome, score.reason) == (Outcome.FAIL, "63.8 tokens/s, below 112")


def test_one_slow_run_of_five_is_reported_and_does_not_decide() -> None:
    score = scoring.score_decode_speed([RUN] * 4 + [replace(RUN, last=4.1)], CARD)
    figures = {each.name: each.value for each in score.measures}
    assert score.passed
    assert figures["decode, worst"] == pytest.approx(63.75)
    assert figures["decode, median"] == pytest.approx(127.5)


@pytest.mark.parametrize(
    ("last", "outcome"),
    [(0.9, Outcome.PASS), (1.08, Outcome.UNDETERMINED), (1.3, Outcome.FAIL)],
)
def test_short_replies_are_measured_with_their_error(last: float, outcome: Outcome) -> None:
    short = replace(RUN, tokens=112, last=last, early=1 / 112)
    score = scoring.score_decode_speed([short] * 5, CARD)
    assert score.outcome is outcome
    assert score.measures[-1] == Measure("decode, error at most", 2 / 112)


class Counting(Engine):
    """Counts the most requests at once."""

    pace, most = PACES["h200"], 0

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Count those that are running now."""
        refusal = await super().begin(request)
        self.most = max(self.most, self.running)
        return refusal


def in_order(chat: Chat) -> Chat:
    """The chat of a check whose trials share one connection."""
    send: Any = chat._send
    return Chat(partial(send, connection="in order"), chat.dialect, chat.context)


def test_streams_at_once_have_a_connection_each() -> None:
    engine = Counting()

    async def work(chat: Chat) -> list[StreamBurst]:
        return await time_bursts(in_order(chat))

    bursts = tried(Flaw("counting", "", engine=lambda: engine), work, Context(defects_only=True))
    assert [each.at_once for each in bursts] == [1, 2]
    assert engine.most == 2


def test_memory_is_read_while_four_streams_run() -> None:
    engine = Counting()

    async def work(chat: Chat) -> PeakUsage:
        return await measure_memory_under_load(in_order(chat))

    tried(Flaw("counting", "", engine=lambda: engine), work, Context(defects_only=True))
    assert engine.most == 4


def stops_at_112(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
    """As a small model does that was asked to count to 400."""
    return replace(said, content="".join(tokens(said.content or "")[:112]))


def test_an_endpoint_that_stops_at_112_tokens_is_measured_with_its_error() -> None:
    flaw = Flaw("stops", "", change_output=stops_at_112)
    timed = simulated(flaw, "h200", partial(time_streams, length=SHORT))
    assert [each.tokens for each in timed] == [112] * RUNS
    score = scoring.score_decode_speed(timed, CARD)
    assert (score.outcome, score.measures[-1].value) == (Outcome.PASS, 2 / 112)


def test_the_aggregate_of_a_known_pace_grows_with_the_streams() -> None:
    bursts = simulated("reference", "h200", time_bursts)
    # A token each 4.7 ms and 0.06 ms more a stream, and 0.02 ms a token of the prompt.
    assert [round(each.aggregate) for each in bursts] == [213, 421, 821, 1564]


def test_without_declared_hardware_figures_are_reported_and_no_limit_applies() -> None:
    scores = [
        scoring.score_decode_speed([RUN], None),
        scoring.score_prefill_speed([RUN], None),
        scoring.score_aggregate_throughput([StreamBurst(1, [RUN], 2.1)], None),
        scoring.score_memory(peak(MeterReading(gpu=9 * 10**9)), None, 8192),
    ]
    assert {each.outcome for each in scores} == {Outcome.UNSUPPORTED}
    assert [len(each.measures) for each in scores] == [4, 6, 1, 1]
    assert scores[0].reason == (
        "127.5 tokens/s: no hardware profile is declared (--hardware), so no limit applies"
    )


def test_prefill_and_aggregate_have_floors_of_their_own() -> None:
    card = replace(CARD, floors={"prefill": 300, "aggregate": 200})
    assert scoring.score_prefill_speed([RUN], card).reason == "200.0 tokens/s, below 300"
    assert scoring.score_aggregate_throughput([StreamBurst(2, [RUN, RUN], 2.1)], card).passed
    assert (
        scoring.score_aggregate_throughput([StreamBurst(1, [RUN], 2.1)], card).reason
        == "121.9 tokens/s, below 200"
    )
    assert scoring.score_decode_speed([RUN], card).outcome is Outcome.UNSUPPORTED


def test_usage_above_the_limit_is_undetermined_and_implausible() -> None:
    miscounted = replace(RUN, tokens=768)
    reason = "implausible: 768 tokens are counted where 256 are allowed"
    assert scoring.score_decode_speed([miscounted], CARD).outcome is Outcome.UNDETERMINED
    assert scoring.score_plausibility([miscounted], [], CARD, 0).reason == reason
    assert counts(replace(RUN, characters=200)) == (
        "implausible: 200 letters ÷ 256 tokens = 0.78 letters a token"
    )


@given(st.integers(1, 256), st.integers(0, 1024), st.floats(0.01, 5), st.floats(0.01, 5))
def test_decode_speed_is_bounded_by_all_tokens_in_the_time_after_the_first(
    tokens: int, early: int, first: float, after: float
) -> None:
    timed = replace(RUN, tokens=tokens, early=early / 1024, first=first, last=first + after)
    assert 0 < timed.decode <= tokens / (timed.last - timed.first)


def test_memory_is_read_from_an_exporter() -> None:
    reading = read_metrics(METRICS)
    assert (reading.gpu, reading.devices) == (9216 * 2**20, ("NVIDIA GeForce RTX 3060",))
    assert scoring.score_memory(peak(reading), CARD, None).passed


@pytest.mark.parametrize(
    ("page", "gpu", "gauges"),
    [
        ('{"models": [{"name": "m", "size_vram": 7}, {"size_vram": 5}]}', 12, {}),
        ('{"models": []}', 0, {}),
        (METRICS + METRICS.replace('"0"', '"1"'), 2 * 9216 * 2**20, {}),
        ('vllm:kv_cache_usage_perc{engine="0"} 0.25\n', None, {"key-value cache in use": 0.25}),
        ("llamacpp:requests_processing 2\n", None, {"requests running": 2.0}),
        (ENGINES, None, {"requests running": 3.0, "key-value cache in use": 0.015}),
        ('"sglang:token_usage 0.5\\n"', None, {"key-value cache in use": 0.5}),
    ],
    ids=[
        "ollama",
        "nothing loaded",
        "two cards",
        "vllm",
        "llama.cpp",
        "two engines",
        "in a string",
    ],
)
def test_the_metrics_of_each_server_are_read(
    page: str, gpu: int | None, gauges: dict[str, float]
) -> None:
    reading = read_metrics(page)
    assert (reading.gpu, reading.gauges) == (gpu, gauges)


@pytest.mark.parametrize("page", ["", "<html>no", '{"a": 1}', '{"models": 3}', "{", "up 1\n", "[]"])
def test_a_page_without_metrics_is_an_error(page: str) -> None:
    with pytest.raises(MeterError, match=r"page of metrics|no metric|no list"):
        read_metrics(page)


def test_memory_above_the_limit_fails() -> None:
    score = scoring.score_memory(peak(MeterReading(gpu=int(11.3e9))), CARD, None)
    assert (score.outcome, score.reason) == (
        Outcome.FAIL,
        "11.30 GB of GPU memory, not below 11.2",
    )


def test_a_gpu_of_which_no_memory_is_used_is_undetermined() -> None:
    score = scoring.score_memory(peak(MeterReading(gpu=0)), CARD, None)
    assert score.reason == "no GPU memory is used: the model does not run on the card"


def test_memory_that_another_process_may_use_is_undetermined() -> None:
    shared = MeterReading(gpu=int(11.3e9), doubt="shared GPU: 1 other processes compute on it")
    assert scoring.score_memory(peak(shared), CARD, None).outcome is Outcome.UNDETERMINED
    assert scoring.score_memory(peak(replace(shared, gpu=10**9)), CARD, None).passed
    assert scoring.score_memory(peak(shared, MeterReading(gpu=10**9)), CARD, None).passed


def test_another_gpu_than_declared_is_undetermined() -> None:
    score = scoring.score_memory(peak(MeterReading(gpu=1, devices=("NVIDIA H200",))), CARD, None)
    assert score.reason == "rtx-3060-12g is declared, and the GPU is 'NVIDIA H200'"


def test_without_a_source_of_gpu_memory_the_score_is_undetermined() -> None:
    score = scoring.score_memory(PeakUsage({}, {"NVML": "the GPUs tell nothing"}), CARD, None)
    assert score.reason == "no source reports GPU memory (NVML: the GPUs tell nothing)"


def test_the_gpus_of_a_server_are_those_it_computes_on() -> None:
    units = [
        GpuDevice("a", 5, frozenset({1})),
        GpuDevice("b", 7, frozenset({2, 3})),
        GpuDevice("c", 9, None),
    ]
    assert server_memory(units, {1}) == MeterReading(gpu=5, devices=("a",))
    assert server_memory(units, {1, 2, 3}) == MeterReading(gpu=12, devices=("a", "b"))
    assert server_memory(units, {2}).doubt == "shared GPU: 1 other processes compute on it"
    assert server_memory(units, {8}).gpu == 21
    with pytest.raises(MeterError, match="no GPU here"):
        server_memory([], {1})


def test_littles_law_and_the_roofline_show_their_arithmetic() -> None:
    assert little(4, 168 / 60, 1.42) == ""
    assert little(32, 224 / 180, 0.49) == (
        "implausible: 1.24 a second × 0.49 s = 0.61 in flight, not 32 (Little's law)"
    )
    assert roofline(80, 360, 4.68) == ""
    assert roofline(112, 360, 4.68) == (
        "implausible: 112 tokens/s in one stream, above the memory's "
        "360 GB/s ÷ 4.68 GB = 76.9 tokens/s"
    )


def claims() -> Iterator[tuple[str, list[str], str]]:
    document = yaml.safe_load((ROOT / "fixtures/claims.yaml").read_text("utf-8"))
    for claim, (name, found) in zip(document["claims"], audit(document), strict=True):
        yield name, claim["implausible"], found


PHRASES = {
    "roofline": "above the memory's",
    "memory": "more than",
    "prefill": "TFLOPS",
    "little": "Little",
}


@pytest.mark.parametrize(("name", "due", "found"), list(claims()))
def test_the_audit_flags_implausible_claims(name: str, due: list[str], found: str) -> None:
    assert [each for each, words in PHRASES.items() if words in found] == [
        each for each in PHRASES if each in due
    ]
    assert bool(found) is bool(due)


@pytest.mark.parametrize(
    ("mutant", "status", "check"),
    [
        ("reference", 0, ""),
        ("frames_padded", 0, ""),
        ("metrics_in_json", 0, ""),
        ("usage_triples", 10, DECODE_SPEED),
        ("memory_above_the_limit", 1, "low_resource.gpu_memory"),
        ("another_card", 10, "low_resource.gpu_memory"),
        pytest.param("slow", 1, DECODE_SPEED, marks=pytest.mark.nightly),
        pytest.param("held_back", 1, DECODE_SPEED, marks=pytest.mark.nightly),
        pytest.param("held_back_late", 1, DECODE_SPEED, marks=pytest.mark.nightly),
    ],
)
def test_a_mutant_is_detected_by_its_check(
    mutant: str, status: int, check: str, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(alone("low_resource"))
    with serving(mutant) as url:
        metrics = f"{url.removesuffix('/v1')}/metrics"
        declared = ["--hardware", "rtx-3060-12g", "--metrics", metrics, "--policy", "own.yaml"]
        result = pytester.runpytest(low_resource.__file__, "--endpoint", url, *declared)
    record = json.loads((pytester.path / "reports/latest/readiness.json").read_text("utf-8"))
    checks = [each for row in record["dimensions"] for each in row["checks"]]
    gating = [each for each in checks if each["gate"] == "required"]
    assert [each["id"] for each in gating if each["verdict"] != "ready"] == [check] * bool(check)
    assert result.ret == status
    machine = {"hardware": "rtx-3060-12g", "quantization": "", "metrics": metrics, "webui": ""}
    assert record["machine"] == machine
    (memory,) = [each for each in checks if each["id"] == "low_resource.gpu_memory"]
    # The server's process is on this machine, and its metrics report the GPU.
    names = [each["name"] for each in memory["measures"]]
    assert names == [RUNNING, QUEUED, CACHE, "GPU memory", "main memory"]


@pytest.mark.parametrize(
    ("late", "outcome"),
    [
        ([0.0] * 5, Outcome.FAIL),
        ([0.0, 0.0, 0.0, 2.0, 2.0], Outcome.FAIL),  # Three of five were not delayed.
        ([0.0, 0.0, 2.0, 2.0, 2.0], Outcome.UNDETERMINED),
    ],
)
def test_a_speed_that_this_machine_may_have_lowered_is_left_open(
    late: Sequence[float], outcome: Outcome
) -> None:
    slow = [replace(RUN, last=4.1, late=each) for each in late]
    assert scoring.score_decode_speed(slow, CARD).outcome is outcome
    together = [StreamBurst(5, slow, 9.0)]
    card = replace(CARD, floors={"aggregate": 1_000, "prefill": 1_000})
    found = (
        scoring.score_aggregate_throughput(together, card),
        scoring.score_prefill_speed(slow, card),
    )
    assert [each.outcome for each in found] == [outcome] * 2
