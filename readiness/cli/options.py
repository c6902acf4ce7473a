"""The options of a readiness run, and whether one is requested."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PROFILES = ("smoke", "ci", "full")
#: Sampling: greedy for comparable runs, or the endpoint's defaults, as its users get them.
DECODING: Mapping[str, Mapping[str, Any]] = {"greedy": {"temperature": 0}, "deploy": {}}
EMBEDDED = "embedded"


def add(group: Any) -> None:
    """Add the options."""
    option = group.addoption
    option("--endpoint", metavar="URL", help="base URL, as in http://host:8000/v1, or `embedded`")
    option("--model", default="", help="the model's id, where the endpoint serves several")
    option("--profile", choices=PROFILES, default="ci", help="how many trials (ci)")
    option(
        "--policy", type=Path, metavar="FILE", help="thresholds and gates (the built-in `article`)"
    )
    option("--review", type=Path, metavar="FILE", help="labels for undetermined replies")
    option("--baseline", default="", metavar="RUN|URL", help="a run or an endpoint to compare with")
    option("--baseline-model", default="", metavar="NAME", help="which model of that URL")
    option(
        "--earlier",
        type=Path,
        action="append",
        default=[],
        metavar="RUN",
        help="an earlier run of the same build, by another seed; may be repeated",
    )
    option("--waivers", type=Path, metavar="FILE", help="checks that are waived")
    option("--concurrency", type=_positive, metavar="N", help="trials in flight (8)")
    option("--reports", type=Path, default=Path("reports"), metavar="DIR", help="(reports)")
    option("--seed", type=int, default=0, metavar="N", help="the seed of generated probes (0)")
    option("--decoding", choices=DECODING, default="greedy", help="temperature 0, or none (greedy)")
    option("--plan", action="store_true", help="print what would be sent, and send nothing")
    option("--max-requests", type=_positive, default=0, metavar="N", help="send no more")
    option("--max-tokens-total", type=_positive, default=0, metavar="N", help="use no more")
    option("--resume", type=Path, metavar="RUN", help="the folder of a run to resume")
    option(
        "--keep-going", action="store_true", help="run all trials, even of a check that has failed"
    )
    option("--fast", action="store_true", help="end checks of a rate by a sequential test (SPRT)")
    option("--max-minutes", type=_seconds, default=0.0, metavar="M", help="send nothing after that")
    option("--header", action="append", default=[], metavar="'K: V'", help="sent with all requests")
    option("--restart-command", default="", metavar="CMD", help="restarts the endpoint; opt-in")
    option("--extra-body", default="{}", metavar="JSON", help="added to every request's body")
    option(
        "--license-evidence",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a model's folder, GGUF file, card or record; may be repeated",
    )
    option("--hardware", default="", metavar="NAME", help="the machine that serves, by the policy")
    option("--metrics", default="", metavar="URL", help="the server's or an exporter's metrics")
    option("--warm", action="store_true", help="let prompts of a load test share a prefix")
    option(
        "--load-workers",
        type=_positive,
        default=0,
        metavar="N",
        help="generate load in N processes",
    )
    option("--ray-address", default="", metavar="ADDR", help="the Ray cluster that they run on")
    option("--connect-timeout", type=_seconds, default=5.0, metavar="S", help="(5)")
    option("--first-byte-timeout", type=_seconds, default=120.0, metavar="S", help="(120)")
    option("--silence-timeout", type=_seconds, default=60.0, metavar="S", help="(60)")
    option("--reply-timeout", type=_seconds, default=600.0, metavar="S", help="(600)")


def requested(config: pytest.Config) -> bool:
    """Whether this is a readiness run, since every pytest run in the environment calls this."""
    if config.option.collectonly:
        return False
    named = any("readiness" in str(each) for each in config.args)
    return bool(config.option.endpoint) or (named and "OPENAI_BASE_URL" in os.environ)


def _positive(given: str) -> int:
    number = int(given)
    if number < 1:
        raise ValueError(given)
    return number


def _seconds(given: str) -> float:
    seconds = float(given)
    if not 0 < seconds < float("inf"):
        raise ValueError(given)
    return seconds
