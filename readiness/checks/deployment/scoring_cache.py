"""Scores what nginx keeps of answers, and whom it gives them to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from readiness.checks.deployment.commands import size
from readiness.checks.deployment.facts import Deployment, Program, ProxyLocation
from readiness.checks.deployment.findings import Finding, conclude, open_unless
from readiness.checks.deployment.nginx import serves
from readiness.checks.deployment.scoring_gateway import NO_GATEWAY, applications, shown_target
from readiness.score import Score

CACHE, BODY, SIGNED_IN = "proxy_cache", "$request_body", "$http_authorization"
#: Paths by which users ask for what is made for them, of vLLM and of Open WebUI.
_ASKED = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/api/chat/completions",
    "/openai/chat/completions",
    "/ollama/api/chat",
)
#: Paths by which Open WebUI tells users what is theirs.
_OWN = ("/api/v1/chats/", "/api/v1/auths/")
#: The key of nginx where none is declared.
_DEFAULT_KEY = "$scheme$proxy_host$request_uri"
#: Variables of which nginx itself makes the value, none of them of the body.
_KNOWN = re.compile(
    r"\$(?:scheme|proxy_host|proxy_port|host|hostname|uri|document_uri|request_uri|request_method|args"
    r"|is_args|query_string|server_\w+|remote_\w+|binary_remote_addr|content_\w+|http_\w+|cookie_\w+|arg_\w+)"
)
_IDENTITY = re.compile(r"\$(?:http_authorization|http_cookie|cookie_\w+|remote_user)")
#: Variables that are never empty, so that a condition of them always holds.
_ALWAYS = frozenset({"$request_method", "$request_uri", "$uri", "$scheme", "$host", "$remote_addr"})


def score_cache(deployment: Deployment) -> Score:
    """Score whether a cache of nginx tells users and requests apart."""
    locations = applications(deployment)
    findings = [each for location in locations for each in _shared(location, deployment)]
    return conclude(findings, audited=bool(locations), absent=NO_GATEWAY)


def _shared(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    if not _keeps(location) or _is_passed_by(location):
        return
    cache = location.get(CACHE)
    assert cache is not None
    fault, told = _same_key(location, deployment)
    if fault:
        certain = told and not location.hidden and shown_target(location, deployment)
        yield open_unless(certain, Finding(cache.place, fault, f"{CACHE} off;"))


def _same_key(location: ProxyLocation, deployment: Deployment) -> tuple[str, bool]:
    """Why two users get the same answer, "" where they do not, and whether the files tell it."""
    methods = location.get("proxy_cache_methods")
    names = _key(location)
    told = all(_KNOWN.fullmatch(each) or each == BODY for each in names) and _is_told(location)
    kept = {each.upper() for each in methods.arguments} if methods else set()
    if "POST" in kept and any(serves(location, path) for path in _ASKED):
        if BODY not in names:
            return (
                "answers to POST are kept by a key without the body: users get each other's",
                told,
            )
        if cut := _cut_body(location):
            return f"{BODY} is empty for bodies {cut}: their answers are kept by one key", told
    behind = {each.program for each in deployment.behind(location)}
    fronts = Program.OPEN_WEBUI in behind
    shared = (fronts or not behind) and not any(map(_IDENTITY.fullmatch, names))
    if shared and any(serves(location, path) for path in _OWN):
        return "chats and accounts are kept by a key that is the same for all users", (
            told and fronts
        )
    return "", True


def _key(location: ProxyLocation) -> list[str]:
    """The variables of the key by which answers are kept."""
    key = location.get("proxy_cache_key")
    text = "".join(key.arguments) if key else _DEFAULT_KEY
    return re.findall(r"\$\w+", text.replace("{", "").replace("}", ""))


def _keeps(location: ProxyLocation) -> bool:
    """Whether answers are kept, as they are by a time of `proxy_cache_valid`.

    Without one nginx keeps what the answer's own headers allow, and of what it does not buffer
    nothing (tried with 1.22.1).
    """
    cache, buffering = location.get(CACHE), location.get("proxy_buffering")
    if not cache or cache.arguments[0] == "off" or (buffering and buffering.arguments[0] == "off"):
        return False
    lives = location.directives.get("proxy_cache_valid", ())
    return any(
        each.arguments[-1].strip("smhdwy") not in ("0", "")
        and (len(each.arguments) == 1 or {"200", "any"}.intersection(each.arguments[:-1]))
        for each in lives
    ) or bool(location.hidden and not lives)


def _arguments(location: ProxyLocation, *names: str) -> list[str]:
    return [
        argument
        for name in names
        for each in location.directives.get(name, ())
        for argument in each.arguments
    ]


def _is_passed_by(location: ProxyLocation) -> bool:
    """Whether nothing is kept of those who sign in, or nothing that is kept is given to anyone."""
    given = _arguments(location, "proxy_cache_bypass", "proxy_no_cache")
    always = [
        each
        for each in given
        if each not in ("", "0") and (not each.startswith("$") or each in _ALWAYS)
    ]
    return bool(always) or SIGNED_IN in _arguments(location, "proxy_no_cache")


def _is_told(location: ProxyLocation) -> bool:
    """Whether the files tell what decides whether the cache is passed by."""
    given = _arguments(location, "proxy_cache_bypass", "proxy_no_cache")
    own = [each for each in given if each.startswith("$") and not _KNOWN.fullmatch(each)]
    theirs = [each for each in _arguments(location, "proxy_no_cache") if _IDENTITY.fullmatch(each)]
    return not own and not theirs


def _cut_body(location: ProxyLocation) -> str:
    """Which bodies nginx leaves out of their variable; "" where it leaves out none."""
    buffering = location.get("proxy_request_buffering")
    if buffering and buffering.arguments[0] == "off":
        return "that it does not buffer"
    buffer, limit = location.get("client_body_buffer_size"), location.get("client_max_body_size")
    held = buffer.arguments[0] if buffer else "16k"
    largest = size(limit.arguments[0] if limit else "1m")
    kept = size(held)
    cut = kept is not None and largest is not None and (largest == 0 or kept < largest)
    return f"above {held}" if cut else ""
