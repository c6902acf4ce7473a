"""Scores what starts, watches and keeps services, and Open WebUI's own settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from readiness.checks.deployment.commands import size
from readiness.checks.deployment.facts import (
    PUBLISHED,
    Deployment,
    LiveFacts,
    Program,
    Service,
    Setting,
    Supervisor,
)
from readiness.checks.deployment.findings import Finding, conclude, of_each, open_unless
from readiness.checks.deployment.known_settings import names
from readiness.score import Score

NO_SERVICE = "no file starts vLLM, Open WebUI or nginx"
NO_FRONT = "no file starts Open WebUI"
DATA, KEY = "/app/backend/data", "/app/backend/.webui_secret_key"
MAX_LOG = 100 * 2**20  # bytes
MAX_SESSION = 7 * 86_400.0  # seconds
LIFE = "JWT_EXPIRES_IN"
#: Since this version of Open WebUI a session ends after four weeks by default; before, never.
LIFE_OF_FOUR_WEEKS = "0.6.43"
_LIFE = re.compile(r"(-?\d+(?:\.\d+)?)(ms|[smhdw])")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
#: Drivers of logs that keep at most 100 MB by default, or nothing.
_BOUNDED = frozenset({"local", "none"})
_IN_CONTAINERS = (Supervisor.COMPOSE, Supervisor.DOCKER)
_WITH_HEALTH = (*_IN_CONTAINERS, Supervisor.KUBERNETES)
#: What a tag has of a version: two numbers, or a build, a date or a commit.
_VERSION = re.compile(r"\d+\.\d+|\d{3,}|(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{7,40}(?![0-9a-z])")
#: What a tag says of the system below, which is no version of the program.
_PLATFORM = re.compile(
    r"(?<![a-z])(?:alpine|debian|ubuntu|bookworm|trixie|ubi|cuda|cu|rocm|python|py)-?\d[\d.]*",
    re.IGNORECASE,
)
_BRANCH = re.compile(r"main|master|HEAD|dev|develop|refs/.*")


def programs(deployment: Deployment) -> list[Service]:
    """The services of the stack: vLLM, Open WebUI and nginx."""
    return deployment.of(Program.VLLM, Program.OPEN_WEBUI, Program.NGINX)


def fronts(deployment: Deployment) -> list[Service]:
    """The services that run Open WebUI."""
    return deployment.of(Program.OPEN_WEBUI)


def webui_version(front: Service, live: LiveFacts) -> str:
    """The version of Open WebUI: the one that answers, or that of its image's tag."""
    return live.webui.get("version", "") or front.version


def score_session_life(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether sessions end, within seven days."""
    found = fronts(deployment)
    findings = of_each(found, lambda each: _life(each, webui_version(each, live)))
    return conclude(findings, audited=bool(found), absent=NO_FRONT)


def _life(front: Service, version: str) -> Iterator[Finding]:
    told, instead = front.variables.get(LIFE), f"{LIFE}=7d"
    if told is None or told.value == "":
        default = _default_life(version)
        ends = default or "4w in 0.6.43 and later, never before"
        finding = Finding(
            told.place if told else front.place,
            f"no {LIFE}, so that a session lasts {ends}",
            instead,
        )
        yield open_unless(bool(default) and not front.variables.hidden, finding)
        return
    if told.value is None:
        yield Finding(told.place, f"the value of {LIFE} is not told", instead, certain=False)
        return
    life = sum(float(number) * _UNITS[unit] for number, unit in _LIFE.findall(told.value))
    if told.value in ("-1", "0"):
        yield Finding(told.place, f"{LIFE}={told.value}: a session never ends", instead)
    elif _LIFE.search(told.value) and life <= 0:
        # Open WebUI leaves `exp` out where the life is no time at all.
        what = "a session never ends" if life == 0 else "a session is over before it begins"
        yield Finding(told.place, f"{LIFE}={told.value}: {what}", instead)
    elif not _LIFE.search(told.value):
        yield Finding(
            told.place,
            f"{LIFE}={told.value} has no unit: every sign-in is answered by 500",
            instead,
        )
    elif life > MAX_SESSION:
        yield Finding(
            told.place,
            f"{LIFE}={told.value}: a session lasts {life / 86_400:g} days, more than 7",
            instead,
        )


def _default_life(version: str) -> str:
    known = names("openwebui", "variables").versions
    if version not in known:
        return ""
    return "4 weeks" if known.index(version) >= known.index(LIFE_OF_FOUR_WEEKS) else "for ever"


def score_administrator(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether there is an administrator before anybody can sign up as one."""
    found = fronts(deployment)
    if live.webui.get("onboarding") == "true":
        fault = (
            "onboarding: the next who signs up becomes administrator, whatever ENABLE_SIGNUP says"
        )
        return conclude(
            [Finding("/api/config", fault, "WEBUI_ADMIN_EMAIL and WEBUI_ADMIN_PASSWORD")],
            audited=True,
            absent="",
        )
    if live.webui.get("auth") == "false":
        fault = "features.auth: false: whoever comes is administrator"
        off = Finding("/api/config", fault, "WEBUI_AUTH=true")
        return conclude([off], audited=True, absent="")
    if live.webui:
        return conclude(of_each(found, _made_administrator), audited=True, absent="")
    findings = of_each(found, _administrator)
    return conclude(findings, audited=bool(found), absent=NO_FRONT)


def _made_administrator(front: Service) -> Iterator[Finding]:
    """Whether all who sign up, or who read Open WebUI's source, become administrators."""
    key = front.variables.get("WEBUI_SECRET_KEY", "WEBUI_JWT_SECRET_KEY")
    if key and key.value == PUBLISHED:
        fault = (
            "the key of sessions is one that is published: whoever has it can sign in as anybody"
        )
        yield Finding(key.place, fault, "WEBUI_SECRET_KEY=${WEBUI_SECRET_KEY:?}")
    role, sign_up = front.variables.get("DEFAULT_USER_ROLE"), front.variables.get("ENABLE_SIGNUP")
    if (
        role
        and role.value == "admin"
        and not (sign_up and (sign_up.value or "").lower() == "false")
    ):
        fault = "DEFAULT_USER_ROLE=admin: all who sign up become administrators"
        declared = sign_up is not None and (sign_up.value or "").lower() == "true"
        yield open_unless(declared, Finding(role.place, fault, "DEFAULT_USER_ROLE=pending"))


def _administrator(front: Service) -> Iterator[Finding]:
    auth = front.variables.get("WEBUI_AUTH")
    if auth and auth.value is not None and auth.value.lower() not in ("", "true"):
        fault = f"WEBUI_AUTH={auth.value}: whoever comes is administrator"
        yield Finding(auth.place, fault, "WEBUI_AUTH=true")
        return
    yield from _made_administrator(front)
    wanted = ("WEBUI_ADMIN_EMAIL", "WEBUI_ADMIN_PASSWORD")
    known = names("openwebui", "variables").has(wanted[0], front.version)
    if (
        all(each and each.value != "" for each in map(front.variables.get, wanted))
        and known is not False
    ):
        return
    fault = (
        "no administrator is declared: where there is none yet, the first who signs up becomes it, "
        "even with ENABLE_SIGNUP=false"
    )
    yield Finding(front.place, fault, " and ".join(wanted), certain=False)


def score_runs_as_declared(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether the running Open WebUI tells what its variables declare."""
    known = {"ENABLE_SIGNUP": "enable_signup", "WEBUI_AUTH": "auth", FILE_SIZE: "max_size"}
    pairs = [
        (name, told, live.webui[key])
        for front in fronts(deployment)
        for name, key in known.items()
        if (told := front.variables.get(name)) and told.value and key in live.webui
    ]
    instead = "the same in the admin panel, or ENABLE_PERSISTENT_CONFIG=false"
    why = "the database outranks the environment"
    findings = [
        Finding(
            told.place,
            f"{name}={told.value} is declared, and /api/config tells {running}: {why}",
            instead,
        )
        for name, told, running in pairs
        if not _is_as_declared(told.value or "", running)
    ]
    absent = (
        "no running Open WebUI was named with --webui"
        if not live.webui
        else "its variables declare nothing that it tells"
    )
    return conclude(findings, audited=bool(pairs), absent=absent)


def _is_as_declared(declared: str, running: str) -> bool:
    """Whether what runs is what is declared: of a switch, whatever is not `true` is off."""
    if running in ("true", "false"):
        return (declared.lower() == "true") is (running == "true")
    return declared.lower() == running.lower()


FILE_SIZE = "RAG_FILE_MAX_SIZE"


def score_data(deployment: Deployment) -> Score:
    """Score whether Open WebUI's data, and the key of its sessions, outlive its container."""
    found = [
        each
        for each in fronts(deployment)
        if each.supervisor not in (Supervisor.SHELL, Supervisor.SYSTEMD)
    ]
    findings = of_each(found, lambda each: (*_lost_data(each), *_lost_key(each)))
    return conclude(
        findings, audited=bool(found), absent="no file starts Open WebUI in a container"
    )


def _lost_data(front: Service) -> Iterator[Finding]:
    told = front.variables.get("DATA_DIR")
    data = ((told.value if told else None) or DATA).rstrip("/")
    kept = [each.target for each in front.mounts if each.persistent]
    if any(f"{data}/".startswith(f"{each}/") for each in kept if each):
        return
    database, storage = front.variables.get("DATABASE_URL"), front.variables.get("STORAGE_PROVIDER")
    if database and storage and storage.value not in ("", "local"):
        return  # Both are elsewhere.
    below = [each for each in front.mounts if each.target.startswith(f"{data}/")]
    fault = f"{below[0].target} alone is kept" if below else f"no volume for {data}"
    place = below[0].place if below else front.place
    what = f"{fault}: accounts, settings and chats end with the container"
    yield Finding(place, what, f"open-webui:{data}")


def _lost_key(front: Service) -> Iterator[Finding]:
    if any(each.persistent and f"{KEY}/".startswith(f"{each.target}/") for each in front.mounts):
        return  # The key that the image makes is kept there.
    told = front.variables.get("WEBUI_SECRET_KEY", "WEBUI_JWT_SECRET_KEY", "WEBUI_SECRET_KEY_FILE")
    if told is None or told.value == "":
        fault = "no WEBUI_SECRET_KEY: each new container makes its own, which ends every session"
        finding = Finding(
            told.place if told else front.place, fault, "WEBUI_SECRET_KEY=${WEBUI_SECRET_KEY:?}"
        )
        yield open_unless(not front.variables.hidden, finding)


def score_user(deployment: Deployment) -> Score:
    """Score whether the engine and Open WebUI run as another user than root."""
    found = [
        each
        for each in deployment.of(Program.VLLM, Program.OPEN_WEBUI)
        if each.supervisor is not Supervisor.SHELL
    ]
    absent = "no file starts vLLM or Open WebUI in a container or a unit"
    return conclude(of_each(found, _as_root), audited=bool(found), absent=absent)


def _as_root(service: Service) -> Iterator[Finding]:
    if service.privileged and service.privileged.value == "true":
        fault = f"{service.name} is privileged: who breaks into it has the host"
        yield Finding(service.privileged.place, fault, "privileged: false")
    if service.user and service.user.value is None:
        fault = f"the user that {service.name} runs as is not told"
        yield Finding(service.user.place, fault, certain=False)
        return
    user = (service.user.value or "") if service.user else ""
    if user.partition(":")[0] in ("", "0", "root"):
        fault = f"{service.name} runs as root, the user of its image unless another is set"
        kubernetes = service.supervisor is Supervisor.KUBERNETES
        instead = "runAsUser: 1001" if kubernetes else 'user: "1001:1001"'
        yield Finding(service.user.place if service.user else service.place, fault, instead)


def score_restart(deployment: Deployment) -> Score:
    """Score whether each service is started again."""
    found = programs(deployment)
    return conclude(of_each(found, _not_restarted), audited=bool(found), absent=NO_SERVICE)


def _not_restarted(service: Service) -> Iterator[Finding]:
    told = service.restart
    policy = (told.value or "?").partition(":")[0] if told else ""
    place = told.place if told else service.place
    if service.supervisor is Supervisor.SHELL:
        fault = f"nothing shows what starts {service.name} again"
        yield Finding(place, fault, "a systemd unit with Restart=always", certain=False)
    elif policy == "?":
        yield Finding(place, f"when {service.name} is started again is not told", certain=False)
    elif service.supervisor is Supervisor.SYSTEMD:
        if policy not in ("always", "on-failure", "on-abnormal", "on-abort"):
            yield Finding(
                place, f"{service.name}: systemd starts it again only by Restart=", "Restart=always"
            )
        elif not service.with_host:
            fault = f"no [Install]: nothing shows what starts {service.name} with its host"
            yield Finding(service.place, fault, "WantedBy=multi-user.target", certain=False)
    elif service.supervisor is Supervisor.KUBERNETES:
        if policy != "Always":
            yield Finding(
                place,
                f"{service.name}: restartPolicy {policy} leaves it down",
                "restartPolicy: Always",
            )
    elif policy not in ("always", "unless-stopped", "any"):
        why = (
            f"restart: {policy} leaves it down when the host starts again"
            if policy == "on-failure"
            else "it stays down after a crash or a restart of the host"
        )
        instead = (
            "--restart unless-stopped"
            if service.supervisor is Supervisor.DOCKER
            else "restart: unless-stopped"
        )
        yield Finding(place, f"{service.name}: {why}", instead)


def score_health(deployment: Deployment) -> Score:
    """Score whether a health check of vLLM asks for an answer."""
    found = [each for each in deployment.of(Program.VLLM) if each.supervisor in _WITH_HEALTH]
    findings = of_each(found, _weak_health)
    return conclude(findings, audited=bool(found), absent="no file starts vLLM in a container")


def _weak_health(engine: Service) -> Iterator[Finding]:
    instead = "a test that asks /v1/completions for one token"
    if not engine.health:
        yield Finding(engine.place, f"{engine.name} has no health check", instead)
        return
    asked = [each.value or "" for each in engine.health]
    if wanted := [each for each in engine.health if "completions" in (each.value or "")]:
        yield from _vain_health(engine, wanted[0])
        return
    known = all(
        re.search(r"/(?:health|ping|version|metrics|v1/models)\b|a port", each) for each in asked
    )
    fault = (
        f"the health check of {engine.name} asks for no token: /health is OK while the engine hangs"
    )
    yield open_unless(known, Finding(engine.health[0].place, fault, instead))


#: The ports of its own container that a health check asks; "" for the one of HTTP.
_ASKED_PORT = re.compile(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+)|(?![\w:]))")
#: What makes curl, or what stands after it, heed the status of an answer.
_HEEDS = re.compile(r"(?<!\S)-[A-Za-z]*f[A-Za-z]*(?!\S)|--fail|http_code|\||\bgrep\b|\bjq\b")


def _vain_health(engine: Service, told: Setting) -> Iterator[Finding]:
    """What makes a health check that asks for a token one that learns nothing."""
    asked = told.value or ""
    port = engine.options.get("--port")
    own, ports = (port.value if port else "8000"), _ASKED_PORT.findall(asked)
    if ports and own and own not in ports:
        fault = f"the health check asks port {ports[0] or 80}, and {engine.name} listens on {own}"
        finding = Finding(told.place, fault, f"http://127.0.0.1:{own}/v1/completions")
        yield open_unless(not engine.options.hidden, finding)
    elif re.search(r"\bcurl\b", asked) and not _HEEDS.search(asked):
        fault = f"the health check of {engine.name} is met by any answer: curl heeds errors with -f"
        yield Finding(told.place, fault, "curl -f")


_STILL_OPEN = "without copytruncate, what writes the log goes on with the file that was renamed"


def score_logs(deployment: Deployment) -> Score:
    """Score whether logs rotate below 100 MB."""
    found = programs(deployment)
    findings = list(of_each(found, lambda each: _unbounded_logs(each, deployment)))
    findings += [
        Finding(each.place, f"logs rotate at {each.size}, above 100 MB", "size 50M")
        for each in deployment.rotations
        if (size(each.size) or 0) > MAX_LOG
    ]
    findings += [
        open_unless(each.of_containers, Finding(each.place, _STILL_OPEN, "copytruncate"))
        for each in deployment.rotations
        if each.leaves_open
    ]
    return conclude(findings, audited=bool(found), absent=NO_SERVICE)


def _unbounded_logs(service: Service, deployment: Deployment) -> Iterator[Finding]:
    contained = service.supervisor in _IN_CONTAINERS
    told = service.log_driver or (deployment.log_driver if contained else None)
    driver = (told.value or "?") if told else "json-file"
    instead = 'logging: {options: {max-size: "50m", max-file: "5"}}'
    if service.supervisor is Supervisor.DOCKER:
        instead = "--log-opt max-size=50m --log-opt max-file=5"
    if service.log_size:
        limit = size(service.log_size.value or "")
        if limit is None or limit > MAX_LOG:
            fault = (
                f"the logs of {service.name} rotate at {service.log_size.value}, not below 100 MB"
            )
            yield open_unless(
                service.log_size.value is not None, Finding(service.log_size.place, fault, instead)
            )
        return
    if any(each.of_containers is contained for each in deployment.rotations) or driver in _BOUNDED:
        return
    if service.supervisor is Supervisor.KUBERNETES:
        return  # The kubelet rotates at 10 MiB.
    shown = contained and driver == "json-file"
    fault = f"the logs of {service.name} grow without end"
    if not shown:
        fault, instead = (
            f"nothing shows at what size the logs of {service.name} rotate",
            "a logrotate file with size 50M",
        )
    place = service.log_driver.place if service.log_driver else service.place
    yield open_unless(shown, Finding(place, fault, instead))


def score_pins(deployment: Deployment) -> Score:
    """Score whether images, and models of a hub, are pinned."""
    images = [each for each in deployment.services if each.image]
    own = set(map(id, programs(deployment)))
    floating = [found for each in images if id(each) in own for found in _floating(each)]
    others = [found for each in images if id(each) not in own for found in _floating(each)]
    models = deployment.of(Program.VLLM)
    floating += [found for each in models for found in _floating_model(each)]
    if len(others) > 1:
        more = f"{others[0].fault}, as {len(others) - 1} more beside the stack"
        others = [replace(others[0], fault=more)]
    absent = "no file names an image or a model"
    return conclude([*floating, *others], audited=bool(images or models), absent=absent)


def _floating(service: Service) -> Iterator[Finding]:
    assert service.image is not None
    image = service.image.value
    if image is None:
        fault = f"which version of {service.name} is not told"
        yield Finding(service.image.place, fault, certain=False)
        return
    folder, slash, name = image.rpartition("/")
    name, _, tag = name.partition(":")
    if not _VERSION.search(_PLATFORM.sub("", tag)) and "@sha256:" not in image:
        fault = f"{image} is another program after each pull"
        yield Finding(service.image.place, fault, f"{folder}{slash}{name}:vX.Y.Z")


def _floating_model(engine: Service) -> Iterator[Finding]:
    model = engine.options.get("--model")
    named = model is not None and re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", model.value or "")
    revision = engine.options.get("--revision")
    if model and revision and _BRANCH.fullmatch(revision.value or ""):
        fault = f"--revision {revision.value} is a branch, which moves"
        yield Finding(revision.place, fault, "--revision COMMIT")
    elif model and named and not revision:
        fault = f"{model.value} is loaded from a hub as it stands that day"
        finding = Finding(model.place, fault, "--revision COMMIT")
        yield open_unless(not engine.options.hidden, finding)


def score_watchdog(deployment: Deployment) -> Score:
    """Score whether a watchdog watches what can move."""
    engine = deployment.of(Program.VLLM)
    fault = (
        "a script watches used GPU memory, which vLLM takes once at its start and holds: "
        "a threshold is met always or never"
    )
    findings = [
        open_unless(
            bool(engine),
            Finding(each.place, fault, "the metric vllm:kv_cache_usage_perc, or an answer"),
        )
        for each in deployment.watchdogs
    ]
    return conclude(
        findings, audited=bool(deployment.watchdogs), absent="no script reads the memory of a GPU"
    )
