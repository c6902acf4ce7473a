"""Metrics of a server or an exporter: Prometheus text, or Ollama's list of running models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from readiness.exchange import Call
from readiness.load.meters.meter import CACHE, QUEUED, RUNNING, MeterError, MeterReading
from readiness.transport.client import EndpointClient

MIB = 2**20
#: Bytes of GPU memory, by the name of the exporter's gauge.
FRAMEBUFFER = {"DCGM_FI_DEV_FB_USED": MIB, "nvidia_smi_memory_used_bytes": 1}
RESIDENT = "process_resident_memory_bytes"
#: The metric whose labels are vLLM's configuration of its key-value cache.
CACHE_CONFIG = "vllm:cache_config_info"
#: Other gauges, with their common names in reports.
GAUGES = {
    "vllm:kv_cache_usage_perc": CACHE,
    "vllm:gpu_cache_usage_perc": CACHE,
    "sglang:token_usage": CACHE,
    "llamacpp:kv_cache_usage_ratio": CACHE,
    "vllm:num_requests_running": RUNNING,
    "sglang:num_running_reqs": RUNNING,
    "llamacpp:requests_processing": RUNNING,
    "tgi_batch_current_size": RUNNING,
    "vllm:num_requests_waiting": QUEUED,
    "sglang:num_queue_reqs": QUEUED,
    "llamacpp:requests_deferred": QUEUED,
    "tgi_queue_size": QUEUED,
}


class PrometheusSample(NamedTuple):
    """One line of Prometheus' text."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class MetricsMeter:
    """Reads a page of metrics."""

    page: EndpointClient
    source: str = "metrics"

    async def read(self) -> MeterReading:
        """Fetch and parse the page."""
        got = await self.page.send(Call(None, "", "GET"))
        if got.fault is not None:
            raise MeterError(f"{got.fault}: {got.detail}")
        if got.status != 200:
            raise MeterError(f"HTTP {got.status}")
        return read_metrics(got.body.decode(errors="replace"))


def read_metrics(text: str) -> MeterReading:
    """The reading in a page of metrics.

    Raises:
        MeterError: It is not a page of metrics, or has none that is known.
    """
    if text.lstrip().startswith(("{", '"')):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MeterError(f"no page of metrics: {text!r:.80}") from error
        if not isinstance(document, str):
            return _ollama(document)
        text = document  # Some builds of llama.cpp send the page as a JSON string.
    samples = list(_samples(text))
    used = [each.value * FRAMEBUFFER[each.name] for each in samples if each.name in FRAMEBUFFER]
    resident = [each.value for each in samples if each.name == RESIDENT]
    names = [each.labels.get("modelName", "") for each in samples if each.name in FRAMEBUFFER]
    gauges: dict[str, float] = {}
    for each in samples:
        if (name := GAUGES.get(each.name)) is not None:
            # Of several engines behind one page, requests are added, and the fullest cache counts.
            so_far = gauges.get(name, 0.0)
            gauges[name] = max(so_far, each.value) if name == CACHE else so_far + each.value
    cache_config = next((each.labels for each in samples if each.name == CACHE_CONFIG), {})
    if not (used or resident or gauges or cache_config):
        raise MeterError("the page has no metric that is known here")
    return MeterReading(
        gpu=int(sum(used)) if used else None,
        host=int(sum(resident)) if resident else None,
        devices=tuple(filter(None, names)),
        gauges=gauges,
        cache_config=cache_config,
    )


def _ollama(document: Any) -> MeterReading:
    try:
        models = document["models"]
        return MeterReading(gpu=sum(int(each["size_vram"]) for each in models))
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise MeterError(f"no list of running models: {document!r:.80}") from error


def _samples(text: str) -> Iterator[PrometheusSample]:
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ModuleNotFoundError as error:
        needed = "reading metrics needs prometheus-client: pip install 'llm-readiness[host]'"
        raise MeterError(needed) from error
    try:
        for family in text_string_to_metric_families(text):
            yield from (
                PrometheusSample(each.name, each.labels, each.value)
                for each in family.samples
                if isfinite(each.value)
            )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise MeterError(f"no page of metrics: {error}") from error
