"""Deployment: what is declared around the endpoint is right, and is what runs."""

from __future__ import annotations

from collections.abc import Callable

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.deployment import (
    scoring_cache,
    scoring_engine,
    scoring_gateway,
    scoring_services,
)
from readiness.checks.deployment.facts import Deployment, LiveFacts
from readiness.checks.deployment.live import live_facts
from readiness.probe import Probe
from readiness.score import Outcome, Score, scored

FILES = [Probe("deployment.files@v1", [], budget=0)]
NO_FILES = scored(
    Outcome.UNSUPPORTED, "no files of the deployment", came="name them with --deployment PATH"
)


def score_files(chat: Chat, score: Callable[[Deployment], Score]) -> Score:
    """Score what the user's files say."""
    deployment = chat.context.deployment
    if deployment is None:
        return NO_FILES
    found = score(deployment)
    if deployment.unread and found.outcome in (Outcome.PASS, Outcome.UNSUPPORTED):
        return Score(Outcome.UNDETERMINED, f"not read: {'; '.join(deployment.unread)}")
    return found


async def score_running(chat: Chat, score: Callable[[Deployment, LiveFacts], Score]) -> Score:
    """Score what the user's files say beside what the running servers tell."""
    if chat.context.deployment is None:
        return NO_FILES
    live = await chat.fetch_once("deployment.live", live_facts)
    return score_files(chat, lambda files: score(files, live))


@check(FILES)
async def known_settings(chat: Chat, probe: Probe) -> Score:
    """Every option and variable that is set MUST be one that the program of that version reads,
    with a value that it takes.
    """
    return await score_running(chat, scoring_engine.score_options)


@check(FILES)
async def window_within_model_limit(chat: Chat, probe: Probe) -> Score:
    """The context window that is declared MUST be one that the model's own config.json allows, rope
    scaling counted.
    """
    return await score_running(chat, scoring_engine.score_window)


@check(FILES)
async def served_window_as_declared(chat: Chat, probe: Probe) -> Score:
    """The context window that /v1/models tells MUST be the one that is declared."""
    return await score_running(chat, scoring_engine.score_served_window)


@check(FILES)
async def window_fits_kv_cache(chat: Chat, probe: Probe) -> Score:
    """At least one request of the whole context window MUST fit the key-value cache."""
    return await score_running(chat, lambda _, live: scoring_engine.score_window_memory(live))


@check(FILES)
async def concurrency_fits_kv_cache(chat: Chat, probe: Probe) -> Score:
    """The number of concurrent sequences SHOULD NOT exceed what the key-value cache holds at the
    load scenario's 8,400 tokens each.
    """
    return await score_running(chat, scoring_engine.score_concurrency)


@check(FILES)
async def gpu_memory_share(chat: Chat, probe: Probe) -> Score:
    """The share of GPU memory that runs SHOULD be the declared one, and leave 5 % of it."""
    return await score_running(chat, scoring_engine.score_memory_share)


@check(FILES)
async def parallelism_matches_gpus(chat: Chat, probe: Probe) -> Score:
    """Tensor, pipeline and data parallel sizes MUST together be the number of GPUs that are given,
    and the tensor parallel size MUST divide the attention heads.
    """
    return score_files(chat, scoring_engine.score_cards)


@check(FILES)
async def engine_access_restricted(chat: Chat, probe: Probe) -> Score:
    """The engine MUST NOT be reached without a secret key by more than its gateway."""
    return score_files(chat, scoring_engine.score_access)


@check(FILES)
async def admin_routes_closed(chat: Chat, probe: Probe) -> Score:
    """The engine's routes that no key guards, or that change its models, MUST NOT be open."""
    return score_files(chat, scoring_engine.score_admin_routes)


@check(FILES)
async def no_needless_remote_code(chat: Chat, probe: Probe) -> Score:
    """Code that comes with the model SHOULD NOT be run where vLLM has its architecture built in."""
    return await score_running(chat, scoring_engine.score_remote_code)


@check(FILES)
async def cuda_graphs_on(chat: Chat, probe: Probe) -> Score:
    """CUDA graphs and compilation SHOULD be left on."""
    return score_files(chat, scoring_engine.score_cuda_graphs)


@check(FILES)
async def timeouts_long_enough(chat: Chat, probe: Probe) -> Score:
    """Each hop MUST wait 300 s for a reply (the article's figure), and at least as long as the hop
    behind it.
    """
    return score_files(chat, scoring_gateway.score_timeouts)


@check(FILES)
async def streams_not_buffered(chat: Chat, probe: Probe) -> Score:
    """A gateway MUST NOT keep streams back: by buffering answers over HTTP/1.0, or by compressing
    event streams.
    """
    return score_files(chat, scoring_gateway.score_streams)


@check(FILES)
async def cached_answers_not_shared(chat: Chat, probe: Probe) -> Score:
    """A gateway's cache MUST NOT give one user's answer to another, or to another question."""
    return score_files(chat, scoring_cache.score_cache)


@check(FILES)
async def requests_run_once(chat: Chat, probe: Probe) -> Score:
    """A gateway SHOULD NOT send a request again that a server may have run."""
    return score_files(chat, scoring_gateway.score_retries)


@check(FILES)
async def rate_limit_answers_429(chat: Chat, probe: Probe) -> Score:
    """A gateway's limit MUST answer 429 with Retry-After."""
    return score_files(chat, scoring_gateway.score_rate_limit_status)


@check(FILES)
async def rate_limit_per_user(chat: Chat, probe: Probe) -> Score:
    """A gateway's limit SHOULD NOT count all users as one."""
    return score_files(chat, scoring_gateway.score_rate_limit_key)


@check(FILES)
async def upload_limits_agree(chat: Chat, probe: Probe) -> Score:
    """A limit of uploads MUST be declared for Open WebUI, and the gateway MUST take what it
    allows.
    """
    return score_files(chat, scoring_gateway.score_upload_size)


@check(FILES)
async def webui_runs_as_declared(chat: Chat, probe: Probe) -> Score:
    """What Open WebUI's variables declare MUST be what the running one tells."""
    return await score_running(chat, scoring_services.score_runs_as_declared)


@check(FILES)
async def sessions_end(chat: Chat, probe: Probe) -> Score:
    """A session of Open WebUI MUST end, within 7 days, and its life MUST have a unit."""
    return await score_running(chat, scoring_services.score_session_life)


@check(FILES)
async def administrator_declared(chat: Chat, probe: Probe) -> Score:
    """Open WebUI MUST have its administrator before anybody can sign up, or sign in, as one."""
    return await score_running(chat, scoring_services.score_administrator)


@check(FILES)
async def data_persisted(chat: Chat, probe: Probe) -> Score:
    """All of Open WebUI's data MUST be on a volume, and the key of its sessions MUST outlive its
    container.
    """
    return score_files(chat, scoring_services.score_data)


@check(FILES)
async def unprivileged_user(chat: Chat, probe: Probe) -> Score:
    """The engine and Open WebUI SHOULD NOT run as root, or with all rights on their host."""
    return score_files(chat, scoring_services.score_user)


@check(FILES)
async def restarted_automatically(chat: Chat, probe: Probe) -> Score:
    """Each service MUST be started again by itself, after a crash and when the host restarts."""
    return score_files(chat, scoring_services.score_restart)


@check(FILES)
async def health_check_asks_for_tokens(chat: Chat, probe: Probe) -> Score:
    """A health check of the engine SHOULD ask for a token: /health is OK while the engine hangs."""
    return score_files(chat, scoring_services.score_health)


@check(FILES)
async def logs_rotated(chat: Chat, probe: Probe) -> Score:
    """Logs MUST rotate below 100 MB."""
    return score_files(chat, scoring_services.score_logs)


@check(FILES)
async def versions_pinned(chat: Chat, probe: Probe) -> Score:
    """Images and models of a hub SHOULD be pinned to a version."""
    return score_files(chat, scoring_services.score_pins)


@check(FILES)
async def watchdog_can_fire(chat: Chat, probe: Probe) -> Score:
    """A watchdog SHOULD watch what can move: vLLM takes its share of GPU memory at the start, and
    holds it.
    """
    return score_files(chat, scoring_services.score_watchdog)
