"""Makes fixtures/deployment/: which options and variables each version of a program reads.

    python -m benchmarks.known_settings vllm 0.33.0=FOLDER 0.26.0=FOLDER …
    python -m benchmarks.known_settings openwebui 0.12.4=FOLDER …

Each FOLDER has the package of one version, as in a wheel that was unpacked (`pip download
--no-deps`, then `unzip`): `vllm/` or `open_webui/`. Its sources are parsed, and nothing of them is
run. What is written are names, the values that an option takes, and versions.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path

import yaml

from tests import ROOT

HERE = ROOT / "fixtures" / "deployment"
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
#: Calls that read a variable.
READS = re.compile(r"environ\.get|getenv|PersistentConfig|_env\b|env_")
#: Modules of vLLM whose options are not those of `vllm serve`.
OTHER_COMMANDS = re.compile(r"run_batch|benchmark|/cli/(?!serve)")
#: What the scripts of Open WebUI's image read, which its package does not have (backend/start.sh).
IMAGE_VARIABLES = [
    "ADMIN_USER_EMAIL",
    "ADMIN_USER_PASSWORD",
    "FORWARDED_ALLOW_IPS",
    "HOST",
    "PLAYWRIGHT_WS_URL",
    "PORT",
    "SPACE_HOST",
    "SPACE_ID",
    "USE_CUDA_DOCKER",
    "USE_OLLAMA_DOCKER",
    "UVICORN_WORKERS",
    "WEBUI_SECRET_KEY",
    "WEBUI_SECRET_KEY_FILE",
    "WEB_LOADER_ENGINE",
]
Names = dict[str, frozenset[str]]


def main(arguments: Sequence[str]) -> int:
    program, *given = arguments
    folders = dict(each.split("=", 1) for each in given)
    versions = sorted(folders, key=_order)
    read = {"vllm": _vllm, "openwebui": _open_webui}[program]
    found = [read(Path(folders[each])) for each in versions]
    table: dict[str, object] = {"versions": versions}
    for kind in found[0]:
        table[kind] = _by_name([each[kind] for each in found], versions)
    text = yaml.safe_dump(table, sort_keys=False, width=110, default_flow_style=None)
    head = "# Made by `python -m benchmarks.known_settings`: names, values and versions.\n"
    (HERE / f"{program}.yaml").write_text(head + text, "utf-8")
    return 0


def _order(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]


def _by_name(found: Sequence[Names], versions: Sequence[str]) -> dict[str, object]:
    """Each name with its values, by the versions that have it: [first, last] of each stretch."""
    table: dict[str, object] = {}
    for name in sorted({name for each in found for name in each}):
        stretches: list[tuple[str, str, frozenset[str]]] = []
        for at, version in enumerate(versions):
            values = found[at].get(name)
            if values is None:
                continue
            last = stretches[-1] if stretches else None
            if last and at and last[1] == versions[at - 1] and last[2] == values:
                stretches[-1] = (last[0], version, values)
            else:
                stretches.append((version, version, values))
        table[name] = [
            f"{first}-{last}" + (f" {' '.join(sorted(values))}" if values else "")
            for first, last, values in stretches
        ]
    return table


def _vllm(folder: Path) -> dict[str, Names]:
    package = folder / "vllm"
    trees = _trees([*package.glob("engine/arg_utils.py"), *package.glob("config*.py")])
    trees += _trees([*package.glob("config/*.py"), *package.glob("scripts.py")])
    entrypoints = _trees(
        each
        for each in package.glob("entrypoints/**/*.py")
        if not OTHER_COMMANDS.search(str(each.relative_to(folder)))
    )
    values = _field_values([*trees, *entrypoints])
    options = reduce(or_, (_options(each, values) for each in [*trees, *entrypoints]))
    return {
        "options": options,
        "commands": dict.fromkeys(_commands(package), frozenset()),
        "variables": dict.fromkeys(_constants(_trees([package / "envs.py"]), "VLLM_"), frozenset()),
        "architectures": dict.fromkeys(_architectures(package), frozenset()),
    }


def _trees(paths: Iterable[Path]) -> list[ast.Module]:
    return [ast.parse(each.read_bytes()) for each in paths]


def _options(tree: ast.Module, values: Mapping[str, frozenset[str]]) -> Names:
    """The options that a module adds to a parser, or makes of the fields of `*FrontendArgs`."""
    found: Names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            names = [each.value for each in node.args if isinstance(each, ast.Constant)]
            for name in names:
                if isinstance(name, str) and name.startswith("-"):
                    found[name] = _choices(node, values)
        elif isinstance(node, ast.ClassDef) and node.name.endswith("FrontendArgs"):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    found[f"--{field.target.id.replace('_', '-')}"] = frozenset()
    return found


def _choices(call: ast.Call, values: Mapping[str, frozenset[str]]) -> frozenset[str]:
    for keyword in call.keywords:
        if keyword.arg == "choices" and isinstance(keyword.value, ast.List | ast.Tuple):
            return frozenset(_strings(keyword.value))
        if keyword.arg is None and isinstance(keyword.value, ast.Subscript):
            field = keyword.value.slice
            if isinstance(field, ast.Constant):
                return values.get(str(field.value), frozenset())
    return frozenset()


def _field_values(trees: Iterable[ast.Module]) -> dict[str, frozenset[str]]:
    """The values that a field of a configuration takes, where its type is literals alone."""
    trees = list(trees)
    aliases = {
        target.id: node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: dict[str, frozenset[str] | None] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Config"):
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                        name, values = field.target.id, _literals(field.annotation, aliases)
                        if values is None and _is_validated(node, name):
                            values = _known_literals(field.annotation, aliases)
                        # A name that two classes have with different types says nothing.
                        found[name] = values if found.get(name, values) == values else None
    return {name: values for name, values in found.items() if values}


def _literals(node: ast.expr, aliases: Mapping[str, ast.expr]) -> frozenset[str] | None:
    """The strings of a type; None where it takes others, too."""
    if isinstance(node, ast.Name):
        return _literals(aliases[node.id], {}) if node.id in aliases else None
    if isinstance(node, ast.Constant) and node.value is None:
        return frozenset()
    if isinstance(node, ast.BinOp):
        sides = [_literals(each, aliases) for each in (node.left, node.right)]
        known = [each for each in sides if each is not None]
        return frozenset().union(*known) if len(known) == 2 else None
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return None
    if node.value.id == "Optional":
        return _literals(node.slice, aliases)
    strings = list(_strings(node.slice))
    count = len(node.slice.elts) if isinstance(node.slice, ast.Tuple) else 1
    return frozenset(strings) if node.value.id == "Literal" and len(strings) == count else None


def _is_validated(owner: ast.ClassDef, name: str) -> bool:
    """Whether a class rejects values of a field by itself, where its type is any string."""
    return any(
        isinstance(each, ast.FunctionDef)
        and any(isinstance(line, ast.Raise) for line in ast.walk(each))
        and any(name in _strings(marked) for marked in each.decorator_list)
        for each in owner.body
    )


def _known_literals(node: ast.expr, aliases: Mapping[str, ast.expr]) -> frozenset[str] | None:
    """The strings that are named in a type that takes any: others would be a plugin's."""
    if not isinstance(node, ast.BinOp) or ast.unparse(node.right) != "str":
        return None
    return _literals(node.left, aliases)


def _strings(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _commands(package: Path) -> Iterator[str]:
    """The subcommands of `vllm`: the names in its command line's modules."""
    yield "serve"
    for tree in _trees(package.glob("entrypoints/cli/**/*.py")):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for field in node.body:
                    if (
                        isinstance(field, ast.Assign)
                        and getattr(field.targets[0], "id", "") == "name"
                    ):
                        yield from _strings(field.value)
    for tree in _trees([each for each in [package / "scripts.py"] if each.exists()]):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_parser":
                yield from list(_strings(node.args[0]))[:1]


def _architectures(package: Path) -> set[str]:
    tree = ast.parse((package / "model_executor/models/registry.py").read_bytes())
    keys = (
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    )
    return {each for each in keys if isinstance(each, str) and re.fullmatch(r"[A-Z]\w+", each)}


def _constants(trees: Iterable[ast.Module], prefix: str) -> set[str]:
    """The names of variables that occur as strings."""
    return {
        each
        for tree in trees
        for each in _strings(tree)
        if each.startswith(prefix) and VARIABLE.fullmatch(each)
    }


def _open_webui(folder: Path) -> dict[str, Names]:
    trees = _trees((folder / "open_webui").rglob("*.py"))
    names = {name for tree in trees for name in _environment(tree)}
    return {"variables": dict.fromkeys([*names, *IMAGE_VARIABLES], frozenset())}


def _environment(tree: ast.Module) -> Iterator[str]:
    """The variables that a module reads, by calls or as keys of the environment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and READS.search(ast.unparse(node.func)):
            yield from filter(VARIABLE.fullmatch, map(_string, node.args))
        elif isinstance(node, ast.Subscript) and "environ" in ast.unparse(node.value):
            yield from filter(VARIABLE.fullmatch, [_string(node.slice)])
        elif isinstance(node, ast.Compare) and "environ" in ast.unparse(node.comparators[0]):
            yield from filter(VARIABLE.fullmatch, [_string(node.left)])


def _string(node: ast.expr) -> str:
    """The text of a string; "" of anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
