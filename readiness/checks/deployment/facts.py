"""What the files of a deployment say, each with where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

#: What stands for the value of a secret.
SET = "(set)"
#: What stands for the value of a secret that a manual or a source prints.
PUBLISHED = "(published)"
#: Open WebUI's own where none is set, and those of the examples of vLLM and LiteLLM.
_PUBLISHED = frozenset({"t0p-s3cr3t", "token-abc123", "EMPTY", "sk-1234"})
SECRET = re.compile(
    r"KEY|SECRET|PASSW|TOKEN(?!IZ)|CREDENTIAL|PRIVATE|COOKIE|AUTHORIZATION|_DSN$|DATABASE_URL|REDIS_URL"
    r"|CONNECTION_STRING|_SALT$",
    re.IGNORECASE,
)
#: A variable whose value no file tells, in a shell's, a compose file's or a manifest's form.
#: The user and password of a URL.
USER = re.compile(r"://[^\s/@]*@")
UNRESOLVED = re.compile(r"\$[\w{(@*]")


class Program(StrEnum):
    """A program of the stack whose settings are known."""

    VLLM = "vLLM"
    OPEN_WEBUI = "Open WebUI"
    NGINX = "nginx"
    OTHER = "another program"


class Supervisor(StrEnum):
    """What starts a service, and starts it again."""

    COMPOSE = "docker compose"
    DOCKER = "docker run"
    KUBERNETES = "Kubernetes"
    SYSTEMD = "systemd"
    SHELL = "a shell script"


@dataclass(frozen=True)
class Setting:
    """A value, and where it stands.

    Args:
        value: The value; None where it is set to what the files do not tell.
        place: The file and line, as in `docker-compose.yml:4`.
    """

    value: str | None
    place: str

    @property
    def number(self) -> int | None:
        """The value as a whole number; None where it is none."""
        return int(self.value) if self.value and self.value.isdecimal() else None


def referenced(text: str) -> frozenset[str]:
    """The names of the variables that a text refers to."""
    return frozenset(re.findall(r"\$[{(]?(\w+)", text))


def setting(name: str, text: str, place: str) -> Setting:
    """The setting of a name; of a secret, only whether it is set, and to one that all know."""
    if UNRESOLVED.search(text):
        return Setting(None, place)
    text = USER.sub("://", text)
    if text and SECRET.search(name):
        return Setting(PUBLISHED if text in _PUBLISHED else SET, place)
    return Setting(text, place)


@dataclass(frozen=True)
class Settings:
    """The options or the variables of a program.

    Args:
        named: Each by its name, as it was given last.
        hidden: Where more are set than the files show; "" where all are shown.
    """

    named: Mapping[str, Setting] = field(default_factory=dict)
    hidden: str = ""

    def get(self, *names: str) -> Setting | None:
        """The first of some names that is set; None where none is, as far as the files show."""
        return next((self.named[each] for each in names if each in self.named), None)


@dataclass(frozen=True)
class Mount:
    """A folder of a container that is mounted.

    Args:
        target: The folder in the container.
        persistent: Whether it outlives the container.
        place: Where it is declared.
    """

    target: str
    persistent: bool
    place: str


@dataclass(frozen=True)
class Service:
    """A program that the files start.

    Args:
        name: Its name in its file.
        place: Where it is declared.
        program: Which program it is, by its image or its command.
        supervisor: What starts it.
        image: Its image; None where it runs in none, or is built.
        options: The options of its command, by their long names.
        command: What follows the program's name on its command line, as `serve`; None where nothing
            does.
        variables: Its environment.
        restart: When it is started again; None where nobody says.
        with_host: Whether it is started with its host; of a unit, whether something wants it.
        health: What its health checks ask for: commands or paths; None where it has none.
        log_driver: The driver of its logs; None for the default.
        log_size: The size at which its logs rotate; None where nobody says.
        user: The user that it runs as; None for the image's.
        privileged: Whether its container has all rights on its host; None where nobody says.
        mounts: Its mounts.
        exposed: How more than its gateway reaches it; None where nothing shows that.
        opened: The ports of its container that more than its host reaches, `*` for all.
        names: The host names by which others reach it.
        ports: The ports of the host, or of its name, that lead to it.
        gpus: The number of its GPUs, `all`, or None where nobody says.
        partial: Where it is extended from what was not read; "" where all of it is shown.
        referenced: The variables that its file refers to by itself, whoever else reads them.
    """

    name: str
    place: str
    program: Program
    supervisor: Supervisor
    image: Setting | None = None
    options: Settings = field(default_factory=Settings)
    command: Setting | None = None
    variables: Settings = field(default_factory=Settings)
    restart: Setting | None = None
    with_host: bool = True
    health: Sequence[Setting] | None = None
    log_driver: Setting | None = None
    log_size: Setting | None = None
    user: Setting | None = None
    privileged: Setting | None = None
    mounts: Sequence[Mount] = ()
    exposed: Setting | None = None
    opened: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    ports: frozenset[str] = frozenset()
    gpus: Setting | None = None
    partial: str = ""
    referenced: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        """The version by the tag of the program's own image; "" where it tells none."""
        found = (
            re.search(r":v?(\d+\.\d+\.\d+)(?:[.-]\w+)*(?:@|$)", self.image.value or "")
            if self.image
            else None
        )
        return found[1] if found and self.program is not Program.OTHER else ""


@dataclass(frozen=True)
class Directive:
    """A directive of nginx, as it applies to a location.

    Args:
        name: Its name.
        arguments: Its arguments.
        place: Where it stands.
    """

    name: str
    arguments: Sequence[str]
    place: str


@dataclass(frozen=True)
class ErrorPage:
    """What nginx answers in place of a status.

    Args:
        status: The status that is answered then; None where the page decides.
        headers: The headers that are added to it; None where no location of its own has it.
    """

    status: str | None
    headers: frozenset[str] | None


@dataclass(frozen=True)
class ProxyLocation:
    """A location of nginx that hands requests on.

    Args:
        paths: The paths by which requests come to it, as in `location /v1/`: of a named one, those
            of the locations that name it.
        place: Where it hands on.
        targets: The hosts and ports to which, as in `webui:8080`; empty where a variable tells.
        directives: The directives that apply to it, its own or inherited, by name.
        uri: The path that takes the place of its own; "" where the request's is kept.
        hidden: An included file that was not shown, and may set others; "" where there is none.
        error_pages: What is answered in place of a status, by it.
        zones: The keys of the zones of limits, by zone.
        siblings: The locations of its server, in their order, as in `location /v1/`.
    """

    paths: Sequence[str]
    place: str
    targets: Sequence[str]
    directives: Mapping[str, Sequence[Directive]]
    uri: str = ""
    hidden: str = ""
    error_pages: Mapping[str, ErrorPage] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    siblings: Sequence[str] = ()

    def get(self, name: str) -> Directive | None:
        """The directive of a name that applies; None where none does."""
        return next(iter(self.directives.get(name, ())), None)

    @property
    def key(self) -> Directive | None:
        """The header by which nginx itself signs in where it hands on; None where it does not."""
        return next(
            (
                each
                for each in self.directives.get("proxy_set_header", ())
                if each.arguments[0].lower() == "authorization" and each.arguments[1:] == (SET,)
            ),
            None,
        )


@dataclass(frozen=True)
class ModelConfig:
    """What the model's config.json says.

    Args:
        file: Its name.
        architectures: The names of its classes.
        has_code: Whether it names code of its own (`auto_map`).
        window: The most tokens that it allows without scaling; None where it says none.
        scaled_window: The same with its YaRN scaling; None where it has none.
        heads: The number of attention heads; None where it says none.
    """

    file: str
    architectures: Sequence[str]
    has_code: bool
    window: int | None
    scaled_window: int | None
    heads: int | None


@dataclass(frozen=True)
class Rotation:
    """A rule by which logs rotate.

    Args:
        size: The size at which they do, as text.
        of_containers: Whether it is for the logs of containers: the daemon's, or in its folder.
        place: Where it stands.
        leaves_open: Whether a file is renamed, and nothing tells so whoever writes it.
    """

    size: str
    of_containers: bool
    place: str
    leaves_open: bool = False


@dataclass(frozen=True)
class Deployment:
    """What the files of a deployment say.

    Args:
        services: The programs that they start.
        locations: The locations of nginx that hand requests on.
        model: The model's configuration; None where none was shown, or several.
        rotations: The rules by which logs rotate, of logrotate and of the daemon.
        log_driver: The driver of the containers' logs, by the daemon; None for its default.
        watchdogs: The places at which a script reads the GPU's used memory.
        unread: Why parts of the files could not be read.
        digests: The SHA-256 of each file, with the values of secrets replaced.
        secrets: The values of secrets, to redact.
    """

    services: Sequence[Service] = ()
    locations: Sequence[ProxyLocation] = ()
    model: ModelConfig | None = None
    rotations: Sequence[Rotation] = ()
    log_driver: Setting | None = None
    watchdogs: Sequence[Setting] = ()
    unread: Sequence[str] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = field(default=(), repr=False)

    def of(self, *programs: Program) -> list[Service]:
        """The services that run one of some programs."""
        return [each for each in self.services if each.program in programs]

    def behind(self, location: ProxyLocation) -> list[Service]:
        """The services that a location hands requests to, as far as the files show."""
        return [
            each
            for each in self.services
            if any(_leads(target, each) for target in location.targets)
        ]


LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "host.docker.internal"})


def _leads(target: str, service: Service) -> bool:
    host, _, port = target.rpartition(":")
    if host in LOCAL:
        return port in service.ports
    return host.partition(".")[0] in service.names


@dataclass(frozen=True)
class LiveFacts:
    """What the running servers tell of themselves.

    Args:
        window: The context window that the list of models tells, in tokens; None where unknown.
        cache: The labels of vLLM's `vllm:cache_config_info`; empty where no page of metrics has it.
        engine_version: vLLM's version; "" where unknown.
        webui: The public configuration of Open WebUI, as text by name; empty where unknown.
    """

    window: int | None = None
    cache: Mapping[str, str] = field(default_factory=dict)
    engine_version: str = ""
    webui: Mapping[str, str] = field(default_factory=dict)
