"""Reads command lines, in shell scripts, systemd units and containers: vLLM's, and `docker run`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from readiness.checks.deployment.facts import (
    UNRESOLVED,
    Mount,
    Program,
    Service,
    Setting,
    Settings,
    Supervisor,
    referenced,
    setting,
)

ENGINE_MODULE = "vllm.entrypoints.openai.api_server"
#: The names of images that are one of the programs, behind any registry and owner.
ENGINE_IMAGE = re.compile(r"vllm(?:-(?:openai|cpu|rocm|xpu|tpu|gaudi|neuron|ascend)[\w.-]*)?")
#: The short names of options, and what older names became.
ALIASES = {
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-dp": "--data-parallel-size",
    "-q": "--quantization",
}
_SEPARATOR = re.compile(r"[;&|()<>]+")
_ASSIGNMENT = re.compile(
    r"(?:export\s+|declare\s+-x\s+|readonly\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL
)
_VARIABLE = re.compile(r"\$\{(\w+)(?::?[-=]([^{}$]*))?\}|\$(\w+)")
#: A level that stands right behind its option.
_ATTACHED = re.compile(r"^(-O)\.?([\w.]+)$")
MAX_VALUE = 4096  # characters: a variable may be made of others, and those of others
#: What a line has that starts a program, or assigns a variable.
_OF_INTEREST = re.compile(r"=|vllm|docker|podman|nerdctl")
MAX_NESTING = 5  # of substitutions in each other
#: How many lines further down a word is looked for: it may be written in another way.
NEAR = 50
_SUBSTITUTION = re.compile(r"\$\([^()]*\)|`[^`]*`")
_WHOLE_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\w+")
_WRAPPERS = frozenset({"exec", "nohup", "sudo", "time", "env", "setsid", "numactl", "uv", "run"})
#: Words before a command that assign variables, or hand it on.
_BEFORE = _WRAPPERS | {"export", "declare", "-x"}
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
#: Options of `docker run` that take no value.
_DOCKER_FLAGS = frozenset(
    [
        "--detach",
        "--rm",
        "--interactive",
        "--tty",
        "--init",
        "--privileged",
        "--read-only",
        "--no-healthcheck",
        "--publish-all",
        "--oom-kill-disable",
        "--quiet",
        "--sig-proxy",
        "--replace",
    ]
)


@dataclass(frozen=True)
class Word:
    """A word of a command line, and where it stands."""

    text: str
    place: str


def resolve(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of variables that are known, and the defaults of others."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return variables.get(name) or (match[0] if match[2] is None else match[2])

    return _VARIABLE.sub(value, text)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a script with their numbers; a backslash at the end joins the next one."""
    held, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if held else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            held += f"{line[:-1]}\n"
            continue
        yield first, held + line
        held = ""
    if held:
        yield first, held


def words(text: str, first: int, name: str) -> list[Word]:
    """The words of a logical line of a file; none where its quotes end in another line."""
    lexer = shlex.shlex(_without_substitutions(text), posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    found: list[Word] = []
    lines = text.split("\n")
    at = 0
    try:
        for word in lexer:
            key = word.split("\n")[0][:40]
            at = next(
                (each for each in range(at, min(at + NEAR, len(lines))) if key in lines[each]), at
            )
            found.append(Word(word, f"{name}:{first + at}"))
    except ValueError:
        return []  # Quotes that end in another line, as in a here-document.
    return found


def _without_substitutions(text: str) -> str:
    """A line with a variable in place of each `$(command)`, whose words are none of its own."""
    for _ in range(MAX_NESTING):
        text = _SUBSTITUTION.sub("$SUBSTITUTED", text)
    return text


def commands(given: Sequence[Word]) -> Iterator[list[Word]]:
    """The simple commands of a line: what stands between `;`, `&&` and the like."""
    command: list[Word] = []
    for each in given:
        if _SEPARATOR.fullmatch(each.text):
            yield command
            command = []
        else:
            command.append(each)
    yield command


def script_services(text: str, name: str, supervisor: Supervisor, base: Service) -> list[Service]:
    """The services that a script starts, each as `base` with what its command says."""
    variables: dict[str, str] = {}
    exported: dict[str, Setting] = dict(base.variables.named)
    base = replace(base, referenced=referenced(text))
    found = []
    for first, line in logical_lines(text):
        if not _OF_INTEREST.search(line):
            continue
        for command in commands(words(line, first, name)):
            own, exports = _assignments(command, variables)
            exported |= exports
            resolved = list(_resolved(command, variables))
            settings = replace(base.variables, named={**exported, **own})
            service = command_service(resolved, replace(base, variables=settings))
            if service:
                found.append(service)
            elif docker := _docker(resolved, supervisor):
                found.append(docker)
    return found


Assigned = dict[str, Setting]


def _assignments(command: Sequence[Word], variables: dict[str, str]) -> tuple[Assigned, Assigned]:
    """The variables that a command assigns for itself, and those that later ones see, too.

    What is assigned and not exported is the script's own alone.
    """
    found: Assigned = {}
    exports = bool(command) and command[0].text in ("export", "declare")
    rest = list(command)
    while rest and (rest[0].text in _BEFORE or _ASSIGNMENT.fullmatch(rest[0].text)):
        word, rest = rest[0], rest[1:]
        if match := _ASSIGNMENT.fullmatch(word.text):
            value = resolve(match[2], variables)
            variables[match[1]] = value if len(value) <= MAX_VALUE else "$TOO_LONG"
            found[match[1]] = setting(match[1], variables[match[1]], word.place)
    return (found if rest else {}), (found if exports else {})


def _resolved(command: Sequence[Word], variables: Mapping[str, str]) -> Iterator[Word]:
    for each in command:
        text = resolve(each.text, variables)
        if text != each.text and re.fullmatch(r"\$\{?\w+\}?", each.text) and " " in text:
            yield from (replace(each, text=part) for part in text.split())
        else:
            yield replace(each, text=text)


def command_service(command: Sequence[Word], base: Service) -> Service | None:
    """The service of a command line that starts vLLM, as `base` with its options; else None."""
    given = list(command)
    while given and (given[0].text in _WRAPPERS or _ASSIGNMENT.fullmatch(given[0].text)):
        given = given[1:]
    if not given:
        return None
    program = given[0].text.rpartition("/")[2]
    if program in _SHELLS:
        inner = [each for each in given[1:] if "vllm" in each.text]
        return shell_service(inner[0].text, inner[0].place, base) if inner else None
    if program == "vllm" and len(given) > 1:
        return engine(given[2:], replace(base, command=Setting(given[1].text, given[1].place)))
    if program.startswith("python"):
        at = next((at for at, each in enumerate(given) if each.text == ENGINE_MODULE), None)
        return None if at is None else engine(given[at + 1 :], base)
    return None


def shell_service(text: str, place: str, base: Service) -> Service | None:
    """The service that a shell is given as text, as in `sh -c`."""
    name, _, line = place.rpartition(":")
    found = script_services(text, name, base.supervisor, base)
    if not found:
        return None
    return moved(found[0], int(line) - 1, name)


def moved(service: Service, lines: int, name: str) -> Service:
    """A service whose options and command stand that many lines further down in a file."""

    def down(each: Setting) -> Setting:
        return replace(each, place=f"{name}:{int(each.place.rpartition(':')[2]) + lines}")

    options = {key: down(each) for key, each in service.options.named.items()}
    command = down(service.command) if service.command else None
    hidden = f"{name}:{lines + 1}" if service.options.hidden else ""
    return replace(service, options=Settings(options, hidden), command=command)


def engine(arguments: Sequence[Word], base: Service) -> Service:
    """The service that runs vLLM with these arguments."""
    options = read_options(arguments)
    made = replace(
        base, program=Program.VLLM, options=options, gpus=base.gpus or visible_gpus(base)
    )
    host, port = options.get("--host"), options.get("--port")
    if base.image or base.supervisor not in (Supervisor.SHELL, Supervisor.SYSTEMD):
        # On its host's network too, who listens on the loopback alone is not reached.
        return replace(made, exposed=None) if host and host.value in LOOPBACK else made
    exposed = None if options.get("--uds") else _bound(host, base.place)
    return replace(
        made, exposed=exposed, ports=frozenset({(port.value if port else None) or "8000"})
    )


def visible_gpus(service: Service) -> Setting | None:
    """The number of GPUs that a variable shows a service; None where none lists them."""
    told = service.variables.get("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")
    if told and told.value and re.fullmatch(r"\d+(,\d+)*", told.value):
        return Setting(str(len(told.value.split(","))), told.place)
    return None


def opaque(service: Service, place: str) -> Service:
    """A service that is started by a program that is not known: its options are not told."""
    return replace(service, options=Settings({}, place))


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _bound(host: Setting | None, place: str) -> Setting | None:
    """How a server that runs without a container is reached by others."""
    if host is None:
        return Setting("it listens on all addresses", place)
    if host.value in LOOPBACK:
        return None
    if host.value is None:
        return host
    return Setting(f"it listens on {host.value}", host.place)


def read_options(arguments: Sequence[Word]) -> Settings:
    """The options of a command line by their long names, and its model as `--model`."""
    named: dict[str, Setting] = {}
    hidden = ""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if UNRESOLVED.match(word.text):
            hidden = word.place
        elif word.text.startswith("-"):
            name, equals, value = _ATTACHED.sub(r"\1=\2", word.text).partition("=")
            name = long_name(name)
            if not equals and at < len(arguments) and _is_value(arguments[at].text):
                value = arguments[at].text
                at += 1
            if name == "--config":
                hidden = word.place
            named[name] = setting(name, value, word.place)
        elif "--model" not in named and word.text != "serve":
            named["--model"] = setting("--model", word.text, word.place)
    return Settings(named, hidden)


def _is_value(text: str) -> bool:
    return not text.startswith("-") or bool(re.fullmatch(r"-\d+(\.\d+)?", text))


def long_name(name: str) -> str:
    """The name of an option as vLLM lists it: it takes underscores for hyphens, and short names."""
    head, dot, rest = name.partition(".")
    return ALIASES.get(
        name, head if len(head) < 3 else f"--{head[2:].replace('_', '-')}{dot}{rest}"
    )


def image_program(image: str) -> Program:
    """The program of an image, by its name in a registry."""
    name = re.split(r"[:@]", image.rpartition("/")[2])[0]
    if ENGINE_IMAGE.fullmatch(name):
        return Program.VLLM
    return {"open-webui": Program.OPEN_WEBUI, "nginx": Program.NGINX}.get(
        name.removesuffix("-unprivileged"), Program.OTHER
    )


def size(text: str) -> float | None:
    """A size such as `50m` in bytes; None where it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip(), re.IGNORECASE)
    return float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " ") if match else None


def _docker(command: Sequence[Word], supervisor: Supervisor) -> Service | None:
    """The service of a `docker run`."""
    given = [each for each in command if each.text != "sudo"]
    texts = [each.text for each in given[:3]]
    if not texts or texts[0] not in ("docker", "podman", "nerdctl") or "run" not in texts[1:3]:
        return None
    options: list[tuple[str, Word]] = []
    rest = given[texts.index("run") + 1 :]
    while rest and rest[0].text.startswith("-"):
        word, rest = rest[0], rest[1:]
        name, attached, value = _docker_option(word.text)
        if not attached and name and name not in _DOCKER_FLAGS and rest:
            value, rest = rest[0].text, rest[1:]
        options.append((_DOCKER_SHORT.get(name, name), replace(word, text=value)))
    if not rest:
        return None
    return _container(rest[0], rest[1:], options)


def _docker_option(text: str) -> tuple[str, bool, str]:
    """An option of `docker run`, whether its value is attached to it, and that value.

    Short ones that take none may stand before one that does: `-dp 80:80`, `-p80:80`.
    """
    if text.startswith("--"):
        name, equals, value = text.partition("=")
        return name, bool(equals), value
    letters = text[1:].lstrip("ditP")
    return (f"-{letters[0]}" if letters else ""), len(letters) > 1, letters[1:].removeprefix("=")


_DOCKER_SHORT = {
    "-e": "--env", "-v": "--volume", "-p": "--publish", "--net": "--network", "-u": "--user",
}  # fmt: skip


def _container(
    image: Word, arguments: Sequence[Word], options: Sequence[tuple[str, Word]]
) -> Service:
    def last(name: str) -> Setting | None:
        found = [each for option, each in options if option == name]
        return Setting(_told(found[-1].text), found[-1].place) if found else None

    def every(name: str) -> list[Word]:
        return [each for option, each in options if option == name]

    pairs = [(each.text.partition("="), each.place) for each in every("--env")]
    variables = {
        name: setting(name, value, place) if equals else Setting(None, place)
        for (name, equals, value), place in pairs
    }
    files = every("--env-file")
    network, published = last("--network"), every("--publish")
    name = last("--name")
    called = (name.value if name else None) or image.text.rpartition("/")[2].partition(":")[0]
    sizes = [each for each in every("--log-opt") if each.text.startswith("max-size=")]
    base = Service(
        name=called,
        place=image.place,
        program=image_program(image.text),
        supervisor=Supervisor.DOCKER,
        image=Setting(_told(image.text), image.place),
        variables=Settings(variables, files[0].place if files else ""),
        restart=last("--restart"),
        health=[each] if (each := last("--health-cmd")) else None,
        log_driver=last("--log-driver"),
        log_size=Setting(sizes[-1].text.partition("=")[2], sizes[-1].place) if sizes else None,
        user=last("--user"),
        mounts=tuple(filter(None, map(mount, every("--volume"))))
        + tuple(map(_mount_option, every("--mount"))),
        exposed=exposure(network, published),
        opened=opened(network, published),
        names=frozenset({called}),
        ports=frozenset(filter(None, (host_port(each.text)[1] for each in published))),
        gpus=_gpus(last("--gpus")),
    )
    if base.program is not Program.VLLM:
        return base
    if entry := last("--entrypoint"):
        arguments = [Word(entry.value or "$entry", entry.place), *arguments]
        return command_service(arguments, base) or opaque(base, entry.place)
    return command_service(arguments, base) or engine(arguments, base)


def _told(text: str) -> str | None:
    return None if UNRESOLVED.search(text) else text


def _gpus(given: Setting | None) -> Setting | None:
    """The number of GPUs that `--gpus` gives: a number, all, or a list of devices."""
    if given is None or given.value is None:
        return given
    devices = re.search(r"device=([\w,:.-]+)", given.value)
    return replace(given, value=str(len(devices[1].split(",")))) if devices else given


def mount(word: Word) -> Mount | None:
    """The mount of `-v SOURCE:TARGET[:OPTIONS]`, or of a target alone."""
    parts = word.text.split(":")
    if len(parts) > 1 and re.fullmatch(r"[A-Za-z]", parts[0]) and parts[1].startswith("\\"):
        parts = [f"{parts[0]}:{parts[1]}", *parts[2:]]
    target = parts[1] if len(parts) > 1 else parts[0]
    # A volume without a name belongs to its container.
    return Mount(target.rstrip("/"), len(parts) > 1, word.place) if target.startswith("/") else None


def _mount_option(word: Word) -> Mount:
    fields = dict(each.partition("=")[::2] for each in word.text.split(","))
    target = fields.get("target") or fields.get("dst") or fields.get("destination") or ""
    return Mount(target.rstrip("/"), fields.get("type") != "tmpfs", word.place)


def host_port(text: str) -> tuple[str, str, str]:
    """The address, the host's port and the container's in `[ADDRESS:][HOST:]CONTAINER`."""
    address, _, rest = text.partition("/")[0].rpartition("]:")
    if address:
        host, _, container = rest.rpartition(":")
        return f"{address}]", host, container
    *before, container = text.partition("/")[0].split(":")
    host = before.pop() if before else ""
    return ":".join(before), host, container


def opened(network: Setting | None, published: Sequence[Word]) -> frozenset[str]:
    """The ports of a container that are reached from outside of its host; `*` for all."""
    if network and network.value == "host":
        return frozenset({"*"})
    found = [host_port(_WHOLE_VARIABLE.sub("?", each.text)) for each in published]
    return frozenset(
        port for address, _, port in found if address.strip("[]") not in (*LOOPBACK, "?")
    )


def exposure(network: Setting | None, published: Sequence[Word]) -> Setting | None:
    """How a container is reached from outside of its host; None where nothing shows that it is."""
    if network and network.value == "host":
        return Setting("it listens on all addresses of the host", network.place)
    for each in published:
        address, host, container = host_port(_WHOLE_VARIABLE.sub("?", each.text))
        if "?" in address:
            return Setting(None, each.place)
        if address.strip("[]") not in LOOPBACK:
            port = host or container
            return Setting(f"port {port} is published on all addresses of the host", each.place)
    return None
