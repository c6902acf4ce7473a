"""Metrics: what an engine says of itself in Prometheus' text format, under whichever names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

#: What is read, and what engines call it: vLLM, SGLang, llama.cpp, TGI.
NAMES: Mapping[str, tuple[str, ...]] = {
    "running": (
        "vllm:num_requests_running",
        "sglang:num_running_reqs",
        "llamacpp:requests_processing",
        "tgi_batch_current_size",
    ),
    "waiting": (
        "vllm:num_requests_waiting",
        "sglang:num_queue_reqs",
        "llamacpp:requests_deferred",
        "tgi_queue_size",
    ),
    "cache": (
        "vllm:kv_cache_usage_perc",
        "vllm:gpu_cache_usage_perc",
        "sglang:token_usage",
        "llamacpp:kv_cache_usage_ratio",
    ),
    "memory": ("DCGM_FI_DEV_FB_USED", "process_resident_memory_bytes"),
}
_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})?\s+([-+0-9.eE]+)(?:\s+\d+)?$", re.MULTILINE)


def gauges(body: bytes) -> dict[str, float]:
    """What an engine reports of itself, each series added up over its labels."""
    text = body.decode(errors="replace")
    if text.startswith('"'):
        # llama.cpp's b7010 to b7100 sent the text as a JSON string (issue 17384).
        try:
            text = str(json.loads(text))
        except ValueError:
            return {}
    totals: dict[str, float] = {}
    for name, value in _LINE.findall(text):
        totals[name] = totals.get(name, 0.0) + _number(value)
    return {
        key: totals[next(each for each in names if each in totals)]
        for key, names in NAMES.items()
        if not totals.keys().isdisjoint(names)
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
