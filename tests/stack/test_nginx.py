"""A real nginx in front of the reference: each setting is named by its own check alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

import pytest

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.api.check_replies import large_bodies_accepted
from readiness.checks.api.check_streams import incremental_streaming
from readiness.checks.stability.checks import (
    burst_not_dropped,
    key_stays_valid,
    long_reply_not_truncated,
)
from readiness.checks.webui.check_uploads import upload_round_trip, user_isolation
from readiness.cli.stack_demo import LOCATION, NGINX_PATH, nginx
from readiness.context import Context
from readiness.mutants.endpoint.server import serving
from readiness.score import EndpointError, Outcome, Score
from tests.checks.webui.test_checks import PLAIN
from tests.load_driver import at

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not which("nginx", path=NGINX_PATH), reason="nginx is not installed"),
]

CHECKS = (
    incremental_streaming,
    large_bodies_accepted,
    burst_not_dropped,
    key_stays_valid,
    long_reply_not_truncated,
    upload_round_trip,
)
LIMIT = "limit_req_zone $binary_remote_addr zone=users:1m rate=1r/s;"
BY_ZONE = {"limit_req": "zone=users burst=1 nodelay"}
WITH_RETRY_AFTER = (LIMIT, "limit_req_status 429;", 'map $status $wait { 429 1; default ""; }')


@dataclass(frozen=True)
class Setting:
    """A setting of nginx, and what is said of it.

    Args:
        location: What stands in its `location`.
        http: What stands outside.
        pace: The pace of the reference behind it.
        checks: What is tried through it.
        found: What does not pass, and how.
        said: What a reason says.
    """

    location: Mapping[str, str]
    found: Mapping[str, set[Outcome]]
    said: str = ""
    http: Sequence[str] = ()
    pace: str = ""
    checks: Sequence[Check] = field(default=CHECKS)


CACHE = "proxy_cache_path FOLDER/cache keys_zone=files:1m;"
DEFAULTS = {"proxy_read_timeout": "600s", "client_max_body_size": "100m"}
SETTINGS = {
    "as it should be": Setting(LOCATION, {}),
    "limit_req alone": Setting(
        {**LOCATION, **BY_ZONE},
        {"stability.burst_not_dropped": {Outcome.UNDETERMINED}},
        "HTTP 503, and not 429 with Retry-After",
        http=[LIMIT],
        checks=[burst_not_dropped, upload_round_trip],
    ),
    "429 with Retry-After": Setting(
        {**LOCATION, **BY_ZONE, "add_header": "Retry-After $wait always"},
        {},
        http=WITH_RETRY_AFTER,
        checks=[burst_not_dropped, upload_round_trip],
    ),
    "proxy_read_timeout 3s": Setting(
        {**LOCATION, "proxy_read_timeout": "3s"},
        {"stability.long_reply_not_truncated": {Outcome.FAIL}},
        "a gateway's read timeout of 3 s",
        pace="cpu",
        checks=[key_stays_valid, long_reply_not_truncated],
    ),
    "client_max_body_size 1m": Setting(
        {**LOCATION, "client_max_body_size": "1m"},
        {"webui.upload_round_trip": {Outcome.FAIL}},
        "HTTP 413",
    ),
    "proxy_cache for all": Setting(
        {
            **LOCATION,
            "proxy_buffering": "on",
            "proxy_cache": "files",
            "proxy_cache_valid": "200 1m",
        },
        {"webui.user_isolation": {Outcome.FAIL}},
        "is answered to another user",
        http=[CACHE],
        checks=[user_isolation],
    ),
    "buffering, HTTP/1.0": Setting(
        DEFAULTS,
        {"api.incremental_streaming": {Outcome.FAIL}},
        "blocks of",
        pace="h200",
        checks=[incremental_streaming, large_bodies_accepted, key_stays_valid],
    ),
}


async def _scored(chat: Chat, check: Check) -> list[Score]:
    found = []
    for probe in check.probes(0, check.trials)[:3]:
        try:
            found.append(await check.attempt(chat, probe))
        except EndpointError as error:
            found.append(error.score)
    await asyncio.sleep(2)  # A limit of rate is full again.
    return found


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_a_setting_is_named_by_its_own_check_alone(setting: Setting, tmp_path: Path) -> None:
    async def work(chat: Chat) -> dict[str, list[Score]]:
        return {each.id: await _scored(chat, each) for each in setting.checks}

    outside = [each.replace("FOLDER", str(tmp_path)) for each in setting.http]
    context = Context(context_window=139_264, webui_accounts=PLAIN, defects_only=True)
    with (
        serving(pace=setting.pace) as upstream,
        nginx(tmp_path, upstream.removesuffix("/v1"), setting.location, outside) as url,
    ):
        scores = at(f"{url}/v1", work, context)
    failing = {
        name: wrong
        for name, of in scores.items()
        if (wrong := {each.outcome for each in of} - {Outcome.PASS})
    }
    reasons = [each.reason for of in scores.values() for each in of if not each.passed]
    assert (failing, setting.said in " ".join(reasons)) == (setting.found, True)
