"""The dimension low_resource: paces by usage, memory by meters, and what cannot be true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.low_resource import checks as low_resource
from readiness.checks.low_resource import scoring as scorer
from readiness.checks.low_resource.plausibility import audit, counts, little, roofline
from readiness.checks.low_resource.timing import StreamBurst, TimedStream
from readiness.load.meters.meter import CACHE, QUEUED, RUNNING, MeterError, MeterReading, PeakUsage
from readiness.load.meters.nvml import GpuDevice, server_memory
from readiness.load.meters.prometheus import read_metrics
from readiness.mutants.endpoint.server import serving
from readiness.policy.hardware import HardwareProfile
from readiness.policy.policy import PolicyError, load
from readiness.score import Outcome
from readiness.verdict.claim import Gate
from tests import ROOT
from tests.user_checks import alone

PACE = "low_resource.decode_speed"
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


def test_the_articles_card_is_declared_with_its_claims() -> None:
    assert (
        HardwareProfile(
            "rtx-3060-12g", "RTX 3060", frozenset({"low_resource"}), 360, {"decode": 112}, 11.2
        )
        == CARD
    )


def test_a_declared_machine_makes_its_dimension_count() -> None:
    policy = load()
    assert policy.gate("low_resource") is Gate.ADVISORY
    assert policy.on("rtx-3060-12g").gate("low_resource") is Gate.REQUIRED
    with pytest.raises(
        PolicyError, match=r"^hardware rtx-3060 is unknown: did you mean rtx-3060-12g"
    ):
        policy.on("rtx-3060")


def test_a_pace_is_of_the_tokens_after_the_first() -> None:
    assert RUN.decode == pytest.approx(255 / 2)
    assert scorer.decodes([RUN], CARD).passed


@pytest.mark.parametrize(
    ("first", "early"),
    [(2.1, 1.0), (0.1, 0.6), (2.0, 0.01)],
    ids=["all at once", "most at once", "late and fast"],
)
def test_a_stream_that_was_held_back_is_as_slow_as_all_of_it(first: float, early: float) -> None:
    assert replace(RUN, first=first, early=early).decode == 256 / 2.1


def test_a_pace_below_the_floor_is_not_ready() -> None:
    slow = replace(RUN, last=4.1)
    score = scorer.decodes([slow] * 5, CARD)
    assert (score.outcome, score.reason) == (Outcome.FAIL, "63.8 tokens/s, below 112")


def test_one_slow_run_of_five_is_told_and_does_not_decide() -> None:
    score = scorer.decodes([RUN] * 4 + [replace(RUN, last=4.1)], CARD)
    figures = {each.name: each.value for each in score.measures}
    assert score.passed
    assert figures["decode, worst"] == pytest.approx(63.75)
    assert figures["decode, median"] == pytest.approx(127.5)


def test_without_hardware_figures_are_shown_and_nothing_is_asked_for() -> None:
    scores = [
        scorer.decodes([RUN], None),
        scorer.reads([RUN], None),
        scorer.serves([StreamBurst(1, [RUN], 2.1)], None),
        scorer.fits(peak(MeterReading(gpu=9 * 10**9)), None, 8192),
    ]
    assert {each.outcome for each in scores} == {Outcome.UNSUPPORTED}
    assert [len(each.measures) for each in scores] == [4, 6, 1, 1]
    assert scores[0].reason == (
        "127.5 tokens/s: no hardware profile is declared (--hardware), and nothing is asked for"
    )


def test_prefill_and_aggregate_have_floors_of_their_own() -> None:
    card = replace(CARD, floors={"prefill": 300, "aggregate": 200})
    assert scorer.reads([RUN], card).reason == "200.0 tokens/s, below 300"
    assert scorer.serves([StreamBurst(2, [RUN, RUN], 2.1)], card).passed
    assert scorer.serves([StreamBurst(1, [RUN], 2.1)], card).reason == "121.9 tokens/s, below 200"
    assert scorer.decodes([RUN], card).outcome is Outcome.UNSUPPORTED


def test_usage_that_counts_too_much_settles_nothing_and_is_implausible() -> None:
    lying = replace(RUN, tokens=768)
    said = "implausible: 768 tokens are counted where 256 are allowed"
    assert scorer.decodes([lying], CARD).outcome is Outcome.UNDETERMINED
    assert scorer.adds_up([lying], [], CARD, 0).reason == said
    assert counts(replace(RUN, characters=200)) == (
        "implausible: 200 letters ÷ 256 tokens = 0.78 letters a token"
    )


@given(st.integers(1, 256), st.integers(0, 1024), st.floats(0.01, 5), st.floats(0.01, 5))
def test_no_pace_is_above_that_of_all_tokens_in_the_time_after_the_first(
    tokens: int, early: int, first: float, after: float
) -> None:
    timed = replace(RUN, tokens=tokens, early=early / 1024, first=first, last=first + after)
    assert 0 < timed.decode <= tokens / (timed.last - timed.first)


def test_memory_is_read_from_an_exporter() -> None:
    reading = read_metrics(METRICS)
    assert (reading.gpu, reading.devices) == (9216 * 2**20, ("NVIDIA GeForce RTX 3060",))
    assert scorer.fits(peak(reading), CARD, None).passed


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
def test_every_servers_page_is_read(page: str, gpu: int | None, gauges: dict[str, float]) -> None:
    reading = read_metrics(page)
    assert (reading.gpu, reading.gauges) == (gpu, gauges)


@pytest.mark.parametrize("page", ["", "<html>no", '{"a": 1}', '{"models": 3}', "{", "up 1\n", "[]"])
def test_what_is_no_page_of_metrics_says_so(page: str) -> None:
    with pytest.raises(MeterError, match=r"page of metrics|no metric|no list"):
        read_metrics(page)


def test_memory_above_the_limit_is_not_ready() -> None:
    score = scorer.fits(peak(MeterReading(gpu=int(11.3e9))), CARD, None)
    assert (score.outcome, score.reason) == (
        Outcome.FAIL,
        "11.30 GB of GPU memory, not below 11.2",
    )


def test_a_card_that_nothing_is_taken_of_settles_nothing() -> None:
    score = scorer.fits(peak(MeterReading(gpu=0)), CARD, None)
    assert score.reason == "no GPU memory is taken: the model does not run on the card"


def test_memory_that_may_be_anothers_settles_nothing() -> None:
    shared = MeterReading(gpu=int(11.3e9), doubt="shared GPU: 1 other processes compute on it")
    assert scorer.fits(peak(shared), CARD, None).outcome is Outcome.UNDETERMINED
    assert scorer.fits(peak(replace(shared, gpu=10**9)), CARD, None).passed
    assert scorer.fits(peak(shared, MeterReading(gpu=10**9)), CARD, None).passed


def test_another_card_than_declared_settles_nothing() -> None:
    score = scorer.fits(peak(MeterReading(gpu=1, devices=("NVIDIA H200",))), CARD, None)
    assert score.reason == "rtx-3060-12g is declared, and the GPU is 'NVIDIA H200'"


def test_no_source_of_memory_settles_nothing() -> None:
    score = scorer.fits(PeakUsage({}, {"NVML": "the GPUs tell nothing"}), CARD, None)
    assert score.reason == "no source tells of GPU memory (NVML: the GPUs tell nothing)"


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
        "implausible: 1.24 a second × 0.49 s = 0.61 under way, not 32 (Little's law)"
    )
    assert roofline(80, 360, 4.68) == ""
    assert roofline(112, 360, 4.68) == (
        "implausible: 112 tokens/s in one stream, above the memory's "
        "360 GB/s ÷ 4.68 GB = 76.9 tokens/s"
    )


def claims() -> Iterator[tuple[str, list[str], str]]:
    said = yaml.safe_load((ROOT / "fixtures/claims.yaml").read_text("utf-8"))
    for claim, (name, found) in zip(said["claims"], audit(said), strict=True):
        yield name, claim["implausible"], found


WORDS = {
    "roofline": "above the memory's",
    "memory": "more than",
    "prefill": "TFLOPS",
    "little": "Little",
}


@pytest.mark.parametrize(("name", "due", "found"), list(claims()))
def test_the_audit_flags_the_claims_that_cannot_be_true(
    name: str, due: list[str], found: str
) -> None:
    assert [each for each, words in WORDS.items() if words in found] == [
        each for each in WORDS if each in due
    ]
    assert bool(found) is bool(due)


@pytest.mark.parametrize(
    ("mutant", "status", "check"),
    [
        ("reference", 0, ""),
        ("frames_padded", 0, ""),
        ("metrics_in_json", 0, ""),
        ("usage_triples", 10, PACE),
        ("memory_above_the_limit", 1, "low_resource.gpu_memory"),
        ("another_card", 10, "low_resource.gpu_memory"),
        pytest.param("slow", 1, PACE, marks=pytest.mark.nightly),
        pytest.param("held_back", 1, PACE, marks=pytest.mark.nightly),
        pytest.param("held_back_late", 1, PACE, marks=pytest.mark.nightly),
    ],
)
def test_a_mutant_is_caught_by_its_check(
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
    assert record["machine"] == {"hardware": "rtx-3060-12g", "quantization": "", "metrics": metrics}
    (memory,) = [each for each in checks if each["id"] == "low_resource.gpu_memory"]
    # The server's own process is on this machine, and its card in its metrics.
    names = [each["name"] for each in memory["measures"]]
    assert names == [RUNNING, QUEUED, CACHE, "GPU memory", "main memory"]
