"""Scores vLLM's settings: names, window, memory, cards, and who may reach it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from readiness.checks.deployment.facts import (
    PUBLISHED,
    Deployment,
    LiveFacts,
    ModelConfig,
    Program,
    ProxyLocation,
    Service,
    Setting,
    Supervisor,
)
from readiness.checks.deployment.findings import Finding, conclude, of_each, open_unless
from readiness.checks.deployment.gather import scaled_window
from readiness.checks.deployment.known_settings import Names, names
from readiness.checks.deployment.nginx import hands_on, is_guarded, is_reached, serves
from readiness.score import Score

NO_ENGINE = "no file starts vLLM"
NOT_SHOWN = "no file shows all options of vLLM"
#: The load scenario's requests: 8,200 tokens and a reply (the article's ticket summary).
SCENARIO_TOKENS = 8_400
MAX_SHARE = 0.95  # of a GPU's memory, which the driver and CUDA graphs share
#: From this version on, config.json has to state the window that YaRN makes.
YARN_IN_CONFIG = (0, 33)
_DEV_MODE, _LONGER = "VLLM_SERVER_DEV_MODE", "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
_UNGUARDED = (
    "/invocations, /metrics and /docs answer without it: "
    "--api-key guards /v1, /v2, /inference and /cohere alone"
)
#: A switch of vLLM, what turns it on, and the route that it opens to whoever has the key.
_LORA, _ON, _LOADS = "VLLM_ALLOW_RUNTIME_LORA_UPDATING", ("1", "true"), "/v1/load_lora_adapter"
#: A route that no key guards.
_PROBED = "/invocations"
_RUNTIME = re.compile(r"VLLM_(?:PORT|SERVICE)(?:_|$)")


def engines(deployment: Deployment) -> list[Service]:
    """The services that run vLLM."""
    return deployment.of(Program.VLLM)


def version_of(service: Service, live: LiveFacts) -> str:
    """The version of vLLM: the one that answers, or that of its image's tag."""
    return live.engine_version or service.version


def score_options(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether each option and variable is one that its program reads."""
    found, fronts = engines(deployment), deployment.of(Program.OPEN_WEBUI)
    findings = [
        each
        for one in found
        for each in islice(_engine_names(one, version_of(one, live)), MAX_UNKNOWN)
    ]
    told = live.webui.get("version", "")
    findings += [
        each
        for one in fronts
        for each in islice(_webui_names(one, told or one.version), MAX_UNKNOWN)
    ]
    findings += [each for one in (*found, *fronts) for each in _not_shown(one)]
    absent = "no file starts vLLM or Open WebUI"
    return conclude(findings, audited=bool(found or fronts), absent=absent)


def _not_shown(service: Service) -> Iterator[Finding]:
    place = service.options.hidden or service.variables.hidden or service.partial
    if place:
        fault = f"more settings of {service.name} stand where nothing was read"
        yield Finding(place, fault, "--deployment with the file that has them", certain=False)


def _engine_names(engine: Service, version: str) -> Iterator[Finding]:
    options, commands = names("vllm", "options"), names("vllm", "commands")
    if engine.command and not commands.ever(engine.command.value or ""):
        fault = f"vllm {engine.command.value} is no command of any version from {_span(commands)}"
        yield Finding(engine.command.place, fault, "vllm serve MODEL")
    for name, each in engine.options.named.items():
        known = _known_option(options, name, version)
        if known is not True:
            yield _unknown(f"vLLM {version}".strip(), options, name, each, version)
        elif (
            each.value and (allowed := options.values(name, version)) and each.value not in allowed
        ):
            read = options.was_read(version)
            which = f"vLLM {version}" if version else "which vLLM runs is not told: the newest"
            takes = "takes" if read or not version else "was not read, and those next to it take"
            fault = f"{name} {each.value}: {which} {takes} {', '.join(allowed)}"
            instead = f"{name} {_closest(each.value, allowed)}"
            yield Finding(each.place, fault, instead, read)
    variables = names("vllm", "variables")
    for name, each in engine.variables.named.items():
        if (
            name.startswith("VLLM_")
            and not _RUNTIME.match(name)
            and (name not in engine.referenced or variables.ever(name))
            and variables.has(name, version) is not True
        ):
            yield _unknown(f"vLLM {version}".strip(), variables, name, each, version)


def _known_option(options: Names, name: str, version: str) -> bool | None:
    """Whether a version has an option: a switch may be negated, and a field of one set by a dot."""
    name = name.partition(".")[0]
    if name == "-O":
        return True  # Which level; the parser takes it out before the options are read.
    found = [options.has(each, version) for each in (name, re.sub(r"^--no-", "--", name))]
    if True in found:
        return True
    # A name that ends early stands for the only one that begins so.
    longer = [
        each for each in options.table if each.startswith(name) and options.has(each, version)
    ]
    return True if len(longer) == 1 else found[0]


def _closest(value: str, allowed: object) -> str:
    known = list(allowed) if isinstance(allowed, list | tuple) else []
    close = difflib.get_close_matches(value, known, 1)
    return close[0] if close else ("auto" if "auto" in known else known[0])


def _span(known: Names) -> str:
    return f"{known.versions[0]} to {known.newest}"


def _unknown(program: str, known: Names, name: str, each: Setting, version: str) -> Finding:
    """A name that the version does not read; open where the version is unknown here."""
    current = [other for other in known.table if known.has(other, version or known.newest)]
    close = difflib.get_close_matches(name, current, 1, 0.75)
    if known.was_read(version):
        fault = f"{name} is read by nothing in {program}"
    else:
        elsewhere = (
            "some have" if known.ever(name) else f"none from {_span(known)} that was read has"
        )
        which = (
            f"{program} was not read" if version else f"which version of {program} runs is not told"
        )
        fault = f"{name}: {which}, and {elsewhere} it"
    return Finding(
        each.place, fault, f"{close[0]}" if close else f"leave {name} out", known.was_read(version)
    )


#: How the variables begin that nobody but Open WebUI reads; others are also a library's, a
#: database's or the user's own.
OWN_FAMILIES = re.compile(
    "AIOHTTP|AUDIO|AUTOCOMPLETE|BYPASS|CHAT|CHUNK|CODE|CORS|DEFAULT|ENABLE|EVALUATION|FOLLOW"
    "|IMAGES?|JWT|LDAP|OAUTH|PDF|RAG|TAGS|TASK|TITLE|TOOLS|USER|WEB|WEBSOCKET|WEBUI"
)
MAX_UNKNOWN = 50  # names of one service that are looked up
MIN_LIKENESS = 0.85  # of a name of another family that is probably misspelt


def _webui_names(front: Service, version: str) -> Iterator[Finding]:
    known = names("openwebui", "variables")
    for name, each in front.variables.named.items():
        if known.has(name, version) or (name in front.referenced and not known.ever(name)):
            continue
        family = name.partition("_")[0]
        own = "_" in name and OWN_FAMILIES.fullmatch(family)
        alike = [other for other in known.table if other.partition("_")[0] == family]
        if own or difflib.get_close_matches(name, alike, 1, MIN_LIKENESS):
            yield _unknown(f"Open WebUI {version}".strip(), known, name, each, version)


def tokens(text: str | None) -> int | None:
    """A number of tokens as vLLM reads it: `32768`, `32k` (thousands) or `32K` (1,024s)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgKMG]?)", (text or "").strip())
    if not match:
        return None
    factor = {"k": 10**3, "m": 10**6, "g": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}.get(
        match[2], 1
    )
    return int(float(match[1]) * factor)


def _window(engine: Service) -> tuple[Setting, int] | None:
    told = engine.options.get("--max-model-len")
    number = tokens(told.value) if told else None
    return (told, number) if told and number else None


def score_window(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether the declared window is one that config.json allows."""
    model = deployment.model
    declared = [(each, found) for each in engines(deployment) if (found := _window(each))]
    if not declared:
        return conclude([], audited=False, absent="no --max-model-len in the files")
    if model is None or model.window is None:
        return conclude(
            [], audited=False, absent="no config.json of the model that tells its window"
        )
    findings = [
        Finding(told.place, fault, instead)
        for engine, (told, window) in declared
        for fault, instead in _too_long(engine, window, model, version_of(engine, live))
    ]
    return conclude(findings, audited=True, absent="")


def _too_long(
    engine: Service, window: int, model: ModelConfig, version: str
) -> Iterator[tuple[str, str]]:
    assert model.window is not None
    scaled = max(
        filter(None, (model.scaled_window, _overridden(engine, model.window))), default=None
    )
    allowed = max(model.window, scaled or 0)
    if window > allowed:
        told = f"--max-model-len {window} is more than the {allowed} positions of {model.file}"
        instead = f"--max-model-len {allowed}, or YaRN in {model.file} (rope_scaling)"
        longer = engine.variables.get(_LONGER)
        what = "what is read beyond them is lost" if longer else "vLLM does not start"
        yield f"{told}: {what}", instead
    elif window > model.window and tuple(map(int, re.findall(r"\d+", version))) >= YARN_IN_CONFIG:
        told = f"max_position_embeddings {model.window} of {model.file} is scaled already"
        fault = f"--max-model-len {window} is too long: to vLLM {version}, {told}"
        yield fault, f'"max_position_embeddings": {window}'


def _overridden(engine: Service, window: int) -> int | None:
    """The window that the command line's own scaling allows."""
    found = []
    for name in ("--rope-scaling", "--hf-overrides"):
        content = _document(engine, name)
        if isinstance(content, dict):
            rope = (
                content
                if name == "--rope-scaling"
                else content.get("rope_scaling") or content.get("rope_parameters")
            )
            found += [scaled_window(rope, window), content.get("max_position_embeddings")]
    return max((each for each in found if isinstance(each, int)), default=None)


def _document(engine: Service, name: str) -> Any:
    """The JSON that an option is given, whole or by its fields, as `--hf-overrides.a.b 4`."""
    told = engine.options.get(name)
    content = _json(told.value if told else None) or {}
    for option, each in engine.options.named.items():
        if option.startswith(f"{name}.") and isinstance(content, dict):
            inner = content
            *path, last = option.split(".")[1:]
            for key in path:
                if not isinstance(inner.get(key), dict):
                    inner[key] = {}
                inner = inner[key]
            inner[last] = _json(each.value)
    return content


def _json(text: str | None) -> Any:
    """What a text says in JSON; the text itself where it is none."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return text


def score_served_window(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether the window that the list of models tells is the declared one."""
    declared = [found for each in engines(deployment) if (found := _window(each))]
    if not declared or live.window is None:
        absent = (
            "no --max-model-len in the files" if live.window else "the endpoint tells no window"
        )
        return conclude([], audited=False, absent=absent)
    if live.window in {window for _, window in declared}:
        return conclude([], audited=True, absent="")
    told, window = declared[0]
    fault = f"--max-model-len {window} is declared, and /v1/models tells {live.window}"
    return conclude(
        [Finding(told.place, fault, f"--max-model-len {live.window}, or start it anew")],
        audited=True,
        absent="",
    )


def cache_tokens(live: LiveFacts) -> int | None:
    """The tokens that the key-value cache holds; None where nobody says."""
    size = live.cache.get("kv_cache_size_tokens", "")
    if size.isdigit():
        return int(size)
    blocks, block = live.cache.get("num_gpu_blocks", ""), live.cache.get("block_size", "")
    return int(blocks) * int(block) if blocks.isdigit() and block.isdigit() else None


def score_window_memory(live: LiveFacts) -> Score:
    """Score whether one request of the whole window fits the key-value cache."""
    room = live.cache.get("kv_cache_max_concurrency", "")
    held = cache_tokens(live)
    if re.fullmatch(r"\d+(\.\d+)?", room):
        fits, shown = float(room) >= 1, f"kv_cache_max_concurrency {room}"
    elif held is not None and live.window:
        fits, shown = held >= live.window, f"{held} tokens of cache for a window of {live.window}"
    else:
        return conclude([], audited=False, absent="no metrics tell the size of the key-value cache")
    fault = f"one request of the whole window does not fit the key-value cache: {shown}"
    found = (
        []
        if fits
        else [Finding("vllm:cache_config_info", fault, "a smaller --max-model-len, or more memory")]
    )
    return conclude(found, audited=True, absent="")


def score_concurrency(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether --max-num-seqs is within what the cache bears at the load scenario's length."""
    held = cache_tokens(live)
    declared = [
        each for engine in engines(deployment) if (each := engine.options.get("--max-num-seqs"))
    ]
    if not declared or held is None:
        absent = (
            "no --max-num-seqs in the files"
            if held
            else "no metrics tell the size of the key-value cache"
        )
        return conclude([], audited=False, absent=absent)
    room = held // SCENARIO_TOKENS
    findings = []
    for each in declared:
        number = tokens(each.value)
        if number and number > room:
            fault = f"--max-num-seqs {number}, and room for {room} of {SCENARIO_TOKENS} tokens"
            findings.append(
                Finding(
                    each.place,
                    f"{fault}: the others are preempted",
                    f"--max-num-seqs {max(room, 1)}",
                )
            )
    return conclude(findings, audited=True, absent="")


def score_memory_share(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether the share of GPU memory is the declared one, and leaves some."""
    option = "--gpu-memory-utilization"
    running = live.cache.get("gpu_memory_utilization", "")
    declared = [
        each
        for engine in engines(deployment)
        if (each := engine.options.get(option)) and each.value
    ]
    findings = []
    if not declared and (_number(running) or 0) > MAX_SHARE:
        fault = f"{option} {running} runs, which leaves the driver less than {1 - MAX_SHARE:.0%}"
        findings.append(Finding("vllm:cache_config_info", fault, f"{option} 0.90"))
    for each in declared:
        share = _number(each.value)
        if running and share is not None and _number(running) != share:
            fault = (
                f"{option} {each.value} is declared, and {running} runs (vllm:cache_config_info)"
            )
            findings.append(Finding(each.place, fault, f"{option} {running}, or start it anew"))
        elif share is not None and share > MAX_SHARE:
            fault = f"{option} {each.value} leaves the driver less than {1 - MAX_SHARE:.0%}"
            findings.append(Finding(each.place, fault, f"{option} 0.90"))
    absent = f"no {option} in the files"
    return conclude(findings, audited=bool(declared or findings), absent=absent)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def score_cards(deployment: Deployment) -> Score:
    """Score whether the parallel processes are as many as the GPUs given, and divide the heads."""
    known = [
        each
        for each in engines(deployment)
        if each.gpus and each.gpus.number
        if each.options.get("--tensor-parallel-size") or not each.options.hidden
    ]
    findings = of_each(known, lambda each: _cards(each, deployment.model))
    return conclude(
        findings, audited=bool(known), absent="no file tells how many GPUs vLLM is given"
    )


_SPREAD = (
    "--nnodes",
    "--node-rank",
    "--data-parallel-size-local",
    "--distributed-executor-backend",
    "--headless",
)


def _cards(engine: Service, model: ModelConfig | None) -> Iterator[Finding]:
    sizes = {}
    for name in ("--tensor-parallel-size", "--pipeline-parallel-size", "--data-parallel-size"):
        told = engine.options.get(name)
        sizes[name] = tokens(told.value) if told else 1
    tensor = engine.options.get("--tensor-parallel-size")
    assert engine.gpus is not None
    if None in sizes.values():
        yield Finding(
            engine.gpus.place, "how many processes share the model is not told", certain=False
        )
        return
    used = 1
    for each in sizes.values():
        used *= each or 1
    given = engine.gpus.number
    if used != given:
        place = tensor.place if tensor else engine.gpus.place
        given_at = f"{given} GPUs are given ({engine.gpus.place})"
        fault = f"tensor x pipeline x data parallel is {used}, and {given_at}"
        shown = not engine.options.hidden and not engine.options.get(*_SPREAD)
        yield open_unless(
            shown, Finding(place, fault, f"--tensor-parallel-size {given}, or give it {used}")
        )
    size = sizes["--tensor-parallel-size"] or 1
    if tensor and model and model.heads and model.heads % size:
        fault = (
            f"--tensor-parallel-size {size} does not divide the {model.heads} heads of {model.file}"
        )
        yield Finding(tensor.place, f"{fault}: vLLM does not start", "a divisor of it")


def score_access(deployment: Deployment) -> Score:
    """Score whether a key guards each engine that more than its gateway reaches."""
    found = engines(deployment)
    findings = [finding for each in found for finding in _unguarded(each)]
    findings += [
        each for location in deployment.locations for each in _handed_on(location, deployment)
    ]
    return conclude(findings, audited=bool(found), absent=NO_ENGINE)


def _handed_on(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    """What nginx hands on to an engine for whoever comes."""
    behind = [each for each in deployment.behind(location) if each.program is Program.VLLM]
    if not behind or is_guarded(location):
        return
    shown = is_reached(location, deployment)
    if shown is False:
        return
    certain = bool(shown) and not location.hidden
    if location.key:
        fault = "nginx sends vLLM its key for whoever comes"
        yield open_unless(
            certain, Finding(location.key.place, fault, "auth_basic, or leave it out")
        )
    elif any(has_key(each) is False for each in behind):
        fault = "whoever reaches nginx reaches vLLM, which asks for no key that is secret"
        yield open_unless(certain, Finding(location.place, fault, "VLLM_API_KEY, or auth_basic"))


def has_key(engine: Service) -> bool | None:
    """Whether a key is required that is not published; None where the files do not show it."""
    told = [
        each
        for each in (engine.options.get("--api-key"), engine.variables.get("VLLM_API_KEY"))
        if each
    ]
    if any(each.value is None or each.value not in ("", PUBLISHED) for each in told):
        return True
    return None if engine.options.hidden or engine.variables.hidden else False


def _closed(engine: Service) -> str:
    """The line by which nobody but its own host or cluster reaches an engine."""
    if engine.supervisor is Supervisor.KUBERNETES:
        return "a network policy"
    return 'publish "127.0.0.1:8000:8000" alone' if engine.image else "--host 127.0.0.1"


def _unguarded(engine: Service) -> Iterator[Finding]:
    if has_key(engine) or not engine.exposed:
        return
    how = engine.exposed.value or "what else reaches it is not told"
    shown = (
        engine.exposed.value is not None and has_key(engine) is False and not engine.options.hidden
    )
    instead = f"VLLM_API_KEY in its environment, or {_closed(engine)}"
    yield open_unless(
        shown,
        Finding(engine.exposed.place, f"{how}, and vLLM asks for no key that is secret", instead),
    )


def score_admin_routes(deployment: Deployment) -> Score:
    """Score whether routes beside the guarded ones are closed to strangers."""
    found = engines(deployment)
    findings = list(of_each(found, _open_routes))
    findings += [
        each for location in deployment.locations for each in _whole_engine(location, deployment)
    ]
    findings += [
        each for location in deployment.locations for each in _adapters(location, deployment)
    ]
    closed = [
        each
        for each in found
        if not (each.variables.hidden or each.partial) and (has_key(each) or not each.exposed)
    ]
    absent = "which routes a key guards is not told, or no key is asked for" if found else NO_ENGINE
    return conclude(findings, audited=bool(found) and closed == found, absent=absent)


def _open_routes(engine: Service) -> Iterator[Finding]:
    mode = engine.variables.get(_DEV_MODE)
    if mode and (mode.value or "").strip() not in ("", "0"):
        fault = f"{_DEV_MODE} is on: /server_info, /sleep, /collective_rpc … answer without a key"
        yield Finding(mode.place, fault, f"{_DEV_MODE}=0")
    if engine.exposed and engine.exposed.value and has_key(engine):
        fault = f"{engine.exposed.value}, and {_UNGUARDED}"
        yield Finding(engine.exposed.place, fault, f"{_closed(engine)}, behind a gateway")


def _whole_engine(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    leads = any(each.program is Program.VLLM for each in deployment.behind(location))
    if leads and hands_on(location, _PROBED) and not is_guarded(location):
        fault = f"every path leads to vLLM, and {_UNGUARDED}"
        yield open_unless(
            not location.hidden, Finding(location.place, fault, "location /v1/ { … }")
        )


def _adapters(location: ProxyLocation, deployment: Deployment) -> Iterator[Finding]:
    """Whether nginx leads users to the route by which vLLM loads adapters."""
    found = [
        told
        for each in deployment.behind(location)
        if (told := each.variables.get(_LORA)) and (told.value or "").strip().lower() in _ON
    ]
    if found and serves(location, _LOADS) and not is_guarded(location):
        reached = is_reached(location, deployment)
        fault = f"{_LORA} is on, and nginx leads to {_LOADS}: each user changes the models of all"
        finding = Finding(found[0].place, fault, f"location = {_LOADS} {{ deny all; }}")
        if reached is not False:
            yield open_unless(bool(reached) and not location.hidden, finding)


def score_remote_code(deployment: Deployment, live: LiveFacts) -> Score:
    """Score whether the model's own code is run where vLLM needs none of it."""
    option, model = "--trust-remote-code", deployment.model
    given = [(each, told) for each in engines(deployment) if (told := each.options.get(option))]
    if not given:
        return conclude([], audited=_all_shown(deployment), absent=NOT_SHOWN)
    findings = []
    for engine, told in given:
        version = version_of(engine, live)
        if model is None:
            fault = f"{option}: whether the model has code of its own is told by its config.json"
            findings.append(
                Finding(told.place, fault, "--deployment PATH/config.json", certain=False)
            )
        elif not model.has_code:
            fault = f"{option}, and {model.file} has no auto_map: there is no such code to run"
            findings.append(Finding(told.place, fault, f"leave {option} out"))
        elif _is_built_in(model, version):
            fault = f"{option}, and vLLM has {model.architectures[0]} built in"
            findings.append(Finding(told.place, fault, f"leave {option} out"))
    return conclude(findings, audited=True, absent="")


def _is_built_in(model: ModelConfig, version: str) -> bool:
    known = names("vllm", "architectures")
    return bool(model.architectures) and all(
        known.has(each, version) for each in model.architectures
    )


def score_cuda_graphs(deployment: Deployment) -> Score:
    """Score whether CUDA graphs are left on."""
    option = "--enforce-eager"
    given = [told for each in engines(deployment) if (told := each.options.get(option))]
    fault = f"{option} turns CUDA graphs and compilation off, which makes each short step longer"
    findings = [Finding(each.place, fault, f"leave {option} out") for each in given]
    return conclude(findings, audited=_all_shown(deployment), absent=NOT_SHOWN)


def _all_shown(deployment: Deployment) -> bool:
    """Whether there are engines, and the files show all of their options: what is absent is."""
    found = engines(deployment)
    return bool(found) and not any(each.options.hidden or each.partial for each in found)
