"""The options of a readiness run: where words from the command line become typed settings."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from readiness.check import Check

if TYPE_CHECKING:
    from readiness.policy.plan import PlannedCheck
    from readiness.policy.policy import Policy
    from readiness.policy.waiver import Waiver
    from readiness.runner.settings import LoadWorkerSettings, Settings
    from readiness.verdict.labels import Review

PROFILES = ("smoke", "ci", "full")
#: How replies are drawn: the likeliest, so that runs are alike, or as the endpoint does for users.
DECODING: Mapping[str, Mapping[str, Any]] = {"greedy": {"temperature": 0}, "deploy": {}}
EMBEDDED = "embedded"
EMBEDDED_SLOTS = 2


def add(group: Any) -> None:
    """Add the options."""
    option = group.addoption
    option("--endpoint", metavar="URL", help="base URL, as in http://host:8000/v1, or `embedded`")
    option("--model", default="", help="the model's id, where the endpoint serves several")
    option("--profile", choices=PROFILES, default="ci", help="how many trials (ci)")
    option(
        "--policy", type=Path, metavar="FILE", help="thresholds and gates (the built-in `article`)"
    )
    option("--review", type=Path, metavar="FILE", help="labels for what no rule could settle")
    option("--baseline", default="", metavar="RUN|URL", help="what the endpoint is held against")
    option("--baseline-model", default="", metavar="NAME", help="which model of that URL")
    option(
        "--earlier",
        type=Path,
        action="append",
        default=[],
        metavar="RUN",
        help="an earlier run of the same build, by another seed; may be repeated",
    )
    option("--waivers", type=Path, metavar="FILE", help="checks that the gate lets through")
    option("--concurrency", type=_positive, metavar="N", help="trials in flight (8)")
    option("--reports", type=Path, default=Path("reports"), metavar="DIR", help="(reports)")
    option("--seed", type=int, default=0, metavar="N", help="what the probes are made from (0)")
    option("--decoding", choices=DECODING, default="greedy", help="temperature 0, or none (greedy)")
    option("--plan", action="store_true", help="print what would be sent, and send nothing")
    option("--max-requests", type=_positive, default=0, metavar="N", help="send no more")
    option("--max-tokens-total", type=_positive, default=0, metavar="N", help="use no more")
    option("--resume", type=Path, metavar="RUN", help="the folder of a run that is to go on")
    option("--keep-going", action="store_true", help="make all trials, even of a lost check")
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
        "--load-workers", type=_positive, default=0, metavar="N", help="make load in N processes"
    )
    option(
        "--ray-address", default="", metavar="ADDR", help="of the Ray cluster they are to run on"
    )
    option("--connect-timeout", type=_seconds, default=5.0, metavar="S", help="(5)")
    option("--first-byte-timeout", type=_seconds, default=120.0, metavar="S", help="(120)")
    option("--silence-timeout", type=_seconds, default=60.0, metavar="S", help="(60)")
    option("--reply-timeout", type=_seconds, default=600.0, metavar="S", help="(600)")


def requested(config: pytest.Config) -> bool:
    """Whether this is a readiness run: any pytest run of the environment passes through here."""
    if config.option.collectonly:
        return False
    named = any("readiness" in str(each) for each in config.args)
    return bool(config.option.endpoint) or (named and "OPENAI_BASE_URL" in os.environ)


def plan(option: Namespace, checks: Sequence[Check]) -> list[PlannedCheck]:
    """Settle what each check has to show, and with which trials.

    Raises:
        pytest.UsageError: The policy is not sound; the message says where.
    """
    from readiness.policy import plan
    from readiness.policy.policy import PolicyError

    try:
        return plan.plan(checks, policy(option), option.profile, option.seed)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def policy(option: Namespace) -> Policy:
    """Load the policy that the user names."""
    from readiness.policy.policy import PolicyError, load

    try:
        found = load(option.policy)
        return found.on(option.hardware) if option.hardware else found
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def waivers(option: Namespace, checks: Sequence[Check]) -> Mapping[str, Waiver]:
    """Load the waivers that the user names: of checks that the policy names, or that were found."""
    from readiness.policy import waiver
    from readiness.policy.policy import PolicyError

    if option.waivers is None:
        return {}
    known = policy(option).checks | {check.id for check in checks}
    try:
        return waiver.load(option.waivers, known, datetime.now(UTC).date())
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


@contextmanager
def serving(option: Namespace) -> Generator[str]:
    """The URL of the endpoint that the user names; the embedded one is served meanwhile."""
    url, embedded = _endpoint(option), _embedded(option)
    if embedded is None:
        yield url
        return
    from readiness.embedded import EmbeddedError, serve

    try:
        with serve(embedded if embedded.name else None) as started:
            yield started.url
    except EmbeddedError as error:
        raise pytest.UsageError(f"--endpoint {url}: {error}") from error


def _embedded(option: Namespace) -> Path | None:
    """The weights to serve here, "." for those that come along; None for an endpoint elsewhere."""
    kind, _, path = _endpoint(option).partition(":")
    return Path(path) if kind == EMBEDDED else None


def concurrency(option: Namespace) -> int:
    """How many trials may be in flight: no more than the embedded server has slots."""
    embedded = str(option.endpoint).partition(":")[0] == EMBEDDED
    return int(option.concurrency or (EMBEDDED_SLOTS if embedded else 8))


def settings(option: Namespace, url: str, checks: Sequence[Check]) -> Settings:
    """Make settings of what the user typed.

    Raises:
        pytest.UsageError: An option makes no sense; the message says which, and what would.
        NoBaseline: The user must name another run.
        UnsoundError: The evidence of the baseline does not hold together.
    """
    from readiness.baseline import earlier_runs, finished_run
    from readiness.cli.configure import read_user_context
    from readiness.evidence.redaction import Secrets
    from readiness.runner.settings import KEY, Settings
    from readiness.transport.address import Address
    from readiness.transport.client import RequestLimits

    key = os.environ.get(KEY, "")
    headers, rules = _headers(option.header), policy(option)
    try:
        where = Address.read(url, key, headers)
    except ValueError as error:
        raise pytest.UsageError(f"--endpoint: {error}") from error
    kept = option.baseline and "://" not in option.baseline
    mine = Settings(
        address=where,
        model=option.model,
        profile=option.profile,
        policy=rules,
        concurrency=concurrency(option),
        reports=option.reports,
        seed=option.seed,
        limits=RequestLimits(
            option.connect_timeout,
            option.first_byte_timeout,
            option.silence_timeout,
            option.reply_timeout,
        ),
        sampling=DECODING[option.decoding],
        extra=_extra(option.extra_body),
        most_requests=option.max_requests,
        most_tokens=option.max_tokens_total,
        resume=option.resume,
        keep_going=option.keep_going,
        use_sequential_tests=option.fast,
        most_minutes=option.max_minutes,
        secrets=Secrets([key, *where.secrets, *headers.values()]),
        baseline_run=finished_run.read_finished_run(Path(option.baseline)) if kept else None,
        earlier=earlier_runs.read(option.earlier),
        waivers=waivers(option, checks),
        review=_review(option),
        context=read_user_context(option, rules, url, _embedded(option)),
        load_workers=_load_workers(option),
    )
    return (
        replace(mine, baseline_settings=_baseline_settings(option, mine))
        if option.baseline and not kept
        else mine
    )


def _baseline_settings(option: Namespace, mine: Settings) -> Settings:
    """How the endpoint is tried that is the baseline: as the candidate is, by its own key."""
    from readiness.evidence.redaction import Secrets
    from readiness.runner.settings import BASELINE_KEY, KEY
    from readiness.transport.address import Address

    if option.resume:
        raise pytest.UsageError(
            "--resume goes on with one endpoint: give --baseline the other's run"
        )
    own, key = (os.environ.get(name, "") for name in (KEY, BASELINE_KEY))
    try:
        where = Address.read(option.baseline, key, {})
        if not key and where.origin == mine.address.origin:
            where = Address.read(option.baseline, own, {})  # The same server's: it knows the key.
    except ValueError as error:
        raise pytest.UsageError(f"--baseline: {error}") from error
    secrets = Secrets([own, key, *where.secrets])
    # What is given tells of the candidate, and its headers may hold its secrets.
    return replace(
        mine,
        address=where,
        model=option.baseline_model,
        key=BASELINE_KEY,
        secrets=secrets,
        earlier=(),
        waivers={},
        context=replace(
            mine.context, license_evidence=None, metrics_address=None, restart_command=""
        ),
    )


def _load_workers(option: Namespace) -> LoadWorkerSettings | None:
    """The load workers that the user asks for."""
    from readiness.runner.settings import LoadWorkerSettings

    if not option.load_workers:
        if option.ray_address:
            raise pytest.UsageError("--ray-address needs --load-workers: how many are to run there")
        return None
    if find_spec("ray") is None:
        raise pytest.UsageError(
            "--load-workers needs Ray: pip install 'llm-readiness[distributed]'"
        )
    return LoadWorkerSettings(option.load_workers, option.ray_address)


def _review(option: Namespace) -> Review:
    """The labels that the user names; of a run that goes on its own, which are written again."""
    from readiness.evidence.run_folder import REVIEW
    from readiness.verdict.labels import load

    path = option.review
    if option.resume and not path and (option.resume / REVIEW).exists():
        path = option.resume / REVIEW
    try:
        return load(path)
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--review: {error}") from error


def _endpoint(option: Namespace) -> str:
    found = option.endpoint or os.environ.get("OPENAI_BASE_URL", "")
    if not found:
        raise pytest.UsageError(
            "name an endpoint with --endpoint URL or OPENAI_BASE_URL "
            "(--endpoint embedded starts a small real model on this machine)"
        )
    return str(found)


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise pytest.UsageError("--header takes a name and a value, as in 'X-Team: platform'")
        headers[name.strip()] = value.strip()
    return headers


def _extra(given: str) -> dict[str, Any]:
    try:
        extra = json.loads(given)
    except ValueError as error:
        raise pytest.UsageError(f"--extra-body is not JSON: {error}") from error
    if not isinstance(extra, dict):
        raise pytest.UsageError("--extra-body takes a JSON object, as in '{\"top_k\": 1}'")
    return extra


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
