"""Reads the files of a deployment: bounded, as data, and none outside of the folder named."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from readiness.checks.deployment import nginx
from readiness.checks.deployment.commands import script_services
from readiness.checks.deployment.compose import compose_services, is_compose
from readiness.checks.deployment.facts import (
    SECRET,
    SET,
    Deployment,
    ModelConfig,
    Program,
    ProxyLocation,
    Rotation,
    Service,
    Setting,
    Settings,
    Supervisor,
    setting,
)
from readiness.checks.deployment.kubernetes import is_manifest, manifest_services, objects
from readiness.checks.deployment.systemd import unit_service
from readiness.checks.deployment.yaml_nodes import Node, UnreadableYaml, documents

PARSERS = ("crossplane", "dotenv")
MAX_FILE = 2**18  # bytes
MAX_FILES, MAX_DEPTH = 200, 4
KINDS = (
    "docker-compose.yml, .env, nginx.conf, a Kubernetes manifest, a logrotate file, "
    "a systemd unit, a shell script or the model's config.json"
)
_SKIPPED = frozenset({".git", "node_modules", "__pycache__", ".venv"})
_LOGROTATE = re.compile(
    r"^[ \t]*(?:rotate\s+\d+|(?:max|min)?size\s+\S+|copytruncate|daily|weekly|monthly)[ \t]*$", re.M
)
#: What makes a program write to the new file: the old one is emptied, or a script tells it.
_REOPENED = re.compile(r"^[ \t]*(?:copytruncate|postrotate|lastaction)\b", re.M)
_NGINX = re.compile(
    r"^[ \t]*(?:server|http|location|upstream|events)\b[^;\n]*\{|^[ \t]*proxy_\w+\s", re.M
)
_SYSTEMD = re.compile(r"^[ \t]*\[(?:Unit|Service|Container|Install)\][ \t]*$", re.M)
_MEMORY = re.compile(r"memory\.used|MemoryUsed|memory_used")
#: The keys of config.json that bound the window, in vLLM's order.
_WINDOWS = (
    "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length",
    "max_target_positions", "max_sequence_length", "max_seq_length", "seq_len",
)  # fmt: skip


class DeploymentError(ValueError):
    """A file cannot be read as one of a deployment; the message names it and says what to do."""


@dataclass
class _Reading:
    """What was read so far."""

    services: list[Service] = field(default_factory=list)
    manifests: list[Node] = field(default_factory=list)
    locations: list[ProxyLocation] = field(default_factory=list)
    models: list[ModelConfig] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)
    log_driver: Setting | None = None
    watchdogs: list[Setting] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    loose_variables: list[Settings] = field(default_factory=list)
    gateways: list[_File] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    """A file with its text, the folder that bounds what it may name, and its name in reports."""

    path: Path
    folder: Path
    name: str
    text: str


def gather_deployment(paths: Sequence[Path]) -> Deployment:
    """Read what the files say.

    Raises:
        DeploymentError: A path is missing, is no file of a deployment, or cannot be read.
    """
    if any(find_spec(each) is None for each in PARSERS):
        needed = "needs crossplane and python-dotenv: pip install 'llm-readiness[deployment]'"
        raise DeploymentError(f"reading its files {needed}")
    reading = _Reading()
    for path in paths:
        _add(path, reading)
    _read_gateways(reading)
    services = [*_overridden(reading.services), *manifest_services(reading.manifests)]
    return Deployment(
        tuple(_with_loose(services, reading.loose_variables)),
        tuple(reading.locations),
        reading.models[0] if len(reading.models) == 1 else None,
        tuple(reading.rotations),
        reading.log_driver,
        tuple(reading.watchdogs),
        tuple(reading.unread),
        dict(sorted(reading.digests.items())),
        tuple(sorted(reading.secrets)),
    )


def _add(path: Path, reading: _Reading) -> None:
    if path.is_dir():
        found = [
            each for each in _files(path) if (read := _reader(each)) and not read(each, reading)
        ]
        if not reading.digests and not found:
            raise DeploymentError(f"{path}: no file of a deployment: name {KINDS}")
        return
    if not path.exists():
        raise DeploymentError(f"{path}: no such file or folder")
    file = _file(path, path.parent, path.name)
    read = _reader(file)
    if read is None:
        raise DeploymentError(f"{path}: not known as a file of a deployment: name {KINDS}")
    read(file, reading)


def _files(folder: Path) -> Iterator[_File]:
    """The text files of a folder, some levels deep; no link is followed."""
    number = 0
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if (
            len(parts) > MAX_DEPTH
            or _SKIPPED.intersection(parts)
            or path.is_symlink()
            or not path.is_file()
        ):
            continue
        if path.stat().st_size > MAX_FILE:
            continue
        number += 1
        if number > MAX_FILES:
            raise DeploymentError(
                f"{folder}: more than {MAX_FILES} files: name those of the deployment"
            )
        try:
            yield _file(path, folder, "/".join(parts))
        except DeploymentError:
            continue  # No text: a picture, a database.


def _file(path: Path, folder: Path, name: str) -> _File:
    """Read a file.

    Raises:
        DeploymentError: It is no regular file, too large, or no text.
    """
    if not path.is_file():
        raise DeploymentError(f"{path}: not a regular file")
    with path.open("rb") as opened:
        data = opened.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise DeploymentError(f"{path}: larger than {MAX_FILE} bytes: name a smaller one")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeploymentError(f"{path}: not a text in UTF-8") from error
    if "\0" in text:
        raise DeploymentError(f"{path}: not a text")
    return _File(path, folder, name, text)


Read = Callable[[_File, _Reading], None]


def _reader(file: _File) -> Read | None:
    """What reads a file, by its name and its text; None where it is none of a deployment."""
    name = file.path.name.lower()
    if name in ("config.json", "daemon.json"):
        return _read_json
    if name == ".env" or name.endswith(".env") or name.startswith(".env."):
        return None if name.endswith((".example", ".sample", ".template")) else _read_env
    if name.endswith((".yml", ".yaml")):
        return _read_yaml
    if name.endswith((".service", ".container")) or _SYSTEMD.search(file.text):
        return _read_unit
    if name.endswith(".sh") or file.text.startswith("#!"):
        return (
            _read_script
            if re.match(r"#!.*\b(?:ba|da|z|a)?sh\b", file.text) or name.endswith(".sh")
            else None
        )
    if _LOGROTATE.search(file.text) and "{" in file.text:
        return _read_logrotate
    return (
        _read_nginx
        if _NGINX.search(file.text) and name.endswith((".conf", ".txt", ".nginx", "nginx"))
        else None
    )


def _digest(file: _File, reading: _Reading, secrets: set[str]) -> None:
    """Note a file's digest, in which secrets are replaced: a short one could be guessed by it."""
    text = file.text
    for each in sorted(secrets, key=len, reverse=True):
        text = text.replace(each, SET)
    reading.secrets |= secrets
    reading.digests[file.name] = hashlib.sha256(text.encode()).hexdigest()


_PAIR = re.compile(
    r"[\"']?(?P<name>[\w.-]+)[\"']?\s*[:=]\s*[\"']?(?P<value>[^\s\"'#,]+)"
    r"|--(?P<option>[\w-]+)[ =]+[\"']?(?P<argument>[^\s\"']+)"
    r"|(?P<scheme>\w+)://[^\s/:@]*:(?P<password>[^\s/@]+)@"
    r"|(?:Bearer|Basic)\s+(?P<bearer>[^\s\"';]+)"
)


def _secrets(text: str) -> set[str]:
    """The values of secrets in any file: of variables and options called so, and in URLs."""
    found = set()
    for match in _PAIR.finditer(text):
        name = match["name"] or match["option"] or ""
        value = match["value"] or match["argument"] or ""
        if name and SECRET.search(name) and not value.startswith("$"):
            found.add(value)
        found |= {
            each
            for each in (match["password"], match["bearer"])
            if each and not each.startswith("$")
        }
    return found


def _read_env(file: _File, reading: _Reading) -> None:
    named = _variables(file, reading)
    reading.loose_variables.append(Settings(named))


def _dotenv(file: _File, reading: _Reading) -> Iterator[tuple[str, str, int]]:
    """The variables of an env file, each with its line; none is taken from the environment."""
    from dotenv.parser import parse_stream

    for each in parse_stream(StringIO(file.text)):
        if each.error:
            reading.unread.append(f"{file.name}:{each.original.line}: not read as a variable")
        elif each.key:
            # An empty variable is one that is not set.
            yield each.key, each.value or "", each.original.line


def _variables(file: _File, reading: _Reading) -> dict[str, Setting]:
    """The variables of an env file, whose digest is noted."""
    pairs = list(_dotenv(file, reading))
    secret = {value for name, value, _ in pairs if value and SECRET.search(name)}
    _digest(file, reading, _secrets(file.text) | secret)
    return {name: setting(name, value, f"{file.name}:{line}") for name, value, line in pairs}


def _beside(file: _File, name: str) -> _File | None:
    """A file that another one names, in the same folder or below; None for any other."""
    path = file.path.parent / name
    try:
        inside = path.resolve().is_relative_to(file.folder.resolve())
        return _file(path, file.folder, str(path.relative_to(file.folder))) if inside else None
    except (DeploymentError, OSError, ValueError):
        return None


def _read_yaml(file: _File, reading: _Reading) -> None:
    try:
        found = documents(file.text, file.name)
    except (UnreadableYaml, RecursionError) as error:
        reading.unread.append(
            str(error) if isinstance(error, UnreadableYaml) else f"{file.name}: too deep"
        )
        return
    composed = [each for each in found if is_compose(each)]
    manifests = [each for each in found if is_manifest(each)]
    if not composed and not manifests:
        return
    _digest(file, reading, _secrets(file.text))
    reading.manifests += manifests
    project = _beside(file, ".env")
    known = {name: value for name, value, _ in _dotenv(project, reading)} if project else {}

    def variables(name: str) -> Mapping[str, Setting] | None:
        env = _beside(file, name)
        return None if env is None else _variables(env, reading)

    reading.gateways += _held_gateways(file, found)
    for each in composed:
        reading.services += compose_services(each, file.text, known, variables)


def _held_gateways(file: _File, found: Sequence[Node]) -> Iterator[_File]:
    """The configurations of nginx in configuration maps, and in those of compose files."""
    maps = [each for document in found for each in objects(document)]
    held = [
        (f"{each.at('metadata', 'name').text}/{name}", node)
        for each in maps
        for name, node in each.at("data").items()
    ]
    held += [
        (name, node.at("content")) for each in found for name, node in each.at("configs").items()
    ]
    for name, node in held:
        # Other programs have blocks of the same names.
        if "nginx" in name and _NGINX.search(node.text):
            # Its lines are counted from the beginning of the file.
            before = "\n" * (node.line - 1 + node.is_block)
            yield _File(file.path / name, file.folder, file.name, before + node.text)


def _read_unit(file: _File, reading: _Reading) -> None:
    _digest(file, reading, _secrets(file.text))
    service = unit_service(file.text, file.name)
    if service:
        reading.services.append(service)


def _read_script(file: _File, reading: _Reading) -> None:
    base = Service(file.name, f"{file.name}:1", Program.OTHER, Supervisor.SHELL)
    _digest(file, reading, _secrets(file.text))
    reading.services += script_services(file.text, file.name, Supervisor.SHELL, base)
    for number, line in enumerate(file.text.splitlines(), 1):
        if _MEMORY.search(line) and not line.lstrip().startswith("#"):
            reading.watchdogs.append(Setting(None, f"{file.name}:{number}"))


def _read_nginx(file: _File, reading: _Reading) -> None:
    _digest(file, reading, _secrets(file.text))
    reading.gateways.append(file)


def _read_gateways(reading: _Reading) -> None:
    """Read nginx's files: those that another one includes in its place alone."""
    parsed: list[tuple[_File, list[nginx.Statement]]] = []
    for file in reading.gateways:
        try:
            parsed.append((file, nginx.statements(file.text, file.name)))
        except nginx.UnreadableNginx as error:
            reading.unread.append(str(error))
    seen: set[Path] = set()
    # Whole configurations first: they include others.
    for file, given in sorted(
        parsed, key=lambda each: not any(line.name == "http" for line in each[1])
    ):
        if file.path not in seen:
            reading.locations += nginx.proxy_locations(
                nginx.included(given, partial(_include, file, seen))
            )


def _include(file: _File, seen: set[Path], pattern: str) -> list[nginx.Statement] | None:
    """The directives of the files that an `include` names; None where none is below the folder."""
    found = _included(file, pattern)
    seen.update(each.path for each in found)
    try:
        return (
            [line for each in found for line in nginx.statements(each.text, each.name)]
            if found
            else None
        )
    except nginx.UnreadableNginx:
        return None


def _included(file: _File, pattern: str) -> list[_File]:
    """The files that an `include` names, below the folder; of an absolute path its last parts."""
    parts = [each for each in pattern.split("/") if each not in ("", ".", "..")]
    base = file.path.parent
    for tail in (parts, parts[-2:], parts[-1:]):
        found = [
            _beside(file, str(each.relative_to(base))) for each in sorted(base.glob("/".join(tail)))
        ]
        if kept := [each for each in found if each and each.path != file.path]:
            return kept
    return []


def _read_logrotate(file: _File, reading: _Reading) -> None:
    _digest(file, reading, set())
    of_containers, common = False, _REOPENED.search(re.sub(r"\{[^}]*\}", "", file.text))
    block = common
    for number, line in enumerate(file.text.splitlines(), 1):
        if line.lstrip().startswith(("/", '"')):
            of_containers = "docker/containers" in line
        if "{" in line:
            rest = "\n".join(file.text.splitlines()[number:])
            block = common or _REOPENED.search(rest.partition("}")[0])
        if match := re.match(r"\s*(?:max)?size\s+(\S+)", line):
            place = f"{file.name}:{number}"
            reading.rotations.append(Rotation(match[1], of_containers, place, not block))


def _read_json(file: _File, reading: _Reading) -> None:
    try:
        content = json.loads(file.text)
    except (ValueError, RecursionError):
        reading.unread.append(f"{file.name}: not JSON")
        return
    if not isinstance(content, dict):
        return
    if file.path.name.lower() == "daemon.json":
        _digest(file, reading, _secrets(file.text))
        options = content.get("log-opts")
        told = options.get("max-size") if isinstance(options, dict) else None
        if isinstance(driver := content.get("log-driver"), str):
            reading.log_driver = Setting(driver, f"{file.name}:{_line(file, 'log-driver')}")
        if isinstance(told, str):
            reading.rotations.append(Rotation(told, True, f"{file.name}:{_line(file, 'max-size')}"))
    elif "model_type" in content or "architectures" in content:
        _digest(file, reading, set())
        reading.models.append(_model(content, file.name))


def _line(file: _File, word: str) -> int:
    return next((n for n, line in enumerate(file.text.splitlines(), 1) if word in line), 1)


def _model(content: Mapping[str, Any], name: str) -> ModelConfig:
    """The facts of a model's configuration, whose text part may stand in a field of its own."""
    inner = content.get("text_config")
    text = {**content, **inner} if isinstance(inner, dict) else content
    windows = [text[key] for key in _WINDOWS if isinstance(text.get(key), int)]
    architectures = content.get("architectures")
    heads = text.get("num_attention_heads")
    return ModelConfig(
        name,
        tuple(map(str, architectures)) if isinstance(architectures, list) else (),
        "auto_map" in content,
        min(windows) if windows else None,
        scaled_window(
            text.get("rope_scaling") or text.get("rope_parameters"), min(windows, default=0)
        ),
        heads if isinstance(heads, int) else None,
    )


def scaled_window(rope: Any, window: int) -> int | None:
    """The window that YaRN's factor makes of the original one; None where nothing is scaled.

    As in vLLM's `_get_and_verify_max_len`: types whose window is scaled already are left out.
    """
    if not isinstance(rope, dict):
        return None
    factor, kind = rope.get("factor"), rope.get("rope_type") or rope.get("type")
    if kind in ("default", "su", "longrope", "llama3", "mrope") or not isinstance(
        factor, int | float
    ):
        return None
    original = rope.get("original_max_position_embeddings")
    return int((original if isinstance(original, int) else window) * factor)


def _overridden(services: Sequence[Service]) -> Iterator[Service]:
    """The services; one that another compose file beside its own goes on with is shown in part."""
    parts = {(_folder(each), each.name): each for each in services if each.partial}
    for each in services:
        part = parts.get((_folder(each), each.name))
        composed = each.supervisor is Supervisor.COMPOSE
        yield replace(each, partial=part.place) if composed and part else each


def _folder(service: Service) -> str:
    return service.place.rpartition("/")[0]


def _with_loose(services: Sequence[Service], loose: Sequence[Settings]) -> Iterator[Service]:
    """The services, and Open WebUI by its env file alone where no file starts it."""
    front = [each for each in services if each.program is Program.OPEN_WEBUI]
    if not front and loose and any(_is_webui(each) for each in loose):
        yield from services
        yield from (
            Service(
                "Open WebUI",
                next(iter(each.named.values())).place,
                Program.OPEN_WEBUI,
                Supervisor.SHELL,
                variables=each,
            )
            for each in loose
            if _is_webui(each)
        )
        return
    yield from services


def _is_webui(variables: Settings) -> bool:
    return any(name.startswith("WEBUI_") for name in variables.named)
