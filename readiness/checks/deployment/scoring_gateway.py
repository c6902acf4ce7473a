"""Scores nginx: its timeouts, whether it keeps streams back, its limits of rate and size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from readiness.checks.deployment.commands import size
from readiness.checks.deployment.facts import (
    Deployment,
    Program,
    ProxyLocation,
    Service,
)
from readiness.checks.deployment.findings import Finding, conclude, of_each, open_unless
from readiness.score import Score

NO_GATEWAY = "no file of nginx hands requests on"
#: What the article wants a reply to be waited for, in seconds (its WEBUI_TIMEOUT=300).
LONGEST_REPLY = 300.0
READ_TIMEOUT, CLIENT_TIMEOUT = "proxy_read_timeout", "AIOHTTP_CLIENT_TIMEOUT"
BODY_SIZE, FILE_SIZE = "client_max_body_size", "RAG_FILE_MAX_SIZE"
RETRIES = "proxy_next_upstream"
#: After these a server may have run the request; 429 and 503 say that it has not.
_MAY_HAVE_RUN = frozenset(
    {"error", "timeout", "invalid_header", "http_500", "http_502", "http_504"}
)
LIMITS = {"limit_req": "limit_req_status", "limit_conn": "limit_conn_status"}
RETRY_AFTER = (
    "error_page 429 @limited; location @limited { add_header Retry-After 1 always; return 429; }"
)
#: Paths of pages that are asked for by themselves, and take no chat and no file.
_ASIDE = re.compile(
    r"(?:health|ready|live|metrics|ping|status|static|assets|favicon|robots|docs|redoc|openapi)[\w.\\-]*"
    r"|(?:css|js|mjs|map|png|jpe?g|gif|ico|svg|webp|avif|woff2?|ttf|otf|eot|webmanifest)"
)
#: Paths under which Open WebUI takes files.
_FILES = re.compile(r"location(?: [~^*=]+)? (?:\^?/?|.*api.*|\.\*|\^?/\(?\.\*\)?\$?)|")
#: Since this version nginx speaks HTTP/1.1 to what is behind it, unless told otherwise.
HTTP_1_1 = (1, 29, 7)
#: Keys of a zone that are one for all who come by the same address.
_ADDRESS = ("$binary_remote_addr", "$remote_addr")
#: Keys of a zone that are no user's.
_OF_ALL = frozenset(
    [
        "$server_name",
        "$server_addr",
        "$server_port",
        "$host",
        "$http_host",
        "$hostname",
        "$scheme",
        "$uri",
        "$document_uri",
        "$request_uri",
        "$request_method",
    ]
)
MIB = 2**20
_UNITS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(text: str) -> float | None:
    """A time of nginx, as `600`, `10m` or `1h 30m`, in seconds."""
    parts = re.findall(r"(\d+)(ms|[smhdw]?)", text)
    if not parts or "".join(f"{n}{unit}" for n, unit in parts) != text.replace(" ", ""):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def applications(deployment: Deployment) -> list[ProxyLocation]:
    """The locations that lead to vLLM or Open WebUI, or where nobody says to what."""
    return [
        each
        for each in deployment.locations
        if not all(map(_is_aside, each.paths))
        if not (behind := deployment.behind(each))
        or any(one.program is not Program.OTHER for one in behind)
    ]


def _is_aside(path: str) -> bool:
    """Whether a part of a path, with all of its alternatives, is the name of a page aside."""
    parts = re.split(r"/(?![^(]*\))", path.rpartition(" ")[2])
    names = [re.findall(r"[A-Za-z_][\w.\\-]*", part) for part in parts]
    return any(each and all(map(_ASIDE.fullmatch, each)) for each in names)


def shown_target(location: ProxyLocation, deployment: Deployment) -> bool:
    """Whether the files show what a location leads to: it is told, or there is nothing else."""
    alone = (
        not deployment.services and len({tuple(each.targets) for each in deployment.locations}) == 1
    )
    return alone or bool(deployment.behind(location))


def _fronts(location: ProxyLocation, deployment: Deployment) -> list[Service]:
    """The Open WebUI behind a location; any of the deployment where nobody says what is."""
    behind = deployment.behind(location)
    return [each for each in behind or deployment.services if each.program is Program.OPEN_WEBUI]


def score_timeouts(deployment: Deployment) -> Score:
    """Score whether each hop waits as long as the one behind it, and for the longest reply."""
    locations, fronts = applications(deployment), deployment.of(Program.OPEN_WEBUI)
    findings = [each for location in locations for each in _short_wait(location, deployment)]
    findings += of_each(fronts, _short_client)
    declared = [each for each in fronts if each.variables.get(CLIENT_TIMEOUT)]
    return conclude(findings, audited=bool(locations or declared), absent=NO_GATEWAY)


def _short_wait(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    told = location.get(READ_TIMEOUT)
    waits = seconds(" ".join(told.arguments)) if told else 60.0
    inner = [
        each
        for front in _fronts(location, deployment)
        if (each := front.variables.get(CLIENT_TIMEOUT))
    ]
    # Of 0 seconds, it waits for ever.
    declared = [each.number for each in inner if each.number]
    due = max([LONGEST_REPLY, *declared])
    if waits is None or waits >= due:
        return
    is_told = (
        f"{READ_TIMEOUT} {' '.join(told.arguments)}"
        if told
        else f"no {READ_TIMEOUT}, which is then 60 s"
    )
    why = (
        f"Open WebUI waits {due:.0f} s ({inner[0].place})"
        if declared and due in declared
        else f"a long reply takes up to {due:.0f} s"
    )
    finding = Finding(
        told.place if told else location.place, f"{is_told}: {why}", f"{READ_TIMEOUT} {due:.0f}s;"
    )
    decided = bool(told) or not location.hidden
    yield open_unless(decided and shown_target(location, deployment), finding)


def _short_client(front: Service) -> Iterator[Finding]:
    told = front.variables.get(CLIENT_TIMEOUT)
    if told and told.number and told.number < LONGEST_REPLY:
        fault = (
            f"{CLIENT_TIMEOUT}={told.value}: Open WebUI cuts each reply after {told.value} s in all"
        )
        yield Finding(told.place, fault, f"{CLIENT_TIMEOUT}={LONGEST_REPLY:.0f}")


def score_streams(deployment: Deployment) -> Score:
    """Score whether nginx lets streams through as they come."""
    locations = applications(deployment)
    findings = [each for location in locations for each in _kept_back(location, deployment)]
    return conclude(findings, audited=bool(locations), absent=NO_GATEWAY)


def _kept_back(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    buffering, version = location.get("proxy_buffering"), location.get("proxy_http_version")
    spoken = version.arguments[0] if version else _default_version(deployment)
    if not (buffering and buffering.arguments[0] == "off") and spoken == "1.0":
        fault = "a buffered answer over HTTP/1.0 is kept back until 4,096 bytes are there"
        finding = Finding(location.place, fault, "proxy_http_version 1.1; proxy_buffering off;")
        told = buffering and version
        yield open_unless(
            (bool(told) or not location.hidden) and shown_target(location, deployment), finding
        )
    types = location.get("gzip_types")
    gzip = location.get("gzip")
    if (
        types
        and gzip
        and gzip.arguments[0] == "on"
        and {"text/event-stream", "*"}.intersection(types.arguments)
    ):
        fault = "gzip_types has text/event-stream, which gzip keeps back until a block is full"
        finding = Finding(types.place, fault, "gzip_types without it")
        yield open_unless(shown_target(location, deployment), finding)


def _default_version(deployment: Deployment) -> str:
    """The version of HTTP that nginx speaks to what is behind it unless it is told."""
    images = [each.image.value or "" if each.image else "" for each in deployment.of(Program.NGINX)]
    found = [re.search(r":(\d+\.\d+(?:\.\d+)?)", each) for each in images]
    new = found and all(each and tuple(map(int, each[1].split("."))) >= HTTP_1_1 for each in found)
    return "1.1" if new else "1.0"


def score_retries(deployment: Deployment) -> Score:
    """Score whether nginx sends a request again that the first server may have run."""
    locations = applications(deployment)
    findings = [each for location in locations for each in _run_twice(location, deployment)]
    return conclude(findings, audited=bool(locations), absent=NO_GATEWAY)


def _run_twice(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    told, tries = location.get(RETRIES), location.get(f"{RETRIES}_tries")
    cases = set(told.arguments) if told else set()
    once = "off" in cases or (tries and tries.arguments[0] == "1")
    alone = len(location.targets) == 1 and bool(deployment.behind(location))
    if told and "non_idempotent" in cases and cases & _MAY_HAVE_RUN and not once and not alone:
        shown = f"{RETRIES} {' '.join(told.arguments)}"
        fault = f"{shown}: a POST that one server has run is sent to another"
        finding = Finding(told.place, fault, f"{RETRIES} without non_idempotent")
        yield open_unless(not location.hidden and len(location.targets) > 1, finding)


def score_rate_limit_status(deployment: Deployment) -> Score:
    """Score whether a limit answers 429, and says when to come back."""
    limited = [
        (each, name) for each in applications(deployment) for name in LIMITS if each.get(name)
    ]
    findings = [found for location, name in limited for found in _wrong_status(location, name)]
    return conclude(findings, audited=bool(limited), absent="no limit of nginx applies")


def _wrong_status(location: ProxyLocation, name: str) -> Iterator[Finding]:
    limit, told = location.get(name), location.get(LIMITS[name])
    assert limit is not None
    added = {
        each.arguments[0].lower()
        for each in location.directives.get("add_header", ())
        if "always" in each.arguments
    }
    status = told.arguments[0] if told else "503"
    page = location.error_pages.get(status)
    answered = page.status or status if page else status
    headers = page.headers if page else None
    tells_when = "retry-after" in (added if headers is None else headers)
    if answered != "429":
        by_default = "" if told or answered != status else ", its default"
        fault = (
            f"{name} answers {answered}{by_default}: clients take it for a fault, and do not wait"
        )
        instead = f"{LIMITS[name]} 429;{'' if tells_when else f' {RETRY_AFTER}'}"
        yield open_unless(bool(told) or not location.hidden, Finding(limit.place, fault, instead))
    elif not tells_when:
        fault = f"{name} answers 429 without Retry-After"
        yield open_unless(not location.hidden, Finding(limit.place, fault, RETRY_AFTER))


def score_rate_limit_key(deployment: Deployment) -> Score:
    """Score whether a limit tells users apart."""
    limited = [
        (each, name) for each in applications(deployment) for name in LIMITS if each.get(name)
    ]
    findings = [
        found for location, name in limited for found in _one_for_all(location, name, deployment)
    ]
    return conclude(findings, audited=bool(limited), absent="no limit of nginx applies")


def _one_for_all(location: ProxyLocation, name: str, deployment: Deployment) -> Iterator[Finding]:
    limit = location.get(name)
    assert limit is not None
    zone = next(
        (each.removeprefix("zone=") for each in limit.arguments if each.startswith("zone=")),
        limit.arguments[0],
    )
    key = location.zones.get(zone)
    instead = f"limit_req_zone $http_authorization zone={zone}:10m …;"
    if key is None:
        fault = f"by what zone {zone} counts is not shown"
        yield Finding(limit.place, fault, instead, certain=False)
        return
    if _OF_ALL.issuperset(re.findall(r"\$\w+", key.replace("{", "").replace("}", ""))):
        yield Finding(
            limit.place, f"the key of zone {zone} is {key}: all users are counted as one", instead
        )
    behind = {each.program for each in deployment.behind(location)}
    proxied = location.get("set_real_ip_from")
    if (
        key in _ADDRESS
        and Program.VLLM in behind
        and deployment.of(Program.OPEN_WEBUI)
        and not proxied
    ):
        fault = (
            f"zone {zone} counts by address, and all that Open WebUI sends to vLLM comes from one"
        )
        yield Finding(limit.place, fault, instead)


def score_upload_size(deployment: Deployment) -> Score:
    """Score whether nginx takes what Open WebUI takes, and Open WebUI has a limit."""
    fronts = deployment.of(Program.OPEN_WEBUI)
    findings = list(of_each(fronts, _no_limit))
    findings += [
        each
        for location in applications(deployment)
        if any(map(_FILES.fullmatch, location.paths))
        for front in _fronts(location, deployment)[:1]
        for each in _too_small(location, front, deployment)
    ]
    return conclude(findings, audited=bool(fronts), absent="no file starts Open WebUI")


def _no_limit(front: Service) -> Iterator[Finding]:
    told = front.variables.get(FILE_SIZE)
    if told is None or told.value == "":
        fault = f"no {FILE_SIZE}: Open WebUI takes uploads of any size"
        finding = Finding(told.place if told else front.place, fault, f"{FILE_SIZE}=50")
        yield open_unless(not front.variables.hidden, finding)
    elif told.number == 0:
        fault = f"{FILE_SIZE}=0 is no limit: Open WebUI takes uploads of any size"
        yield Finding(told.place, fault, f"{FILE_SIZE}=50")
    elif told.value is not None and not told.value.isdigit():
        yield Finding(
            told.place,
            f"{FILE_SIZE}={told.value} is no whole number of MB: it does not start",
            f"{FILE_SIZE}=50",
        )


def _too_small(
    location: ProxyLocation, front: Service, deployment: Deployment
) -> Iterator[Finding]:
    told, file_size = location.get(BODY_SIZE), front.variables.get(FILE_SIZE)
    taken = size(told.arguments[0]) if told else 1.0 * MIB
    limit = file_size.number if file_size else None
    due = None if limit is None else limit * MIB
    if taken is None or taken == 0 or (due is not None and taken >= due) or (due is None and told):
        return
    is_told = f"{BODY_SIZE} {told.arguments[0]}" if told else f"no {BODY_SIZE}, which is then 1m"
    behind = (
        f"{FILE_SIZE}={file_size.value} ({file_size.place})"
        if due and file_size
        else "larger uploads are 413"
    )
    wanted = max(due or 50 * MIB, MIB) // MIB
    finding = Finding(
        told.place if told else location.place,
        f"{is_told}: {behind}",
        f"{BODY_SIZE} {wanted + 5}m;",
    )
    yield open_unless(
        (bool(told) or not location.hidden) and shown_target(location, deployment), finding
    )
