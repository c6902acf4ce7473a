"""Reads systemd units and Quadlet's containers: what they start, and when again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from readiness.checks.deployment.commands import (
    Word,
    command_service,
    engine,
    exposure,
    image_program,
    logical_lines,
    mount,
    opened,
    script_services,
    words,
)
from readiness.checks.deployment.facts import (
    UNRESOLVED,
    Program,
    Service,
    Setting,
    Settings,
    Supervisor,
    referenced,
    setting,
)


def unit_service(text: str, name: str) -> Service | None:
    """The service that a unit starts; None where it is none of the programs, and no container."""
    lines = [(key, Word(value, f"{name}:{number}")) for number, key, value in _entries(text)]

    def every(key: str) -> list[Word]:
        return [each for found, each in lines if found == key]

    def last(key: str) -> Setting | None:
        found = every(key)
        value = found[-1].text if found else ""
        return (
            Setting(None if UNRESOLVED.search(value) else value, found[-1].place) if found else None
        )

    restart = last("Restart") or Setting("no", f"{name}:1")
    base = Service(
        name,
        f"{name}:1",
        Program.OTHER,
        Supervisor.SYSTEMD,
        variables=_environment(every("Environment"), every("EnvironmentFile")),
        restart=restart,
        with_host=any(map(every, ("WantedBy", "RequiredBy", "UpheldBy"))),
        user=last("User") or last("DynamicUser"),
        referenced=referenced(text),
    )
    if image := last("Image"):
        return _container(
            base, image, every("PublishPort"), every("Volume"), every("Exec"), last("Network")
        )
    for each in every("ExecStart"):
        first = int(each.place.rpartition(":")[2])
        command = each.text.lstrip("-@:+!")
        given = words(command, first, name)
        if found := command_service(given, base) or _run(command, first, name, base):
            return replace(
                found,
                name=name,
                restart=restart,
                with_host=base.with_host,
                supervisor=Supervisor.SYSTEMD,
            )
    return None


def _run(command: str, first: int, name: str, base: Service) -> Service | None:
    """The container that a unit runs with `docker run`."""
    found = script_services("\n" * (first - 1) + command, name, Supervisor.DOCKER, base)
    return found[0] if found else None


def _container(
    base: Service,
    image: Setting,
    ports: list[Word],
    volumes: list[Word],
    given: list[Word],
    network: Setting | None,
) -> Service:
    """The service of a Quadlet."""
    made = replace(
        base,
        image=image,
        program=image_program(image.value or ""),
        mounts=tuple(filter(None, map(mount, volumes))),
        exposed=exposure(network, ports),
        opened=opened(network, ports),
    )
    if made.program is not Program.VLLM:
        return made
    arguments = [Word(each, line.place) for line in given for each in _split(line.text)]
    return command_service(arguments, made) or engine(arguments, made)


def _entries(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in logical_lines(text):
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith(("#", ";")):
            yield number, key.strip(), value.strip()


def _environment(given: list[Word], files: list[Word]) -> Settings:
    named = {}
    hidden = files[0].place if files else ""
    for each in given:
        for pair in _split(each.text):
            name, equals, value = pair.partition("=")
            if equals:
                named[name] = setting(name, value, each.place)
            else:
                hidden = hidden or each.place
    return Settings(named, hidden)


def _split(text: str) -> list[str]:
    """The words of a value; a variable that nobody tells where its quotes do not end."""
    try:
        return shlex.split(text)
    except ValueError:
        return ["$(quotes)"]
