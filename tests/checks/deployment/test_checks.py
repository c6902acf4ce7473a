"""The dimension deployment: each flaw of the files gets its verdict, by its own check alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.deployment import checks, scoring_services
from readiness.checks.deployment.facts import LiveFacts
from readiness.checks.deployment.gather import gather_deployment
from readiness.checks.deployment.nginx import proxy_locations, serves, statements
from readiness.context import Context
from readiness.exchange import Call, Exchange
from readiness.load.meters.meter import MeterReading
from readiness.load.meters.metrics_page import read_metrics
from readiness.mutants.catalog import FLAWLESS, mutants
from readiness.mutants.deployment import files
from readiness.mutants.endpoint.protocol import MODEL, WINDOW
from readiness.mutants.endpoint.server import METRICS
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect
from readiness.score import Outcome, Score
from readiness.verdict.claim import Claim, Unsupported, Verdict
from readiness.verdict.result import Result, Trial

RUNS_AS_DECLARED = "deployment.webui_runs_as_declared"
CHECKS = [each for each in vars(checks).values() if isinstance(each, Check)]
#: Beside one that shows only where an Open WebUI runs: test_run.py.
OWN = [
    flaw for flaw in mutants() if flaw.dimension == "deployment" and flaw.check != RUNS_AS_DECLARED
]
HARMLESS = [flaw for flaw in mutants() if flaw.name.startswith("deployment_") and flaw.harmless]
CLAIM = Claim(1.0, 0.05, 0.05, 1, unsupported=Unsupported.ACCEPTED)
ELSEWHERE = {RUNS_AS_DECLARED, "deployment.watchdog_can_fire"}


@dataclass(frozen=True)
class Page:
    """A page of metrics that is there already."""

    text: str
    source: str = "metrics"

    async def read(self) -> MeterReading:
        return read_metrics(self.text)


async def no_version(call: Call) -> Exchange:
    assert (call.method, call.path) == ("GET", "/../version")
    return Exchange(None, 404, {}, b"", (), None, "", 0.0, 0)


def scores(*paths: Path, page: str = METRICS, window: int | None = WINDOW) -> dict[str, Score]:
    """The score of each check by its name."""
    given = gather_deployment(paths) if paths else None
    context = Context(window, deployment=given, meters=[Page(page)] if page else [])

    async def attempts() -> dict[str, Score]:
        chat = Chat(no_version, Dialect(MODEL), context)
        return {
            each.attempt.__name__: await each.attempt(chat, each.probes(0, 1)[0]) for each in CHECKS
        }

    return asyncio.run(attempts())


def verdicts(found: Mapping[str, Score]) -> dict[str, Verdict]:
    of = {each.attempt.__name__: each for each in CHECKS}
    return {
        of[name].id: Result(of[name], CLAIM, [Trial("a", 0, each)]).verdict
        for name, each in found.items()
    }


def shown(flaw: Flaw, folder: Path) -> dict[str, Verdict]:
    files.write(folder)
    flaw.change_deployment(folder)
    return verdicts(scores(folder, page=flaw.change_metrics(METRICS)))


@pytest.mark.parametrize("flaw", [FLAWLESS, *HARMLESS], ids=lambda flaw: flaw.name)
def test_a_right_deployment_is_ready_however_it_is_written(flaw: Flaw, tmp_path: Path) -> None:
    found = shown(flaw, tmp_path)
    assert {name: each for name, each in found.items() if each.severity > 1} == {}
    assert found["deployment.known_settings"] is Verdict.READY


def test_every_check_but_two_is_assessed_on_the_corrected_deployment(tmp_path: Path) -> None:
    found = shown(FLAWLESS, tmp_path)
    assert {name for name, each in found.items() if each is not Verdict.READY} == ELSEWHERE


@pytest.mark.parametrize("flaw", OWN, ids=lambda flaw: flaw.name)
def test_a_flaw_gets_its_verdict_by_its_check_alone(flaw: Flaw, tmp_path: Path) -> None:
    found = shown(flaw, tmp_path)
    assert found[flaw.check] is flaw.expected_verdict
    assert {name for name, each in found.items() if each.severity > 1} == {flaw.check}


def test_a_limit_is_told_at_once_all_that_it_lacks(tmp_path: Path) -> None:
    files.write(tmp_path)
    config = tmp_path / "nginx.conf"
    lines = config.read_text("utf-8").splitlines(keepends=True)
    config.write_text("".join(line for line in lines if " 429" not in line), "utf-8")
    reason = scores(tmp_path)["rate_limit_answers_429"].reason
    said = (
        "limit_req_status 429; error_page 429 @limited; location @limited { add_header Retry-After"
    )
    assert said in reason


def test_every_check_has_its_own_flaw() -> None:
    assert {flaw.check for flaw in OWN} == {each.id for each in CHECKS} - {RUNS_AS_DECLARED}


@dataclass(frozen=True)
class Case:
    """What a page of metrics, and the version and window that are told, decide.

    Args:
        check: The check.
        page: The page.
        window: The window that the list of models tells.
        outcome: Its outcome.
    """

    check: str
    page: str
    window: int | None
    outcome: Outcome


def cache(**labels: str) -> str:
    told = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"vllm:cache_config_info{{{told}}} 1.0\n"


@pytest.mark.parametrize(
    "case",
    [
        Case("window_fits_kv_cache", cache(kv_cache_max_concurrency="1.0"), None, Outcome.PASS),
        Case("window_fits_kv_cache", cache(kv_cache_max_concurrency="0.99"), None, Outcome.FAIL),
        # Earlier versions tell blocks alone.
        Case(
            "window_fits_kv_cache", cache(num_gpu_blocks="10", block_size="16"), 160, Outcome.PASS
        ),
        Case(
            "window_fits_kv_cache", cache(num_gpu_blocks="10", block_size="16"), 161, Outcome.FAIL
        ),
        Case("window_fits_kv_cache", cache(num_gpu_blocks="None"), 161, Outcome.UNSUPPORTED),
        Case("concurrency_fits_kv_cache", cache(kv_cache_size_tokens="268800"), None, Outcome.PASS),
        Case("concurrency_fits_kv_cache", cache(kv_cache_size_tokens="268799"), None, Outcome.FAIL),
        Case("served_window_as_declared", "", None, Outcome.UNSUPPORTED),
        Case("served_window_as_declared", "", WINDOW, Outcome.PASS),
        Case("served_window_as_declared", "", WINDOW - 1, Outcome.FAIL),
        Case("gpu_memory_share", cache(gpu_memory_utilization="0.850"), None, Outcome.PASS),
    ],
    ids=lambda case: f"{case.check} {case.page} {case.window}",
)
def test_what_runs_is_held_against_what_is_declared(case: Case, tmp_path: Path) -> None:
    files.write(tmp_path)
    found = scores(tmp_path, page=case.page, window=case.window)
    assert found[case.check].outcome is case.outcome


@pytest.mark.parametrize(
    ("declared", "running", "outcome"),
    [
        ("false", "false", Outcome.PASS),
        ("0", "false", Outcome.PASS),
        ("True", "true", Outcome.PASS),
        ("false", "true", Outcome.FAIL),
        ("1", "true", Outcome.FAIL),
    ],
)
def test_a_switch_runs_as_open_webui_reads_it(
    declared: str, running: str, outcome: Outcome, tmp_path: Path
) -> None:
    files.write(tmp_path)
    files.replaced(files.VARIABLES, ("SIGNUP=false", f"SIGNUP={declared}"))(tmp_path)
    live = LiveFacts(webui={"enable_signup": running})
    found = scoring_services.score_runs_as_declared(gather_deployment([tmp_path]), live)
    assert found.outcome is outcome


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ("proxy_cache_valid 200 1m; proxy_cache_methods POST;", Outcome.FAIL),
        ("proxy_cache_valid 1m; proxy_cache_methods post;", Outcome.FAIL),
        # Its headers allow nobody to keep an answer of vLLM or Open WebUI.
        ("proxy_cache_methods POST;", Outcome.PASS),
        ("proxy_cache_valid 200 0; proxy_cache_methods POST;", Outcome.PASS),
        # An included file may give it a life, or a key.
        ("include cache.conf; proxy_cache_methods POST;", Outcome.UNDETERMINED),
        ("proxy_cache_valid 1m; proxy_cache_methods POST; include x;", Outcome.UNDETERMINED),
        (
            "proxy_cache_valid 1m; proxy_cache_methods POST; proxy_cache_key $sum;",
            Outcome.UNDETERMINED,
        ),
        ("proxy_cache_valid 1m; proxy_cache_bypass $request_method;", Outcome.PASS),
        ("proxy_cache_valid 1m; proxy_cache_bypass 0;", Outcome.FAIL),
        ("proxy_cache_valid 1m; proxy_cache_bypass $arg_nocache;", Outcome.FAIL),
        ("proxy_cache_valid 1m; proxy_cache_key $uri${cookie_token};", Outcome.PASS),
    ],
)
def test_a_cache_is_judged_by_what_it_keeps_for_whom(
    lines: str, outcome: Outcome, tmp_path: Path
) -> None:
    files.write(tmp_path)
    kept = ("proxy_buffering off;", f"proxy_cache kept; {lines}")
    files.replaced(files.GATEWAY, kept)(tmp_path)
    assert scores(tmp_path)["cached_answers_not_shared"].outcome is outcome


@pytest.mark.parametrize(
    ("tries", "outcome"), [("", Outcome.FAIL), ("proxy_next_upstream_tries 1;", Outcome.PASS)]
)
def test_a_request_that_is_tried_once_is_not_run_twice(
    tries: str, outcome: Outcome, tmp_path: Path
) -> None:
    files.write(tmp_path)
    files.replaced(
        files.GATEWAY,
        ("  server {", "  upstream two { server open-webui:8080; server spare:8080; }\n  server {"),
        ("http://open-webui:8080", "http://two"),
        ("proxy_buffering off;", f"proxy_next_upstream error non_idempotent; {tries}"),
    )(tmp_path)
    assert scores(tmp_path)["requests_run_once"].outcome is outcome


@pytest.mark.parametrize(
    ("first", "second", "served"),
    [
        ("/", "/v1/", ["/v1/"]),
        ("^~ /v1/", "~ ^/v1/", ["^~ /v1/"]),
        ("/v1/", "~ ^/v1/", ["~ ^/v1/"]),
        ("~* ^/V1/chat", "~ ^/v1/", ["~* ^/V1/chat"]),
        ("= /v1/chat/completions", "^~ /v1/", ["= /v1/chat/completions"]),
        ("/api/", "= /v1/models", []),
    ],
)
def test_one_location_serves_a_path(first: str, second: str, served: list[str]) -> None:
    blocks = "".join(f"location {each} {{ proxy_pass http://a; }}" for each in (first, second))
    found = proxy_locations(statements(f"http {{ server {{ {blocks} }} }}", "nginx.conf"))
    taken = [each.paths for each in found if serves(each, "/v1/chat/completions")]
    assert taken == [[f"location {each}"] for each in served]


def test_a_url_that_is_none_is_no_crash(tmp_path: Path) -> None:
    files.write(tmp_path)
    files.replaced(files.GATEWAY, ("http://open-webui:8080", "http://[open-webui:8080"))(tmp_path)
    assert scores(tmp_path)["streams_not_buffered"].outcome is Outcome.PASS


def test_a_directive_without_its_argument_is_no_crash(tmp_path: Path) -> None:
    files.write(tmp_path)
    files.replaced(files.GATEWAY, ("limit_req zone=users burst=10 nodelay;", "limit_req;"))(
        tmp_path
    )
    assert scores(tmp_path)["rate_limit_per_user"].outcome is Outcome.UNSUPPORTED


def test_a_unit_whose_quotes_do_not_end_is_open(tmp_path: Path) -> None:
    files.write(tmp_path)
    unit = '[Service]\nEnvironment="A=b\nExecStart=/bin/vllm serve /m\nRestart=always\n'
    files.added("vllm.service", unit)(tmp_path)
    assert scores(tmp_path)["known_settings"].outcome is Outcome.UNDETERMINED
