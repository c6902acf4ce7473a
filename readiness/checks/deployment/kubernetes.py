"""Reads Kubernetes manifests: workloads, the services and the configuration maps beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from readiness.checks.deployment.commands import (
    Word,
    command_service,
    engine,
    image_program,
    opaque,
)
from readiness.checks.deployment.facts import (
    UNRESOLVED,
    Mount,
    Program,
    Service,
    Setting,
    Settings,
    Supervisor,
    setting,
)
from readiness.checks.deployment.yaml_nodes import Node

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"})
GPUS = ("nvidia.com/gpu", "amd.com/gpu")
#: Kinds of volumes that end with their pod.
PASSING = frozenset({"emptyDir", "downwardAPI", "ephemeral"})
_REFERENCE = re.compile(r"\$\((\w+)\)")


def is_manifest(document: Node) -> bool:
    """Whether a document is a Kubernetes object."""
    return bool(document.at("apiVersion") and document.at("kind"))


def manifest_services(documents: Sequence[Node]) -> list[Service]:
    """The containers of all workloads, as the services beside them expose them."""
    given = [each for document in documents for each in objects(document)]
    maps = {
        each.at("metadata", "name").text: each
        for each in given
        if each.at("kind").text == "ConfigMap"
    }
    exposing = [each for each in given if each.at("kind").text == "Service"]
    found = []
    for workload in given:
        if workload.at("kind").text in WORKLOADS:
            found += list(_containers(workload, maps, exposing))
    return found


def objects(document: Node) -> Iterator[Node]:
    """The objects of a document: its own, or those of a list."""
    if document.at("kind").text == "List":
        for each in document.at("items"):
            yield from objects(each)
    else:
        yield document


def _containers(
    workload: Node, maps: Mapping[str, Node], exposing: Sequence[Node]
) -> Iterator[Service]:
    is_pod = workload.at("kind").text == "Pod"
    template = workload if is_pod else workload.at("spec", "template")
    spec, labels = (
        template.at("spec"),
        {k: v.text for k, v in template.at("metadata", "labels").items()},
    )
    services = [each for each in exposing if _selects(each, labels)]
    for container in spec.at("containers"):
        yield _container(container, spec, maps, services, workload)


def _selects(service: Node, labels: Mapping[str, str]) -> bool:
    selector = {k: v.text for k, v in service.at("spec", "selector").items()}
    return bool(selector) and selector.items() <= labels.items()


def _container(
    node: Node, spec: Node, maps: Mapping[str, Node], services: Sequence[Node], workload: Node
) -> Service:
    image = node.at("image")
    names = {each.at("metadata", "name").text for each in services}
    ports = {
        each.text
        for service in services
        for p in service.at("spec", "ports")
        for each in [p.at("port")]
    }
    base = Service(
        name=node.at("name").text,
        place=node.place,
        program=image_program(image.text),
        supervisor=Supervisor.KUBERNETES,
        image=_setting(image),
        variables=_environment(node, maps),
        restart=_setting(spec.at("restartPolicy")) or Setting("Always", workload.place),
        health=_health(node),
        user=_user(node, spec),
        privileged=_setting(node.at("securityContext", "privileged")),
        mounts=tuple(_mounts(node, spec)),
        exposed=_exposed(node, spec, services),
        names=frozenset(names),
        ports=frozenset(ports),
        gpus=_gpus(node),
        referenced=frozenset(_REFERENCE.findall(" ".join(each.text for each in node.at("args")))),
    )
    return _with_command(base, node)


def _with_command(base: Service, node: Node) -> Service:
    command, arguments = (_words(node.at(key), base.variables) for key in ("command", "args"))
    if command:
        found = command_service([*command, *arguments], base)
        return found or opaque(base, node.at("command").place)
    if base.program is not Program.VLLM:
        return base
    return command_service(arguments, base) or engine(arguments, base)


def _words(node: Node, variables: Settings) -> list[Word]:
    def value(match: re.Match[str]) -> str:
        told = variables.named.get(match[1])
        return told.value if told and told.value is not None else match[0]

    found = []
    for each in node:
        # A block of text begins in the line below its mark.
        below = "\n" in each.text and each.is_block
        place = f"{each.file}:{each.line + below}"
        found.append(Word(_REFERENCE.sub(value, each.text), place))
    return found


def _setting(node: Node) -> Setting | None:
    if not node:
        return None
    return Setting(None if UNRESOLVED.search(node.text) else node.text, node.place)


def _environment(node: Node, maps: Mapping[str, Node]) -> Settings:
    named: dict[str, Setting] = {}
    hidden = ""
    for each in node.at("envFrom"):
        found = maps.get(each.at("configMapRef", "name").text)
        if found is None:
            hidden = each.place
            continue
        named |= {
            key: setting(key, value.text, value.place) for key, value in found.at("data").items()
        }
    for each in node.at("env"):
        name = each.at("name").text
        if each.at("valueFrom"):
            named[name] = _referred(name, each, maps)
        else:
            named[name] = setting(name, each.at("value").text, each.place)
    return Settings(named, hidden)


def _referred(name: str, node: Node, maps: Mapping[str, Node]) -> Setting:
    """A variable whose value is in another object."""
    reference = node.at("valueFrom", "configMapKeyRef")
    held = maps.get(reference.at("name").text)
    if held is not None and (value := held.at("data").at(reference.at("key").text)):
        return setting(name, value.text, value.place)
    return Setting(None, node.place)


def _health(node: Node) -> list[Setting] | None:
    found = []
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = node.at(kind)
        command = " ".join(each.text for each in probe.at("exec", "command"))
        asked = probe.at("httpGet", "path").text or command
        if probe:
            found.append(Setting(asked or "a port", probe.place))
    return found or None


def _user(node: Node, spec: Node) -> Setting | None:
    for context in (node.at("securityContext"), spec.at("securityContext")):
        if context.at("runAsUser"):
            return _setting(context.at("runAsUser"))
        if context.at("runAsNonRoot").text == "true":
            return Setting("not root", context.at("runAsNonRoot").place)
    return None


def _mounts(node: Node, spec: Node) -> Iterator[Mount]:
    passing = {
        each.at("name").text
        for each in spec.at("volumes")
        if any(each.at(kind).value for kind in PASSING)
    }
    for each in node.at("volumeMounts"):
        kept = each.at("name").text not in passing
        yield Mount(each.at("mountPath").text.rstrip("/"), kept, each.place)


def _exposed(node: Node, spec: Node, services: Sequence[Node]) -> Setting | None:
    if spec.at("hostNetwork").text == "true":
        place = spec.at("hostNetwork").place
        return Setting("it listens on all addresses of the host", place)
    for port in node.at("ports"):
        if port.at("hostPort"):
            return Setting(
                f"port {port.at('hostPort').text} of the host leads to it",
                port.at("hostPort").place,
            )
    for service in services:
        kind = service.at("spec", "type")
        if kind.text in ("NodePort", "LoadBalancer"):
            return Setting(f"a service of type {kind.text} leads to it", kind.place)
    # Every pod of the cluster reaches it, unless a network policy says otherwise.
    return Setting(None, node.place)


def _gpus(node: Node) -> Setting | None:
    for part in ("limits", "requests"):
        for name in GPUS:
            if count := node.at("resources", part).at(name):
                return _setting(count)
    return None
