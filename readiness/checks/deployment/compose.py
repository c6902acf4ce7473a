"""Reads docker-compose.yml: the Compose specification, in its short and long forms."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from readiness.checks.deployment.commands import (
    LOOPBACK,
    NEAR,
    Word,
    command_service,
    engine,
    exposure,
    host_port,
    image_program,
    mount,
    opaque,
    opened,
    resolve,
    visible_gpus,
)
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
from readiness.checks.deployment.yaml_nodes import Node

#: Reads the variables of an `env_file`, by its path; None where it is not there.
ReadVariables = Callable[[str], Mapping[str, Setting] | None]
DEFAULT_PORT = {Program.VLLM: "8000", Program.OPEN_WEBUI: "8080", Program.NGINX: "80"}


def is_compose(document: Node) -> bool:
    """Whether a document is a compose file."""
    return document.at("services").is_mapping


def compose_services(
    document: Node, text: str, variables: Mapping[str, str], read: ReadVariables
) -> list[Service]:
    """The services of a compose file.

    Args:
        document: The file.
        text: Its text.
        variables: Those of the project's `.env`, which stand in for `${NAME}`.
        read: Reads an `env_file`.
    """
    reader = _Reader(text.splitlines(), variables, read)
    return [reader.service(name, node) for name, node in document.at("services").items()]


class _Reader:
    def __init__(self, lines: list[str], variables: Mapping[str, str], read: ReadVariables) -> None:
        self._lines, self._variables, self._read = lines, variables, read
        self._referenced = referenced("\n".join(lines))

    def service(self, name: str, node: Node) -> Service:
        """The service of one entry."""
        image = node.at("image")
        called = frozenset(filter(None, (name, self._text(node.at("container_name")))))
        base = Service(
            name=name,
            place=f"{node.file}:{node.first}",
            program=image_program(self._text(image)) if image else Program.OTHER,
            supervisor=Supervisor.COMPOSE,
            # What is built here is pinned by what it is built of.
            image=None if node.at("build") else self._setting(image),
            variables=self._environment(node),
            restart=self._restart(node),
            health=_health(node.at("healthcheck")),
            log_driver=self._setting(node.at("logging", "driver")),
            log_size=self._setting(node.at("logging", "options", "max-size")),
            user=self._setting(node.at("user")),
            privileged=self._setting(node.at("privileged")),
            mounts=tuple(self._mounts(node)),
            names=called | {each for alias in self._aliases(node) for each in [alias]},
            gpus=self._gpus(node),
            partial=_elsewhere(node),
            referenced=self._referenced,
        )
        base = replace(base, gpus=visible_gpus(base) or base.gpus)
        return self._with_ports(self._with_command(base, node), node)

    def _text(self, node: Node) -> str:
        return resolve(node.text, self._variables).replace("$$", "$")

    def _setting(self, node: Node) -> Setting | None:
        if not node:
            return None
        text = self._text(node)
        return Setting(None if UNRESOLVED.search(text) else text, node.place)

    def _with_command(self, base: Service, node: Node) -> Service:
        command, entry = self._words(node.at("command")), self._words(node.at("entrypoint"))
        if entry:
            given = command_service([*entry, *command], base) or command_service(command, base)
            return given or opaque(base, node.at("entrypoint").place)
        found = command_service(command, base)
        if found or base.program is not Program.VLLM:
            return found or base
        return engine(command, base)

    def _with_ports(self, service: Service, node: Node) -> Service:
        network = self._setting(node.at("network_mode"))
        published = list(self._published(node.at("ports")))
        ports = {host_port(each.text)[1] for each in published}
        if network and network.value == "host":
            ports |= {self._own_port(service)}
        host = service.options.get("--host")
        alone = service.program is Program.VLLM and host is not None and host.value in LOOPBACK
        return replace(
            service,
            # On the host's network, a server that listens on the loopback alone is not reached.
            exposed=None if alone else exposure(network, published),
            opened=opened(network, published),
            ports=frozenset(ports - {""}),
        )

    @staticmethod
    def _own_port(service: Service) -> str:
        told = service.options.get("--port") or service.variables.get("PORT")
        return (told.value if told else None) or DEFAULT_PORT.get(service.program, "")

    def _words(self, node: Node) -> list[Word]:
        """The words of a command, each with its line."""
        if node.is_list:
            return [Word(self._text(each), each.place) for each in node]
        try:
            found = shlex.split(self._text(node))
        except ValueError:
            return [Word("$(quotes)", node.place)] if node.text else []
        at = node.line - 1
        words = []
        for each in found:
            key = each.split("\n")[0][:40]
            near = range(at, min(at + NEAR, node.end, len(self._lines)))
            at = next((n for n in near if key in self._lines[n]), at)
            words.append(Word(each, f"{node.file}:{at + 1}"))
        return words

    def _environment(self, node: Node) -> Settings:
        named: dict[str, Setting] = {}
        hidden = ""
        for file in self._env_files(node.at("env_file")):
            found = self._read(self._text(file))
            hidden = hidden or ("" if found is not None else file.place)
            named |= found or {}
        environment = node.at("environment")
        for name, value in environment.items():
            named[name] = (
                setting(name, self._text(value), value.place)
                if value
                else self._passed(name, value)
            )
        for each in environment:
            name, equals, text = self._text(each).partition("=")
            named[name] = setting(name, text, each.place) if equals else self._passed(name, each)
        return Settings(named, hidden)

    def _passed(self, name: str, node: Node) -> Setting:
        """A variable that is passed on from where compose runs."""
        if name in self._variables:
            return setting(name, self._variables[name], node.place)
        return Setting(None, node.place)

    @staticmethod
    def _env_files(node: Node) -> Iterator[Node]:
        for each in node if node.is_list else [node]:
            path = each.at("path") if each.is_mapping else each
            if path:
                yield path

    def _restart(self, node: Node) -> Setting | None:
        if node.at("restart"):
            return self._setting(node.at("restart"))
        policy = node.at("deploy", "restart_policy")
        if not policy:
            return None
        condition = policy.at("condition")
        return self._setting(condition) if condition else Setting("any", policy.place)

    def _mounts(self, node: Node) -> Iterator[Mount]:
        for each in node.at("volumes"):
            if each.is_mapping:
                kind = each.at("type").text or "volume"
                yield Mount(self._text(each.at("target")).rstrip("/"), kind != "tmpfs", each.place)
            elif found := mount(Word(self._text(each), each.place)):
                yield found
        tmpfs = node.at("tmpfs")
        for each in tmpfs if tmpfs.is_list else [tmpfs] if tmpfs else []:
            yield Mount(each.text.partition(":")[0].rstrip("/"), False, each.place)

    def _published(self, node: Node) -> Iterator[Word]:
        for each in node:
            if not each.is_mapping:
                yield Word(self._text(each), each.place)
                continue
            address, port = self._text(each.at("host_ip")), self._text(each.at("published"))
            target = self._text(each.at("target"))
            yield Word(f"{address}:{port}:{target}" if address else f"{port}:{target}", each.place)

    @staticmethod
    def _aliases(node: Node) -> Iterator[str]:
        for _, network in node.at("networks").items():
            yield from (each.text for each in network.at("aliases"))

    def _gpus(self, node: Node) -> Setting | None:
        devices = node.at("deploy", "resources", "reservations", "devices")
        for each in devices or node.at("gpus"):
            if each.at("device_ids"):
                return Setting(str(len(list(each.at("device_ids")))), each.at("device_ids").place)
            count = each.at("count")
            return self._setting(count) if count else Setting("all", each.place)
        return self._setting(node.at("gpus"))


def _elsewhere(node: Node) -> str:
    """Where a service goes on with what stands elsewhere; "" where all of it is here."""
    if node.at("extends"):
        return node.at("extends").place
    return "" if node.at("image") or node.at("build") else node.place


def _health(node: Node) -> list[Setting] | None:
    """What a health check asks; None where there is none, or it is switched off."""
    test = node.at("test")
    if not node or node.at("disable").text == "true" or not test:
        return None
    asked = " ".join(each.text for each in test) if test.is_list else test.text
    return None if asked.startswith("NONE") else [Setting(asked, test.place)]
